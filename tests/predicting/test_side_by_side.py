"""Names of columns where several recognisers predict one file, and what their late fusion is."""

import numpy as np
import pytest

from pipeline.predicting.block import FLAG, NUMBER, TEXT, Column
from pipeline.predicting.side_by_side import (
    Facts,
    Fusion,
    NotOneTableError,
    beside,
    fused,
    named,
    plan,
    unlike_training,
)


def facts(name="audio+video.arousal", corpus="c", classes=(), hop=0.4, modality=None, dimension=None):
    scenario, own = name.split(".")[:2]
    return Facts(name, corpus, modality or scenario.split("+")[0], dimension or own, classes, hop)


def names(*own):
    return plan(own, None).names


def test_names_say_no_more_than_is_needed():
    assert names(facts()) == ("arousal",)
    assert names(facts(), facts("audio+video.valence")) == ("arousal", "valence")
    both = facts(), facts("video+audio.arousal")
    assert names(*both) == ("audio.arousal", "video.arousal")
    assert names(*both, facts("audio+video.valence")) == ("audio.arousal", "video.arousal", "valence")
    assert names(facts(), facts("audio+text.arousal")) == ("audio+video.arousal", "audio+text.arousal")
    assert names(facts(), facts(corpus="d")) == ("c.audio+video.arousal", "d.audio+video.arousal")


def test_a_file_is_unlike_training_to_those_that_flag_it_in_any_row():
    flags = {
        "audio.arousal.out_of_domain.flag": Column(FLAG, np.array([False, True])),
        "video.arousal.out_of_domain.flag": Column(FLAG, np.array([False, False])),
        "valence.out_of_domain.flag": Column(FLAG, np.array([None, None])),  # failed
        "out_of_domain.flag": Column(TEXT, np.array(["yes", "yes"])),  # a table's own column
    }
    known = ("audio.arousal", "video.arousal", "valence")
    assert unlike_training(flags, known) == ["audio.arousal"]
    alone = {"arousal": Column(NUMBER, np.zeros(1)), "out_of_domain.flag": Column(FLAG, np.array([True]))}
    assert unlike_training(alone, ["arousal"]) == ["arousal"]
    assert unlike_training({}, ["arousal"]) == []


def test_a_recogniser_that_is_there_twice_is_refused():
    with pytest.raises(NotOneTableError, match=r"c/audio\+video.arousal is there twice, expected each"):
        plan([facts(), facts()], None)


def test_other_times_are_refused_unless_a_hop_brings_them_together():
    own = [facts(), facts("video+audio.arousal", hop=0.04)]
    with pytest.raises(
        NotOneTableError, match=r"every 0.4 s, video\+audio.arousal every 0.04 s\): --hop brings"
    ):
        plan(own, None)
    assert plan(own, 0.4).fusions
    for hop in (None, 0.4):
        with pytest.raises(NotOneTableError, match="one row per file and audio"):
            plan([facts(), facts("audio+video.emotion", hop=None)], hop)


def test_only_what_is_the_same_from_other_modalities_is_fused():
    both = [facts(), facts("video+audio.arousal"), facts("audio+video.valence")]
    assert plan(both, None).fusions == (
        Fusion("late_fusion.arousal", ("audio.arousal", "video.arousal"), ()),
    )
    assert plan([facts(), facts("audio+text.arousal")], None).fusions == ()
    three = plan([*both, facts("audio+text.arousal")], None)
    assert three.fusions == ()
    assert three.notes[0].endswith("not fused, since several read the same modality")
    classes = [
        facts("audio+video.emotion", classes=("joy",)),
        facts("video+audio.emotion", classes=("fear",)),
    ]
    assert plan(classes, None).fusions == ()
    assert plan(classes, None).notes == (
        "audio.emotion, video.emotion: not fused, since their classes differ",
    )


def test_columns_take_the_names_of_the_table():
    own = {name: Column(NUMBER, np.zeros(1)) for name in ("arousal", "arousal.low", "valid", "out_of_domain")}
    assert list(named(own, "arousal", "arousal", True)) == list(own)
    assert list(named(own, "arousal", "audio.arousal", False)) == [
        "audio.arousal", "audio.arousal.low", "audio.arousal.valid", "audio.arousal.out_of_domain",
    ]  # fmt: skip


def trace(name, values, valid):
    flags = np.array(valid, object)
    return {name: Column(NUMBER, np.array(values)), f"{name}.valid": Column(FLAG, flags)}


def test_traces_are_averaged_where_they_are_valid():
    nan = np.nan
    columns = trace("a", [0.0, 0.2, 0.4, 0.6, nan], [True, True, False, False, None])
    columns |= trace("v", [1.0, 0.4, 0.0, 0.0, 0.5], [True, False, True, False, True])
    found = fused(columns, Fusion("late_fusion.x", ("a", "v"), ()))
    np.testing.assert_allclose(found["late_fusion.x"].values, [0.5, 0.2, 0.0, 0.3, nan])
    assert found["late_fusion.x.valid"].values.tolist() == [True, True, True, False, None]


def test_probabilities_are_averaged_and_name_the_class():
    columns = {}
    for name, joy, valid in (("a", [0.9, 0.5, 0.4], True), ("v", [0.2, 0.5, np.nan], True)):
        columns |= {
            f"{name}.joy": Column(NUMBER, np.array(joy)),
            f"{name}.fear": Column(NUMBER, 1 - np.array(joy)),
        }
        columns |= {f"{name}.valid": Column(FLAG, np.full(3, valid))}
    found = fused(columns, Fusion("late_fusion.emotion", ("a", "v"), ("fear", "joy")))
    assert found["late_fusion.emotion"].kind == TEXT
    assert found["late_fusion.emotion"].values.tolist() == ["joy", "fear", None]
    np.testing.assert_allclose(found["late_fusion.emotion.joy"].values, [0.55, 0.5, np.nan])
    np.testing.assert_allclose(found["late_fusion.emotion.fear"].values, [0.45, 0.5, np.nan])


def test_sets_of_classes_are_fused_by_the_mean_of_probabilities_and_thresholds():
    def several(name, *thresholds):
        return facts(name, classes=("fear", "joy"))._replace(thresholds=thresholds or None)

    both = [several("audio+video.emotion", 0.2, 0.5), several("video+audio.emotion", 0.6, 0.5)]
    (fusion,) = plan(both, None).fusions
    assert fusion.thresholds == ((0.2, 0.5), (0.6, 0.5))
    columns = {}
    for name, fear, joy, valid in (
        ("audio.emotion", [0.3, 0.3, 0.3, np.nan], [0.1, 0.9, 0.9, 0.1], [True, True, True, None]),
        ("video.emotion", [0.6, 0.4, 0.7, 0.1], [0.2, 0.9, 0.1, 0.1], [True, True, False, True]),
    ):
        columns |= {
            f"{name}.fear": Column(NUMBER, np.array(fear)),
            f"{name}.joy": Column(NUMBER, np.array(joy)),
            f"{name}.valid": Column(FLAG, np.array(valid, object)),
        }
    found = fused(columns, fusion)
    # .45 > .4 and not .35; in the third row the audio alone, by its own threshold of .2
    assert found["late_fusion.emotion"].values.tolist() == ["fear", "joy", "fear;joy", None]
    np.testing.assert_allclose(found["late_fusion.emotion.fear"].values, [0.45, 0.35, 0.3, np.nan])
    none = fused(columns, fusion._replace(thresholds=((1.0,) * 2,) * 2))
    assert none["late_fusion.emotion"].values[0] == "none"
    mixed = plan([both[0], several("video+audio.emotion")], None)
    assert mixed.fusions == ()
    assert mixed.notes[0].endswith("not fused, since some name one class and others any number")


def test_no_column_of_a_table_takes_the_place_of_another():
    taken = ("file", "arousal", "given.valid", "valid")
    given = ("arousal", "given.arousal", "rater", "valid")
    found = beside(given, taken)
    assert list(found.items()) == [
        ("arousal", "given.given.arousal"), ("given.arousal", "given.arousal"), ("rater", "rater"),
        ("valid", "given.given.valid"),
    ]  # fmt: skip
    assert beside(("arousal",), taken) == {"arousal": "given.arousal"}
