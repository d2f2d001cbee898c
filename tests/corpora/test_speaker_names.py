"""Speakers who may be one person, and words that name nobody."""

import pytest

from pipeline.corpora.speaker_names import speaker_doubts
from pipeline.params import ABSENT
from tests.recordings import recording


def doubts(*speakers):
    return speaker_doubts(
        [recording(f"r{k}", "train", s, None, None) for k, s in enumerate(speakers)], ABSENT
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "anna"),
        ("anna b", "Anna_B"),
        ("1", "1.0"),
        ("ann\u200ba", "anna"),
        ("\uff11", "1"),
        ("s 1", "S1"),
    ],
)
def test_one_person_under_two_names(one, other):
    (doubt,) = doubts(one, other, "ben")
    assert f"'{one}'" in doubt
    assert f"'{other}'" in doubt
    assert "ben" not in doubt


@pytest.mark.parametrize(
    "names", [("1", "01"), ("-2", "2"), ("1-1", "11"), ("anna", "anne"), ("s1", "s2"), ("1.5", "15")]
)
def test_different_people(names):
    assert doubts(*names) == []


def test_many_are_counted():
    (doubt,) = doubts(*"abcde", *"ABCDE")
    assert "'A' and 'a'; 'B' and 'b'; 'C' and 'c', and 2 more differ in their writing only" in doubt


def test_a_word_for_nobody_makes_one_person_of_many():
    (doubt,) = doubts("nan", "nan", "anna", "NA")
    assert doubt.startswith("'nan' is the speaker of 2 recordings, who count as one person")
