"""Recognisers of sound for tests that use one: small networks, learnt in seconds from sounds made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.io import wavfile

from pipeline.features.extractor import Given, extractor_of
from pipeline.learning.model_file import read_models, to_bytes
from pipeline.params import Corpus, load_params
from pipeline.recogniser.choice import Choice
from pipeline.recogniser.description import WEIGHTS, kept_parameters
from pipeline.recogniser.export import label_range_of, weights_for_use
from pipeline.recogniser.folder import write_folder
from pipeline.recogniser.networks import pack
from pipeline.store.rows import Rows
from tests import parameters
from tests.learning.synthetic import Corpus as Made
from tests.learning.synthetic import Source, learning
from tests.learning.test_experiment import run
from tests.recordings import recording

RATE_HZ = 16_000
CLASSES = ("anger", "joy", "neutral", "sadness")
PARTS = {"train": 5, "dev": 2, "test": 1}


def sound(seed: int, seconds: float, strength: NDArray[np.floating] | float = 0.5) -> NDArray[np.int16]:
    """Return a voice-like tone whose loudness and pitch follow `strength` in [0, 1], 16 bits."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE_HZ)
    level = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, np.size(strength)), np.ravel(strength))
    phase = np.cumsum(2 * np.pi * (120 + 150 * level) / RATE_HZ)
    tone = sum(np.sin(order * phase) / order for order in range(1, 8))
    signal = (0.03 + 0.25 * level) * (tone + 0.05 * random.standard_normal(count))
    return (32_767 * np.clip(signal, -1, 1)).astype(np.int16)


def write_wav(path: Path, signal: NDArray[np.int16]) -> Path:
    wavfile.write(path, RATE_HZ, signal)
    return path


def arousal(folder: Path, clip: float | None = None) -> Path:
    """Write a recogniser that predicts arousal at every label time; return its folder.

    clip: standard deviations to which scaled features are limited, as `scaling.clip` says it.
    """
    own = _scaled(load_params(parameters.PATH).corpus("demo_sessions"), clip=clip)
    seconds, hop = 8.0, own.grid.hop
    assert hop is not None

    def labels(name: str, number: int, rows: int) -> tuple[NDArray[np.int16], list[dict[str, object]]]:
        truth = np.sin(np.linspace(0, 5, rows) + number) / 2 + 0.5
        table = [
            {"time": k * hop, "gold_standard": 0.8 * value - 0.4, "triplet_class": int(value > 0.5)}
            for k, value in enumerate(truth)
        ]
        return sound(number, seconds, truth), table

    return _made(folder, own, "arousal", labels, round(seconds / hop) + 1, ())


def emotion(folder: Path, corpus: Corpus | None = None, speaker: str = "none") -> Path:
    """Write a recogniser that predicts one of four classes for a recording; return its folder.

    corpus: whose parameters are used; None: demo_clips of the tests. speaker: how features are scaled by
    speaker, as `scaling.speaker` says it.
    """
    own = corpus or load_params(parameters.PATH).corpus("demo_clips")
    if speaker != "none":
        own = _scaled(own, speaker=speaker)

    def labels(name: str, number: int, rows: int) -> tuple[NDArray[np.int16], list[dict[str, object]]]:
        code = number % len(CLASSES)
        table = [{"time": 0.0, "gold_standard": float(code), "triplet_class": code}]
        return sound(number, 1.5, code / 3), table

    return _made(folder, own, "emotion", labels, 1, CLASSES)


def _scaled(corpus: Corpus, **scaling: object) -> Corpus:
    """Return a corpus with keys of `learning.scaling` set."""
    own = corpus.learning.scaling.model_copy(update=scaling)
    return corpus.model_copy(update={"learning": corpus.learning.model_copy(update={"scaling": own})})


def _made(
    folder: Path,
    corpus: Corpus,
    dimension: str,
    labels: Callable[[str, int, int], tuple[NDArray[np.int16], list[dict[str, object]]]],
    rows: int,
    classes: tuple[str, ...],
) -> Path:
    work = folder.parent / f"{folder.name}.work"
    work.mkdir(parents=True)
    extractor = extractor_of("extract_audio", corpus)
    found: dict[str, Rows] = {}
    recordings, tables = [], []
    for partition, count in PARTS.items():
        for each in range(count * max(1, len(classes))):
            name = f"{partition}_{each + 1}"
            signal, table = labels(name, len(recordings), rows)
            path = write_wav(work / f"{name}.wav", signal)
            found[name] = extractor.extract(Given(name, path, None), "cpu")
            recordings.append(recording(name, partition, name, path))
            tables += [
                {"recording": name, "dimension": dimension, **row} for row in table[: len(found[name])]
            ]
    made = extractor.fingerprint()
    frame = pd.DataFrame(tables)
    frame["label"] = frame["gold_standard"]
    scaling = {key: getattr(corpus.learning.scaling, key) for key in ("speaker", "clip")}
    settings = learning("demo_clips" if classes else "demo_sessions", systems=["classic"], scaling=scaling)
    run(
        Made(recordings, Source(found), Source(found), frame), work, settings, grid=corpus.grid,
        delay_frames=0, extraction={"target": made, "auxiliary": made}, classes=classes or None,
    )  # fmt: skip
    tensors, about = read_models(work / "models.safetensors")
    choice = Choice("classic", about["models"][0]["setting"], "made for a test")
    tensors, about = weights_for_use(tensors, about, choice)
    by_stage = {"audio": {"extract_audio": made}}
    networks, copied, kept = pack(corpus, kept_parameters(corpus), by_stage, Path("/"))
    write_folder(
        folder,
        {
            "name": f"audio+video.{dimension}", "versions": {}, "corpus": "made_up", "fold": "",
            "scenario": "audio+video", "dimension": dimension, "task": corpus.task, "classes": classes,
            "system": "classic", "setting": choice.setting, "seeds": [1, 2], "needed": ["audio"],
            "chosen": choice.why,
            "parameters": kept, "extraction": by_stage, "chains": None, "manifest": "0" * 64,
            "label_range": None if classes else label_range_of(frame, recordings, dimension),
            "networks": [entry.model_dump() for entry in networks],
        },
        {WEIGHTS: to_bytes(tensors, about), "MODEL_CARD.md": b"# Made for a test\n", **copied},
    )  # fmt: skip
    return folder
