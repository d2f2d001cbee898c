"""The parameters of a corpus in files: what a stage reads, no other, and the same bytes for the same ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.corpora.registered_parameters import register_parameters
from pipeline.params import Corpus, load_params
from pipeline.paths import Paths
from tests.parameters import PATH


def written(corpus: Corpus, root: Path) -> dict[str, bytes]:
    """Return the file of each stage."""
    paths = Paths("demo_clips", root)
    register_parameters(corpus, paths)
    return {path.stem: path.read_bytes() for path in paths.parameters.iterdir()}


@pytest.mark.parametrize("name", sorted(load_params(PATH).corpora))
def test_every_parameter_of_a_corpus_is_in_the_file(name, tmp_path):
    corpus = load_params(PATH).corpora[name]
    read = json.loads(written(corpus, tmp_path)["report"])
    assert read == corpus.model_dump(mode="json")
    assert type(corpus).model_validate(read) == corpus


def test_it_is_written_only_if_a_parameter_differs(tmp_path):
    def when() -> dict[str, int]:
        return {path.stem: path.stat().st_mtime_ns for path in (tmp_path / "data/parameters").glob("*/*")}

    corpus = load_params(PATH).corpora["demo_clips"]
    first = written(corpus, tmp_path)
    before = when()
    assert written(load_params(PATH).corpora["demo_clips"], tmp_path) == first
    assert when() == before
    edited = corpus.report.model_copy(update={"seed": 7})
    written(corpus.model_copy(update={"report": edited}), tmp_path)
    assert {stage for stage, time in when().items() if time != before[stage]} == {"report", "export"}


ALL = {"report", "export"}
LEARN = {"train", "certainty"}
LEAVES = [
    ("report.seed", 7, set()),
    ("export.networks", "refer", set()),
    ("export.system", "classic", {"certainty"}),
    ("evaluation.certainty_folds", 4, {"certainty"}),
    ("evaluation.certainty_system", "classic", {"certainty"}),
    ("evaluation.groups", ("sex",), {"evaluate"}),
    ("evaluation.confidence", 0.9, {"certainty", "evaluate"}),
    ("evaluation.seed", 7, {"certainty", "evaluate"}),
    ("postprocessing.keep", "dev", {"postprocess", "evaluate", "certainty"}),
    ("learning.seeds", (5,), LEARN),
    ("learning.optimiser.epochs", 7, LEARN),
    ("labels.max_gap", 2.0, {"align_labels", "certainty"}),
    ("task", "multilabel", LEARN | {"align_labels", "evaluate"}),
    ("scenarios", (), LEARN | {"align_labels", "postprocess", "evaluate"}),
    ("audio.sampling_rate_hz", 8000, {"extract_audio", "certainty"}),
    ("text.lower_case", False, {"extract_text", "certainty"}),
    ("video.faces.min_face", 61, {"detect_faces", "embed_faces", "certainty"}),
    ("video.faces.max_failed_share", 0.5, {"detect_faces", "embed_faces", "pool_video", "certainty"}),
    ("video.embedding.margin", 0.1, {"embed_faces", "certainty"}),
    ("video.pooling.no_face", "zero", {"pool_video", "certainty"}),
]
"""A parameter, another value, and the stages beside those of `ALL` that read it."""


def replaced(group, path: str, value):
    """Return a group with another value under a dotted path."""
    first, _, rest = path.partition(".")
    assert rest or getattr(group, first) != value
    return group.model_copy(update={first: replaced(getattr(group, first), rest, value) if rest else value})


@pytest.mark.parametrize(("path", "value", "read_by"), LEAVES)
def test_an_edit_changes_only_the_files_of_those_that_read_it(path, value, read_by, tmp_path):
    """So `certainty` does not train once more for the report, nor `evaluate` score for certainty."""
    corpus = load_params(PATH).corpora["demo_clips"]
    before = written(corpus, tmp_path)
    after = written(replaced(corpus, path, value), tmp_path)
    assert {stage for stage, text in after.items() if text != before[stage]} == read_by | ALL


def test_every_parameter_of_evaluation_is_asked_for():
    asked = {path.partition(".")[2] for path, _, _ in LEAVES if path.startswith("evaluation.")}
    assert asked == set(type(load_params(PATH).corpora["demo_clips"].evaluation).model_fields)
