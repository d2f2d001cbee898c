"""What does not fit together with a task: layouts, losses, systems, dimensions."""

from __future__ import annotations

import pytest

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.params import ParamsError, load_params
from pipeline.scoring.metrics import METRICS
from pipeline.scoring.task_scores import TASK_SCORES
from tests.parameters import write_parameters


def load(root, **changes):
    def edit(params):
        own = params["corpora"]["own"]
        learning = changes.pop("learning", {})
        own |= {"task": "multilabel"} | changes
        own["learning"] |= {"loss": "binary_cross_entropy", "systems": ["classic"]} | learning

    return load_params(write_parameters(root, edit))


def test_the_task_of_several_labels_is_taken(tmp_path):
    assert load(tmp_path).corpus("own").task == "multilabel"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"layout": "omg"}, "layout omg knows one label per utterance"),
        ({"learning": {"loss": "cross_entropy"}}, "found cross_entropy, expected binary_cross_entropy for"),
        (
            {"learning": {"systems": ["classic", "taught", "taught_same", "teacher"]}},
            "taught, taught_same, teacher cannot learn task multilabel: leave them out",
        ),
        ({"dimensions": ["arousal"]}, r"task multilabel predicts \[emotion\], found \['arousal'\]"),
        ({"grid": {"window": 2.0, "hop": 1.0}}, "task multilabel needs window and hop null"),
        ({"learning": {"threshold": 1.0}}, "threshold"),
        ({"layout": "cmu_mosei", "task": "classification", "learning": {"loss": "cross_entropy"}},
         "expected multilabel for layout cmu_mosei"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_a_sentence(tmp_path, changes, sentence):
    with pytest.raises(ParamsError, match=sentence):
        load(tmp_path, **changes)


def test_every_task_has_its_scores_and_systems():
    assert TASKS.keys() == TASK_SCORES.keys() == METRICS.keys()
    for name, task in TASKS.items():
        assert task.headline in METRICS[name]
        assert set(TASK_SCORES[name].further) <= set(METRICS[name])
    assert {name for own in SYSTEMS.values() for name in own.tasks} == TASKS.keys()
