"""Raw and final predictions of a corpus -> results.csv, metrics.json, grid, significance, plots."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path

import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.scoring.class_scores import CLASS_SCORE_COLUMNS, class_names
from pipeline.scoring.comparison import COMPARISON_COLUMNS
from pipeline.scoring.experiment_tables import EXPERIMENT, ORIGIN, ExperimentTables, Scoring, tables_of
from pipeline.scoring.groups import GROUP_COLUMNS
from pipeline.scoring.headline import headline, metrics
from pipeline.scoring.label_shares import label_share_scores
from pipeline.scoring.metrics import METRICS
from pipeline.scoring.scored_models import NO_GROUPS, Groups
from pipeline.scoring.system_intervals import INTERVAL_COLUMNS
from pipeline.scoring.uncertainty import RELIABILITY_COLUMNS, UNCERTAINTY_COLUMNS
from pipeline.scoring.verdict import with_holm
from pipeline.scoring.word_scores import WORD_COLUMNS

logger = logging.getLogger(__name__)

RESULT_COLUMNS = (
    "target", "auxiliary", "dimension", "system", "setting", "needs", "postprocessed", "partition", "metric",
    "mean", "std", "seeds", "n", "fold", "folds", "std_folds", "selection",
)  # fmt: skip
GRID_COLUMNS = (
    "target", "auxiliary", "dimension", "system", "setting", "postprocessed", "selected", "metric",
    "dev_mean", "dev_std", "test_mean", "test_std", "seeds", "fold",
)  # fmt: skip


def evaluate(
    paths: Paths,
    corpus: Corpus,
    speakers: Mapping[str, str],
    groups: Groups = NO_GROUPS,
    shop: Workshop | None = None,
) -> None:
    """Score the predictions of a corpus and write every table of its reports directory.

    speakers: recording -> speaker (manifest). groups: column -> recording -> group, of those in
    `evaluation.groups`, whose scores are in `scores/groups.csv` (`pipeline.scoring.groups`). shop: whose
    processes on this machine score experiments; None: this process.

    `results.csv` has one row per system, kind (raw or post-processed), partition and metric, at the system's
    setting chosen on dev among predictions of the same kind; `needs` says what it predicts from, the `target`
    modality alone or `all`. A partition without gold standard has rows with an empty mean and n = 0; a system
    has no row for a partition of which it predicts no recording, since none has all modalities that it needs:
    a warning says so. `selection` says by what the setting was chosen: `dev`, or in further rows of dev's
    headline score `leave_one_out`, where each recording (or speaker) is scored at the settings (and with the
    chains) that the others chose (`pipeline.scoring.left_out`): the one score of dev that is not too good.

    `scores/intervals.csv` has the interval of each system's score, `scores/grid.csv` the headline score of
    all settings, `scores/significance.csv` every system against the reference and against its own controls,
    corrected together (`pipeline.scoring.verdict`), `metrics.json` the headline scores for `dvc
    metrics`.

    `scores/uncertainty.csv` says what calibrates the mean over seeds, fitted on dev, and how well that holds
    (`pipeline.scoring.uncertainty`); of classes `scores/reliability.csv` has the reliability curves.

    `scores/classes.csv` has the scores by class, where an utterance may have several labels
    (`pipeline.scoring.class_scores`).

    `scores/words.csv` has the scores of each class by systems that name them by words, where there are some
    (`pipeline.scoring.word_scores`).

    `scores/label_shares.csv` has the scores at every share of labelled speakers, where there are some
    (`pipeline.scoring.label_shares`).

    With a cross-validation the rows of each fold carry its name in `fold`, each with the settings chosen on
    that fold's dev. Rows whose `fold` is empty are the result: in results.csv the mean over folds of the
    mean over seeds (`std` over seeds, `std_folds` over folds, see `pipeline.scoring.folds`), the setting `by
    fold` where folds chose differently; in grid.csv the same for every setting, with `selected` the number
    of folds that chose it; in intervals.csv and significance.csv scores and tests on the test predictions of
    all folds together, each speaker once. `metrics.json` has the means over folds.

    Raises:
        PredictionsError: a prediction file is missing or does not keep the contract.
        ValueError: a column of `evaluation.groups` is not in `groups`; a prediction is not finite where there
            is gold standard.
    """
    lacking = [column for column in corpus.evaluation.groups if column not in groups]
    if lacking:
        raise ValueError(
            f"{paths.groups}: groups.csv has no column {', '.join(lacking)}, which evaluation.groups names; "
            "the stage register writes it"
        )
    groups = {column: groups[column] for column in corpus.evaluation.groups}
    task = TASKS[corpus.task]
    final = int(task.finished)
    classes = class_names(paths, corpus) if task.several else ()
    experiments = list(enumerate(product(corpus.scenarios, corpus.dimensions)))
    unit = unit_name(speakers, corpus.grid.utterances)
    scoring = Scoring(paths, corpus, speakers, groups, unit, classes)
    found: dict[int, ExperimentTables] = {}
    if shop is None or shop.workers == 1 or len(experiments) < 2:
        made: Iterable[tuple[int, ExperimentTables]] = (tables_of(scoring, one) for one in experiments)
    else:
        made = shop.local().run_tasks(tables_of, (scoring,), experiments)
    for place, tables in tracked(made, "evaluate", "experiments", len(experiments)):
        found[place] = tables
    every = ExperimentTables.joined(found[place] for place, _ in experiments)
    # the empty tables give their columns to a corpus without scenarios
    every_result = pd.concat(every.results) if every.results else pd.DataFrame(columns=RESULT_COLUMNS)
    every_result["needs"] = [SYSTEMS[system].needs for system in every_result["system"]]
    every_point = pd.concat(every.grids) if every.grids else pd.DataFrame(columns=GRID_COLUMNS)
    ranks = {"system": tuple(SYSTEMS), "metric": METRICS[corpus.task], "fold": ("", *corpus.partitions.names)}
    _write(paths.results, _ordered(every_result, ranks)[list(RESULT_COLUMNS)])
    _write(paths.grid_scores, every_point[list(GRID_COLUMNS)])
    columns = [*EXPERIMENT, *INTERVAL_COLUMNS, "fold"]
    _write(paths.scores / "intervals.csv", pd.DataFrame(every.intervals, columns=columns))
    _write(paths.scores / "groups.csv", pd.DataFrame(every.groups, columns=[*EXPERIMENT, *GROUP_COLUMNS]))
    compared = pd.DataFrame(every.comparisons, columns=[*EXPERIMENT, *COMPARISON_COLUMNS, "fold"])
    _write(paths.scores / "significance.csv", with_holm(compared, final))
    columns = [*ORIGIN, *UNCERTAINTY_COLUMNS[corpus.task]]
    _write(paths.uncertainty, pd.DataFrame(every.uncertain, columns=columns))
    if task.classes:
        columns = [*ORIGIN, *RELIABILITY_COLUMNS]
        _write(paths.reliability, pd.DataFrame(every.reliability, columns=columns))
    if task.several:
        _write(paths.class_scores, pd.DataFrame(every.classes, columns=[*ORIGIN, *CLASS_SCORE_COLUMNS]))
    paths.word_scores.unlink(missing_ok=True)
    if every.words:
        _write(paths.word_scores, pd.DataFrame(every.words, columns=[*ORIGIN, *WORD_COLUMNS]))
    paths.label_shares.unlink(missing_ok=True)
    if len(corpus.label_draws) > 1:
        _write(paths.label_shares, label_share_scores(paths, corpus, speakers))
    shown = json.dumps(metrics(headline(paths.results, corpus.task)), indent=2)
    paths.metrics.write_text(shown + "\n", encoding="utf-8")


def unit_name(speakers: Mapping[str, str], utterances: bool) -> str:
    """Say in a word what the units of intervals are: `speaker`, or `recording` where each speaker has one.

    Utterances of one speaker, and sessions of one speaker, are not independent.
    """
    counts = Counter(speaker for speaker in speakers.values() if speaker)
    if not counts:
        return "utterance" if utterances else "recording"
    return "recording" if max(counts.values()) == 1 else "speaker"


def _ordered(table: pd.DataFrame, ranks: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Sort by experiment, kind, fold, system, partition and metric; ranks: columns with their own order."""
    by = [*EXPERIMENT, "fold", "system", "partition", "metric", "selection"]
    return table.sort_values(
        by, key=lambda names: names.map(ranks[str(names.name)].index) if names.name in ranks else names
    )


def _write(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
