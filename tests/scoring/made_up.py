"""Predictions of a made-up corpus: traces or classes that follow their gold standard more or less."""

from __future__ import annotations

import zlib
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.ndimage import gaussian_filter1d

from pipeline.learning.prediction_file import ModelWriter
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.params import Corpus
from pipeline.paths import Paths, experiment_name


def variant(alpha: float, beta: float, seed: int) -> dict[str, object]:
    return GridPoint(alpha, beta, seed).variant._asdict()


def smooth(rng: np.random.Generator, frames: int) -> np.ndarray:
    trace = gaussian_filter1d(rng.normal(size=frames + 80), 8.0)[40:-40]
    return 0.2 * trace / trace.std() + rng.normal() * 0.05


def session_model(
    alpha=0.0,
    beta=0.0,
    seed=1,
    recordings=3,
    frames=200,
    hop=0.2,
    noise=0.1,
    lag=2,
    gain=0.5,
    labelled=("dev", "test"),
) -> pd.DataFrame:
    """One model's rows: the gold standard made small, early by `lag` frames and noisy."""
    parts = []
    for partition in ("dev", "test"):
        for number in range(1, recordings + 1):
            gold = smooth(np.random.default_rng([number, len(partition)]), frames)
            rng = np.random.default_rng([seed, number, int(alpha * 100), int(beta * 100)])
            early = gold[np.minimum(np.arange(frames) + lag, frames - 1)]
            parts.append(
                pd.DataFrame(
                    {
                        "recording": f"{partition}_{number}",
                        "time": np.arange(frames) * hop,
                        "partition": partition,
                        **variant(alpha, beta, seed),
                        "prediction": (gain * early + 0.1 + noise * rng.normal(size=frames)).astype(
                            np.float32
                        ),
                        "gold": gold if partition in labelled else np.nan,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def clip_model(alpha=0.0, beta=0.0, seed=1, speakers=4, utterances=14, classes=7, right=0.6) -> pd.DataFrame:
    """One model's rows: an utterance's class is right with probability `right`."""
    rng = np.random.default_rng([seed, int(alpha * 100), int(beta * 100)])
    parts = []
    for partition in ("dev", "test"):
        count = speakers * utterances
        gold = np.arange(count) % classes
        scores = rng.random((count, classes)) + right * np.eye(classes)[gold]
        scores /= scores.sum(axis=1, keepdims=True)
        parts.append(
            pd.DataFrame(
                {
                    "recording": [f"{partition}_{i // utterances}/u{i % utterances}" for i in range(count)],
                    "time": 0.0,
                    "partition": partition,
                    **variant(alpha, beta, seed),
                    "prediction": scores.argmax(1),
                    "gold": gold.astype(float),
                }
                | {f"score_{c}": scores[:, c].astype(np.float32) for c in range(classes)}
            )
        )
    return pd.concat(parts, ignore_index=True)


def write_models(path: Path, models: list[pd.DataFrame]) -> None:
    with ModelWriter(path) as writer:
        for rows in models:
            writer.write(pa.Table.from_pandas(rows, preserve_index=False))


def write_corpus(paths: Paths, corpus: Corpus, **options) -> dict[str, str]:
    """Write raw predictions and learning curves of every experiment; return recording -> speaker.

    With folds, fold i tests on the speakers `s<i>_...` and chooses on `s<i + 1>_...`.
    """
    speakers: dict[str, str] = {}
    names = corpus.partitions.names
    for scenario, dimension, (place, fold) in product(corpus.scenarios, corpus.dimensions, enumerate(names)):
        name = experiment_name(scenario.name, dimension, fold)
        models, curves = [], []
        for alpha in corpus.learning.alpha:
            for beta in corpus.learning.beta:
                for seed in corpus.learning.seeds:
                    made = session_model if corpus.task == "regression" else clip_model
                    offset = zlib.crc32(name.encode()) % 1000
                    rows = made(alpha, beta, seed + offset, **options).assign(seed=seed)
                    if fold:
                        rows["recording"] = rows["recording"].replace(
                            {"^test": f"s{place}", "^dev": f"s{(place + 1) % len(names)}"}, regex=True
                        )
                    models.append(rows)
                    curves.append(_curve(alpha, beta, seed))
        write_models(paths.raw_predictions / f"{name}.parquet", models)
        path = paths.models / name / "curves.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.concat(curves).to_parquet(path, index=False)
        for recording in models[0]["recording"].unique():
            speakers[recording] = recording.split("/")[0]
    return speakers


def _curve(alpha: float, beta: float, seed: int, epochs: int = 12) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            **variant(alpha, beta, seed),
            "epoch": epoch,
            "loss_target": 1 / epoch + 0.02 * rng.random(epochs),
            "loss_auxiliary": 1.2 / epoch if alpha else np.nan,
            "loss_triplet": 0.8 / epoch if beta else np.nan,
            "anchors_left_out": 0,
            "dev_score": 0.7 - 0.6 / epoch + 0.02 * rng.random(epochs),
            "dev_loss": 1.1 / epoch + 0.02 * rng.random(epochs),
        }
    )
