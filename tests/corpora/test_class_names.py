from __future__ import annotations

import pytest

from pipeline.corpora.class_names import (
    EMOTIONS,
    class_counts,
    doubtful_classes,
    lookalikes,
    only_occurring,
    ordered,
)
from pipeline.corpora.traces import trace_table


def labels(**codes):
    """Return traces of emotion: recording -> code."""
    return trace_table(list(codes), ["emotion"] * len(codes), ["gold"] * len(codes), [0.0] * len(codes),
                       list(codes.values()))  # fmt: skip


def by_name(traces, classes):
    return {name: classes[int(code)] for name, code in zip(traces["recording"], traces["value"], strict=True)}


def test_a_corpus_has_the_classes_that_occur():
    traces, classes = only_occurring([(labels(a=3, b=5, c=3), EMOTIONS)])
    assert classes == ("happy", "sad")
    assert traces["value"].tolist() == [0.0, 1.0, 0.0]


def test_parts_are_joined_by_name_whatever_their_codes():
    """What a colleague registered when the corpus had other classes keeps its classes."""
    traces, classes = only_occurring(
        [(labels(a=0, b=1), ("happy", "sad")), (labels(c=0, d=1), ("anger", "happy"))]
    )
    assert classes == ("anger", "happy", "sad")
    assert by_name(traces, classes) == {"a": "happy", "b": "sad", "c": "anger", "d": "happy"}


def test_ratings_keep_their_values():
    ratings = trace_table(["a", "a"], ["arousal"] * 2, ["gold"] * 2, [0.0, 1.0], [0.3, -0.7])
    traces, classes = only_occurring([(ratings, EMOTIONS)])
    assert classes == ()
    assert traces["value"].tolist() == [0.3, -0.7]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["sad", "anger", "happy"], ("anger", "happy", "sad")),
        (["sad", "bored"], ("bored", "sad")),
        (["sad", "anger", "neutral", "surprise"], ("anger", "neutral", "sad", "surprise")),
        (["10", "9", "1"], ("1", "9", "10")),
    ],
)
def test_order(names, order):
    assert ordered(names) == order


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ("happy", "Happy", "writing"),
        ("very happy", "very_happy", "writing"),
        ("fa\u0308de", "f\u00e4de", "writing"),
        ("neutral", "neutrall", "letter"),
        ("neutral", "nuetral", None),
        ("surprise", "suprise", "letter"),
        ("angry", "angry1", None),
        ("class 1", "class 2", None),
        ("sad", "mad", None),
        ("happy", "sad", None),
    ],
)
def test_lookalikes(one, other, difference):
    found = lookalikes({one: 9, other: 2})
    assert [pair.difference for pair in found] == ([difference] if difference else [])
    if found:
        assert (found[0].name, found[0].recordings) == (other, 2)


def test_names_that_differ_in_their_writing_are_one_sentence():
    traces, classes = labels(a=0, b=1, c=1, d=2), ("Happy", "happy", "calm")
    assert class_counts(traces, classes) == {"Happy": 1, "happy": 2, "calm": 1}
    (problem,) = doubtful_classes(traces, classes)
    assert problem.reason.startswith("the classes 'Happy' (1 recordings) and 'happy' (2) differ in capitals")
