import itertools

import cv2
import numpy as np
import pytest

from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.detection import (
    detect,
    fingerprint,
    require_faces,
)
from pipeline.features.faces.face_table import NAMES
from pipeline.features.faces.following import choose
from pipeline.features.faces.mtcnn import Detector
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import MediaError


@pytest.fixture(scope="module")
def faces(params):
    return params.corpora["demo_sessions"].video.faces


def test_overlap_by_hand():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6]], np.float32)
    box = np.array([0, 0, 2, 2], np.float32)
    np.testing.assert_allclose(overlap_of_union(boxes, box[None])[:, 0], [1, 1 / 7, 0], rtol=1e-6)


def test_fingerprint_leaves_out_what_changes_no_detection(faces):
    assert fingerprint(faces) == fingerprint(faces.model_copy(update={"min_found_share": 0.9}))
    assert fingerprint(faces) != fingerprint(faces.model_copy(update={"min_face": 40}))


def test_six_faces_of_a_still(clips, faces):
    image = cv2.cvtColor(cv2.imread(str(clips / "multiface.jpg")), cv2.COLOR_BGR2RGB)
    found = Detector(faces.model_copy(update={"min_face": 20})).detect(image)
    assert len(found.boxes) == 6
    assert found.probability.min() > 0.99


def test_published_box_of_a_still(clips, faces):
    image = cv2.cvtColor(cv2.imread(str(clips / "known_box.jpg")), cv2.COLOR_BGR2RGB)
    found = Detector(faces.model_copy(update={"min_face": 20})).detect(image)
    published = np.array([277, 90, 277 + 48, 90 + 63], np.float32)
    overlap = overlap_of_union(found.boxes, published[None])[:, 0]
    assert overlap.max() > 0.8
    left_eye, right_eye, _nose, mouth_left, _ = found.landmarks[overlap.argmax()]
    assert left_eye[0] < right_eye[0]
    assert mouth_left[1] > left_eye[1]


def test_pictures_with_and_without_faces_and_one_too_small(clips, faces):
    frames = [frame.image for frame in FramesOnGrid(clips / "face_noface.mov", 2.5)]
    detector = Detector(faces)
    others = (np.zeros_like(frames[0]), np.zeros((16, 16, 3), np.uint8))
    assert [len(detector.detect(image).boxes) for image in (frames[0], frames[-1], *others)] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("clip", "first", "last", "share"),
    [
        ("talking_face.mp4", True, True, 1.0),
        ("single_face.mp4", True, True, 1.0),
        ("face_noface.mov", True, False, None),
        ("noface_face.mov", False, True, None),
        ("no_face.mp4", False, False, 0.0),
        ("no_audio_stream.mp4", True, True, 1.0),
    ],
)
def test_real_clips_have_faces_where_their_readme_says(clips, faces, clip, first, last, share):
    rows = detect(clips / clip, faces)
    assert (bool(rows.valid[0]), bool(rows.valid[-1])) == (first, last)
    if share is not None:
        assert rows.valid.mean() == share
    # one change at most: the face is there, then not, or the other way round
    assert np.abs(np.diff(rows.valid.astype(int))).sum() <= 1
    assert rows.names == NAMES
    width = rows.column("right") - rows.column("left")
    assert np.all(width[rows.valid] > 30)
    assert not rows.values[~rows.valid, 1:].any()


def test_the_same_walker_is_followed_among_several(clips, faces):
    """People walk past each other; frame by frame the face followed moves by less than its width."""
    frames = itertools.islice(FramesOnGrid(clips / "several_faces.mp4", 25.0), 8)
    last, centres, widths = None, [], []
    for found in map(Detector(faces).detect, [frame.image for frame in frames]):
        assert len(found.boxes) >= 3
        last = found.boxes[choose(found, last, faces.same_face_overlap)]
        centres.append((last[:2] + last[2:]) / 2)
        widths.append(last[2] - last[0])
    assert np.linalg.norm(np.diff(centres, axis=0), axis=1).max() < 0.5 * min(widths)
    assert max(widths) < 1.3 * min(widths)


def test_too_few_faces_are_counted_in_the_reason(clips, faces):
    rows = detect(clips / "no_face.mp4", faces)
    with pytest.raises(MediaError, match=r"no_face\.mp4: a face was found in 0 of \d+ frames \(0%\)"):
        require_faces(clips / "no_face.mp4", rows.valid, 0.5)
