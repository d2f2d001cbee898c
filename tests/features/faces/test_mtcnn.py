"""The cascade against facenet-pytorch's, whose weights it reads: the same faces to the last bits."""

from itertools import islice

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from torchvision.ops import nms

from pipeline.corpora.rendering import clips as demo_clips
from pipeline.features.faces.area_scaling import SummedPicture
from pipeline.features.faces.best_boxes import best_boxes
from pipeline.features.faces.box_overlap import overlap_of_smaller, overlap_of_union
from pipeline.features.faces.mtcnn_cascade import Cascade
from pipeline.features.media.frames import FramesOnGrid

THRESHOLDS = (0.6, 0.7, 0.7)


def theirs(images, min_face, thresholds):
    """Return boxes, landmarks and probabilities of each image as facenet-pytorch finds them."""
    mtcnn = MTCNN(min_face_size=min_face, thresholds=list(thresholds), keep_all=True, post_process=False)
    for boxes, probability, landmarks in zip(*mtcnn.detect(np.stack(images), landmarks=True), strict=True):
        found = (np.empty((0, 4)), np.empty((0, 5, 2)), np.empty(0))
        if boxes is not None:
            found = (boxes, landmarks, probability)
        yield tuple(np.asarray(part, np.float32) for part in found)


def assert_same_faces(images, min_face=60, thresholds=THRESHOLDS) -> int:
    cascade = Cascade(min_face, thresholds, 0.709)
    found = [cascade.detect(SummedPicture(image)) for image in images]
    for one, other in zip(found, theirs(images, min_face, thresholds), strict=True):
        for mine, reference in zip(one, other, strict=True):
            assert mine.dtype == np.float32
            np.testing.assert_allclose(mine, reference, rtol=1e-6, atol=1e-3)
    return sum(len(boxes) for boxes, _, _ in found)


@pytest.mark.parametrize(
    ("clip", "faces"),
    [
        ("talking_face.mp4", 4),
        ("face_noface.mov", 4),
        ("several_faces.mp4", 25),
        ("no_face.mp4", 0),
        ("single_face.mp4", 4),
    ],
)
def test_faces_of_real_clips(clips, clip, faces):
    assert assert_same_faces([frame.image for frame in islice(FramesOnGrid(clips / clip, 5.0), 4)]) == faces


def test_faces_of_stills_at_the_smallest_size(clips):
    for name, faces in (("multiface.jpg", 6), ("known_box.jpg", 1)):
        image = cv2.cvtColor(cv2.imread(str(clips / name)), cv2.COLOR_BGR2RGB)
        assert assert_same_faces([image], min_face=20) == faces


def test_faces_that_the_demo_draws(params, tmp_path):
    demo_clips.render_speaker(tmp_path, demo_clips.plan(params.demo)[0], params.demo)
    drawn = sorted(tmp_path.rglob("*.mp4"))[0]
    assert assert_same_faces([frame.image for frame in islice(FramesOnGrid(drawn, 2.0), 4)]) == 4


@pytest.mark.parametrize(("clip", "number"), [("several_faces.mp4", 25), ("multiface.jpg", None)])
def test_elsewhere_are_the_faces_that_are_not_known(clips, clip, number):
    if number is None:
        image = cv2.cvtColor(cv2.imread(str(clips / clip)), cv2.COLOR_BGR2RGB)
    else:
        image = next(islice(FramesOnGrid(clips / clip, 25.0), number, None)).image
    cascade, picture = Cascade(20, THRESHOLDS, 0.709), SummedPicture(image)
    everywhere = cascade.detect(picture)
    count = len(everywhere[0])
    assert count > 3
    for known in ([], [0], [count - 1], [0, 2], range(count)):
        others = [face for face in range(count) if face not in known]
        found = cascade.elsewhere(picture, everywhere[0][list(known)])
        for part, whole in zip(found, everywhere, strict=True):
            np.testing.assert_allclose(part, whole[others], rtol=1e-5, atol=1e-3)


def test_many_uncertain_boxes_of_a_picture_of_noise():
    """With low thresholds hundreds of boxes that overlap pass through all three stages."""
    images = list(np.random.default_rng(0).integers(0, 255, (3, 120, 160, 3), np.uint8))
    assert assert_same_faces(images, min_face=20, thresholds=(0.01, 0.0, 0.0)) > 500


def test_no_box_at_all_and_a_picture_smaller_than_a_face():
    cascade = Cascade(60, THRESHOLDS, 0.709)
    for image in (np.zeros((120, 160, 3), np.uint8), np.zeros((59, 160, 3), np.uint8)):
        boxes, landmarks, probability = cascade.detect(SummedPicture(image))
        assert (boxes.shape, landmarks.shape, probability.shape) == ((0, 4), (0, 5, 2), (0,))


def test_overlaps_by_hand():
    some = np.array([[0, 0, 2, 2]], np.float32)
    others = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6], [0, 0, 1, 1]], np.float32)
    np.testing.assert_allclose(overlap_of_union(some, others), [[1, 1 / 7, 0, 1 / 4]], rtol=1e-6)
    # pixels counted: 3 x 3 each, 2 x 2 in common; the last, 2 x 2, lies in the first
    np.testing.assert_allclose(overlap_of_smaller(some, others), [[1, 4 / 9, 0, 1]], rtol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 50, 700])
def test_the_best_boxes_are_those_of_torchvision(count):
    random = np.random.default_rng(count)
    corner = random.integers(0, 60, (count, 2))
    boxes = np.concatenate([corner, corner + random.integers(1, 30, (count, 2))], axis=1).astype(np.float32)
    score = (random.integers(0, 20, count) / 20).astype(np.float32)  # many equal ones
    for most in (0.2, 0.5, 0.7):
        found = best_boxes(boxes, score, most, overlap_of_union)
        assert found.tolist() == nms(torch.from_numpy(boxes), torch.from_numpy(score), most).tolist()
