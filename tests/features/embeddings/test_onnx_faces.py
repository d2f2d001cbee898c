"""The user's network sees each face as its parameters say; what cannot be is said before anything is done."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import helper

from pipeline.features.embeddings.onnx_faces import OnnxFaces, loaded
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import NotReadyError, extractor_of
from pipeline.features.faces.face_table import NAMES
from pipeline.features.prerequisites import require_files
from pipeline.features.sources import emotion_trained, open_features
from pipeline.params import Embedding
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows, to_bytes
from pipeline.store.tables import FeatureTable, Unit, write_table
from pipeline.store.units import UnitStore
from tests.features.networks.made_networks import (
    SIDE,
    VALUES,
    face_network,
    face_parameters,
    face_weights,
    save,
)
from tests.golden.inputs import face, write_pictures
from tests.recordings import recording

CROPS = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)


def face_extractor(onnx) -> OnnxFaces:
    given = {"network": "onnx", "activation": "post_relu", "weights": None, "margin": 0.1, "onnx": onnx}
    return OnnxFaces(Embedding(**given), 5.0)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("colour", ["rgb", "bgr", "grey"])
def test_a_face_is_seen_in_the_colours_scale_and_layout_asked_for(tmp_path, colour, layout):
    channels = 1 if colour == "grey" else 3
    mean, scale = ((10.0, 20.0, 30.0)[:channels], (2.0, 4.0, 8.0)[:channels])
    shape = (1, channels, SIDE, SIDE) if layout == "nchw" else (1, SIDE, SIDE, channels)
    path = face_network(tmp_path / "a.onnx", shape, channels)
    onnx = face_parameters(path, colour=colour, layout=layout, mean=mean, scale=scale)
    found = face_extractor(onnx).embedder("cpu").embed(CROPS)
    for crop, vector in zip(CROPS.astype(float), found, strict=True):
        red, green, blue = np.moveaxis(crop, 2, 0)
        planes = {
            "rgb": [red, green, blue],
            "bgr": [blue, green, red],
            "grey": [np.rint(0.299 * red + 0.587 * green + 0.114 * blue)],
        }[colour]
        scaled = np.stack([(p - m) / s for p, m, s in zip(planes, mean, scale, strict=True)])
        flat = (scaled if layout == "nchw" else np.moveaxis(scaled, 0, 2)).ravel()
        # OpenCV's grey is off by one where the sum lies between two
        tolerance = 1e-4 if colour != "grey" else 4.0
        np.testing.assert_allclose(vector, flat @ face_weights(channels), rtol=1e-4, atol=tolerance)
    assert found.shape == (3, VALUES)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_maps_are_averaged(tmp_path, layout):
    shape = (1, 3, SIDE, SIDE) if layout == "nchw" else (1, SIDE, SIDE, 3)
    onnx = face_parameters(face_network(tmp_path / "a.onnx", shape), output="maps", layout=layout)
    found = face_extractor(onnx).embedder("cpu").embed(CROPS)
    expected = 2 * ((CROPS.astype(float) - 127.5) / 64).mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_vector_does_not_depend_on_the_faces_beside_it(tmp_path):
    embedder = face_extractor(face_parameters(face_network(tmp_path / "a.onnx"))).embedder("cpu")
    alone = np.concatenate([embedder.embed(crop[None]) for crop in CROPS])
    np.testing.assert_array_equal(embedder.embed(CROPS), alone)


def test_the_bytes_of_the_file_are_in_the_key_and_not_its_name(tmp_path):
    one, same = (face_network(tmp_path / name) for name in ("one.onnx", "same.onnx"))
    other = face_network(tmp_path / "other.onnx", ("batch", 3, SIDE, SIDE))
    prints = [face_extractor(face_parameters(path)).fingerprint() for path in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]


REFUSED = {
    "rank": ((1, 3, SIDE), {}, r"its input 'x' is 1 x 3 x 8, expected 1 x 3 x 8 x 8 \(side 8, colour rgb"),
    "layout": ((1, SIDE, SIDE, 3), {}, r"is 1 x 8 x 8 x 3, expected 1 x 3 x 8 x 8"),
    "side": ((1, 3, 16, 16), {}, r"is 1 x 3 x 16 x 16, expected 1 x 3 x 8 x 8"),
    "output": ((1, 3, SIDE, SIDE), {"output": "y"}, r"has no output 'y'"),
    "weights do not fit": ((1, 3, None, None), {"side": 16}, r"cannot be run on a grey face: .*MatMul"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_that_does_not_fit_is_refused_before_anything_is_done(tmp_path, params, name):
    shape, changed, sentence = REFUSED[name]
    path = face_network(tmp_path / "a.onnx", shape)
    embedding = face_extractor(face_parameters("a.onnx", **changed)).embedding
    corpus = params.corpora["demo_sessions"]
    corpus = corpus.model_copy(update={"video": corpus.video.model_copy(update={"embedding": embedding})})
    with pytest.raises(
        NotReadyError, match=rf"corpora\.own\.video\.embedding\.onnx\.file: {path}: .*{sentence}"
    ):
        require_files(corpus, Paths("own", tmp_path))


def test_a_network_that_asks_for_more_memory_than_there_is_is_refused(tmp_path):
    nodes = [
        helper.make_node("ConstantOfShape", ["much"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["vector"]),
    ]
    much = {"much": np.array([1 << 42], np.int64)}
    path = save(tmp_path / "a.onnx", nodes, {"x": [1, 3, SIDE, SIDE]}, {"vector": None}, much)
    with pytest.raises(NotReadyError, match=r"a\.onnx: (cannot be run|onnxruntime cannot|tried on)"):
        face_extractor(face_parameters(path)).require(Path("/"))


def test_the_stage_marks_its_table_and_the_next_one_where_emotions_were_learned(tmp_path, params):
    picture = face(150, 118, 60)
    video = write_pictures(tmp_path / "a.mkv", [picture, picture])
    values = np.zeros((2, len(NAMES)), np.float32)
    values[:, 1:5] = 90, 60, 210, 180
    found = Rows(np.array([0, 0.1]), np.array([0.1, 0.2]), values, np.array([True, False]), NAMES)
    store, paths = UnitStore(tmp_path / "store"), Paths("own", tmp_path)
    store.put("faces", "k", to_bytes(found))
    write_table(paths.faces, [Unit("a", "k")], lambda unit: found, [], {})
    clips = params.corpora["demo_clips"].model_copy(update={"root": tmp_path, "extract": ("video",)})
    for trained in (True, False):
        onnx = face_parameters(face_network(tmp_path / "net.onnx"), emotion_trained=trained)
        chosen = OnnxFaces(face_extractor(onnx).embedding, 10.0)
        extract(
            Stage("embed_faces", "embeddings", chosen), clips, [recording("a", "train", "s", None, video)],
            paths.embeddings, Workshop(store), FeatureTable.open(paths.faces),
        )  # fmt: skip
        rows = FeatureTable.open(paths.embeddings).read("a")
        crop = cv2.resize(picture[48:192, 78:222], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(rows.values[0], loaded(*loaded_with(onnx)).embed(crop[None])[0])
        assert not rows.values[1].any()
        stage = Stage("pool_video", "video", extractor_of("pool_video", clips))
        extract(stage, clips, (), paths.video, Workshop(store), FeatureTable.open(paths.embeddings))
        assert emotion_trained(paths, clips) == (("video",) if trained else ())
        # what predictions are held against is the pooling alone
        assert open_features(paths, clips, "video", "emotion").about == stage.extractor.fingerprint()
    assert len(store.keys("embeddings")) == 1, "whether emotions were learned changes no number"


def loaded_with(onnx):
    return Path(onnx.file), onnx.output, face_extractor(onnx).picture
