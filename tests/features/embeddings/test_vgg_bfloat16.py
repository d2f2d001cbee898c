import sys
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.features.embeddings.vgg_architecture import Architecture
from pipeline.features.embeddings.vgg_bfloat16 import VggFaceBfloat16, require_bfloat16
from pipeline.features.embeddings.vgg_face import VggFaceEmbedder
from pipeline.features.embeddings.vgg_fc7 import VggFace
from pipeline.features.embeddings.weight_file import METADATA
from pipeline.features.extractor import NotReadyError
from pipeline.params import Embedding

# wide enough for roundings to cancel out, as they do all the more in the network itself, and its last maps
# are, as there, of several tiles: a product of one row goes another way
NARROW = Architecture(((32,) * 2, (48,) * 2, (64,) * 3, (96,) * 3, (128,) * 3), dense=256, side=3)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    random = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("narrow") / "narrow.safetensors"
    save_file(
        {
            name: (random.standard_normal(shape) * (2 / max(1, np.prod(shape[1:]))) ** 0.5).astype(np.float32)
            for name, shape in NARROW.shapes.items()
        },
        path,
        {METADATA: "{}"},
    )
    return path


def crops(count):
    """Return faces of noise of different contrast and brightness."""
    random = np.random.default_rng(1)
    level, spread = random.integers(60, 190, (count, 1, 1, 3)), random.integers(5, 60, (count, 1, 1, 1))
    noise = random.standard_normal((count, NARROW.image, NARROW.image, 3))
    return np.clip(level + spread * noise, 0, 255).astype(np.uint8)


@pytest.fixture
def computing():
    """Skip where nothing computes in bfloat16."""
    try:
        require_bfloat16()
    except NotReadyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("activation", ["pre_relu", "post_relu"])
def test_vectors_are_those_of_float32_as_far_as_eight_digits_go(computing, narrow, activation):
    faces = crops(24)
    expected = VggFaceEmbedder(narrow, activation, NARROW).embed(faces)
    found = VggFaceBfloat16(narrow, activation, NARROW).embed(faces)
    assert found.shape == expected.shape
    # the mean of all faces, which alone makes any two alike, taken out
    one, other = (own - expected.mean(axis=0) for own in (found, expected))
    cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert cosine.min() >= 0.96
    assert not np.array_equal(found, expected)


def test_bytes_do_not_depend_on_the_batch(computing, narrow):
    embedder, faces = VggFaceBfloat16(narrow, "post_relu", NARROW), crops(11)
    together = embedder.embed(faces)
    for begin, end in ((0, 1), (10, 11), (3, 8), (5, 7)):
        assert embedder.embed(faces[begin:end]).tobytes() == together[begin:end].tobytes()


def test_without_the_package_it_is_refused(narrow, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)
    own = Embedding(
        network="vgg_face", activation="post_relu", weights=str(narrow), margin=0.0, precision="bfloat16"
    )
    monkeypatch.setattr("pipeline.features.embeddings.weight_file.require_tensors", lambda path: None)
    with pytest.raises(NotReadyError, match=r"needs the package openvino, .*bfloat16\]'`, or set"):
        VggFace(own, 5.0).require(tmp_path)
    with pytest.raises(NotReadyError, match="openvino"):
        VggFaceBfloat16(narrow, "post_relu", NARROW)


def test_a_processor_without_it_is_refused(monkeypatch):
    core = SimpleNamespace(get_property=lambda device, name: ["FP32", "INT8"])
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=lambda: core))
    with pytest.raises(NotReadyError, match=r"this processor does not .* only in FP32, INT8; take one"):
        require_bfloat16()


def test_its_units_have_keys_of_their_own(narrow):
    own = Embedding(network="vgg_face", activation="post_relu", weights=str(narrow), margin=0.0)
    before = VggFace(own, 5.0).fingerprint()
    assert "precision" not in before
    after = VggFace(own.model_copy(update={"precision": "bfloat16"}), 5.0).fingerprint()
    assert before.items() <= after.items()
    assert after["precision"] == "bfloat16"
