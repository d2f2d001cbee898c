from __future__ import annotations

import re

import pandas as pd
import pytest

from pipeline.reporting.answer import learnt_nothing
from pipeline.reporting.table import dash, interval, score
from tests.reporting.made_up_report import made_up_inputs


def test_an_interval_without_width_says_that_predictions_are_the_same():
    assert interval(0.0, 0.0, signed=True).text == "same predictions"
    assert interval(-0.1, 0.2, signed=True).text == "−.100 to +.200"
    assert interval(0.5, 0.5).text == ".500 to .500"
    assert interval(float("nan"), 0.1).why


def test_what_there_is_not_has_a_reason():
    assert score(float("nan")).why
    assert not score(0.0).why
    assert score(float("nan"), why="not trained here").why == "not trained here"
    assert dash("no labels") == score(float("nan"), why="no labels")


@pytest.mark.parametrize(
    ("value", "low", "said"),
    [(0.2, 0.05, False), (0.2, -0.01, True), (0.0, float("nan"), True), (float("nan"), float("nan"), True)],
)
def test_a_system_whose_interval_on_dev_includes_chance_learnt_nothing(
    tmp_path_factory, params, value, low, said
):
    corpus = params.corpus("demo_sessions")
    corpus = corpus.model_copy(update={"scenarios": corpus.scenarios[:1], "dimensions": ("arousal",)})
    row = {
        "target": "audio", "auxiliary": "video", "dimension": "arousal", "partition": "dev", "metric": "ccc",
        "postprocessed": 1, "system": "classic", "value": value, "low": low,
    }  # fmt: skip
    table = pd.DataFrame([row, row | {"system": "emobed", "value": 0.5, "low": 0.3}])
    inputs = made_up_inputs(
        tmp_path_factory.mktemp("report"), "demo_sessions", corpus, intervals=table, options={"frames": 40}
    )
    found = learnt_nothing(inputs, "audio", "video", "arousal")
    assert bool(found) == said
    if said:
        assert re.search(r"by classic: the CCC on dev is not above that of chance \(\.000\)", found)
    assert not learnt_nothing(inputs, "video", "audio", "arousal")
