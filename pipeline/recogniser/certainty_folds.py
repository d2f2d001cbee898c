"""Features and labels of all speakers -> how far the certainty of each recogniser holds for somebody new.

Test has few speakers, so what is measured there may be off by chance alone. Here the system that is
exported (or the one that `evaluation.certainty_system` names) is trained once more in folds by speaker, over
train, dev and test together, as `partitions.method: cross_validation` deals them: settings and
post-processing are chosen on the dev of each fold, temperatures and intervals fitted there, and tested on
speakers that had no part in any of it. So each speaker is tested once. What is measured is the recipe, system
and calibration, over all speakers; the very weights that are exported learnt from some of them and cannot be
tested on these.

Which system it is was chosen on dev of the run, unless it is named; its speakers are among those tested.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.recording import Recording
from pipeline.corpora.traces import load_traces
from pipeline.features.sources import open_inputs
from pipeline.labels.align import align
from pipeline.learning import views
from pipeline.learning.experiment_files import UNITS
from pipeline.learning.train_corpus import train_corpus
from pipeline.params import EXPORTED, Corpus, Scenario
from pipeline.paths import Paths, experiment_name
from pipeline.recogniser.choice import choose
from pipeline.running.said_once import said_once
from pipeline.running.workshop import Workshop
from pipeline.scoring.class_scores import class_names
from pipeline.scoring.evaluation import unit_name
from pipeline.scoring.experiment_tables import ORIGIN, scored
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.postprocessing import postprocess_experiment
from pipeline.scoring.uncertainty import UNCERTAINTY_COLUMNS, Fold, uncertainty

logger = logging.getLogger(__name__)

ASIDE = ".emobed/certainty"
"""Where labels, models and predictions of the folds lie while they are needed."""


def write_certainty(
    paths: Paths,
    corpus: Corpus,
    recordings: Sequence[Recording],
    shop: Workshop,
    models_at_once: int | None = None,
) -> None:
    """Write the table `certainty.csv` of a corpus, and which units of the store it was made with.

    Its columns are `target, auxiliary, dimension, why, setting, uncalibrated`, then those of
    scores/uncertainty.csv: a row over all folds, whose `fold` is empty, and one of each fold with the setting
    chosen there. `uncalibrated` is the number of folds whose dev was too small to calibrate on, with several
    labels to calibrate each of them on. Where nothing is measured there is one row, and `why` is the reason.

    recordings: as registered. shop, models_at_once: as in `pipeline.learning.training_list`.

    Raises:
        ValueError: the folds cannot be made or learnt from.
        FileNotFoundError: the corpus was not evaluated.
    """
    shutil.rmtree(paths.certainty, ignore_errors=True)
    paths.certainty.mkdir(parents=True)
    why = not_tested(paths, corpus, recordings) if corpus.scenarios else ""
    cases: list[tuple[Scenario, str]] = list(product(corpus.scenarios, corpus.dimensions))
    systems = {case: "" if why else _system(paths, corpus, *case) for case in cases}
    rows: list[dict[str, Any]] = []
    keys: set[str] = set()
    with _folder(paths.root / ASIDE / paths.corpus) as folder:
        aside = replace(paths, aside=folder)
        if any(systems.values()):
            with _about_folds(corpus), said_once(views.logger):
                align(in_folds(corpus), aside, open_inputs(paths, corpus))
                for own in _by_system(corpus, systems):
                    train_corpus(own, aside, recordings, shop, models_at_once)
            for units in aside.models.glob(f"*/{UNITS}"):
                keys.update(json.loads(units.read_text(encoding="utf-8")))
        for scenario, dimension in cases:
            origin = {"target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension}
            if systems[scenario, dimension]:
                rows += [origin | row for row in _tested(aside, corpus, scenario, dimension, recordings)]
                continue
            reason = why or "no recogniser of this experiment is exported"
            name = experiment_name(scenario.name, dimension)
            logger.info("%s: certainty is not tested on all speakers: %s", name, reason)
            rows.append(origin | {"why": reason})
    columns = [*ORIGIN, "why", "setting", "uncalibrated", *UNCERTAINTY_COLUMNS[corpus.task]]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(paths.certainty_table, index=False, float_format="%.6g", lineterminator="\n")
    (paths.certainty / UNITS).write_text(json.dumps(sorted(keys), indent=1) + "\n", encoding="utf-8")


def not_tested(paths: Paths, corpus: Corpus, recordings: Sequence[Recording]) -> str:
    """Return why certainty is not tested in folds, a clause for a sentence; nothing where it is."""
    count = corpus.evaluation.certainty_folds
    if count is None:
        return "evaluation.certainty_folds is null"
    if corpus.partitions.method == "cross_validation":
        return "the corpus is cross-validated, and scores/uncertainty.csv is over all speakers already"
    speakers = {item.recording: item.speaker for item in recordings}
    if not any(speakers.values()):
        return "no recording has a speaker, by whom folds could be made"
    traces = load_traces(paths.traces / "traces.parquet")
    known = traces.loc[traces["dimension"].isin(corpus.dimensions), "recording"].unique()
    labelled = {speakers[name] for name in known if name in speakers}
    if len(labelled) < count:
        return (
            f"evaluation.certainty_folds is {count}, and only {len(labelled)} "
            f"{'speaker has' if len(labelled) == 1 else 'speakers have'} labels"
        )
    return ""


def in_folds(corpus: Corpus) -> Corpus:
    """Return the corpus with its speakers in folds; `labelled_speakers` counts those of each fold's train."""
    update = {
        "method": "cross_validation",
        "folds": corpus.evaluation.certainty_folds,
        "label_shares": (),
        "label_draws": 1,
    }
    return corpus.model_copy(update={"partitions": corpus.partitions.model_copy(update=update)})


def _by_system(corpus: Corpus, systems: Mapping[tuple[Scenario, str], str]) -> Iterator[Corpus]:
    """Give corpora in folds with one system each, whose experiments are those that it is tested in.

    What has the same system and dimensions is trained in one go, so that no worker waits for another's last.
    """
    together: dict[tuple[str, tuple[str, ...]], list[Scenario]] = {}
    for scenario in corpus.scenarios:
        for system in dict.fromkeys(systems[scenario, dimension] for dimension in corpus.dimensions):
            own = tuple(name for name in corpus.dimensions if systems[scenario, name] == system)
            if system:
                together.setdefault((system, own), []).append(scenario)
    for (system, dimensions), scenarios in together.items():
        learning = corpus.learning.model_copy(update={"systems": (system,)})
        update = {"scenarios": tuple(scenarios), "dimensions": dimensions, "learning": learning}
        yield in_folds(corpus).model_copy(update=update)


def _system(paths: Paths, corpus: Corpus, scenario: Scenario, dimension: str) -> str:
    """Return the system that is tested; empty where none is exported."""
    if corpus.evaluation.certainty_system != EXPORTED:
        return corpus.evaluation.certainty_system
    choice = choose(paths, corpus, scenario, dimension, "")
    return "" if choice is None else choice.system


def _tested(
    paths: Paths, known: Corpus, scenario: Scenario, dimension: str, recordings: Sequence[Recording]
) -> Iterator[dict[str, Any]]:
    """Give the rows of an experiment whose folds were trained, over all folds and of each."""
    corpus = in_folds(known)
    speakers = {item.recording: item.speaker for item in recordings}
    final, task = int(TASKS[corpus.task].finished), TASKS[corpus.task]
    paths.predictions.mkdir(parents=True, exist_ok=True)
    found = []
    settings = {}
    for fold in corpus.partitions.names:
        file = f"{experiment_name(scenario.name, dimension, fold)}.parquet"
        raw, out = paths.raw_predictions / file, paths.predictions / file
        postprocess_experiment(raw, out, corpus.postprocessing, corpus.grid.hop)
        models = scored(paths, file, corpus, final, speakers)
        own = ScoredFold.of(fold, models, HEADLINE[corpus.task])
        settings[fold] = own.points[0].setting
        found.append(Fold.of(paths, file.removesuffix(".parquet"), fold, own.points, models))
    classes = class_names(paths, corpus) if task.several else ()
    unit = unit_name(speakers, corpus.grid.utterances)
    rows = uncertainty(found, corpus, speakers, unit, classes).rows
    if not any(row["partition"] for row in rows if not row["fold"]):
        why = f"in none of the {len(found)} folds dev has labels of enough {unit}s to calibrate on"
        logger.info("%s: %s", experiment_name(scenario.name, dimension), why)
        yield {"why": why}
        return
    without = {row["fold"] for row in rows if row["fold"] and not _calibrated(row)}
    for row in rows:
        count = len(without) if not row["fold"] else int(row["fold"] in without)
        yield {"setting": settings.get(row["fold"], ""), "uncalibrated": count} | row


def _calibrated(row: Mapping[str, Any]) -> bool:
    """Say whether the dev of a fold was large enough to calibrate on; row: of scores/uncertainty.csv."""
    return bool(row["rule"] != "none" if "rule" in row else row["dev_utterances"])


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Give an empty folder, which is gone afterwards; what a killed run left there is gone before."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _about_folds(corpus: Corpus) -> Iterator[None]:
    """Say of what cannot be made or learnt that it is of these folds, not of the corpus as it is trained."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"evaluation.certainty_folds: not all {corpus.evaluation.certainty_folds} folds can be made and "
            f"learnt from ({error}); set another number, or null"
        ) from error
