"""Small made-up experiments in which features follow from labels, for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.corpora.recording import Recording
from pipeline.params import Learning
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows
from tests.recordings import recording


@dataclass
class Source:
    """Feature rows in memory."""

    rows: dict[str, Rows]

    @property
    def recordings(self) -> list[str]:
        """Return the recordings that have rows."""
        return sorted(self.rows)

    def read(self, recording: str) -> Rows:
        """Return the rows of a recording."""
        return self.rows[recording]

    def in_file_order(self, recordings: Iterable[str]) -> list[str]:
        """Return recordings in the order in which reading them costs least."""
        return list(recordings)


@dataclass
class MemoryCache:
    """Units in a dictionary; counts what is put."""

    units: dict[str, bytes]
    puts: int = 0

    def get(self, kind: str, key: str) -> bytes | None:
        """Return what was put under `key`."""
        return self.units.get(key)

    def put(self, kind: str, key: str, payload: bytes) -> None:
        """Keep `payload`."""
        self.puts += 1
        self.units[key] = payload


def shop(cache: MemoryCache | None = None, **where: object) -> Workshop:
    """Return a workshop whose store is a dictionary."""
    return Workshop(cache or MemoryCache({}), **where)  # type: ignore[arg-type]


def as_rows(values: np.ndarray, hop: float = 0.2) -> Rows:
    """Return values as valid rows on the grid of `hop` seconds."""
    times = np.arange(len(values)) * hop
    return Rows(
        times,
        times + hop,
        values.astype(np.float32),
        np.ones(len(values), bool),
        tuple(f"f{i}" for i in range(values.shape[1])),
    )


@dataclass
class Corpus:
    """Everything that `run_experiment` reads."""

    recordings: list[Recording]
    audio: Source
    video: Source
    labels: pd.DataFrame


def sessions(
    counts: tuple[int, int, int] = (5, 2, 2), frames: int = 80, delay: int = 3, seed: int = 0
) -> Corpus:
    """Make sessions whose features at frame k follow the gold standard at frame k + delay: raters lag."""
    random = np.random.default_rng(seed)
    mixing = {"audio": random.normal(size=(3, 6)), "video": random.normal(size=(3, 9))}
    recordings, tables = [], []
    sources: dict[str, dict[str, Rows]] = {"audio": {}, "video": {}}
    for partition, count in zip(("train", "dev", "test"), counts, strict=True):
        for i in range(count):
            name = f"{partition}_{i + 1}"
            recordings.append(recording(name, partition, f"speaker_{name}", Path(name), Path(name)))
            truth = np.cumsum(random.normal(size=frames + delay))
            truth = 0.2 * (truth - truth.mean()) / truth.std()
            gold = np.concatenate((np.full(delay, truth[0]), truth))[:frames]
            for modality, matrix in mixing.items():
                hidden = np.column_stack((truth[:frames] * 5, random.normal(size=(frames, 2))))
                values = hidden @ matrix + 0.3 * random.normal(size=(frames, matrix.shape[1]))
                sources[modality][name] = as_rows(values)
            label = np.concatenate((gold[delay:], np.full(delay, gold[-1])))
            tables.append(
                pd.DataFrame(
                    {
                        "recording": name,
                        "dimension": "arousal",
                        "time": np.arange(frames) * 0.2,
                        "gold_standard": gold,
                        "label": label,
                        "triplet_class": (label > 0).astype(int),
                    }
                )
            )
    return Corpus(recordings, Source(sources["audio"]), Source(sources["video"]), pd.concat(tables))


def clips(
    counts: tuple[int, int, int] = (40, 16, 16), classes: int = 4, noise: float = 0.6, seed: int = 0
) -> Corpus:
    """Make utterances whose features are a class centre plus noise."""
    random = np.random.default_rng(seed)
    centres = {"audio": random.normal(size=(classes, 6)), "video": random.normal(size=(classes, 9))}
    recordings, found = [], []
    sources: dict[str, dict[str, Rows]] = {"audio": {}, "video": {}}
    for partition, count in zip(("train", "dev", "test"), counts, strict=True):
        for i in range(count):
            name, code = f"{partition}_{i + 1}", i % classes
            recordings.append(recording(name, partition, f"{partition}_{i % 3}", Path(name), Path(name)))
            for modality, centre in centres.items():
                sources[modality][name] = as_rows(
                    centre[[code]] + noise * random.normal(size=centre[:1].shape)
                )
            found.append((name, "emotion", 0.0, float(code), float(code), code))
    columns = ["recording", "dimension", "time", "gold_standard", "label", "triplet_class"]
    return Corpus(
        recordings, Source(sources["audio"]), Source(sources["video"]), pd.DataFrame(found, columns=columns)
    )


def learning(corpus: str = "demo_sessions", **groups: object) -> Learning:
    """Return learning parameters, small, with some keys replaced; dicts merge.

    Written out: what a user puts into params.yaml must not decide whether these tests pass.
    """
    sessions = corpus == "demo_sessions"
    raw: dict[str, object] = {
        "network": {"encoder_layers": 1, "shared_layers": 1, "hidden": 8, "bidirectional": False},
        "optimiser": {
            "learning_rate": 5e-3 if sessions else 3e-3,
            "weight_decay": 1e-4,
            "clip_norm": 5.0,
            "batch": 2 if sessions else 16,
            "epochs": 4,
            "patience": None,
            "weights": "average",
            "average_epochs": 2,
        },
        "loss": "ccc" if sessions else "cross_entropy",
        "triplet": {"form": "literal", "margin": 1.0, "reduction": "mean", "frames": 40},
        "scaling": {"method": "standard", "speaker": "none"},
        "sequences": "whole",
        "alpha": [0.0, 0.3],
        "beta": [0.0, 0.1],
        "seeds": [1, 2],
        "systems": ["classic", "joint", "triplet", "emobed"],  # controls need data of their own
    }
    for name, value in groups.items():
        raw[name] = (
            raw[name] | value if isinstance(value, dict) and isinstance(raw.get(name), dict) else value
        )
    return Learning.model_validate(raw)
