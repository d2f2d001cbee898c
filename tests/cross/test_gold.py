"""Classes of another corpus, matched by name."""

import json

import numpy as np
import pytest

from pipeline.corpora.traces import format_traces, trace_table
from pipeline.cross.gold import NothingCommonError, classes_of, traced
from pipeline.paths import Paths

KNOWN = ("anger", "fear", "happy", "neutral")


@pytest.fixture
def other(tmp_path, params):
    """Return a function that registers utterances of some classes; of corpus `other`."""

    def register(*classes):
        paths = Paths("other", tmp_path)
        paths.traces.mkdir(parents=True)
        count = 2 * len(classes)
        table = trace_table(
            [f"u{i}" for i in range(count)], ["emotion"] * count, ["gold"] * count, np.zeros(count),
            [i % len(classes) for i in range(count)],
        )  # fmt: skip
        (paths.traces / "traces.parquet").write_bytes(format_traces(table))
        (paths.traces / "classes.json").write_text(json.dumps(classes))
        return params.corpus("demo_clips"), paths

    return register


def test_classes_are_matched_however_they_are_written_and_others_left_out(other):
    gold = classes_of(*other("Neutral", "AN-GER", "boredom"), KNOWN)
    assert gold.classes == ("anger", "neutral")
    assert gold.places == (0, 3)
    assert {name: float(code[0]) for name, code in gold.values.items()} == {
        "u0": 1.0, "u1": 0.0, "u3": 1.0, "u4": 0.0,
    }  # fmt: skip
    assert (gold.left_out, gold.other_classes) == (2, ("boredom",))


def test_of_several_labels_those_in_common_are_kept_whatever_else_there_is(other):
    corpus, paths = other("Happy", "boredom", "FEAR")
    corpus = corpus.model_copy(update={"task": "multilabel"})
    sets = [0b111, 0b010, 0b000, 0b001, 0b100, 0b110]  # of happy, boredom, fear
    table = trace_table([f"u{i}" for i in range(6)], ["emotion"] * 6, ["gold"] * 6, np.zeros(6), sets)
    (paths.traces / "traces.parquet").write_bytes(format_traces(table))
    gold = classes_of(corpus, paths, KNOWN, "multilabel")
    assert (gold.classes, gold.places) == (("fear", "happy"), (1, 2))
    assert [float(gold.values[f"u{i}"][0]) for i in range(6)] == [0b11, 0, 0, 0b10, 0b01, 0b01]
    assert (gold.left_out, gold.other_classes) == (0, ("boredom",))
    with pytest.raises(NothingCommonError, match="other has multilabel of emotion, and not one class"):
        classes_of(corpus, paths, KNOWN)
    one = corpus.model_copy(update={"task": "classification"})
    with pytest.raises(NothingCommonError, match="and not any number of classes per utterance"):
        classes_of(one, paths, KNOWN, "multilabel")


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        (("boredom", "calm"), r"other has none \(boredom, calm\); expected two or more in common"),
        (("fear", "calm"), r"other has only fear \(fear, calm\)"),
    ],
)
def test_fewer_than_two_classes_in_common_are_nothing(other, classes, sentence):
    with pytest.raises(NothingCommonError, match=sentence):
        classes_of(*other(*classes), KNOWN)


def test_labels_of_another_kind_are_nothing_in_common(other, params):
    corpus, paths = other("fear", "anger")
    with pytest.raises(
        NothingCommonError, match="other has classification of emotion, and no traces of arou"
    ):
        traced(corpus, paths, "arousal")
    with pytest.raises(
        NothingCommonError, match="other has regression of arousal and valence, and no classes"
    ):
        classes_of(params.corpus("demo_sessions"), paths, KNOWN)


def test_a_corpus_that_is_not_registered_is_named(params, tmp_path):
    with pytest.raises(ValueError, match=r"traces.parquet: no such file, so other is not registered"):
        classes_of(params.corpus("demo_clips"), Paths("other", tmp_path), KNOWN)
