"""What calibrates a recogniser, how that was tested, and what it takes for unusual -> a section of its card.

What the columns mean, and what is guaranteed and what is not, stands in docs/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.learning.temperature import FEWEST as FEWEST_UTTERANCES
from pipeline.params import Task
from pipeline.recogniser.card_tables import table
from pipeline.recogniser.certainty_file import uncalibrated_words
from pipeline.recogniser.description import Calibration, Domain
from pipeline.scoring.platt import FEWEST as FEWEST_LABELS

HOW = {
    "conformal": "by split conformal prediction, which holds for a new {unit} if it is like those of dev",
    "widened": "from their errors, made wider for how much {unit}s differ; this guarantees nothing",
}
"""How a reach was found."""


def uncertainty_text(
    calibration: Calibration,
    domain: Domain,
    tested: Mapping[str, Any],
    dimension: str,
    seeds: int,
    thresholds: Sequence[float] = (),
    everybody: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the section in Markdown.

    tested: the recogniser's row of scores/uncertainty.csv. seeds: how many models are averaged. thresholds:
    above which each class is predicted, where an utterance may have several. everybody: the rows of
    data/certainty over all speakers, or one that says why there are none.
    """
    if "by_class" in tested:
        own = _sets(tested, dimension, thresholds)
    else:
        own = (_classes if "temperature" in tested else _traces)(calibration, tested, dimension)
    return "\n\n".join([*own, *_everybody(everybody), _seeds(dimension, seeds), *_domain(domain)])


def _everybody(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say how far the recipe holds over all speakers."""
    if not rows:
        return
    first = rows[0]
    if first["why"]:
        yield f"Over all speakers this was not measured: {first['why']}."
        return
    task: Task = (
        "regression" if "coverage" in first else "multilabel" if "class" in first else "classification"
    )
    name, scale, digits, sign = ("coverage", 100, 1, " %") if "coverage" in first else ("ece", 1, 3, "")
    what = "of frames held" if name == "coverage" else "ECE"
    each = [
        (f"{row['class']}: " if "class" in row else "")
        + f"{scale * row[name]:.{digits}f}{sign} {what} ({_confidence(row)}: "
        + _interval(row, name, scale, digits, sign)
        + (")" if name == "coverage" else f"; by chance {row['ece_by_chance']:.3f})")
        for row in rows
    ]
    yield (
        f"**Over all speakers**: {'; '.join(each)}, "
        f"{_count(first, 'frames' if name == 'coverage' else 'utterances')}. That is of the recipe, "
        f"{SYSTEMS[str(first['system'])].label} and its calibration, not of these weights: trained in folds "
        "by speaker over train, dev and test, calibrated on the dev of each fold, tested on speakers that it "
        "never met." + (f" {said}" if (said := uncalibrated_words(int(first["uncalibrated"]), task)) else "")
    )


def _classes(calibration: Calibration, tested: Mapping[str, Any], dimension: str) -> Iterator[str]:
    if calibration.rule == "none":
        yield (
            f"The probabilities in `{dimension}.<class>` are not calibrated: dev has fewer than "
            f"{FEWEST_UTTERANCES} utterances with a gold standard."
        )
    else:
        yield (
            f"The probabilities in `{dimension}.<class>` are calibrated by a temperature of "
            f"{calibration.temperature:.3f}, fitted on {calibration.dev} utterances of dev; below 1 it "
            "makes them surer, above 1 less sure."
        )
    if not tested["partition"]:
        yield "They were not tested: neither test nor dev has a gold standard."
        return
    yield (
        f"Tested on {_where(tested, 'temperature')}, {_count(tested, 'utterances')}. The expected "
        "calibration error (ECE) is how far the probability of the named class and the share of right "
        "answers are apart; that of perfect probabilities is above 0 too, by chance:"
    )
    yield table(
        ("probabilities", "ECE", _confidence(tested)),
        [
            ("before calibration", f"{tested['ece_before']:.3f}", _interval(tested, "before")),
            ("as given out", f"{tested['ece']:.3f}", _interval(tested, "ece")),
            ("the same, debiased", f"{tested['debiased']:.3f}", _interval(tested, "debiased")),
            ("perfect ones, by chance", f"{tested['ece_by_chance']:.3f}", ""),
        ],
    )


def _sets(tested: Mapping[str, Any], dimension: str, thresholds: Sequence[float]) -> Iterator[str]:
    rows = tested["by_class"]
    each = [f"{row['class']} {own:.3f}" for row, own in zip(rows, thresholds, strict=True)]
    alike = len(set(thresholds)) == 1
    threshold = f"{thresholds[0]:g}" if alike else f"its threshold ({', '.join(each)})"
    yield (
        f"The probability in `{dimension}.<class>` is of each class by itself; they need not add up to 1. It "
        "is calibrated by a line on its logit, fitted on dev where it has enough utterances with and without "
        f"the class ({FEWEST_LABELS} in all); `{dimension}` names the classes whose probability was above "
        f"{threshold} before that."
    )
    if not tested["partition"]:
        yield "They were not tested: neither test nor dev has a gold standard."
        return
    yield (
        f"Tested on {_where(tested, 'lines')}, {_count(tested, 'utterances')}. The expected calibration "
        "error (ECE) of a class is how far its probability and the share of utterances that have it are "
        "apart; that of perfect probabilities is above 0 too, by chance:"
    )
    yield table(
        ("class", "slope", "offset", "ECE before", "ECE as given out", _confidence(tested), "by chance"),
        [
            (
                row["class"], f"{row['slope']:.3f}", f"{row['offset']:.3f}", f"{row['ece_before']:.3f}",
                f"{row['ece']:.3f}", _interval(row, "ece"), f"{row['ece_by_chance']:.3f}",
            )
            for row in rows
        ],
    )  # fmt: skip


def _traces(calibration: Calibration, tested: Mapping[str, Any], dimension: str) -> Iterator[str]:
    ends = f"`{dimension}.low` and `{dimension}.high`"
    if calibration.reach is None or calibration.coverage is None:
        yield (
            f"{ends} are empty: dev has a gold standard of {_many(calibration.dev, calibration.unit)}, which "
            "is too few for an interval."
        )
        return
    yield (
        f"{ends} are {calibration.reach:.3f} below and above the value, at all times alike, and are to hold "
        f"the gold standard in {100 * calibration.coverage:g} % of frames. This was found on "
        f"{_many(calibration.dev, calibration.unit)} of dev, "
        f"{HOW[calibration.rule].format(unit=calibration.unit)}."
    )
    if not tested["partition"]:
        yield "It was not tested: neither test nor dev has a gold standard for that."
        return
    yield (
        f"Tested on {_where(tested, 'reach')}, {_count(tested, 'frames')}: "
        f"{100 * tested['coverage']:.1f} % of frames were held ({_confidence(tested)}: "
        f"{_interval(tested, 'coverage', 100, 1, ' %')}), in the {tested['unit']} with the fewest "
        f"{100 * tested['lowest']:.1f} %. The interval is {tested['width']:.3f} wide; one that knows "
        f"how the gold standard is spread there and hears or sees nothing would be "
        f"{tested['gold_width']:.3f}."
    )


def _seeds(dimension: str, seeds: int) -> str:
    if seeds == 1:
        return f"There is one model, so `{dimension}.seed_spread` is empty."
    return (
        f"`{dimension}.seed_spread` is the standard deviation over the {seeds} models: how much another "
        "training run would say otherwise, which is not how wrong they are."
    )


def _domain(domain: Domain) -> Iterator[str]:
    if domain.limit is None or domain.median is None or domain.largest is None:
        yield "`out_of_domain.flag` is never set: dev has no recording to compare with."
        return
    yield (
        f"`out_of_domain` is the share of a recording's feature values beyond the 1st or 99th percentile of "
        f"train, and `out_of_domain.flag` is set above {100 * domain.limit:.1f} %. In the "
        f"{_many(domain.recordings, 'recording')} of dev it is {100 * domain.median:.1f} % in the median and "
        f"{100 * domain.largest:.1f} % at most; a new recording like those of dev would be flagged in "
        f"{100 * domain.alarms:.1f} % of cases. The flag says that a recording is unlike those of "
        "training, not that the prediction is wrong."
    )


def _where(tested: Mapping[str, Any], fitted: str) -> str:
    if tested["partition"] == "test":
        return "test"
    return (
        f"dev, since test has no gold standard, each {tested['unit']} with the {fitted} that the others give"
    )


def _count(tested: Mapping[str, Any], rows: str) -> str:
    return f"n = {int(tested['n'])} {rows} of {_many(int(tested['units']), str(tested['unit']))}"


def _many(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _confidence(tested: Mapping[str, Any]) -> str:
    return f"{100 * float(tested['confidence']):g} % interval"


def _interval(tested: Mapping[str, Any], name: str, scale: float = 1, digits: int = 3, sign: str = "") -> str:
    low, high = tested[f"{name}_low"], tested[f"{name}_high"]
    if pd.isna(low):
        return "too few units"
    return f"{scale * low:.{digits}f} to {scale * high:.{digits}f}{sign}"
