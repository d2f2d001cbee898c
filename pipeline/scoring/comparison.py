"""Selected systems -> how each differs from classic, with every test side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.params import Evaluation, Task
from pipeline.scoring.bootstrap import Score, bootstrap_difference, f1_of_confusion
from pipeline.scoring.metrics import HEADLINE
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.scored_models import SCORED_PARTITIONS, ScoredModels
from pipeline.scoring.selection import Point, of_point
from pipeline.scoring.significance import Test, fisher_r_to_z, proportions_z

COMPARISON_COLUMNS = (
    "system", "partition", "metric", "classic", "value", "difference", "difference_std", "wins", "seeds",
    "low", "high", "confidence", "p_bootstrap", "unit", "units", "resamples",
    "test", "n", "z", "p_one_sided", "p_two_sided",
)  # fmt: skip
SCORES: dict[str, Score] = {"regression": ccc_of_moments, "classification": f1_of_confusion}


def compare_with_classic(
    models: ScoredModels, points: Sequence[Point], task: Task, params: Evaluation, unit: str
) -> list[dict[str, Any]]:
    """Return one row per system other than classic and partition with gold standard.

    unit: what is resampled, `recording` or `speaker`, in words. Columns (`COMPARISON_COLUMNS`): `classic`,
    `value` and `difference` are means over seeds of the headline score; `difference_std` is the standard
    deviation of the difference between models of the same seed and `wins` the number of `seeds` where the
    system is ahead; `low`, `high`, `p_bootstrap` come from the bootstrap over units; `test`, `n`, `z` and the
    p-values from the paper's test on the mean over seeds (accuracy for classes), `n` rows as independent.
    """
    classic = next((point for point in points if point.system == "classic"), None)
    if classic is None:
        return []
    rows = []
    for point in points:
        for partition in SCORED_PARTITIONS:
            theirs = models.of_seeds(classic.alpha, classic.beta, partition)
            ours = models.of_seeds(point.alpha, point.beta, partition)
            if point == classic or not theirs or not ours:
                continue
            score = SCORES[task]
            by_seed = {seed: float(score(sums.sum(0))) for seed, sums in ours.items()}
            reference = {seed: float(score(sums.sum(0))) for seed, sums in theirs.items()}
            paired = np.array([by_seed[seed] - reference[seed] for seed in by_seed if seed in reference])
            interval = bootstrap_difference(
                np.stack(list(ours.values())), np.stack(list(theirs.values())),
                score, params.bootstrap_resamples, params.confidence, params.seed,
            )  # fmt: skip
            name, n, test = _paper_test(models, point, classic, partition, task)
            values: tuple[Any, ...] = (
                point.system, partition, HEADLINE[task],
                np.mean(list(reference.values())), np.mean(list(by_seed.values())), interval.difference,
                paired.std(ddof=1) if len(paired) > 1 else float("nan"), int((paired > 0).sum()), len(paired),
                interval.low, interval.high, params.confidence, interval.p,
                unit, len(models.units[partition]), params.bootstrap_resamples,
                name, n, *test,
            )  # fmt: skip
            rows.append(dict(zip(COMPARISON_COLUMNS, values, strict=True)))
    return rows


def _paper_test(
    models: ScoredModels, point: Point, classic: Point, partition: str, task: Task
) -> tuple[str, int, Test]:
    """Return the name of the paper's test, the rows it counts as independent, and its result."""
    metric = "ccc" if task == "regression" else "accuracy"
    scores = models.scores[(models.scores["partition"] == partition) & (models.scores["metric"] == metric)]
    ours, theirs = of_point(scores, point), of_point(scores, classic)
    n = int(ours["n"].max())
    compare = fisher_r_to_z if task == "regression" else proportions_z
    name = "Fisher r-to-z" if task == "regression" else "z-test of proportions"
    return name, n, compare(float(ours["value"].mean()), float(theirs["value"].mean()), n, n)
