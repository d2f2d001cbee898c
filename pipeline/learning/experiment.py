"""Features, labels and parameters of one scenario and dimension -> models, curves, raw predictions.

This is what the stage `train` calls once per experiment. It writes `models.safetensors` (the whole
grid and the scalings) and `curves.parquet` into one directory, and the raw predictions of dev and test,
shifted back by the annotation delay, to a Parquet file. Same inputs, same bytes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from pipeline.corpora.recording import Recording
from pipeline.features.grid import seconds_to_frames
from pipeline.learning.batches import Sequences, subsequences
from pipeline.learning.experiment_data import FeatureSource, ScaledModality, frame_labels, scaled_modality
from pipeline.learning.grid import VERSION, UnitCache, train_grid, unit_keys
from pipeline.learning.model_file import to_bytes
from pipeline.learning.network import Architecture
from pipeline.learning.trained_model import CURVES, TrainedModel, TrainingData
from pipeline.params import Grid, Learning, Task
from pipeline.running.device import resolve

PARQUET: Mapping[str, Any] = {"compression": "zstd", "compression_level": 3, "write_statistics": False}
"""Writer settings: fixed, so that same tables give same bytes."""

UNITS = "units.json"
"""Lists the store keys of an experiment's models, so that `emobed store prune` knows that they are in use."""

logger = logging.getLogger(__name__)


def run_experiment(
    *,
    recordings: Sequence[Recording],
    target: FeatureSource,
    auxiliary: FeatureSource,
    labels: pd.DataFrame,
    dimension: str,
    task: Task,
    grid: Grid,
    delay_frames: int,
    learning: Learning,
    models_directory: Path,
    predictions_path: Path,
    scenario: str = "target+auxiliary",
    classes: Sequence[str] | None = None,
    cache: UnitCache | None = None,
    workers: int = 1,
    models_at_once: int = 16,
    device: str = "cpu",
    scheduler: str | None = None,
    extraction: Mapping[str, Mapping[str, Any]] | None = None,
    experiments_after: int = 0,
) -> None:
    """Train all models of one experiment and write its results.

    labels: as `frame_labels` reads them. delay_frames: by which labels were moved. scenario:
    `audio+video` or `video+audio`; names the modalities in errors. classes: names of the classes by code;
    None: the codes up to the largest. device: cpu, cuda, or auto. workers, scheduler: as in `train_grid`.
    extraction: by role, what the features depend on besides the media; kept in the model file, so that
    features of other parameters are told from those of training. experiments_after: as in `train_grid`.

    Raises:
        ValueError: train has no labels or no features for this dimension, or dev has no labels where the
            parameters need dev scores.
        TrainingError: a loss or gradient is not finite.
    """
    by_recording = frame_labels(labels, dimension)
    names = dict(zip(("target", "auxiliary"), scenario.split("+"), strict=True))
    modalities = {
        role: scaled_modality(recordings, source, by_recording, learning.scaling, names[role], role)
        for role, source in (("target", target), ("auxiliary", auxiliary))
    }
    names_of_classes: Sequence[str] = ()
    if task == "classification":
        codes = np.concatenate([own.label for own in by_recording.values()] or [np.zeros(1, np.float32)])
        names_of_classes = classes or [str(code) for code in range(max(2, int(np.nanmax(codes)) + 1))]
        if len(names_of_classes) < 2:
            raise ValueError(
                f"all labels of {dimension} are the class '{names_of_classes[0]}', expected two or more"
            )
    outputs = max(1, len(names_of_classes))
    data = _training_data(modalities, learning, grid, delay_frames, names_of_classes, dimension)
    models = train_grid(
        data, learning, cache, workers, models_at_once, resolve(device), scheduler, experiments_after
    )
    about = {
        "version": VERSION,
        "scenario": scenario,
        "dimension": dimension,
        "task": task,
        "hop": grid.hop,
        "delay_frames": delay_frames,
        "architecture": vars(data.architecture),
        "learning": learning.model_dump(mode="json"),
        "classes": list(names_of_classes),
        "features": {role: part.features for role, part in modalities.items()},
        "extraction": extraction or {},
        "gaps": {role: part.gaps._asdict() for role, part in modalities.items()},
        "train_sequences": {"target": len(data.target), "auxiliary": len(data.auxiliary)},
        "models": [m.variant._asdict() | {"name": m.variant.name} for m in models],
    }
    models_directory.mkdir(parents=True, exist_ok=True)
    (models_directory / "models.safetensors").write_bytes(to_bytes(_tensors(models, modalities), about))
    keys = unit_keys(data, learning, resolve(device))
    (models_directory / UNITS).write_text(
        json.dumps(sorted(keys.values()), indent=1) + "\n", encoding="utf-8"
    )
    pq.write_table(_curves(models), models_directory / "curves.parquet", **PARQUET)
    predictions_path.parent.mkdir(parents=True, exist_ok=True)
    _write_predictions(predictions_path, models, data.evaluation, grid.hop, outputs)


def _training_data(
    modalities: Mapping[str, ScaledModality],
    learning: Learning,
    grid: Grid,
    delay_frames: int,
    classes: Sequence[str],
    dimension: str,
) -> TrainingData:
    """Take train and evaluation sequences apart and check that there is something to learn from."""
    train = {}
    for role, part in modalities.items():
        chosen = part.sequences.partition("train").labelled()
        if not len(chosen):
            raise ValueError(f"no train recording with {role} features has labels for {dimension}")
        seen = {int(labels[0]) for labels in chosen.labels} if classes else set()
        missing = [name for code, name in enumerate(classes) if code not in seen]
        if missing:
            classes_word = "class" if len(missing) == 1 else "classes"
            logger.warning("%s: no train utterance of the %s %s", role, classes_word, ", ".join(missing))
        if learning.sequences != "whole":
            if grid.hop is None:
                raise ValueError("learning.sequences: sub-sequences need a grid with a hop; use `whole`")
            length, hop = (
                seconds_to_frames(seconds, grid.hop)
                for seconds in (learning.sequences.length, learning.sequences.hop)
            )
            chosen = subsequences(chosen, length, hop).labelled()
        train[role] = chosen
    evaluation = modalities["target"].sequences.partition("dev", "test")
    optimiser = learning.optimiser
    if (optimiser.weights == "best_dev_epoch" or optimiser.patience is not None) and not len(
        evaluation.partition("dev").labelled()
    ):
        raise ValueError(
            "learning.optimiser: best_dev_epoch and patience need dev recordings with labels; there are none"
        )
    network = learning.network
    architecture = Architecture(
        len(modalities["target"].features),
        len(modalities["auxiliary"].features),
        network.encoder_layers,
        network.shared_layers,
        network.hidden,
        network.bidirectional,
        max(1, len(classes)),
    )
    return TrainingData(architecture, train["target"], train["auxiliary"], evaluation, delay_frames)


def _tensors(
    models: Sequence[TrainedModel], modalities: Mapping[str, ScaledModality]
) -> dict[str, torch.Tensor]:
    """Return what models.safetensors holds: `<model>/<weight>` and `scaler.<role>/<array>`."""
    tensors = {f"{m.variant.name}/{name}": tensor for m in models for name, tensor in m.weights.items()}
    for role, part in modalities.items():
        tensors |= {
            f"scaler.{role}/{name}": torch.from_numpy(np.array(array))
            for name, array in part.scaler.arrays.items()
        }
    return tensors


def _variant_columns(model: TrainedModel, rows: int) -> dict[str, pa.Array]:
    """Return the columns that say which model the rows belong to."""
    system, setting, seed = model.variant
    return {
        "system": pa.array([system] * rows, pa.string()),
        "setting": pa.array([setting] * rows, pa.string()),
        "seed": pa.array(np.full(rows, seed), pa.int64()),
    }


def _curves(models: Sequence[TrainedModel]) -> pa.Table:
    """Return the learning curves: one row per model and epoch, epochs from 1."""
    tables = []
    for model in models:
        columns = _variant_columns(model, len(model.curve))
        columns["epoch"] = pa.array(np.arange(1, len(model.curve) + 1), pa.int64())
        columns |= {name: pa.array(model.curve[:, i]) for i, name in enumerate(CURVES)}
        tables.append(pa.table(columns))
    return pa.concat_tables(tables).combine_chunks()


def _write_predictions(
    path: Path, models: Sequence[TrainedModel], evaluation: Sequences, hop: float | None, outputs: int
) -> None:
    """Write the raw predictions, one row group per model: recordings in manifest order, frames in time."""
    lengths = [len(gold) for gold in evaluation.gold]
    names = np.repeat(np.array(evaluation.recordings, dtype=object), lengths)
    first: dict[str, pa.Array] = {
        "recording": pa.array(names, pa.string()),
        "time": pa.array(np.concatenate([np.zeros(0), *(np.arange(n) * (hop or 0.0) for n in lengths)])),
        "partition": pa.array(np.repeat(np.array(evaluation.partitions, dtype=object), lengths), pa.string()),
    }
    gold = pa.array(np.concatenate([np.zeros(0), *evaluation.gold]))
    writer: pq.ParquetWriter | None = None
    for model in models:
        scores = np.concatenate([np.zeros((0, outputs), np.float32), *model.predictions])
        prediction = scores.argmax(axis=1) if outputs > 1 else scores[:, 0]
        columns = first | _variant_columns(model, len(scores))
        columns |= {"prediction": pa.array(prediction.astype(np.float64)), "gold": gold}
        if outputs > 1:
            columns |= {f"score_{c}": pa.array(scores[:, c]) for c in range(outputs)}
        table = pa.table(columns)
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, **PARQUET)
        writer.write_table(table, row_group_size=max(1, table.num_rows))
    if writer is not None:
        writer.close()
