"""One wrong value is one sentence, also inside lists and groups that may be something else instead."""

from __future__ import annotations

import re

import pytest

from pipeline.params import ParamsError, load_params
from tests.parameters import write_parameters

WHERE = "corpora.demo_sessions.learning"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"late_fusion": {"weight": [2]}}, "late_fusion.weight.0: found 2, expected a number of at most 1"),
        ({"support_vectors": {"C": [0]}}, "support_vectors.C.0: found 0, expected a number above 0"),
        ({"alpha": ["a", 0.0]}, "alpha.0: found 'a', expected a number"),
        ({"random_forest": {"depth": []}}, "random_forest.depth: found [], expected a list of at least 1"),
        ({"sequences": {"length": 1.0}}, "sequences.hop: is missing"),
        (
            {"classic": {"settings": [{"learning_rate": 0, "weight_decay": 0}]}},
            "classic.settings.0.learning_rate: found 0, expected a number above 0",
        ),
        (
            {"classic": {"settings": [{"learning_rate": 1e-3, "weight_decay": 0, "weight_deca": 0}]}},
            "classic.settings.0.weight_deca: unknown key; did you mean 'weight_decay'?",
        ),
    ],
)  # fmt: skip
def test_the_value_inside_speaks_and_nothing_around_it(tmp_path, changed, sentence):
    path = write_parameters(
        tmp_path, lambda params: params["corpora"]["demo_sessions"]["learning"].update(changed)
    )
    with pytest.raises(ParamsError) as error:
        load_params(path)
    assert str(error.value) == f"{path}: {WHERE}.{sentence}"


def test_a_system_that_is_mistyped_is_recognised(tmp_path):
    def change(params):
        params["corpora"]["demo_sessions"]["learning"]["systems"] = ["classic", "late_fusio"]

    with pytest.raises(ParamsError, match=re.escape("did you mean 'late_fusion'?")):
        load_params(write_parameters(tmp_path, change))
