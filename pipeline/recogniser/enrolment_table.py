"""Scores against the number of enrolled recordings -> scores/enrolment.csv.

What predicts is imported where there is something to tell: where features are scaled by speaker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pandas as pd

from pipeline.corpora.partitions import Fold
from pipeline.params import Corpus, Scenario
from pipeline.paths import Paths, experiment_name
from pipeline.running.errors import placed
from pipeline.running.workshop import Workshop

COLUMNS = (
    "target", "auxiliary", "dimension", "system", "setting", "partition", "metric", "enrolled", "draws",
    "value", "std", "low", "high", "confidence", "gain", "gain_low", "gain_high", "gain_p", "seeds",
    "speakers", "recordings", "speakers_left_out", "fewest", "most",
)  # fmt: skip


def write_enrolment_scores(
    paths: Paths, corpus: Corpus, folds: Sequence[Fold], shop: Workshop | None = None
) -> None:
    """Write the table where features are scaled by speaker; remove one of an earlier run."""
    paths.enrolment.unlink(missing_ok=True)
    if corpus.learning.scaling.speaker != "none":
        table = enrolment_scores(paths, corpus, folds, shop)
        table.to_csv(paths.enrolment, index=False, float_format="%.6g", lineterminator="\n")


def enrolment_scores(
    paths: Paths, corpus: Corpus, folds: Sequence[Fold], shop: Workshop | None = None
) -> pd.DataFrame:
    """Score every system that needs the target alone and is no control, at its setting chosen on dev.

    folds: one, or all of a cross-validation, with the partitions of each. shop: whose processes score
    experiments; None: this one.

    Predictions are raw, of the settings that results.csv reports. value: mean over draws and seeds; `std`
    over seeds of the mean over draws; interval: over speakers and seeds; metrics: those of
    scores/intervals.csv. gain: the value minus that of the same speakers without enrolment. Of a
    cross-validation the speakers of all folds are pooled. `speakers_left_out` have no more recordings than
    are enrolled. fewest, most: recordings of one of the `speakers`, with labels or without.

    Raises:
        TableError, ModelFileError: features or models are missing or damaged.
    """
    experiments: list[tuple[int, tuple[Scenario, str]]] = []
    if corpus.learning.scaling.speaker != "none":
        experiments += enumerate(product(corpus.scenarios, corpus.dimensions))
    about = (paths, corpus, folds)
    if shop is None or shop.workers == 1 or len(experiments) < 2:
        made: Iterable[tuple[int, list[dict[str, Any]]]] = (_rows(*about, one) for one in experiments)
    else:
        made = shop.local().run_tasks(_rows, about, experiments)
    found = dict(made)
    rows = [row for place, _ in experiments for row in found[place]]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    paths: Paths, corpus: Corpus, folds: Sequence[Fold], experiment: tuple[int, tuple[Scenario, str]]
) -> tuple[int, list[dict[str, Any]]]:
    from pipeline.recogniser.enrolment_scores import enrolment_rows

    place, (scenario, dimension) = experiment
    about = {"target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension}
    with placed(experiment_name(scenario.name, dimension)):
        rows = enrolment_rows(paths, corpus, folds, scenario, dimension)
        return place, [about | row for row in rows]
