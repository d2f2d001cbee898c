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


def test_what_is_only_shown_is_not_in_the_file_of_certainty(tmp_path):
    """An edit of the report does not train in folds once more."""
    paths, corpus = Paths("demo_clips", tmp_path), load_params(PATH).corpora["demo_clips"]
    register_parameters(corpus, paths)
    before = paths.certainty_parameters.read_bytes()
    read = json.loads(before)
    assert {**json.loads(paths.parameters.read_text()), "export": {"system": "best_alone"}} == read | {
        "report": corpus.report.model_dump(mode="json")
    }
    update = {
        "report": corpus.report.model_copy(update={"seed": 7}),
        "export": corpus.export.model_copy(update={"networks": "refer"}),
    }
    register_parameters(corpus.model_copy(update=update), paths)
    assert paths.certainty_parameters.read_bytes() == before
    export = corpus.export.model_copy(update={"system": "classic"})
    register_parameters(corpus.model_copy(update={"export": export}), paths)
    assert paths.certainty_parameters.read_bytes() != before
