import hashlib
import json

import h5py
import numpy as np
import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture, WeightsError
from pipeline.features.embeddings.vgg_face import VggFaceEmbedder
from pipeline.tools.vgg_weights.convert import convert, detect
from pipeline.tools.vgg_weights.torch7_objects import Torch7Error, read_object
from stages.commands.weights import weights_app
from tests.features.vgg_files import (
    FILES,
    FULL,
    NARROW,
    T7Writer,
    draw,
    write_deepface,
    write_pth,
    write_rcmalli,
    write_t7,
)

SMALL = Architecture(**NARROW)


def faces(side, count=2, seed=1):
    return np.random.default_rng(seed).integers(0, 255, (count, side, side, 3), np.uint8)


@pytest.fixture(scope="module")
def drawn():
    return draw(**NARROW)


@pytest.mark.parametrize("name", FILES)
def test_fc7_of_each_format_against_its_own_forward_pass(tmp_path, drawn, name):
    write, forward = FILES[name]
    write(tmp_path / name, drawn)
    assert detect(tmp_path / name).name == name
    convert(tmp_path / name, tmp_path / "vgg.safetensors", SMALL)
    crops = faces(SMALL.image)
    expected = np.stack([forward(drawn, crop) for crop in crops])
    before = VggFaceEmbedder(tmp_path / "vgg.safetensors", "pre_relu", SMALL).embed(crops)
    np.testing.assert_allclose(before, expected, rtol=1e-4, atol=1e-3)
    assert (expected < -1).any()
    after = VggFaceEmbedder(tmp_path / "vgg.safetensors", "post_relu", SMALL).embed(crops)
    np.testing.assert_allclose(after, np.maximum(expected, 0), rtol=1e-4, atol=1e-3)


def test_all_four_files_of_one_network_become_the_same_tensors(tmp_path, drawn):
    hashes = set()
    for name, (write, _) in FILES.items():
        write(tmp_path / name, drawn)
        hashes.add(convert(tmp_path / name, tmp_path / f"{name}.safetensors", SMALL).tensors_sha256)
    assert len(hashes) == 1


def test_the_channel_order_and_the_flatten_order_matter(drawn):
    """The test above would pass for a wrong reader if these changed nothing."""
    _, forward = FILES["rcmalli_vggface_tf_vgg16.h5"]
    crop = faces(SMALL.image)[0]
    right = forward(drawn, crop)
    assert np.abs(forward(drawn, crop[..., ::-1]) - right).max() > 1
    kernel, bias = drawn["fc6"]
    turned = kernel.transpose(2, 0, 1, 3).reshape(kernel.shape)  # C, H, W read as H, W, C
    assert np.abs(forward(drawn | {"fc6": (turned, bias)}, crop) - right).max() > 1


def test_variants_of_the_files_are_read(tmp_path, drawn):
    write_pth(tmp_path / "new.pth", drawn)
    expected = convert(tmp_path / "new.pth", tmp_path / "a", SMALL).tensors_sha256
    write_pth(tmp_path / "old.pth", drawn, legacy=True)  # what torch wrote in 2018
    assert convert(tmp_path / "old.pth", tmp_path / "b", SMALL).tensors_sha256 == expected
    write_deepface(tmp_path / "model.h5", drawn, model=True)  # a whole Keras model
    assert convert(tmp_path / "model.h5", tmp_path / "c", SMALL).tensors_sha256 == expected
    for number, write in enumerate((write_rcmalli, write_deepface)):
        write(tmp_path / f"{number}.h5", drawn, variable=True)  # written with h5py 3
        assert convert(tmp_path / f"{number}.h5", tmp_path / "d", SMALL).tensors_sha256 == expected


def test_names_shapes_and_the_recorded_hash(tmp_path, drawn):
    path = tmp_path / "VGG_FACE.t7"
    write_t7(path, drawn)
    done = convert(path, tmp_path / "deep/vgg.safetensors", SMALL)
    with safe_open(tmp_path / "deep/vgg.safetensors", "np") as file:
        assert json.loads(file.metadata()["emobed"]) == {
            "format": "VGG_FACE.t7",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "source": "VGG_FACE.t7",
        }
        assert set(file.metadata()) == {"emobed"}
        assert {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()} == SMALL.shapes  # noqa: SIM118
    assert done.sha256 == hashlib.sha256((tmp_path / "deep/vgg.safetensors").read_bytes()).hexdigest()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["vgg.safetensors"]
    assert convert(path, tmp_path / "again", SMALL).sha256 == done.sha256


def test_shapes_of_the_real_network_are_torchvisions():
    from torchvision.models import vgg16

    with torch.device("meta"):
        expected = {name: tuple(tensor.shape) for name, tensor in vgg16().state_dict().items()}
    assert {k: v for k, v in expected.items() if not k.startswith("classifier.6")} == VGG_FACE.shapes
    assert VGG_FACE.image == 224


@pytest.mark.parametrize(
    ("write", "layer", "sentence"),
    [
        (write_pth, "conv2_1", r"tensor conv2_1\.weight has shape \(6, 9, 3, 3\), expected \(6, 5, 3, 3\)"),
        (write_pth, "fc6", r"tensor fc6\.weight has shape \(10, 90\), expected \(10, 81\)"),
        (
            write_t7,
            "conv2_1",
            r"tensor 6 nn\.SpatialConvolutionMM \(conv2_1\) weight has shape \(6, 81\), expected \(6, 45\)",
        ),
        (write_rcmalli, "conv2_1", r"conv2_1 kernel has shape \(3, 3, 9, 6\), expected \(3, 3, 5, 6\)"),
        (write_rcmalli, "fc6", r"tensor fc6 kernel has shape \(90, 10\), expected \(81, 10\)"),
        (
            write_deepface,
            "fc6",
            r"tensor conv2d_14 \(fc6\) kernel has shape \(3, 3, 10, 10\), expected \(3, 3, 9, 10\)",
        ),
    ],
)
def test_a_wrong_shape_is_named(tmp_path, drawn, write, layer, sentence):
    kernel, bias = drawn[layer]
    wide = np.zeros((*kernel.shape[:2], 9 if layer == "conv2_1" else 10, kernel.shape[3]), np.float32)
    write(tmp_path / "weights", drawn | {layer: (wide, bias)})
    with pytest.raises(WeightsError, match=sentence):
        convert(tmp_path / "weights", tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (write_pth, r"tensor fc6\.weight is missing, expected shape \(10, 81\)"),
        (write_t7, r"tensor module \(fc6\) weight is missing, expected shape \(10, 81\)"),
        (write_rcmalli, r"tensor fc6 kernel is missing, expected shape \(81, 10\)"),
    ],
)
def test_a_file_without_its_dense_layers_is_named(tmp_path, drawn, write, sentence):
    write(tmp_path / "notop", {k: v for k, v in drawn.items() if k.startswith("conv")})
    with pytest.raises(WeightsError, match=sentence):
        convert(tmp_path / "notop", tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html>404", "a web page, not weights"),
        (b"\x1f\x8b\x08", "a gzip archive: unpack it first"),
        (b"", "an unknown format; expected one of vgg_face_dag.pth, VGG_FACE.t7"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "cannot be read"),
        (
            b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
            "cannot be read as a PyTorch state dict",
        ),
        (b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x0d\0\0\0nn.Sequential", "cannot be read as a Torch7 file"),
    ],
)
def test_other_files_are_named(tmp_path, content, sentence):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(WeightsError, match=sentence):
        convert(tmp_path / "file", tmp_path / "out", SMALL)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    torch.save({"conv1_1.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="cannot be read as a PyTorch state dict"):
        convert(tmp_path / "evil.pth", tmp_path / "out", SMALL)
    assert not (tmp_path / "ran").exists()


def test_hdf5_that_is_not_keras_is_named(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(WeightsError, match="without the attribute layer_names"):
        detect(tmp_path / "data.h5")


def test_torch7_objects(tmp_path):
    strided = np.arange(12, dtype=np.float32).reshape(3, 4).T
    value = {"a": {1: True, 2: None, 3: 2.5}, "b": ("nn.Thing", {"t": strided, "n": 7})}
    with (tmp_path / "x.t7").open("wb") as file:
        T7Writer(file).value(value)
    read = read_object(tmp_path / "x.t7")
    assert read["a"] == {1: True, 2: None, 3: 2.5}
    assert read["b"].kind == "nn.Thing"
    assert read["b"].fields["n"] == 7
    np.testing.assert_array_equal(read["b"].fields["t"].ravel(), np.arange(12).reshape(3, 4).T.ravel())
    for length in (4, 40, 120):
        (tmp_path / "cut.t7").write_bytes((tmp_path / "x.t7").read_bytes()[:length])
        with pytest.raises(Torch7Error, match="breaks off"):
            read_object(tmp_path / "cut.t7")


def test_a_tensor_that_reaches_outside_its_storage_is_refused(tmp_path):
    with (tmp_path / "x.t7").open("wb") as file:
        T7Writer(file).value(np.ones((2, 3), np.float32))
    content = bytearray((tmp_path / "x.t7").read_bytes())
    place = content.index((2).to_bytes(8, "little") + (3).to_bytes(8, "little"))
    content[place] = 200
    (tmp_path / "x.t7").write_bytes(content)
    with pytest.raises(Torch7Error, match=r"shape \(200, 3\) reaches outside its 9 values"):
        read_object(tmp_path / "x.t7")


def test_a_network_of_another_size_is_refused_when_it_is_used(tmp_path, drawn):
    write_pth(tmp_path / "narrow.pth", drawn)
    convert(tmp_path / "narrow.pth", tmp_path / "narrow.safetensors", SMALL)
    with pytest.raises(
        WeightsError, match=r"features\.0\.weight has shape \(4, 3, 3, 3\), expected \(64, 3, 3, 3\)"
    ):
        VggFaceEmbedder(tmp_path / "narrow.safetensors", "pre_relu")


def test_the_command_says_what_is_wrong(tmp_path, drawn):
    write_pth(tmp_path / "narrow.pth", drawn)
    result = CliRunner().invoke(
        weights_app, ["import", str(tmp_path / "narrow.pth"), "--out", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "tensor conv1_1.weight has shape (4, 3, 3, 3), expected (64, 3, 3, 3)" in result.output
    assert CliRunner().invoke(weights_app, ["import", str(tmp_path / "nothing")]).exit_code == 1


def test_the_command_says_when_it_replaces_other_weights(tmp_path, drawn, monkeypatch):
    from pipeline.tools.vgg_weights import convert as conversion

    monkeypatch.setattr(conversion.convert, "__defaults__", (SMALL,))
    write_pth(tmp_path / "a.pth", drawn)
    arguments = ["import", str(tmp_path / "a.pth"), "--out", str(tmp_path / "w.safetensors")]
    first = CliRunner().invoke(weights_app, arguments)
    assert first.exit_code == 0, first.output
    assert f"sha256 {hashlib.sha256((tmp_path / 'w.safetensors').read_bytes()).hexdigest()}" in first.output
    assert "replaces" not in CliRunner().invoke(weights_app, arguments).output
    write_pth(tmp_path / "a.pth", draw(**NARROW, seed=5))
    again = CliRunner().invoke(weights_app, arguments)
    assert "replaces other weights" in again.output
    assert "--single-item embed_faces@CORPUS" in again.output


@pytest.mark.slow
def test_all_four_formats_in_full_size(tmp_path):
    """4 GB of memory; one file at a time lies on disk. Each becomes the same tensors, tried by one pass."""
    network = draw(**FULL)
    hashes = set()
    for name, (write, _) in FILES.items():
        write(tmp_path / name, network)
        if name == "VGG_FACE.t7":
            result = CliRunner().invoke(
                weights_app, ["import", str(tmp_path / name), "--out", str(tmp_path / "vgg.safetensors")]
            )
            assert result.exit_code == 0, result.output
            assert "video.embedding.weights: " in result.output
            hashes.add(result.output.split("of its tensors alone ")[1].split()[0])
        else:
            hashes.add(convert(tmp_path / name, tmp_path / "vgg.safetensors").tensors_sha256)
        (tmp_path / name).unlink()
    assert len(hashes) == 1
    crops = faces(224, 1)
    found = VggFaceEmbedder(tmp_path / "vgg.safetensors", "pre_relu").embed(crops)[0]
    _, forward = FILES["vgg_face_weights.h5"]  # the last one, whose tensors these are
    np.testing.assert_allclose(found, forward(network, crops[0]), rtol=1e-3, atol=2e-2)
    assert found.std() > 1
