"""Every recogniser on every corpus where some have no labels to score by. Some 3 s."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest

from pipeline.corpora.recording import read_manifest
from pipeline.cross.evaluation import evaluate_on
from pipeline.cross.gold import NothingToScoreError
from pipeline.cross.matrix import matrix
from pipeline.recogniser.recogniser import Recogniser
from pipeline.running.workshop import Workshop
from pipeline.store.tables import Failure
from pipeline.store.units import UnitStore
from stages.align_labels import align_labels
from stages.evaluate import evaluate
from stages.export import export
from stages.postprocess import postprocess
from stages.read_features import read_features
from stages.register import register
from stages.train import train
from tests.own_tables import OwnTables, clips


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a corpus with a recogniser; test has no labels, as where they are not distributed."""

    def change(own):
        own["scenarios"] = ["text+bio"]
        own["learning"]["systems"] = ["classic"]
        own["learning"]["optimiser"] |= {"epochs": 2, "average_epochs": 1}

    own = OwnTables(tmp_path_factory.mktemp("own"), change=change)
    emotions = ["happy", "sad"] * 6 + ["", ""]
    own.write(*clips(emotions, ["train"] * 8 + ["dev"] * 4 + ["test"] * 2))
    own.run(register, read_features, align_labels, train, postprocess, evaluate)
    own.paths.rendered.write_text(json.dumps({"rendered": False}))
    own.run(export)
    return own


def of_all(own: OwnTables):
    with contextlib.chdir(own.root):
        return matrix({"own": own.corpus}, own.root, Workshop(UnitStore(own.root / "store")), own.root / "s")


def test_a_corpus_whose_test_has_no_labels_is_a_row_that_says_so(trained):
    (row,) = of_all(trained).to_dict("records")
    assert row["note"] == "own: no recording of test has a label that could be scored"
    assert (row["corpus"], row["n"]) == ("own", 0)


def test_a_corpus_without_any_label_is_a_row_that_says_so(trained):
    from pipeline.corpora.traces import format_traces, load_traces

    path = trained.paths.traces / "traces.parquet"
    before = path.read_bytes()
    path.write_bytes(format_traces(load_traces(path).iloc[:0]))
    (row,) = of_all(trained).to_dict("records")
    path.write_bytes(before)
    assert "found emotion, but no recording is annotated with it" in row["note"]


def test_a_corpus_of_which_no_medium_can_be_read_is_a_row_that_says_so(trained, monkeypatch):
    """Registered and found, and nothing came of any: empty files, say; the others are scored."""

    first = min(item.recording for item in read_manifest(trained.paths.manifest) if item.partition == "dev")

    class Unreadable:
        recordings: tuple[str, ...] = ()
        table = SimpleNamespace(failures=lambda: [Failure(first, "extract_text", "is an empty file")])
        in_file_order = staticmethod(list)

    monkeypatch.setattr("pipeline.cross.evaluation.features_of", lambda *_: Unreadable())
    with contextlib.chdir(trained.root):
        recogniser = Recogniser.load(next(iter(trained.paths.recognisers.iterdir())))
        shop = Workshop(UnitStore(trained.root / "store"))
        with pytest.raises(NothingToScoreError, match="own: none of the 4 recordings with labels") as said:
            evaluate_on(recogniser, trained.corpus, trained.paths, shop, trained.root / "s", "dev", True)
    assert f"features of text ({first}: is an empty file)" in str(said.value)
