"""Scenarios of two and more modalities, as params.yaml names them."""

import pytest

from pipeline.params import ParamsError, load_params, view_names
from tests.parameters import write_parameters


def load(folder, scenario, systems):
    """Load the parameters with one scenario of demo_sessions, which has a table `text` of its own."""

    def change(values):
        own = values["corpora"]["demo_sessions"]
        own["features"] = {"text": {"path": "text.csv"}}
        own["scenarios"] = [scenario]
        own["learning"]["systems"] = systems

    return load_params(write_parameters(folder, change)).corpus("demo_sessions")


def test_the_first_modality_is_the_target_and_all_others_help(tmp_path):
    corpus = load(tmp_path, "text+audio+video", ["classic"])
    (scenario,) = corpus.scenarios
    assert scenario.name == "text+audio+video"
    assert (scenario.target, scenario.others, scenario.auxiliary) == (
        "text", ("audio", "video"), "audio+video",
    )  # fmt: skip
    assert scenario.views == {"target": "text", "auxiliary": "audio", "auxiliary2": "video"}
    assert view_names(4) == ("target", "auxiliary", "auxiliary2", "auxiliary3")
    assert corpus.inputs == ("text", "audio", "video")
    assert corpus.model_dump(mode="json")["scenarios"] == ["text+audio+video"]


def test_a_system_that_cannot_learn_from_so_many_is_named(tmp_path):
    sentence = (
        r"demo_sessions.scenarios: audio\+video\+text has 3 modalities, and joint, emobed under "
        "learning.systems can learn from 2"
    )
    with pytest.raises(ParamsError, match=sentence):
        load(tmp_path, "audio+video+text", ["classic", "joint", "emobed", "random_forest"])
    assert load(tmp_path, "audio+video", ["classic", "joint", "emobed"]).scenarios[0].name == "audio+video"


@pytest.mark.parametrize(
    "wrong", ["audio", "audio+", "audio+video+audio", "Audio+video", 3, ["audio", "video"]]
)
def test_what_is_no_scenario_is_refused(tmp_path, wrong):
    with pytest.raises(ParamsError, match=r"scenarios.0: expected target"):
        load(tmp_path, wrong, ["classic"])
