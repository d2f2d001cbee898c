"""Features, labels and parameters of one scenario and dimension -> models, curves, raw predictions.

This is what the stage `train` calls once per experiment. It writes `models.safetensors` (the whole
grid and the scalings) and `curves.parquet` into one directory, and the raw predictions of dev and test,
shifted back by the annotation delay, to a Parquet file. Same inputs, same bytes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.label_sets import codes_of
from pipeline.corpora.recording import Recording
from pipeline.learning.dev_scores import SCORES
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.frame_labels import FrameLabels, frame_labels, other_labels
from pipeline.learning.learner import LeftOutError
from pipeline.learning.model_file import own_scaler, to_bytes
from pipeline.learning.prediction_file import PARQUET, ModelWriter, logit_column, score_column
from pipeline.learning.scaling import Scaler
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.learners import learners_of
from pipeline.learning.thresholds import fit_thresholds
from pipeline.learning.train_models import train_models, unit_keys
from pipeline.learning.trained_model import CURVES, TrainedModel
from pipeline.learning.views import FeatureSource, View, scaled_view
from pipeline.learning.votes import votes_of_dimension
from pipeline.params import Grid, Learning, Task
from pipeline.paths import LEARNED, LOGITS
from pipeline.running.device import resolve
from pipeline.running.workshop import Workshop

logger = logging.getLogger(__name__)

UNITS = "units.json"
"""Lists the store keys of an experiment's models, so that `emobed store prune` knows that they are in use."""


def run_experiment(
    *,
    recordings: Sequence[Recording],
    sources: Mapping[str, FeatureSource],
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
    shop: Workshop | None = None,
    models_at_once: int | None = None,
    extraction: Mapping[str, Mapping[str, Any]] | None = None,
    experiments_after: int = 0,
    votes: pd.DataFrame | None = None,
) -> None:
    """Train all models of one experiment and write its results.

    sources: the features of each view, target first. labels: as `frame_labels` reads them. delay_frames: by
    which labels were moved. scenario: the modalities of the views, `audio+video`; for errors. classes:
    names of the classes by code; None: the codes up to the largest. extraction: by view, what the features
    depend on besides the media; kept in the model file, so that features of other parameters are told from
    those of training. shop, models_at_once, experiments_after: as in `train_models`.

    Raises:
        ValueError: train has no labels or no features for this dimension, dev has no labels where the
            parameters need dev scores, or no system that is asked for has a setting.
        TrainingError: a loss or gradient is not finite.
    """
    several = TASKS[task].several
    by_recording = frame_labels(labels, dimension, several)
    names = dict(zip(sources, scenario.split("+"), strict=True))

    def views_without(left_out: Collection[str]) -> dict[str, View]:
        kept = [item for item in recordings if item.recording not in left_out]
        return {
            role: scaled_view(kept, source, by_recording, learning.scaling, names[role], role)
            for role, source in sources.items()
        }

    views = views_without(())
    known = _classes(by_recording, dimension, classes) if TASKS[task].classes else ()
    others = other_labels(labels, dimension, recordings)
    raters = votes_of_dimension(votes, dimension)
    data = ExperimentData(views, known, grid.hop, delay_frames, others, several, raters, views_without)
    data.check(dimension)
    device = resolve(shop.device) if shop else "cpu"
    models: list[TrainedModel] = []
    predicted: list[Sequences] = []
    keys: list[str] = []
    said: dict[str, Any] = {}
    logits: list[tuple[TrainedModel, Sequences, NDArray[np.float32]]] = []
    # all are prepared before the first is trained: what cannot be done is said at once
    work = []
    for learner in learners_of(learning.systems):
        try:
            work.append((learner, learner.prepare(data, learning)))
        except LeftOutError as error:
            logger.warning("%s", error)
    for learner, prepared in work:
        found = train_models(
            learner, prepared, learning, shop, models_at_once, experiments_after, SCORES[task]
        )
        models += found
        predicted += [learner.evaluation(prepared, model.variant.system) for model in found]
        keys += unit_keys(learner, prepared, learning, device).values()
        said |= {system: learner.about(prepared) for system in learner.systems}
        if (of_classes := getattr(learner, "logits", None)) is not None and not several:
            logits += [(model, prepared.evaluation, of_classes(prepared, model)) for model in found]
    if not models:
        raise ValueError(f"learning.systems: {list(learning.systems)} have no model among these settings")
    about = {
        "scenario": scenario,
        "modalities": {role: view.modality for role, view in views.items()},
        "dimension": dimension,
        "task": task,
        "hop": grid.hop,
        "delay_frames": delay_frames,
        "learning": learning.model_dump(mode="json"),
        "classes": list(known),
        "features": {role: view.features for role, view in views.items()},
        "extraction": extraction or {},
        "gaps": {role: view.gaps._asdict() for role, view in views.items()},
        "systems": {system: said[system] for system in dict.fromkeys(m.variant.system for m in models)},
        "models": [m.variant._asdict() | {"name": m.variant.name} for m in models],
    }
    models_directory.mkdir(parents=True, exist_ok=True)
    scalers = {f"scaler.{role}": part.scaler for role, part in views.items()}
    scalers |= {
        own_scaler(system, role): scaler
        for learner, prepared in work
        for system in learner.systems
        if any(model.variant.system == system for model in models)
        for role, scaler in getattr(prepared, "scalers", {}).items()
    }
    (models_directory / "models.safetensors").write_bytes(to_bytes(_tensors(models, scalers), about))
    of_words = {
        name: said[name] for name in dict.fromkeys(m.variant.system for m in models) if "unseen" in said[name]
    }
    _write_learned(models_directory / LEARNED, known, of_words)
    _write_logits(models_directory / LOGITS, logits)
    (models_directory / UNITS).write_text(json.dumps(sorted(keys), indent=1) + "\n", encoding="utf-8")
    pq.write_table(_curves(models), models_directory / "curves.parquet", **PARQUET)
    _write_predictions(predictions_path, zip(models, predicted, strict=True), data, learning.threshold)


def _classes(
    labels: Mapping[str, FrameLabels], dimension: str, classes: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the names of the classes by code.

    Raises:
        ValueError: there are fewer than two.
    """
    codes = np.concatenate([own.label for own in labels.values()] or [np.zeros(1, np.float32)])
    names = [str(code) for code in range(max(2, int(np.nanmax(codes)) + 1))] if classes is None else classes
    if not names:
        raise ValueError(f"no recording has any label of {dimension}, expected two or more classes")
    if len(names) < 2:
        raise ValueError(f"all labels of {dimension} are the class '{names[0]}', expected two or more")
    return tuple(names)


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
