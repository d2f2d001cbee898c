from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting.answer import answer
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import number, spread
from pipeline.scoring.verdict import verdict


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


def significance(intervals, units: int, p_speakers=0.01, systems=("emobed",)) -> pd.DataFrame:
    """One row per case and system; intervals: one per row. The sign-flip test gives `p_speakers`, in each."""
    cases = [(target, dimension) for target in ("audio", "video") for dimension in ("arousal", "valence")]
    keys = [(*case, system) for case in cases for system in systems]
    p = p_speakers if isinstance(p_speakers, list) else [p_speakers] * len(keys)
    return pd.DataFrame(
        [
            {
                "target": target, "auxiliary": "video" if target == "audio" else "audio",
                "dimension": dimension, "system": system, "postprocessed": 1,
                "partition": "test", "difference": (low + high) / 2, "low": low, "high": high,
                "confidence": 0.95, "unit": "recording", "units": units,
                "difference_speakers": (low + high) / 2, "n_speakers": units, "p_speakers": own,
            }
            for (target, dimension, system), (low, high), own in zip(keys, intervals, p, strict=True)
        ]
    )  # fmt: skip


def said(inputs: ReportInputs, intervals, units, **options) -> str:
    found = answer(dataclasses.replace(inputs, significance=significance(intervals, units, **options)))
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
    assert "none of the tests is corrected for the number of comparisons, 4" in text


def test_no_established_difference_is_said_so_with_n_and_both_tests(inputs):
    text = said(inputs, [(-0.1, 0.2)] * 2 + [(-0.2, 0.1)] * 2, 20)
    assert "no effect of crossmodal training, for better or worse, is established" in text
    assert (
        "the 95 % bootstrap interval of the difference and the sign-flip test over n = 20 recordings, both "
        "two-sided, agree for none of the 4 differences" in text
    )


def test_cases_ahead_are_counted_as_the_table_prints_them(inputs):
    """Not by the differences of significance.csv, which with folds are of pooled predictions."""
    table = results()
    here = (table["system"] == "emobed") & (table["partition"] == "test") & (table["postprocessed"] == 1)
    assert here.sum() == 4
    table.loc[here, "mean"] = [0.7, 0.6004, 0.5, 0.6006]  # classic has .600 everywhere
    found = answer(
        dataclasses.replace(inputs, results=table, significance=significance([(-0.2, 0.1)] * 4, 9))
    )
    assert "EmoBed’s mean is above that of classic in 2 of 4 cases." in found.verdict


def test_gains_and_losses_are_named(inputs):
    text = said(inputs, [(0.01, 0.05), (-0.1, 0.1), (-0.06, -0.02), (-0.1, 0.1)], 20, p_speakers=0.031)
    assert (
        "A gain is established for EmoBed, audio and arousal (+.030, +.010 to +.050; sign-flip p = .031)."
        in text
    )
    assert (
        "A loss is established for EmoBed, video and arousal (−.040, −.060 to −.020; sign-flip p = .031)."
        in text
    )
    assert "For the other 2 differences from classic nothing is established." in text
    assert "Established means: the 95 % bootstrap interval" in text
    assert "n = 20 recordings" in text
    assert "no effect" not in text
    assert "LOSS" not in text


def test_a_loss_of_any_system_is_a_loss_on_the_page(inputs):
    """Joint loses and EmoBed does not differ: there is an effect, and it is named."""
    options = {"systems": ("joint", "emobed")}
    text = said(inputs, [(-0.06, -0.02), (-0.1, 0.1)] + [(-0.1, 0.1)] * 6, 20, **options)
    assert "A loss is established for joint, audio and arousal" in text
    assert "For the other 7 differences" in text
    assert "no effect" not in text


@pytest.mark.parametrize("p", [0.0625, float("nan")])
def test_interval_and_sign_flip_must_agree(inputs, p):
    """Six recordings of which five agree: the interval excludes zero, the exact p is .0625."""
    text = said(inputs, [(-0.09, -0.01)] * 4, 6, p_speakers=p)
    assert "loss is" not in text
    assert "no effect of crossmodal training" in text
    only_signs = said(inputs, [(-0.09, 0.01)] * 4, 6, p_speakers=0.03125)
    assert "loss is" not in only_signs
    assert "A loss is established" in said(inputs, [(-0.09, -0.01)] * 4, 6, p_speakers=0.03125)


def test_tests_that_point_in_opposite_directions_establish_nothing():
    row = significance([(0.01, 0.05)] * 4, 20).iloc[0].to_dict()
    assert verdict(row) == "gain"
    assert verdict(row | {"difference_speakers": -0.02}) == "none"
    assert verdict(row | {"low": -0.05, "high": -0.01}) == "none"
    assert verdict(row | {"low": -0.05, "high": -0.01, "difference_speakers": -0.03}) == "loss"
    assert verdict(row | {"partition": "dev"}) == "none"


def test_few_recordings_establish_nothing(inputs):
    text = said(inputs, [(0.2, 0.3)] * 4, 5, p_speakers=0.0625)
    assert "With n = 5 recordings nothing can be called established" in text
    assert "p = .062" in text
    assert "it takes p < .050" in text
    assert "gain is" not in text
    assert "A gain is established" in said(inputs, [(0.2, 0.3)] * 4, 6, p_speakers=0.03125)


def test_centring_on_speakers_is_said_with_what_it_means(inputs):
    assert "enrolment" not in said(inputs, [(0, 1)] * 4, 20)
    scaling = inputs.corpus.learning.scaling.model_copy(update={"speaker": "centre"})
    learning = inputs.corpus.learning.model_copy(update={"scaling": scaling})
    centred = dataclasses.replace(inputs, corpus=inputs.corpus.model_copy(update={"learning": learning}))
    text = said(centred, [(0, 1)] * 4, 20)
    assert "all recordings of a test speaker, without their labels, took part in scaling" in text
    assert "not for somebody never seen or heard" in text


def test_dev_only_and_nothing_at_all(inputs):
    without_test = results()
    without_test.loc[without_test["partition"] == "test", ["mean", "n"]] = [np.nan, 0]
    large = significance([(0.2, 0.3)] * 4, 20).assign(partition="dev")
    found = answer(dataclasses.replace(inputs, results=without_test, significance=large))
    assert "too good by an unknown amount" in found.basis[0]
    assert "on the dev partition" in found.scores[0]
    text = " ".join(found.verdict + found.basis)
    assert "No difference is called established" in text
    assert "corpora.own.partitions.method: cross_validation" in text
    assert "interval" not in text
    assert "gain" not in text
    no_dev = results()
    no_dev.loc[no_dev["partition"] == "dev", ["mean", "n"]] = [np.nan, 0]
    found = answer(dataclasses.replace(inputs, results=no_dev, significance=large.assign(partition="test")))
    assert "Dev has no gold standard, so settings were not chosen" in found.basis[-1]
    nothing = without_test.assign(mean=np.nan, n=0)
    found = answer(dataclasses.replace(inputs, results=nothing))
    assert "nothing could be scored" in found.scores[0]
