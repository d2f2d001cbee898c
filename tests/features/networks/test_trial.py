"""Networks that can be run, and whose output is of no use: refused when they are tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import helper

from pipeline.features.audio.onnx_waveform import OnnxWaveforms
from pipeline.features.embeddings.onnx_faces import OnnxFaces
from pipeline.features.extractor import NotReadyError
from pipeline.params import Audio, Embedding, Grid
from tests.features.networks.made_networks import SIDE, face_parameters, save, sound_parameters

NOT_FINITE = [helper.make_node("Sub", ["x", "x"], ["zero"]), helper.make_node("Div", ["zero", "zero"], ["y"])]


def sound(path: Path, nodes: list) -> OnnxWaveforms:
    save(path, nodes, {"x": [1, "samples"]}, {"y": None}, {})
    audio = Audio(
        network="onnx", onnx=sound_parameters(path, output="y"), feature_set="eGeMAPSv02",
        level="functionals", sampling_rate_hz=16000, max_failed_share=0.0,
    )  # fmt: skip
    return OnnxWaveforms(audio, Grid(window=None, hop=None))


def test_as_many_values_as_samples_are_no_features(tmp_path):
    tried = sound(tmp_path / "a.onnx", [helper.make_node("Identity", ["x"], ["y"])])
    with pytest.raises(NotReadyError, match="gives 320000 values for 20 s and 240000 for 15 s, expected the"):
        tried.require(Path("/"))


def test_what_is_not_finite_is_no_feature_of_sound_or_faces(tmp_path):
    with pytest.raises(NotReadyError, match=r"a\.onnx: gives values that are not finite for 20 s of noise"):
        sound(tmp_path / "a.onnx", NOT_FINITE).require(Path("/"))
    path = save(tmp_path / "f.onnx", NOT_FINITE, {"x": [1, 3, SIDE, SIDE]}, {"y": [1, 3, SIDE, SIDE]}, {})
    onnx = face_parameters(path, output="y")
    embedding = Embedding(network="onnx", activation="post_relu", weights=None, margin=0.0, onnx=onnx)
    with pytest.raises(NotReadyError, match=r"f\.onnx: gives values that are not finite for a grey face"):
        OnnxFaces(embedding, 2.0).require(Path("/"))
