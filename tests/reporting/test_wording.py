from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import answer, number, spread


def test_numbers_are_written_as_the_field_does():
    assert number(0.6134) == ".613"
    assert number(-0.0512) == "−.051"
    assert number(0.05, signed=True) == "+.050"
    assert number(-0.0001, signed=True) == "+.000"
    assert number(1.0) == "1.000"
    assert number(12.3456) == "12.346"
    assert number(float("nan")) == "–"
    assert spread(0.5, 0.0123) == ".500 ± .012"
    assert spread(0.5, float("nan")) == ".500"


@pytest.fixture
def inputs(params) -> ReportInputs:
    """Two targets, two dimensions; the four differences are given by the tests."""
    empty = pd.DataFrame()
    return ReportInputs(
        name="own", corpus=params.corpus("demo_sessions"), rendered=False, results=results(), grid=empty,
        significance=empty, counts=empty, faces=empty, failures=empty, problems=empty, delay={},
        class_names=(),
    )  # fmt: skip


def results() -> pd.DataFrame:
    rows = [
        (
            target,
            "video" if target == "audio" else "audio",
            dimension,
            system,
            postprocessed,
            partition,
            "ccc",
            0.6 + 0.1 * (system == "emobed"),
            0.01,
            3,
            100,
        )
        for target in ("audio", "video")
        for dimension in ("arousal", "valence")
        for system in ("classic", "emobed")
        for postprocessed in (0, 1)
        for partition in ("dev", "test")
    ]
    names = [
        "target",
        "auxiliary",
        "dimension",
        "system",
        "postprocessed",
        "partition",
        "metric",
        "mean",
        "std",
        "seeds",
        "n",
    ]
    return pd.DataFrame(rows, columns=names)


def significance(intervals: list[tuple[float, float]], units: int) -> pd.DataFrame:
    cases = [(target, dimension) for target in ("audio", "video") for dimension in ("arousal", "valence")]
    return pd.DataFrame(
        [
            {
                "target": target, "auxiliary": "video" if target == "audio" else "audio",
                "dimension": dimension, "system": "emobed", "postprocessed": 1,
                "partition": "test", "difference": (low + high) / 2, "low": low, "high": high,
                "confidence": 0.95, "unit": "recording", "units": units,
            }
            for (target, dimension), (low, high) in zip(cases, intervals, strict=True)
        ]
    )  # fmt: skip


def said(inputs: ReportInputs, intervals, units) -> str:
    found = answer(dataclasses.replace(inputs, significance=significance(intervals, units)))
    return " ".join(found.scores + found.verdict + found.basis)


def test_scores_are_those_of_the_results(inputs):
    text = said(inputs, [(-0.1, 0.1)] * 4, 20)
    assert (
        "audio alone reaches a CCC of .600 for arousal and .600 for valence, video alone .600 for arousal"
        in text
    )
    assert "(EmoBed), audio alone reaches .700 for arousal" in text
    assert "means over 3 seeds" in text
    assert "n = 20 recordings" in text
    assert "chosen on dev only" in text


def test_no_established_difference_is_said_so(inputs):
    text = said(inputs, [(-0.1, 0.2)] * 2 + [(-0.2, 0.1)] * 2, 20)
    assert "above that of classic in 2 of 4 cases" in text
    assert "no effect of crossmodal training, for better or worse, is established" in text


def test_gains_and_losses_are_named(inputs):
    text = said(inputs, [(0.01, 0.05), (-0.1, 0.1), (-0.06, -0.02), (-0.1, 0.1)], 20)
    assert (
        "A gain is established (95 % interval above zero) for audio and arousal (+.030, +.010 to +.050)."
        in text
    )
    assert (
        "A LOSS is established (95 % interval below zero) for video and arousal (−.040, −.060 to −.020)."
        in text
    )
    assert "For the other 2 no difference is established." in text


def test_few_recordings_establish_nothing(inputs):
    text = said(inputs, [(0.2, 0.3)] * 4, 5)
    assert "with n = 5 recordings no difference can be called established" in text
    assert "p = .062" in text
    assert "A gain is established" not in text
    assert "A gain is established" in said(inputs, [(0.2, 0.3)] * 4, 6)


def test_dev_only_and_nothing_at_all(inputs):
    without_test = results()
    without_test.loc[without_test["partition"] == "test", ["mean", "n"]] = [np.nan, 0]
    found = answer(
        dataclasses.replace(inputs, results=without_test, significance=significance([(0, 1)] * 4, 20))
    )
    assert "too good by an unknown amount" in found.basis[0]
    assert "on the dev partition" in found.scores[0]
    nothing = without_test.assign(mean=np.nan, n=0)
    found = answer(dataclasses.replace(inputs, results=nothing))
    assert "nothing could be scored" in found.scores[0]
