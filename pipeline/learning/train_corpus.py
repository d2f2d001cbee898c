"""A corpus' features and labels -> the trained grid of every experiment (scenario and dimension)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import product

import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.recording import Recording
from pipeline.features.sources import open_features
from pipeline.labels.labelled_folds import read_folds
from pipeline.learning import views
from pipeline.learning.dev_scores import SCORES
from pipeline.learning.experiment import OpenExperiment, open_experiment
from pipeline.learning.experiment_files import write_experiment
from pipeline.learning.systems.learners import learners_of
from pipeline.learning.training_list import Plan, train_list
from pipeline.params import Corpus
from pipeline.paths import Paths, experiment_name
from pipeline.running.errors import placed
from pipeline.running.said_once import said_once
from pipeline.running.workshop import Workshop

logger = logging.getLogger(__name__)


def train_corpus(
    corpus: Corpus,
    paths: Paths,
    recordings: Sequence[Recording],
    shop: Workshop,
    models_at_once: int | None = None,
) -> None:
    """Train all experiments of a corpus; models and raw predictions go where `paths` says.

    shop, models_at_once: as in `pipeline.learning.training_list`.

    Raises:
        ValueError: train has no labels or no features for an experiment.
        TrainingError: a loss or gradient is not finite.
        ClusterError: the cluster cannot be used.
        TableError: a feature table is missing or damaged.
        StoreError: the store cannot be written.
    """
    for directory in (paths.models, paths.raw_predictions):  # outs, also where there is no experiment
        directory.mkdir(parents=True, exist_ok=True)
    learners = learners_of(corpus.learning.systems)
    count = len(corpus.trained) * len(corpus.scenarios) * len(corpus.dimensions)
    plan = Plan.of(learners, corpus.learning, count)
    logger.info(
        "%d experiments x %d models, %d epochs in all, less what the store holds; the time left is said "
        "while they are trained",
        count, plan.models, count * sum(plan.epochs.values()),
    )  # fmt: skip
    opened = _opened(corpus, paths, recordings, shop)
    with said_once(views.logger):
        train_list(opened, write_experiment, plan, shop, models_at_once, SCORES[corpus.task])


def _opened(
    corpus: Corpus, paths: Paths, recordings: Sequence[Recording], shop: Workshop
) -> Iterator[OpenExperiment]:
    """Open all experiments, each when it is asked for."""
    open_once = cache(partial(open_features, paths, corpus))
    for fold, draw in product(read_folds(paths, corpus, recordings), corpus.label_draws):
        own = paths.of_fold(draw.of_fold(fold.name))
        labels = pd.read_parquet(own.label_table)
        votes = pd.read_parquet(own.vote_table) if own.vote_table.is_file() else None
        facts = json.loads(own.label_facts.read_text(encoding="utf-8"))
        for scenario, dimension in product(corpus.scenarios, corpus.dimensions):
            experiment = experiment_name(scenario.name, dimension, own.fold)
            logger.info("train %s", experiment)
            with placed(experiment):
                sources = {view: open_once(name, dimension) for view, name in scenario.views.items()}
                opened = open_experiment(
                    name=experiment,
                    recordings=fold.recordings,
                    sources=sources,
                    labels=labels,
                    dimension=dimension,
                    task=corpus.task,
                    grid=corpus.grid,
                    delay_frames=facts["annotation_delay"]["frames"],
                    learning=corpus.learning,
                    models_directory=paths.models / experiment,
                    predictions_path=paths.raw_predictions / f"{experiment}.parquet",
                    scenario=scenario.name,
                    classes=facts["classes"] if TASKS[corpus.task].classes else None,
                    shop=shop,
                    votes=votes,
                    extraction={role: source.about for role, source in sources.items()},
                )
            yield opened
