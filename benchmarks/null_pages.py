"""Made-up pages: settings chosen on dev, every difference tested on test, all corrected together.

A page has four experiments (two modalities, two dimensions) with the systems of the demo, each with as many
settings. What is peculiar to a system on a unit, in a seed and in both (`benchmarks.null_experiments`) is
half its own and half each setting's; dev and test are other units, and the luck of a seed is in both, since
both are predicted by the same models. So the choice on dev picks lucky runs, more of them where there are
more settings to pick from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.null_experiments import CLASSES, FRAMES, MOMENTS, UTTERANCES, Sizes
from pipeline.catalogue.systems import METHOD, REFERENCE, controls
from pipeline.scoring.confusions import f1_of_confusion
from pipeline.scoring.intervals import Range, Score, difference_interval, jackknife
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.verdict import claim, verdict, with_holm

SYSTEMS = {
    "classic": 4, "joint": 2, "triplet": 2, "emobed": 4, "placebo": 4, "same_modality": 4, "random_forest": 2,
    "support_vectors": 6, "multi_task": 2, "early_fusion": 1, "late_fusion": 3,
}  # fmt: skip
"""Settings of each, as in the demo."""
ONE_SEED = ("support_vectors",)
"""Trained once: another run would be the same."""
CASES = tuple((target, dimension) for target in ("audio", "video") for dimension in ("arousal", "valence"))
SHARED = 0.5
"""Part of the variance of what is peculiar that the settings of a system share."""
Statistics = NDArray[np.float64]


class Kind(NamedTuple):
    """A task: its headline score, and the range of that."""

    score: Score
    of: Range


KINDS = {"CCC": Kind(ccc_of_moments, "correlation"), "F1": Kind(f1_of_confusion, "share")}


def page(
    kind: str, sizes: Sizes, rng: np.random.Generator, better: Mapping[str, float] | None = None,
    settings: Mapping[str, int] = SYSTEMS,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of significance.csv of a page, corrected by `with_holm`.

    sizes: units of test (dev has as many) and seeds. better: system -> by how much it is better than the
    others, in every experiment; nobody by default.
    """
    score, of = KINDS[kind]
    rows = []
    for target, dimension in CASES:
        truth = _truth(kind, rng, 2 * sizes.units)
        chosen = {}
        for name, count in settings.items():
            seeds = 1 if name in ONE_SEED else sizes.seeds
            own = _system(kind, rng, truth, sizes, (count, seeds), (better or {}).get(name, 0.0))
            dev, test = own[:, :, : sizes.units], own[:, :, sizes.units :]
            chosen[name] = jackknife(test[score(dev.sum(2)).mean(1).argmax()], score)
        pairs = [(name, REFERENCE) for name in settings if name != REFERENCE]
        pairs += [(METHOD, name) for name in controls(METHOD)]
        for pair in pairs:
            ours, theirs = (chosen[name] for name in pair)
            paired = len(ours.whole) == len(theirs.whole)
            found = difference_interval(ours, theirs, 0.95, of, paired)
            rows.append((*pair, target, dimension, found.value, found.p, found.seed_share))
    names = ["system", "against", "target", "dimension", "difference", "p", "seed_share"]
    same = {"auxiliary": "other", "postprocessed": 1, "fold": "", "partition": "test", "confidence": 0.95}
    return with_holm(pd.DataFrame(rows, columns=names).assign(**same, units=sizes.units), 1)


def page_rates(kind: str, sizes: Sizes, pages: int) -> dict[str, float]:
    """Return how often pages without any difference are wrong.

    Of single comparisons, uncorrected (p < .05): the largest rate, and which. Of pages: those with any
    verdict. Of pages where the method AND its controls are better than all others: those that call a gain
    crossmodal, and those with the gain established, so that the first could go wrong.
    """
    single: Counter[Any] = Counter()
    count: Counter[str] = Counter()
    shared = dict.fromkeys((METHOD, *controls(METHOD)), SHARED_GAIN[kind])
    for seed in range(pages):
        rng = np.random.default_rng(
            [seed, sizes.units, sizes.seeds, *(round(100 * d) for d in sizes.deviations)]
        )
        table = page(kind, sizes, rng)
        low = table[table["p"] < 0.05]
        single.update(zip(low["system"], low["against"], strict=True))
        count["any verdict"] += any(verdict(row) != "none" for row in table.to_dict("records"))
        table = page(kind, sizes, rng, shared)
        claims = {claim(case, METHOD) for _, case in table.groupby(["target", "dimension"])}
        count["called crossmodal"] += "crossmodal" in claims
        count["(gain shown)"] += bool(claims - {"none"})
    worst, often = single.most_common(1)[0]
    method = single[METHOD, REFERENCE]
    found = {
        f"{METHOD} - {REFERENCE}": method / len(CASES),
        f"worst ({worst[0]})": often / len(CASES),
    } | count
    return {name: value / pages for name, value in found.items()}


SHARED_GAIN = {"CCC": 0.8, "F1": 2.5}
"""By how much the method and its controls are better where they share a gain: enough to be seen."""


def _truth(kind: str, rng: np.random.Generator, units: int) -> dict[str, Statistics]:
    """Return how hard units are, (units,), and for traces mean and sum of squares of their gold standard."""
    if kind == "F1":
        return {"hard": 0.3 * rng.normal(size=units)}
    spread = np.exp(0.3 * rng.normal(size=units))
    gold = 0.3 * rng.normal(size=(units, 1)) + spread[:, None] * rng.normal(size=(units, MOMENTS))
    mean = gold.mean(1)
    return {
        "hard": 0.2 * rng.normal(size=units),
        "mean": mean,
        "squares": (gold**2).sum(1) - MOMENTS * mean**2,
    }


def _system(
    kind: str, rng: np.random.Generator, truth: Mapping[str, Statistics], sizes: Sizes,
    shape: tuple[int, int], better: float,
) -> Statistics:  # fmt: skip
    """Return the sums or counts of a system, (settings, seeds, units, ...); shape: settings and seeds."""
    hard = truth["hard"] - (better if kind == "CCC" else 0.0)
    if kind == "F1":
        right = 1.8 + better - hard + 2 * _peculiar(rng, sizes, shape, len(hard))
        return _counts(rng, np.exp(right) / (np.exp(right) + CLASSES - 1))
    error = hard + _peculiar(rng, sizes, shape, len(hard))
    return _sums(rng, truth, error, 0.5 * _peculiar(rng, sizes, shape, len(hard)))


def _peculiar(rng: np.random.Generator, sizes: Sizes, shape: tuple[int, int], units: int) -> Statistics:
    """Return (settings, seeds, units); a system that is trained once has no luck of a seed."""
    of_units, of_seeds, rest = sizes.deviations
    settings, seeds = shape
    of_seeds = of_seeds if seeds > 1 else 0.0

    def drawn(count: int) -> Statistics:
        return (
            of_units * rng.normal(size=(count, 1, units))
            + of_seeds * rng.normal(size=(count, seeds, 1))
            + rest * rng.normal(size=(count, seeds, units))
        )

    return np.asarray(np.sqrt(SHARED) * drawn(1) + np.sqrt(1 - SHARED) * drawn(settings))


def _sums(
    rng: np.random.Generator, truth: Mapping[str, Statistics], error: Statistics, bias: Statistics
) -> Statistics:
    """Return the six sums of traces .6 gold + bias + .7 exp(error) noise, without drawing the noise itself.

    Of white noise only its part along 1, its part along the gold standard and the square of the rest are in
    the sums: two normal values and a chi-squared one.
    """
    mean, squares = truth["mean"], truth["squares"]
    along, beside = rng.normal(size=(2, *error.shape))
    rest = rng.chisquare(MOMENTS - 2, size=error.shape)
    size = 0.7 * np.exp(error)
    noise = size * np.sqrt(MOMENTS) * along  # sum of the noise
    noise_gold = mean * noise + size * np.sqrt(squares) * beside
    gold, gold_gold = np.broadcast_to(MOMENTS * mean, error.shape), squares + MOMENTS * mean**2
    total = 0.6 * gold + MOMENTS * bias + noise
    total_gold = 0.6 * gold_gold + bias * gold + noise_gold
    total_total = (
        0.36 * gold_gold + MOMENTS * bias**2 + size**2 * (along**2 + beside**2 + rest)
        + 1.2 * bias * gold + 1.2 * noise_gold + 2 * bias * noise
    )  # fmt: skip
    whole = (np.full(error.shape, float(MOMENTS)), total, gold, total_total, gold_gold, total_gold)
    return FRAMES * np.stack(np.broadcast_arrays(*whole), axis=-1)


def _counts(rng: np.random.Generator, right: Statistics) -> Statistics:
    """Return confusion counts; right: probability of the right class, all wrong ones alike."""
    wrong = (1 - right) / (CLASSES - 1)
    same = np.eye(CLASSES)
    odds = right[..., None, None] * same + wrong[..., None, None] * (1 - same)
    return rng.multinomial(UTTERANCES // CLASSES, odds).astype(np.float64)
