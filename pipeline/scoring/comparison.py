"""Selected systems -> how they differ from the reference and from controls, with every test side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.catalogue.systems import REFERENCE, SYSTEMS, compared_with
from pipeline.params import Evaluation, Task
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.intervals import Range, Score, Statistics, difference_interval, jackknife
from pipeline.scoring.pooled import Pooled, pool
from pipeline.scoring.resampled_t import ResampledT, corrected_resampled_t
from pipeline.scoring.scored_models import SCORED_PARTITIONS
from pipeline.scoring.significance import Test
from pipeline.scoring.signs import sign_flip
from pipeline.scoring.task_scores import TASK_SCORES

COMPARISON_COLUMNS = (
    "system", "against", "partition", "selection", "metric", "reference", "value", "difference",
    "difference_std", "wins", "seeds",
    "low", "high", "confidence", "p", "error", "t", "seed_share", "unit", "units", "recordings",
    "test", "n", "z", "p_one_sided", "p_two_sided",
    "speaker_metric", "difference_speakers", "n_speakers", "p_speakers",
    "difference_folds", "n_folds", "p_folds",
)  # fmt: skip
SELECTION = {"dev": "leave_one_out", "test": "dev"}
"""By what the settings of the compared systems were chosen, by partition."""
SCORES: dict[str, Score] = {task: own.score for task, own in TASK_SCORES.items()}
RANGES: dict[str, Range] = {task: own.of for task, own in TASK_SCORES.items()}


def compare(folds: Sequence[ScoredFold], task: Task, params: Evaluation, unit: str) -> list[dict[str, Any]]:
    """Return one row per comparison and partition with gold standard.

    Compared are every system with the reference, those that have controls with each of these, and another
    form of a system with that system, `system` with `against`.

    folds: one, or all of a cross-validation: then every test pools the predictions of all folds, each at the
    fold's own points, so that each speaker counts once (`pipeline.scoring.pooled`). On dev each unit is
    scored at the settings that the other units and seeds chose (`selection` leave_one_out). unit: what is
    left out by the jackknife, `recording` or `speaker`, in words. Both systems are scored on the
    `recordings` that both predict. Columns (`COMPARISON_COLUMNS`): `reference` (of `against`), `value` and
    `difference` are means over seeds of the headline score over ALL rows (of all folds concatenated, so not
    the mean over folds of results.csv); `difference_std` is the standard deviation of the difference between
    models of the same seed and `wins` the number of `seeds` where the system is ahead; `low`, `high`,
    two-sided `p`, `error` and `t` are those of `pipeline.scoring.intervals`, `seed_share` the part of the
    squared error that comes from seeds; `test`, `n`, `z` and the p-values from the paper's test on the mean
    over seeds (accuracy for classes; for several labels the share of right answers), `n` rows as independent.

    `p_speakers` comes from the sign-flip test (`pipeline.scoring.signs`) on one score per speaker (or per
    recording, where each speaker has one): `speaker_metric`, mean over seeds, which is the speaker's own CCC,
    or accuracy (few speakers show all classes, so their UAR and F1 are undefined). `difference_speakers` is
    its mean over the `n_speakers` whose score is defined. `p_folds` comes from the corrected resampled t-test
    over `n_folds` folds, whose mean is `difference_folds`; NaN without a cross-validation.
    """
    pooled = pool(folds, SCORES[task])
    single = [pool([fold], SCORES[task]) for fold in folds] if len(folds) > 1 else []
    pairs = [(system, REFERENCE) for system in pooled.systems if system != REFERENCE]
    pairs += [(system, other) for system in SYSTEMS for other in compared_with(system)]
    return [
        _row(pooled, single, pair, partition, task, params, unit)
        for pair in pairs
        for partition in SCORED_PARTITIONS
        if set(pair) <= set(pooled.systems) and all(pooled.of(name, pair, partition) for name in pair)
    ]


def _row(
    pooled: Pooled, single: Sequence[Pooled], pair: tuple[str, str], partition: str, task: Task,
    params: Evaluation, unit: str,
) -> dict[str, Any]:  # fmt: skip
    score = SCORES[task]
    ours, theirs = (pooled.of(name, pair, partition) for name in pair)
    by_seed, reference = (
        {seed: float(score(sums.sum(0))) for seed, sums in own.items()} for own in (ours, theirs)
    )
    seeds = np.array([by_seed[seed] - reference[seed] for seed in by_seed if seed in reference])
    stacked, reference_stacked = np.stack(list(ours.values())), np.stack(list(theirs.values()))
    interval = difference_interval(
        jackknife(stacked, score), jackknife(reference_stacked, score), params.confidence, RANGES[task],
        paired=ours.keys() == theirs.keys(),
    )  # fmt: skip
    name, n, test = _paper_test(stacked, reference_stacked, task)
    own = TASK_SCORES[task].own
    signs = sign_flip(own(stacked).mean(0), own(reference_stacked).mean(0), params.seed)
    over_folds = _over_folds(single if partition == "test" else (), pair, score)
    values: tuple[Any, ...] = (
        *pair, partition, SELECTION[partition], HEADLINE[task],
        np.mean(list(reference.values())), np.mean(list(by_seed.values())), interval.value,
        seeds.std(ddof=1) if len(seeds) > 1 else float("nan"), int((seeds > 0).sum()), len(seeds),
        interval.low, interval.high, params.confidence, interval.p, interval.error, interval.t,
        interval.seed_share, unit, stacked.shape[1], pooled.recordings(pair, partition),
        name, n, *test,
        TASK_SCORES[task].own_name, signs.difference, signs.n, signs.p,
        *over_folds,
    )  # fmt: skip
    return dict(zip(COMPARISON_COLUMNS, values, strict=True))


def _over_folds(folds: Sequence[Pooled], pair: tuple[str, str], score: Score) -> ResampledT:
    """Compare the mean over seeds on test over folds; each unit is in train where it is not held out."""
    differences, shares = [], []
    every = {unit for fold in folds for unit in fold.units(pair, "test")}
    for fold in folds:
        means = [
            float(np.mean([score(sums.sum(0)) for sums in own.values()])) if own else float("nan")
            for own in (fold.of(name, pair, "test") for name in pair)
        ]
        differences.append(means[0] - means[1])
        held_out = [unit for part in SCORED_PARTITIONS for unit in fold.units(pair, part)]
        trained = len(every - set(held_out))
        shares.append(len(fold.units(pair, "test")) / trained if trained else float("nan"))
    return corrected_resampled_t(differences, float(np.mean(shares)) if shares else float("nan"))


def _paper_test(ours: Statistics, theirs: Statistics, task: Task) -> tuple[str, int, Test]:
    """Return the name of the paper's test, the rows it counts as independent, and its result.

    ours, theirs: (seeds, units, ...).
    """
    of_task = TASK_SCORES[task]
    n = int(of_task.rows(ours).sum(1).max())
    (name, compare), score = of_task.test, of_task.own
    return name, n, compare(float(score(ours.sum(1)).mean()), float(score(theirs.sum(1)).mean()), n, n)
