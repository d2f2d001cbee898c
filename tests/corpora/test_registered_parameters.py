"""All parameters of a corpus in one file: every leaf, and the same bytes for the same parameters."""

from __future__ import annotations

import json

import pytest

from pipeline.corpora.registered_parameters import register_parameters
from pipeline.params import load_params
from pipeline.paths import Paths
from tests.parameters import PATH


@pytest.mark.parametrize("name", sorted(load_params(PATH).corpora))
def test_every_parameter_of_a_corpus_is_in_the_file(name, tmp_path):
    corpus, paths = load_params(PATH).corpora[name], Paths(name, tmp_path)
    register_parameters(corpus, paths)
    read = json.loads(paths.parameters.read_text(encoding="utf-8"))
    assert read == corpus.model_dump(mode="json")
    assert type(corpus).model_validate(read) == corpus


def test_it_is_written_only_if_a_parameter_differs(tmp_path):
    paths = Paths("demo_clips", tmp_path)
    corpus = load_params(PATH).corpora["demo_clips"]
    register_parameters(corpus, paths)
    written = paths.parameters.stat().st_mtime_ns, paths.parameters.read_bytes()
    register_parameters(load_params(PATH).corpora["demo_clips"], paths)
    assert (paths.parameters.stat().st_mtime_ns, paths.parameters.read_bytes()) == written
    other = corpus.report.model_copy(update={"seed": 7})
    register_parameters(corpus.model_copy(update={"report": other}), paths)
    assert paths.parameters.read_bytes() != written[1]


LEAVES = [
    ("report", "seed", 7, set()),
    ("export", "networks", "refer", set()),
    ("export", "system", "classic", {"certainty"}),
    ("evaluation", "certainty_folds", 4, {"certainty"}),
    ("evaluation", "certainty_system", "classic", {"certainty"}),
    ("evaluation", "groups", ("sex",), {"evaluation"}),
    ("evaluation", "confidence", 0.9, {"certainty", "evaluation"}),
    ("evaluation", "seed", 7, {"certainty", "evaluation"}),
    ("learning", "seeds", (5,), {"certainty"}),
]
"""A group, a parameter of it, another value, and the files of few parameters that have it."""


@pytest.mark.parametrize(("group", "name", "value", "read_by"), LEAVES)
def test_an_edit_changes_only_the_files_of_those_that_read_it(group, name, value, read_by, tmp_path):
    """So `certainty` does not train once more for the report, nor `evaluate` score for certainty."""
    paths, corpus = Paths("demo_clips", tmp_path), load_params(PATH).corpora["demo_clips"]

    def written() -> dict[str, bytes]:
        files = {"certainty": paths.certainty_parameters, "evaluation": paths.evaluation_parameters}
        return {kind: path.read_bytes() for kind, path in files.items()}

    register_parameters(corpus, paths)
    before = written()
    assert getattr(getattr(corpus, group), name) != value
    edited = getattr(corpus, group).model_copy(update={name: value})
    register_parameters(corpus.model_copy(update={group: edited}), paths)
    assert {kind for kind, text in written().items() if text != before[kind]} == read_by


def test_every_parameter_of_evaluation_is_asked_for():
    asked = {name for group, name, _, _ in LEAVES if group == "evaluation"}
    assert asked == set(type(load_params(PATH).corpora["demo_clips"].evaluation).model_fields)
