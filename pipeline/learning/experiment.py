"""Features, labels and parameters of one scenario and dimension -> what its learners train from.

An experiment is opened, all its models are trained among those of others (`pipeline.learning.training_list`),
and its results are written (`pipeline.learning.experiment_files`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.recording import Recording
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.frame_labels import FrameLabels, frame_labels, other_labels
from pipeline.learning.learner import LeftOutError
from pipeline.learning.systems.learners import learners_of
from pipeline.learning.training import Training
from pipeline.learning.views import FeatureSource, View, scaled_view
from pipeline.learning.votes import votes_of_dimension
from pipeline.params import Grid, Learning, Task
from pipeline.running.device import resolve
from pipeline.running.workshop import Workshop

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenExperiment:
    """What is learned from in an experiment, by whom, and where the results go.

    trainings: one for each learner that has what it needs. about: what the model file says of the data.
    """

    name: str
    data: ExperimentData
    learning: Learning
    trainings: tuple[Training, ...]
    about: Mapping[str, Any]
    models_directory: Path
    predictions_path: Path


def open_experiment(
    *,
    name: str,
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
    extraction: Mapping[str, Mapping[str, Any]] | None = None,
    votes: pd.DataFrame | None = None,
) -> OpenExperiment:
    """Read and scale the features of an experiment, and prepare all its learners before any is trained.

    sources: the features of each view, target first. labels: as `frame_labels` reads them. delay_frames: by
    which labels were moved. scenario: the modalities of the views, `audio+video`; for errors. classes:
    names of the classes by code; None: the codes up to the largest. extraction: by view, what the features
    depend on besides the media; kept in the model file, so that features of other parameters are told from
    those of training. shop: whose store may hold models; None: none does.

    Raises:
        ValueError: train has no labels or no features for this dimension, dev has no labels where the
            parameters need dev scores, or no system that is asked for has a setting.
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
    trainings = []
    for learner in learners_of(learning.systems):
        try:
            prepared = learner.prepare(data, learning)
        except LeftOutError as error:
            logger.warning("%s", error)
        else:
            trainings.append(
                Training.begin(learner, prepared, learning, shop.store if shop else None, device)
            )
    if not any(training.keys for training in trainings):
        raise ValueError(f"learning.systems: {list(learning.systems)} have no model among these settings")
    about = {
        "scenario": scenario,
        "modalities": {role: view.modality for role, view in views.items()},
        "dimension": dimension,
        "task": task,
        "hop": grid.hop,
        "delay_frames": delay_frames,
        "extraction": extraction or {},
    }
    return OpenExperiment(
        name, data, learning, tuple(trainings), about, models_directory, predictions_path
    )  # fmt: skip


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
