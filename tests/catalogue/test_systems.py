"""The table of systems: what is shown of a system, and which parameters it refuses."""

import pytest

from pipeline.catalogue.systems import MARK, SYSTEMS, any_marked, label, learning_several, too_many
from pipeline.params import ParamsError, load_params
from tests.parameters import write_parameters


def test_systems_that_need_all_modalities_are_marked_wherever_they_are_named():
    marked = [name for name in SYSTEMS if label(name).endswith(MARK)]
    assert marked == ["early_fusion", "late_fusion", "model_fusion"]
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
