"""How often intervals are wrong: differences found where there are none, and true values missed.

    python -m benchmarks.false_alarms [experiments, 1000] [pages]

Prints, for five settings of what differs (units, seeds, both, ...) and four sizes, how often each test finds
a difference between two systems that do not differ, at .05; how often the interval of one score misses the
true one; how often a difference that is there is found; and what choosing a setting on dev does; then how
often whole pages are wrong, of which each system's setting was chosen on dev. About half an hour on a core of
its own; `pages` prints the last part alone.

Tried are 6 to 27 units and 3 seeds or more. With fewer than 6 units nothing is called established, whatever
the interval (`pipeline.scoring.verdict.enough_units`), so none are tried.
"""

from __future__ import annotations

import gc
import sys
import time

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from benchmarks.null_experiments import (
    SETTINGS,
    SHAPES,
    Sizes,
    classes,
    gold_traces,
    settings_of_system,
    traces,
    traces_of_system,
)
from benchmarks.null_pages import page_rates
from pipeline.scoring.confusions import accuracy_of_confusion, f1_of_confusion
from pipeline.scoring.intervals import (
    Interval,
    Jackknifed,
    Score,
    difference_interval,
    jackknife,
    score_interval,
)
from pipeline.scoring.left_out import chosen_by_others
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.significance import fisher_r_to_z, proportions_z

KINDS = {
    "CCC": (traces, ccc_of_moments, ccc_of_moments, "correlation"),
    "F1": (classes, f1_of_confusion, accuracy_of_confusion, "share"),
}
"""Experiment, headline score, score of one unit, range of the score."""
RESAMPLES = 200
"""Of the bootstrap, and ways of flipping signs."""


def tests_of(kind: str, pair: tuple[NDArray[np.float64], NDArray[np.float64]], seed: int) -> dict[str, bool]:
    """Say which tests find a difference; pair: sums of both systems, (seeds, units, ...)."""
    _, score, own, of = KINDS[kind]
    ours, theirs = (jackknife(sums, score) for sums in pair)
    found = {"interval": difference_interval(ours, theirs, 0.95, of, paired=True).p < 0.05}
    found["Satterthwaite"] = _satterthwaite(ours, theirs) < 0.05
    found["bootstrap"] = _bootstrap_excludes_zero(*pair, score, seed)
    found["sign-flip"] = _sign_flip(own(pair[0]).mean(0) - own(pair[1]).mean(0), seed) < 0.05
    means = [float(own(sums.sum(1)).mean()) for sums in pair]
    n = int(pair[0][0, :, 0].sum() if kind == "CCC" else pair[0][0].sum())
    paper = (fisher_r_to_z if kind == "CCC" else proportions_z)(*means, n, n)
    found["paper, one-sided"] = paper.p_one_sided < 0.05
    found["paper, two-sided"] = paper.p_two_sided < 0.05
    return found


def false_alarms(kind: str, sizes: Sizes, experiments: int) -> dict[str, float]:
    """Return how often each test finds a difference, over seeded experiments."""
    found: dict[str, list[bool]] = {}
    for seed in range(experiments):
        rng = np.random.default_rng(
            [seed, sizes.units, sizes.seeds, *(round(100 * d) for d in sizes.deviations)]
        )
        for name, wrong in tests_of(kind, KINDS[kind][0](rng, sizes), seed).items():
            found.setdefault(name, []).append(wrong)
    return {name: float(np.mean(values)) for name, values in found.items()}


def missed(sizes: Sizes, experiments: int) -> dict[str, float]:
    """Return how often the interval of one CCC misses the true one, and leaves -1 to 1, in either form.

    The truth is the mean over 1,000 units of 40 seeds.
    """
    rng = np.random.default_rng(0)
    many = Sizes(1000, 40, sizes.deviations)
    truth = float(ccc_of_moments(traces_of_system(rng, *gold_traces(rng, many.units), many).sum(1)).mean())
    wrong = []
    for seed in range(experiments):
        rng = np.random.default_rng([seed, sizes.units, sizes.seeds])
        sums = traces_of_system(rng, *gold_traces(rng, sizes.units), sizes)
        scores = jackknife(sums, ccc_of_moments)
        nothing = Jackknifed(np.zeros_like(scores.whole), np.zeros_like(scores.left_out))
        plain = difference_interval(scores, nothing, 0.95, "correlation", paired=True)
        bent = score_interval(scores, 0.95, "correlation")
        wrong.append((not _holds(bent, truth), not _holds(plain, truth), plain.high > 1))
    return dict(zip(("artanh", "plain", "plain beyond 1"), np.mean(wrong, axis=0).tolist(), strict=True))


def chosen_on_dev(sizes: Sizes, settings: int, experiments: int) -> dict[str, float]:
    """Compare the best of several settings with a system of one, on the data that chose it; no difference.

    Result: false alarms and mean difference where all data choose, where the other units do, and where the
    other units and seeds do.
    """
    found = []
    for seed in range(experiments):
        rng = np.random.default_rng([seed, sizes.units, sizes.seeds, settings])
        gold, hard = gold_traces(rng, sizes.units)
        ours = settings_of_system(rng, gold, hard, settings, sizes)
        reference = jackknife(settings_of_system(rng, gold, hard, 1, sizes)[0], ccc_of_moments)
        units, seeds = np.arange(sizes.units), np.arange(sizes.seeds)[:, None]
        best = ccc_of_moments(ours.sum(2)).mean(1).argmax()
        total = ours.sum(2, keepdims=True)
        by_units = ccc_of_moments(total - ours).mean(1).argmax(0)
        by_both = chosen_by_others(ours, ccc_of_moments, units)
        row = []
        for sums in (ours[best], ours[by_units[None, :], seeds, units], ours[by_both, seeds, units]):
            own = jackknife(sums, ccc_of_moments)
            interval = difference_interval(own, reference, 0.95, "correlation", paired=True)
            row += [interval.p < 0.05, interval.value]
        found.append(row)
    names = ("all", "all, gain", "units", "units, gain", "units and seeds", "units and seeds, gain")
    return dict(zip(names, np.mean(found, axis=0).tolist(), strict=True))


def _holds(interval: Interval, value: float) -> bool:
    return interval.low <= value <= interval.high


def _satterthwaite(ours: Jackknifed, theirs: Jackknifed) -> float:
    """Return p with the same standard error and Satterthwaite's degrees of freedom."""
    whole, left_out = ours.whole - theirs.whole, (ours.left_out - theirs.left_out).mean(0)
    seeds, units = len(whole), len(left_out)
    parts = (units - 1) ** 2 / units * left_out.var(ddof=1), whole.var(ddof=1) / seeds
    df = sum(parts) ** 2 / (parts[0] ** 2 / (units - 1) + parts[1] ** 2 / (seeds - 1))
    return float(2 * stdtr(df, -abs(whole.mean()) / np.sqrt(sum(parts))))


def _bootstrap_excludes_zero(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], score: Score, seed: int
) -> bool:
    """Say whether the percentile interval over drawn units and seeds excludes 0."""
    rng = np.random.default_rng(seed)
    seeds, units = ours.shape[:2]
    drawn = rng.multinomial(units, np.full(units, 1 / units), RESAMPLES).astype(float)
    shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
    # (resamples, seeds, ...)
    differences = score(np.tensordot(drawn, ours, (1, 1))) - score(np.tensordot(drawn, theirs, (1, 1)))
    low, high = np.quantile((differences * shares).sum(1), [0.025, 0.975])
    return bool(low > 0 or high < 0)


def _sign_flip(differences: NDArray[np.float64], seed: int) -> float:
    """Return p of the sign-flip test over units, with few flips."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (RESAMPLES - 1, len(differences)))
    further = abs(signs @ differences) >= abs(differences.sum()) - 1e-12
    return float((1 + further.sum()) / RESAMPLES)


def _print(head: str, row: dict[str, float]) -> None:
    print(f"{head:<44}" + "  ".join(f"{name} {value:.3f}" for name, value in row.items()), flush=True)


def main(experiments: int) -> None:
    """Print all tables."""
    start = time.perf_counter()
    print("False alarms at .05, no difference between the systems")
    for kind in KINDS:
        for name, deviations in SETTINGS.items():
            for units, seeds in SHAPES:
                row = false_alarms(kind, Sizes(units, seeds, deviations), experiments)
                _print(f"{kind}, {name}, {units} units x {seeds} seeds", row)
    print("Found at .05: the first system is better (CCC by .06, F1 by .08)")
    for kind, better in (("CCC", 0.12), ("F1", 0.5)):
        for units, seeds in SHAPES:
            row = false_alarms(kind, Sizes(units, seeds, SETTINGS["balanced"], better), experiments)
            _print(f"{kind}, balanced, {units} units x {seeds} seeds", row)
    print("The 95 % interval of one CCC misses the true one")
    for name, deviations in SETTINGS.items():
        for units, seeds in SHAPES[:2]:
            _print(
                f"{name}, {units} units x {seeds} seeds", missed(Sizes(units, seeds, deviations), experiments)
            )
    print(
        "The best of several settings against one, on the dev that chose it: false alarms and mean difference"
    )
    for name, deviations in SETTINGS.items():
        for units, seeds, settings in ((9, 3, 9), (9, 5, 24)):
            row = chosen_on_dev(Sizes(units, seeds, deviations), settings, experiments)
            _print(f"{name}, {units} units x {seeds} seeds, {settings} settings", row)
    whole_pages(experiments)
    print(f"{time.perf_counter() - start:.0f} s")


def whole_pages(experiments: int) -> None:
    """Print how often pages are wrong."""
    print(
        "Pages with settings chosen on dev, no difference: p < .05 of single differences on test, "
        "uncorrected; any verdict of the page, after Holm's correction\nPages where EmoBed and its controls "
        "are better alike: called crossmodal, and how often it could be, since the gain is established"
    )
    # statsmodels collects garbage at each correction, and looks at every imported object otherwise
    gc.freeze()
    for kind in KINDS:
        for name, deviations in SETTINGS.items():
            for units, seeds in SHAPES[:3]:
                row = page_rates(kind, Sizes(units, seeds, deviations), experiments)
                _print(f"{kind}, {name}, {units} units x {seeds} seeds", row)


if __name__ == "__main__":
    often = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    (whole_pages if "pages" in sys.argv[2:] else main)(often)
