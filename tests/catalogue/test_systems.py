"""The table of systems: what is shown of a system, and which parameters it refuses."""

import pytest

from pipeline.catalogue.systems import MARK, SYSTEMS, any_marked, label, learning_several, too_many
from pipeline.params import ParamsError, load_params
from tests.parameters import write_parameters


def test_systems_that_need_all_modalities_are_marked_wherever_they_are_named():
    marked = [name for name in SYSTEMS if label(name).endswith(MARK)]
    assert marked == [
        "teacher", "emotion_words_all", "matched_all", "early_fusion", "late_fusion", "model_fusion"
    ]  # fmt: skip
    assert label("late_fusion") == "late fusion ◆"
    assert any_marked(["classic", "model_fusion"])
    assert not any_marked(["classic", "multi_task"])


def test_what_systems_can_learn_from():
    every = tuple(SYSTEMS)
    assert too_many(every, 2) == []
    assert set(too_many(every, 3)) >= {"joint", "triplet", "emobed"}
    assert not {"classic", "early_fusion", "late_fusion", "model_fusion"} & set(too_many(every, 5))
    assert learning_several(every) == ["multi_task"]


def test_a_second_dimension_must_be_predicted_too(tmp_path):
    def load(dimensions):
        def change(values):
            own = values["corpora"]["demo_sessions"]
            own["dimensions"] = dimensions
            own["learning"]["systems"] = ["classic", "multi_task"]

        return load_params(write_parameters(tmp_path, change))

    with pytest.raises(
        ParamsError, match=r"learning.systems: multi_task learns the other dimension too, .*\['ar"
    ):
        load(["arousal"])
    assert load(["arousal", "valence"]).corpus("demo_sessions").learning.multi_task.weight == (0.3, 1.0)


def test_weights_that_are_none_are_refused(tmp_path):
    for system, weight, sentence in (
        ("late_fusion", [0.5, 0.5], "late_fusion.weight: names 0.5 twice"),
        ("late_fusion", [1.2], r"late_fusion.weight.0"),
        ("multi_task", [0.0], r"multi_task.weight.0"),
        ("multi_task", [], r"multi_task.weight"),
    ):

        def change(values, system=system, weight=weight):
            values["corpora"]["demo_sessions"]["learning"][system] = {"weight": weight}

        with pytest.raises(ParamsError, match=sentence):
            load_params(write_parameters(tmp_path, change))


def test_a_system_that_says_nothing_alone_is_asked_for_with_its_control(tmp_path):
    def load(*systems):
        def change(values):
            values["corpora"]["demo_sessions"]["learning"]["systems"] = list(systems)

        return load_params(write_parameters(tmp_path, change))

    with pytest.raises(ParamsError, match="systems: taught says nothing alone, expected taught_same and tea"):
        load("classic", "taught")
    with pytest.raises(ParamsError, match="systems: taught says nothing alone, expected teacher beside it"):
        load("taught", "taught_same")
    learning = load("classic", "taught", "taught_same", "teacher").corpus("demo_sessions").learning
    assert learning.taught.weight == (0.5, 0.9)
    assert learning.taught.teacher == "concat"


@pytest.mark.parametrize("systems", [["classic", "taught", "taught_same", "teacher"], ["classic", "teacher"]])
def test_taught_by_the_same_is_the_control_and_not_the_system(tmp_path, systems):
    def load(kind):
        def change(values):
            own = values["corpora"]["demo_sessions"]["learning"]
            own["systems"], own["taught"] = systems, {"teacher": kind}

        return load_params(write_parameters(tmp_path, change)).corpus("demo_sessions").learning.taught.teacher

    with pytest.raises(ParamsError, match=r"taught\.teacher: found same, and taught or teacher is under"):
        load("same")
    for kind in ("concat", "late", "other"):
        assert load(kind) == kind
    systems = ["classic", "taught_same"]  # which has this teacher whatever is said
    assert load("same") == "same"


def test_matched_is_asked_for_with_its_control_and_all_modalities(tmp_path):
    def load(*systems, task="demo_clips", **matched):
        def change(values):
            values["corpora"][task]["learning"] |= {"systems": list(systems), "matched": matched}

        return load_params(write_parameters(tmp_path, change)).corpus(task).learning.matched

    with pytest.raises(
        ParamsError, match="systems: matched says nothing alone, expected matched_apart and m"
    ):
        load("classic", "matched")
    every = ("classic", "matched", "matched_apart", "matched_all")
    own = load(*every)
    assert (own.alpha, own.beta, own.sigma, own.unpaired) == ((0.1, 1.0), (0.1,), "median", "other_batch")
    assert load(*every, unpaired="other_class", sigma=2.0).sigma == 2.0
    for key, value, sentence in (
        ("beta", [0.0], "matched.beta.0"),
        ("alpha", [1.0, 1.0], "matched.alpha: names 1.0 twice"),
        ("dropout", 0.0, "matched.dropout"),
        ("dropout", 1.0, "matched.dropout"),
        ("sigma", 0.0, "matched.sigma"),
        ("heads", 5, r"matched.heads: found 5, expected a divisor of hidden \(64\)"),
    ):
        with pytest.raises(ParamsError, match=sentence):
            load(*every, **{key: value})
    with pytest.raises(ParamsError, match="unpaired: found other_class, expected other_batch for task reg"):
        load(*every, task="demo_sessions", unpaired="other_class")


@pytest.mark.parametrize(
    ("key", "value"), [("weight", [0.0]), ("weight", [0.5, 0.5]), ("confidence", 1.0), ("teacher", "both")]
)
def test_a_teacher_that_is_none_is_refused(tmp_path, key, value):
    def change(values):
        values["corpora"]["demo_sessions"]["learning"]["taught"] = {key: value}

    with pytest.raises(ParamsError, match=f"learning.taught.{key}"):
        load_params(write_parameters(tmp_path, change))
