from pathlib import Path

import numpy as np
import pytest

from pipeline.features.embeddings.landmarks import NAMES, STATIC, geometry
from pipeline.features.extractor import Given, extractor_of
from pipeline.features.faces.face_table import NAMES as DETECTION_NAMES
from pipeline.params import Embedding
from pipeline.store.rows import Rows

# left eye, right eye, nose, left and right corner of the mouth: a face 100 pixels wide, looking ahead
FACE = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], float)
BOX = np.array([0, 0, 100, 120], float)
LANDMARKS = Embedding(network="landmarks", activation="post_relu", weights=None, margin=0.0)


def detections(faces, times=None, valid=None, boxes=None):
    """Make the rows of `faces.detect` from landmarks (ticks, 5, 2)."""
    faces = np.asarray(faces, float)
    count = len(faces)
    times = np.arange(count) / 5 if times is None else np.asarray(times, float)
    valid = np.ones(count, bool) if valid is None else np.asarray(valid)
    boxes = np.tile(BOX, (count, 1)) if boxes is None else np.asarray(boxes, float)
    values = np.concatenate(
        [times[:, None], boxes, faces.reshape(count, 10), np.full((count, 1), 0.99)], axis=1
    )
    values[~valid, 1:] = 0
    start = np.arange(count) / 5
    return Rows(start, start + 0.2, values.astype(np.float32), valid, DETECTION_NAMES)


def value(rows, name, tick=0):
    return float(rows.column(f"landmarks_{name}")[tick])


def turned(face, degrees, about=(50, 60)):
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (face - about) @ matrix.T + about


def test_a_face_that_looks_ahead():
    rows = geometry(detections([FACE]))
    assert len(rows.names) == 62
    assert rows.names == NAMES
    size = np.sqrt(((FACE - FACE.mean(0)) ** 2).sum())
    assert value(rows, "roll") == 0
    assert value(rows, "yaw_proxy") == pytest.approx(0, abs=1e-7)
    assert value(rows, "pitch_proxy") == pytest.approx(0.5)
    assert value(rows, "distance_left_eye_right_eye") == pytest.approx(40 / size)
    assert value(rows, "distance_mouth_left_mouth_right") == pytest.approx(30 / size)
    assert value(rows, "nose_y") == pytest.approx(0, abs=1e-7)  # the nose is the centre here
    assert value(rows, "angle_eyes_at_nose") == pytest.approx(np.pi / 2)  # (-20, -20) and (20, -20)
    assert value(rows, "angle_mouth_at_nose") == pytest.approx(2 * np.arctan2(15, 20))
    assert value(rows, "angle_mouth_to_eyes") == pytest.approx(0, abs=1e-7)
    assert (value(rows, "face_x"), value(rows, "face_y"), value(rows, "face_log_size")) == (0, 0, 0)


@pytest.mark.parametrize("degrees", [-60, -10, 0, 25, 80, 170])
def test_roll_is_the_angle_turned_and_changes_nothing_else(degrees):
    rows = geometry(detections([turned(FACE, degrees)]))
    assert value(rows, "roll") == pytest.approx(np.radians(degrees), abs=1e-6)
    others = [name for name in STATIC if name != "roll"]
    plain = geometry(detections([FACE]))
    for name in others:
        assert value(rows, name) == pytest.approx(value(plain, name), abs=1e-5), name


def test_scale_and_place_of_a_whole_recording_change_nothing():
    rng = np.random.default_rng(0)
    faces = FACE + rng.normal(0, 3, (20, 5, 2))
    boxes = BOX + rng.normal(0, 3, (20, 4))
    plain = geometry(detections(faces, boxes=boxes))
    # twice the resolution, another part of the picture
    moved = geometry(detections(faces * 2 + [300, 100], boxes=boxes * 2 + [300, 100, 300, 100]))
    np.testing.assert_allclose(moved.values, plain.values, atol=2e-4)
    assert np.ptp(plain.values, axis=0).min() > 1e-3  # every feature moves with its face


def test_head_turned_sideways_and_up():
    sideways = FACE.copy()
    sideways[2, 0] += 10
    rows = geometry(detections([sideways, turned(sideways, 30)]))
    assert value(rows, "yaw_proxy") == pytest.approx(10 / 40)
    assert value(rows, "yaw_proxy", 1) == pytest.approx(10 / 40)
    up = FACE.copy()
    up[2, 1] -= 10
    assert value(geometry(detections([up])), "pitch_proxy") == pytest.approx(0.25)


def test_place_and_size_against_the_recordings_median():
    boxes = [BOX, BOX, np.add(BOX, [50, 0, 50, 0]), BOX * 2]
    rows = geometry(detections([FACE] * 4, boxes=boxes))
    usual = np.sqrt(100 * 120)
    middle = np.median([50, 50, 100, 100])
    assert value(rows, "face_x", 2) == pytest.approx((100 - middle) / usual)
    assert value(rows, "face_log_size", 3) == pytest.approx(np.log(2))
    assert value(rows, "face_log_size", 0) == 0


def test_speed_of_a_linear_motion():
    """The nose moves by 8 pixels per second while the eyes are 40 apart: yaw_proxy by 0.2 per second."""
    times = np.array([0, 0.2, 0.4, 0.6, 0.95])  # frames are not equally spaced
    faces = np.tile(FACE, (5, 1, 1))
    faces[:, 2, 0] += 8 * times
    rows = geometry(detections(faces, times))
    speed = rows.column("landmarks_yaw_proxy_speed")
    assert speed[0] == 0  # there is none before it
    np.testing.assert_allclose(speed[1:], 0.2, rtol=1e-3)
    box = geometry(detections([FACE] * 5, times, boxes=BOX + times[:, None] * [30, 0, 30, 0]))
    np.testing.assert_allclose(box.column("landmarks_face_x_speed")[1:], 30 / np.sqrt(12000), rtol=1e-3)
    still = geometry(detections([FACE] * 5, times))
    np.testing.assert_allclose(still.values[:, len(STATIC) :], 0, atol=1e-6)


def test_speed_of_roll_takes_the_short_way_round():
    rows = geometry(detections([turned(FACE, degrees) for degrees in (170, 178, 186)]))
    np.testing.assert_allclose(rows.column("landmarks_roll_speed")[1:], np.radians(8) * 5, rtol=1e-4)


def test_no_face_gives_zeros_and_no_speed_after_it():
    faces = np.tile(FACE, (5, 1, 1))
    faces[:, 2, 0] += np.arange(5)
    valid = np.array([True, True, False, True, True])
    rows = geometry(detections(faces, valid=valid))
    np.testing.assert_array_equal(rows.valid, valid)
    assert not rows.values[2].any()
    moving = rows.column("landmarks_yaw_proxy_speed") > 0
    np.testing.assert_array_equal(moving, [False, True, False, False, True])
    assert not geometry(detections(faces, valid=np.zeros(5, bool))).values.any()


def test_a_frame_shown_at_several_ticks_has_one_speed():
    faces = np.tile(FACE, (4, 1, 1))
    faces[2:, 2, 0] += 8
    rows = geometry(detections(faces, times=[0, 0, 0.5, 0.5]))
    np.testing.assert_allclose(rows.column("landmarks_yaw_proxy_speed"), [0, 0, 0.4, 0.4], rtol=1e-5)


def test_landmarks_in_one_point_give_numbers():
    assert np.isfinite(geometry(detections([np.ones((5, 2))] * 2)).values).all()


def test_no_video_is_opened_and_no_parameter_changes_anything(params):
    corpora = [with_embedding(params, margin=margin) for margin in (0.0, 0.3)]
    one, other = (extractor_of("embed_faces", corpus) for corpus in corpora)
    assert one.extract(Given("r", Path("nothing"), detections([FACE] * 3)), "cpu").names == NAMES
    assert one.reads.medium is None
    assert one.fingerprint() == other.fingerprint()
    onet = extractor_of("embed_faces", with_embedding(params, network="mtcnn_onet"))
    assert onet.reads.medium == "video"
    assert onet.fingerprint() != one.fingerprint()


def with_embedding(params, **changed):
    corpus = params.corpora["demo_sessions"]
    embedding = LANDMARKS.model_copy(update=changed)
    return corpus.model_copy(update={"video": corpus.video.model_copy(update={"embedding": embedding})})


def test_the_stage_works_without_media_and_pools_to_named_columns(tmp_path, params):
    from pipeline.corpora.recording import Recording
    from pipeline.features.extraction.engine import extract
    from pipeline.features.extraction.jobs import Stage
    from pipeline.features.pooling.pooling import pool
    from pipeline.running.workshop import Workshop
    from pipeline.store.rows import to_bytes
    from pipeline.store.tables import FeatureTable, Unit, write_table
    from pipeline.store.units import UnitStore

    rng = np.random.default_rng(0)
    found = detections(FACE + rng.normal(0, 2, (40, 5, 2)))
    store = UnitStore(tmp_path / "store")
    store.put("faces", "k", to_bytes(found))
    write_table(tmp_path / "faces", [Unit("r1", "k")], lambda unit: found, [], {})
    corpus = params.corpora["demo_sessions"]
    video = corpus.video.model_copy(update={"embedding": LANDMARKS})
    corpus = corpus.model_copy(update={"video": video, "root": tmp_path / "absent"})
    recording = Recording("r1", "train", "s1")
    stage = Stage("embed_faces", "embeddings", extractor_of("embed_faces", corpus))
    faces = FeatureTable.open(tmp_path / "faces")
    extract(stage, corpus, [recording], tmp_path / "out", Workshop(store), faces)
    rows = FeatureTable.open(tmp_path / "out").read("r1")
    np.testing.assert_array_equal(rows.values, geometry(found).values)
    pooled = pool(rows, corpus.video.pooling, corpus.grid)
    assert pooled.column("landmarks_roll_mean")[20] == pytest.approx(
        rows.column("landmarks_roll")[10:31].mean(), rel=1e-4
    )


def test_a_real_face_that_looks_into_the_camera(clips, params):
    from pipeline.features.faces import detection as faces

    found = faces.detect(clips / "single_face.mp4", params.corpora["demo_sessions"].video.faces)
    rows = geometry(found)
    assert rows.valid.all()
    assert np.abs(rows.column("landmarks_roll")).max() < 0.2
    assert np.abs(rows.column("landmarks_yaw_proxy")).max() < 0.3
    assert rows.column("landmarks_pitch_proxy").min() > 0.3
    assert np.all(rows.column("landmarks_left_eye_x") < 0)
    assert np.all(rows.column("landmarks_mouth_left_y") > 0)  # y points down
