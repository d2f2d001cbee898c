"""Golden numbers of networks in ONNX files, of random weights: what is ours is how they see and hear.

Tolerances: crops and resampled sound may be rounded the other way on another processor, as in pictures.py and
sound.py; sums of some hundred float32 products are added in other orders.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.features.audio.onnx_waveform import OnnxWaveforms
from pipeline.features.embeddings.fer import Fer
from pipeline.features.embeddings.onnx_faces import OnnxFaces
from pipeline.features.extractor import Given
from pipeline.params import Audio, Embedding, Grid
from pipeline.tools.fer_weights import import_fer
from tests.features.embeddings.fer_files import SMALL, arrays, write_fer
from tests.features.networks.made_networks import (
    SIDE,
    face_network,
    face_parameters,
    sound_network,
    sound_parameters,
)
from tests.golden.comparison import Numbers
from tests.golden.inputs import PICTURES_HZ, voice, write_pictures, write_wav
from tests.golden.pictures import detections, pictures

FACE = 1e-3
SOUND = 2e-3


def faces(folder: Path) -> dict[str, Numbers | str]:
    given = Given("r", write_pictures(folder / "faces.mkv", pictures()), detections())
    found: dict[str, Numbers | str] = {}
    for colour, layout, output, margin in (
        ("rgb", "nchw", "vector", 0.0), ("bgr", "nhwc", "maps", 0.2), ("grey", "nchw", "vector", 0.1),
    ):  # fmt: skip
        channels = 1 if colour == "grey" else 3
        shape = (1, channels, SIDE, SIDE) if layout == "nchw" else (1, SIDE, SIDE, channels)
        path = face_network(folder / f"{colour}.onnx", shape, channels)
        mean = tuple(100.0 + 10 * k for k in range(channels))
        onnx = face_parameters(path, colour=colour, layout=layout, output=output, mean=mean)
        embedding = Embedding(network="onnx", activation="post_relu", weights=None, margin=margin, onnx=onnx)
        rows = OnnxFaces(embedding, PICTURES_HZ).extract(given, "cpu")
        found[f"{colour}, {layout}, {output}"] = Numbers(rows.values.reshape(-1, 1), FACE)
        found[f"{colour}, {layout}, {output}: names"] = " ".join(rows.names)
    return found


def fer(folder: Path) -> dict[str, Numbers | str]:
    import_fer(write_fer(folder / "fer.hdf5", arrays(SMALL)), folder / "fer.onnx", SMALL)
    given = Given("r", write_pictures(folder / "faces.mkv", pictures()), detections())
    found: dict[str, Numbers | str] = {}
    for output in ("map", "logits"):
        embedding = Embedding(
            network="fer", activation="post_relu", weights=str(folder / "fer.onnx"), margin=0.1,
            fer={"output": output},
        )  # fmt: skip
        rows = Fer(embedding, PICTURES_HZ).extract(given, "cpu")
        found[output] = Numbers(rows.values.reshape(-1, 1), FACE)
        found[f"{output}: names"] = " ".join(rows.names)
    return found


def waveform(folder: Path) -> dict[str, Numbers | str]:
    path = write_wav(folder / "a.wav", np.stack([voice(2.3), 0.4 * voice(2.3, seed=1)]))
    network = sound_network(folder / "a.onnx")
    found: dict[str, Numbers | str] = {}
    for name, grid, changed in (
        ("utterance", Grid(window=None, hop=None), {"piece": 1.0}),
        ("each window", Grid(window=1.0, hop=0.5), {"standardise": True}),
        ("shared", Grid(window=1.0, hop=0.5), {"windows": "shared", "piece": 0.7}),
    ):
        audio = Audio(
            network="onnx", onnx=sound_parameters(network, **changed), feature_set="eGeMAPSv02",
            level="functionals", sampling_rate_hz=16000, max_failed_share=0.0,
        )  # fmt: skip
        rows = OnnxWaveforms(audio, grid).extract(Given("r", path), "cpu")
        # one column: the mean over a window of a signal without an offset is small against its frames
        found[name] = Numbers(rows.values.reshape(-1, 1), SOUND)
        found[f"{name}: start, end, valid"] = Numbers(np.stack([rows.start, rows.end, rows.valid], 1), 1e-6)
        found[f"{name}: names"] = " ".join(rows.names)
    return found
