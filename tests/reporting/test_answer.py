from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting.answer import answer
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.reading import reading_sentences
from pipeline.reporting.verdicts import crossmodal_sentence
from pipeline.reporting.wording import number, spread


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
    return pd.DataFrame(rows, columns=names).assign(folds=1)


def significance(intervals, units: int, systems=("emobed",), against="classic", **changes) -> pd.DataFrame:
    """One row per case and system; intervals: one per row. What excludes zero has a corrected p of .012."""
    cases = [(target, dimension) for target in ("audio", "video") for dimension in ("arousal", "valence")]
    keys = [(*case, system) for case in cases for system in systems]
    rows = [
        {
            "target": target, "auxiliary": "video" if target == "audio" else "audio",
            "dimension": dimension, "system": system, "against": against, "postprocessed": 1,
            "partition": "test", "difference": (low + high) / 2, "low": low, "high": high,
            "p": 0.003 if low * high > 0 else 0.5, "p_holm": 0.012 if low * high > 0 else 1.0, "family": 4.0,
            "confidence": 0.95, "unit": "recording", "units": units, "recordings": units, "seeds": 3,
            "seed_share": 0.2, "p_folds": np.nan, "n_folds": 0, "test": "Fisher r-to-z",
            "p_speakers": 0.03, "n_speakers": units,
        }
        for (target, dimension, system), (low, high) in zip(keys, intervals, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changes)


def said(inputs: ReportInputs, intervals, units, **options) -> str:
    found = answer(dataclasses.replace(inputs, significance=significance(intervals, units, **options)))
    return " ".join([found.crossmodal, *found.scores, *found.verdict, *found.basis])


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
    assert "the jackknife over n = 20 recordings and the standard error over seeds" in text


def test_no_established_difference_is_said_so_with_n_and_the_family(inputs):
    text = said(inputs, [(-0.1, 0.2)] * 2 + [(-0.2, 0.1)] * 2, 20)
    assert "No gain of EmoBed over classic is established, so none that is crossmodal." in text
    none = "For none of the 4 differences of crossmodal training (EmoBed) from classic is a gain or a loss"
    assert none in text
    assert "a t-test over n = 20 recordings and 3 seeds, after Holm’s correction for the 4 verdicts" in text


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
    text = said(inputs, [(0.01, 0.05), (-0.1, 0.1), (-0.06, -0.02), (-0.1, 0.1)], 20)
    assert "A gain against classic: EmoBed, audio and arousal (+.030, +.010 to +.050; p = .012)." in text
    assert "A loss against classic: EmoBed, video and arousal (−.040, −.060 to −.020; p = .012)." in text
    assert "For the other 2 differences of crossmodal training (EmoBed) from classic nothing" in text
    assert "Established means: two-sided p < .050" in text
    assert "in the other 3 cases none is established" in text.lower()
    assert "no gain" not in text.lower()


def test_a_loss_of_any_system_is_a_loss_on_the_page(inputs):
    """Joint loses and EmoBed does not differ: there is an effect, and it is named."""
    options = {"systems": ("joint", "emobed")}
    text = said(inputs, [(-0.06, -0.02), (-0.1, 0.1)] + [(-0.1, 0.1)] * 6, 20, **options)
    assert "A loss against classic: joint, audio and arousal" in text
    assert "For the other 7 differences" in text


@pytest.mark.parametrize("p_holm", [0.06, float("nan")])
def test_what_the_correction_takes_away_is_not_established(inputs, p_holm):
    text = said(inputs, [(-0.09, -0.01)] * 4, 6, p_holm=p_holm)
    assert "loss against" not in text
    assert "For none of the 4 differences" in text
    assert "A loss against" in said(inputs, [(-0.09, -0.01)] * 4, 6)


CLEAR, OPEN = (0.01, 0.05), (-0.02, 0.05)


def top(inputs, *tables) -> str:
    return crossmodal_sentence(dataclasses.replace(inputs, significance=pd.concat(tables, ignore_index=True)))


def test_a_gain_is_crossmodal_only_if_it_is_ahead_of_both_controls(inputs):
    gain = significance([CLEAR, OPEN, OPEN, OPEN], 20)
    placebo = significance([CLEAR, OPEN, OPEN, OPEN], 20, against="placebo")
    same = significance([CLEAR, OPEN, OPEN, OPEN], 20, against="same_modality")
    assert top(inputs, gain, placebo, same).startswith(
        "A crossmodal gain is established for audio and arousal: EmoBed is ahead of classic and of its "
        "controls (placebo and same modality)"
    )
    for beaten in (0, 1):
        one = [placebo, same]
        one[beaten] = one[beaten].assign(p_holm=1.0)
        text = top(inputs, gain, *one)
        assert "A gain of EmoBed over classic is established for audio and arousal, but not one over" in text
        assert "it is not crossmodal" in text
        assert "A crossmodal gain" not in text
    worse = placebo.assign(difference=-placebo["difference"])
    assert "A crossmodal gain" not in top(inputs, gain, worse, same)
    for some in ((), (placebo,), (same,)):
        text = top(inputs, gain, *some)
        assert "Whether it is crossmodal cannot be said" in text
        assert "A crossmodal gain" not in text
    nothing = significance([OPEN] * 4, 20)
    text = top(inputs, nothing, placebo, same)
    assert text == "No gain of EmoBed over classic is established, so none that is crossmodal."


def test_never_crossmodal_on_dev(inputs):
    dev = results()
    dev.loc[dev["partition"] == "test", "n"] = 0
    tables = [significance([CLEAR] * 4, 20, against=name) for name in ("classic", "placebo", "same_modality")]
    every = pd.concat(tables, ignore_index=True).assign(partition="dev")
    found = dataclasses.replace(inputs, results=dev, significance=every)
    assert crossmodal_sentence(found).startswith("Whether crossmodal training helps is not established here")
    assert "rossmodal gain" not in " ".join(answer(found).verdict)


def test_without_the_reference_no_gain_is_denied_either(inputs):
    text = top(inputs, significance([CLEAR] * 4, 20, against="placebo"))
    assert "classic was not trained, and there is no gain without it" in text
    assert top(inputs, significance([CLEAR] * 4, 20, systems=("random_forest",))) == ""


def test_rivals_and_fusions_say_nothing_of_crossmodal_training(inputs):
    """They are counted apart: their gains are no effect of it, and their number no lack of one."""
    options = {"systems": ("emobed", "placebo", "random_forest", "late_fusion")}
    text = said(inputs, [OPEN, CLEAR, CLEAR, OPEN] * 4, 20, **options)
    assert text.startswith("No gain of EmoBed over classic is established, so none that is crossmodal.")
    assert "none of the 4 differences of crossmodal training (EmoBed) from classic is a gain" in text
    assert "A gain against classic: random forest, audio and arousal" in text
    assert "placebo, audio" not in text  # no verdict is stated on a control by itself, nor on a bound
    assert "late fusion" not in text
    text = said(inputs, [OPEN] * 16, 20, **options)
    assert "none of the 4 differences of rivals (random forest) from classic is a gain or a loss" in text
    text = said(inputs, [CLEAR] * 8, 20, systems=("placebo", "late_fusion"))
    assert "stablished" not in text


def test_a_gain_that_a_student_of_the_same_modality_has_too_is_not_crossmodal(inputs):
    """Sentences of a system with one control, alone and behind those of EmoBed."""
    gain = significance([CLEAR, OPEN, OPEN, OPEN], 20, systems=("taught",))
    same = significance([CLEAR, OPEN, OPEN, OPEN], 20, systems=("taught",), against="taught_same")
    text = top(inputs, gain, same)
    assert text == (
        "A crossmodal gain is established for audio and arousal: taught is ahead of classic and of its "
        "control (taught by the same), which learns from no other modality’s emotion. In the other 3 cases "
        "none is established."
    )
    text = top(inputs, gain, same.assign(p_holm=1.0))
    assert text.startswith(
        "A gain of taught over classic is established for audio and arousal, but not one over its control "
        "(taught by the same), which learns from no other modality’s emotion: as far as these data tell it "
        "shares it, and it is not crossmodal."
    )
    assert "its control (taught by the same) was not trained" in top(inputs, gain)
    emobed = significance([OPEN] * 4, 20)
    text = top(inputs, emobed, gain, same)
    assert text.startswith(
        "No gain of EmoBed over classic is established, so none that is crossmodal. A cross"
    )
    few = [table.assign(units=4) for table in (emobed, gain, same)]
    assert top(inputs, *few).count("nothing can be called established") == 1


def test_the_page_is_about_the_controlled_system_that_was_trained(inputs):
    table = results().replace({"system": {"emobed": "taught"}})
    changed = dataclasses.replace(inputs, results=table)
    text = said(changed, [OPEN] * 4, 20, systems=("taught",))
    assert "Trained with both modalities (taught), audio alone reaches .700 for arousal" in text
    assert "taught’s mean is above that of classic in 4 of 4 cases." in text
    assert "the 4 differences of crossmodal training (taught) from classic" in text


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (
            {"zero_shot": ["fear"]},
            "But emotion words learned nothing of fear, on purpose, and classic learned",
        ),
        (
            {"few_shot": {"sad": 0.1}},
            "But emotion words learned little of sad, on purpose, and classic learned",
        ),
        ({}, None),
    ],
)
def test_classes_that_were_kept_from_a_system_are_said_beside_its_score(inputs, own, sentence):
    words = inputs.corpus.learning.emotion_words.model_validate({"vectors": "pad"} | own)
    learning = inputs.corpus.learning.model_copy(update={"emotion_words": words})
    changed = dataclasses.replace(
        inputs,
        results=results().replace({"system": {"emobed": "emotion_words"}}),
        corpus=inputs.corpus.model_copy(update={"learning": learning}),
    )
    text = said(changed, [OPEN] * 4, 20, systems=("emotion_words",))
    assert "Trained with both modalities (emotion words)" in text
    assert ("on purpose" in text) == (sentence is not None)
    assert (sentence or "") in text


def test_cases_that_differ_are_told_apart(inputs):
    gain = significance([CLEAR, CLEAR, OPEN, OPEN], 20)
    controls = [
        significance([CLEAR, OPEN, OPEN, OPEN], 20, against=name) for name in ("placebo", "same_modality")
    ]
    text = top(inputs, gain, *controls)
    assert "A crossmodal gain is established for audio and arousal:" in text
    assert "is established for audio and valence, but not one over both its controls" in text


def test_few_recordings_or_one_seed_establish_nothing(inputs):
    text = said(inputs, [(0.2, 0.3)] * 4, 5)
    assert "With n = 5 recordings nothing can be called established" in text
    assert "p = .062" in text
    assert "it takes p < .050" in text
    assert "gain" not in text
    assert "With one seed nothing can be called established" in said(inputs, [(0.2, 0.3)] * 4, 9, seeds=1)
    assert "A gain against" in said(inputs, [(0.2, 0.3)] * 4, 6)


def test_how_the_table_is_read(inputs):
    table = significance([CLEAR, OPEN, OPEN, OPEN], 20)
    text = " ".join(reading_sentences(dataclasses.replace(inputs, significance=table)))
    assert "corrected for the 4 verdicts of this page" in text
    assert "Fisher r-to-z (two-sided) is the paper’s test" in text
    assert "significant in 49 to 88 % of cases, where it should be in 5 %" in text
    assert "takes these seeds as given" not in text
    assert "with 6 to 27 units and 3 or more seeds, at most 6 % exclude zero." in text
    few = significance([CLEAR, OPEN, OPEN, OPEN], 40, seeds=2)
    few = " ".join(reading_sentences(dataclasses.replace(inputs, significance=few)))
    assert "at most 6 % exclude zero; 40 recordings and 2 seeds were not tried." in few
    assert "over folds" not in text
    assert "fewer recordings" not in text
    table.loc[0, ["seed_share", "recordings", "p_folds", "n_folds"]] = [0.7, 12, 0.2, 5]
    text = " ".join(reading_sentences(dataclasses.replace(inputs, significance=table)))
    assert "in 1 comparison more of the uncertainty comes from seeds than from recordings" in text
    assert "those that both systems predict (12 to 20)" in text
    assert "n = 5 folds" in text


def test_what_another_form_of_a_system_is_compared_with_is_named(inputs):
    rows = [
        significance([(0.0, 0.2)] * 4, 9, systems=("graded_triplet",), against=name)
        for name in ("classic", "triplet")
    ]
    text = " ".join(reading_sentences(dataclasses.replace(inputs, significance=pd.concat(rows))))
    assert "every system against classic and graded triplet against triplet. A verdict needs" in text
    rows.append(significance([(0.0, 0.2)] * 4, 9, against="placebo"))
    text = " ".join(reading_sentences(dataclasses.replace(inputs, significance=pd.concat(rows))))
    assert (
        "every system against classic, graded triplet against triplet and, as one each, EmoBed against all "
        "controls of its own, which" in text
    )


def test_centring_on_speakers_is_said_with_what_it_means(inputs):
    assert "enrolment" not in said(inputs, [(0, 1)] * 4, 20)
    scaling = inputs.corpus.learning.scaling.model_copy(update={"speaker": "centre"})
    learning = inputs.corpus.learning.model_copy(update={"scaling": scaling})
    centred = dataclasses.replace(inputs, corpus=inputs.corpus.model_copy(update={"learning": learning}))
    text = said(centred, [(0, 1)] * 4, 20)
    assert "all recordings of every test speaker, without their labels, took part in scaling" in text
    assert "not for a stranger" in text


def test_dev_only_and_nothing_at_all(inputs):
    without_test = results()
    without_test.loc[without_test["partition"] == "test", ["mean", "n"]] = [np.nan, 0]
    large = significance([(0.2, 0.3)] * 4, 20).assign(partition="dev")
    found = answer(dataclasses.replace(inputs, results=without_test, significance=large))
    assert (
        "scored by the settings and post-processing that the others chose (leave-one-out)" in found.basis[0]
    )
    assert "on the dev partition" in found.scores[0]
    text = " ".join(found.verdict + found.basis)
    assert "No difference is called established" in text
    assert "corpora.own.partitions.method: cross_validation" in text
    assert "gain" not in text
    left_out = without_test[without_test["partition"] == "dev"].assign(mean=0.123)
    found = dataclasses.replace(inputs, results=without_test, left_out=left_out, significance=large)
    assert "a CCC of .123 for arousal" in answer(found).scores[0]
    no_dev = results()
    no_dev.loc[no_dev["partition"] == "dev", ["mean", "n"]] = [np.nan, 0]
    found = answer(dataclasses.replace(inputs, results=no_dev, significance=large.assign(partition="test")))
    assert "Dev has no gold standard, so settings were not chosen" in found.basis[-1]
    nothing = without_test.assign(mean=np.nan, n=0)
    found = answer(dataclasses.replace(inputs, results=nothing))
    assert "nothing could be scored" in found.scores[0]
