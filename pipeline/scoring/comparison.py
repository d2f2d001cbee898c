"""Selected systems -> how each differs from the reference, with every test side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.learning.systems.table import REFERENCE
from pipeline.params import Evaluation, Task
from pipeline.scoring.bootstrap import (
    Score,
    Statistics,
    accuracy_of_confusion,
    bootstrap_difference,
    f1_of_confusion,
)
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.pooled import pool
from pipeline.scoring.scored_models import SCORED_PARTITIONS
from pipeline.scoring.significance import Test, fisher_r_to_z, proportions_z
from pipeline.scoring.signs import sign_flip

COMPARISON_COLUMNS = (
    "system", "partition", "metric", "reference", "value", "difference", "difference_std", "wins", "seeds",
    "low", "high", "confidence", "p_bootstrap", "unit", "units", "resamples",
    "test", "n", "z", "p_one_sided", "p_two_sided",
    "speaker_metric", "difference_speakers", "n_speakers", "p_speakers",
)  # fmt: skip
SCORES: dict[str, Score] = {"regression": ccc_of_moments, "classification": f1_of_confusion}
UNIT_METRIC = {"regression": "ccc", "classification": "accuracy"}
UNIT_SCORES: dict[str, Score] = {"regression": ccc_of_moments, "classification": accuracy_of_confusion}
"""What the sign-flip test compares, and the paper's tests: defined for one speaker as well."""


def compare_with_reference(
    folds: Sequence[ScoredFold], task: Task, params: Evaluation, unit: str
) -> list[dict[str, Any]]:
    """Return one row per system other than the reference and partition with gold standard.

    folds: one, or all of a cross-validation: then every test pools the predictions of all folds, each at the
    fold's own points, so that each speaker counts once (`pipeline.scoring.pooled`).
    unit: what is resampled, `recording` or `speaker`, in words. Columns (`COMPARISON_COLUMNS`): `reference`,
    `value` and `difference` are means over seeds of the headline score over ALL rows (of all folds
    concatenated, so not the mean over folds of results.csv); `difference_std` is the standard deviation of
    the difference between models of the same seed and `wins` the number of `seeds` where the system is
    ahead; `low`, `high`, `p_bootstrap` come from the bootstrap over units and seeds; `test`, `n`, `z` and the
    p-values from the paper's test on the mean over seeds (accuracy for classes), `n` rows as independent.

    `p_speakers` comes from the sign-flip test (`pipeline.scoring.signs`) on one score per speaker (or per
    recording, where each speaker has one): `speaker_metric`, mean over seeds, which is the speaker's own CCC,
    or accuracy (few speakers show all classes, so their UAR and F1 are undefined). `difference_speakers` is
    its mean over the `n_speakers` whose score is defined.
    """
    pooled = pool(folds)
    if REFERENCE not in pooled.systems:
        return []
    rows = []
    for system in pooled.systems:
        for partition in SCORED_PARTITIONS:
            theirs, ours = pooled.sums[REFERENCE, partition], pooled.sums[system, partition]
            if system == REFERENCE or not theirs or not ours:
                continue
            score = SCORES[task]
            by_seed = {seed: float(score(sums.sum(0))) for seed, sums in ours.items()}
            reference = {seed: float(score(sums.sum(0))) for seed, sums in theirs.items()}
            paired = np.array([by_seed[seed] - reference[seed] for seed in by_seed if seed in reference])
            stacked, reference_stacked = np.stack(list(ours.values())), np.stack(list(theirs.values()))
            interval = bootstrap_difference(
                stacked, reference_stacked,
                score, params.bootstrap_resamples, params.confidence, params.seed,
            )  # fmt: skip
            name, n, test = _paper_test(stacked, reference_stacked, task)
            own = UNIT_SCORES[task]
            signs = sign_flip(own(stacked).mean(0), own(reference_stacked).mean(0), params.seed)
            values: tuple[Any, ...] = (
                system, partition, HEADLINE[task],
                np.mean(list(reference.values())), np.mean(list(by_seed.values())), interval.difference,
                paired.std(ddof=1) if len(paired) > 1 else float("nan"), int((paired > 0).sum()), len(paired),
                interval.low, interval.high, params.confidence, interval.p,
                unit, len(pooled.units[partition]), params.bootstrap_resamples,
                name, n, *test,
                UNIT_METRIC[task], signs.difference, signs.n, signs.p,
            )  # fmt: skip
            rows.append(dict(zip(COMPARISON_COLUMNS, values, strict=True)))
    return rows


def _paper_test(ours: Statistics, theirs: Statistics, task: Task) -> tuple[str, int, Test]:
    """Return the name of the paper's test, the rows it counts as independent, and its result.

    ours, theirs: (seeds, units, ...).
    """
    n = int((ours[..., 0] if task == "regression" else ours.sum((-2, -1))).sum(1).max())
    compare = fisher_r_to_z if task == "regression" else proportions_z
    name = "Fisher r-to-z" if task == "regression" else "z-test of proportions"
    score = UNIT_SCORES[task]
    return name, n, compare(float(score(ours.sum(1)).mean()), float(score(theirs.sum(1)).mean()), n, n)
