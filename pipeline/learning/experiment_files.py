"""The trained models of an experiment -> its files.

`models.safetensors` (the whole grid and the scalings), `curves.parquet` and what else is said of the models
go into one directory, and the raw predictions of dev and test, shifted back by the annotation delay, to a
Parquet file. Same inputs, same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from pipeline.corpora.label_sets import codes_of
from pipeline.learning.experiment import OpenExperiment
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.model_file import own_scaler, to_bytes
from pipeline.learning.prediction_file import PARQUET, ModelWriter, logit_column, score_column
from pipeline.learning.scaling import Scaler
from pipeline.learning.sequences import Sequences
from pipeline.learning.thresholds import fit_thresholds
from pipeline.learning.trained_model import CURVES, TrainedModel
from pipeline.paths import LEARNED, LOGITS

UNITS = "units.json"
"""Lists the store keys of an experiment's models, so that `emobed store prune` knows that they are in use."""


def write_experiment(experiment: OpenExperiment) -> None:
    """Write the results of an experiment that has all its models."""
    data, directory = experiment.data, experiment.models_directory
    models: list[TrainedModel] = []
    predicted: list[Sequences] = []
    keys: list[str] = []
    said: dict[str, Any] = {}
    logits: list[tuple[TrainedModel, Sequences, NDArray[np.float32]]] = []
    for training in experiment.trainings:
        learner, prepared, found = training.learner, training.data, training.finished()
        models += found
        predicted += [learner.evaluation(prepared, model.variant.system) for model in found]
        keys += training.keys.values()
        said |= {system: learner.about(prepared) for system in learner.systems}
        if (of_classes := getattr(learner, "logits", None)) is not None and not data.several:
            logits += [(model, prepared.evaluation, of_classes(prepared, model)) for model in found]
    views = data.views
    about = {
        **experiment.about,
        "learning": experiment.learning.model_dump(mode="json"),
        "classes": list(data.classes),
        "features": {role: view.features for role, view in views.items()},
        "gaps": {role: view.gaps._asdict() for role, view in views.items()},
        "systems": {system: said[system] for system in dict.fromkeys(m.variant.system for m in models)},
        "models": [m.variant._asdict() | {"name": m.variant.name} for m in models],
    }
    directory.mkdir(parents=True, exist_ok=True)
    scalers = {f"scaler.{role}": part.scaler for role, part in views.items()}
    scalers |= {
        own_scaler(system, role): scaler
        for training in experiment.trainings
        for system in training.learner.systems
        if any(model.variant.system == system for model in models)
        for role, scaler in getattr(training.data, "scalers", {}).items()
    }
    (directory / "models.safetensors").write_bytes(to_bytes(_tensors(models, scalers), about))
    of_words = {
        name: said[name] for name in dict.fromkeys(m.variant.system for m in models) if "unseen" in said[name]
    }
    _write_learned(directory / LEARNED, data.classes, of_words)
    _write_logits(directory / LOGITS, logits)
    (directory / UNITS).write_text(json.dumps(sorted(keys), indent=1) + "\n", encoding="utf-8")
    pq.write_table(_curves(models), directory / "curves.parquet", **PARQUET)
    _write_predictions(
        experiment.predictions_path, zip(models, predicted, strict=True), data, experiment.learning.threshold
    )


def _write_learned(path: Path, classes: Sequence[str], systems: Mapping[str, Mapping[str, Any]]) -> None:
    """Say of systems that may have learned nothing of a class, or little, which; no file without any.

    systems: what the model file has to say of each.
    """
    path.unlink(missing_ok=True)
    if systems:
        own = {name: {key: about[key] for key in ("unseen", "rare")} for name, about in systems.items()}
        text = json.dumps({"classes": list(classes), "systems": own}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def _write_logits(path: Path, logits: Sequence[tuple[TrainedModel, Sequences, NDArray[np.float32]]]) -> None:
    """Write the logits of models that have some, one row per recording; no file without any."""
    path.unlink(missing_ok=True)
    tables = []
    for model, evaluation, own in logits:
        columns = {"recording": pa.array(evaluation.recordings, pa.string())}
        columns |= _variant_columns(model, len(own))
        tables.append(pa.table(columns | {logit_column(k): pa.array(own[:, k]) for k in range(own.shape[1])}))
    if tables:
        pq.write_table(pa.concat_tables(tables).combine_chunks(), path, **PARQUET)


def _tensors(models: Sequence[TrainedModel], scalers: Mapping[str, Scaler]) -> dict[str, torch.Tensor]:
    """Return what models.safetensors holds: `<model>/<weight>` and `<name of a scaler>/<array>`."""
    tensors = {f"{m.variant.name}/{name}": tensor for m in models for name, tensor in m.weights.items()}
    for start, scaler in scalers.items():
        tensors |= {
            f"{start}/{name}": torch.from_numpy(np.array(array)) for name, array in scaler.arrays.items()
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
    path: Path,
    models: Iterable[tuple[TrainedModel, Sequences]],
    data: ExperimentData,
    threshold: Literal["dev"] | float,
) -> None:
    """Write the raw predictions, one row group per model: recordings in manifest order, frames in time.

    models: each with what it predicted; systems that fuse modalities leave out recordings that lack one.
    threshold: above which a class is predicted, where a recording may have several; dev: fitted for each
    model.
    """
    outputs = data.outputs
    with ModelWriter(path) as writer:
        for model, evaluation in models:
            first, gold = _predicted_columns(evaluation, data.hop)
            scores = np.concatenate([np.zeros((0, outputs), np.float32), *model.predictions])
            if data.several:
                above: Any = threshold
                if threshold == "dev":
                    dev = evaluation.partition("dev").recordings
                    on_dev = np.isin(first["recording"].to_numpy(zero_copy_only=False), dev)
                    above = fit_thresholds(scores[on_dev], gold.to_numpy()[on_dev])
                prediction = codes_of(scores > above)
            else:
                prediction = scores.argmax(axis=1) if outputs > 1 else scores[:, 0]
            columns = first | _variant_columns(model, len(scores))
            columns |= {"prediction": pa.array(prediction.astype(np.float64)), "gold": gold}
            if outputs > 1:
                columns |= {score_column(c): pa.array(scores[:, c]) for c in range(outputs)}
            writer.write(pa.table(columns))


def _predicted_columns(evaluation: Sequences, hop: float | None) -> tuple[dict[str, pa.Array], pa.Array]:
    """Return the columns that say what is predicted, and the gold standard."""
    lengths = [len(gold) for gold in evaluation.gold]
    names = np.repeat(np.array(evaluation.recordings, dtype=object), lengths)
    columns = {
        "recording": pa.array(names, pa.string()),
        "time": pa.array(np.concatenate([np.zeros(0), *(np.arange(n) * (hop or 0.0) for n in lengths)])),
        "partition": pa.array(np.repeat(np.array(evaluation.partitions, dtype=object), lengths), pa.string()),
    }
    return columns, pa.array(np.concatenate([np.zeros(0), *evaluation.gold]))
