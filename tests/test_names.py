"""Names: one form, what is refused, and what is written for others to open."""

from __future__ import annotations

import csv
import io

import pytest

from pipeline.corpora.problem_file import format_problems
from pipeline.corpora.problems import Problem
from pipeline.names import composed, harmless, refusal

GOOD = [
    *("a", "Müller", "s01_a/utterance 1", "-3g5yACwYnA", "-1", "+1", "-0.5", "名前", "a=b", "x@y.org", "<b>"),
    *("$x$", "😀", "می‌خواهم"),
]
BAD = [
    *("=1+1", "=cmd|' /C calc'!A0", "+SUM(1)", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "+cmd", "a\0b", "a\x07"),
    *("\x1b[2J", "a\nb", "a\rb", "a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "\ufeffa"),
]


@pytest.mark.parametrize("name", GOOD)
def test_names_that_people_use_are_taken(name):
    assert refusal(name) == ""
    assert harmless(name) == name


@pytest.mark.parametrize("name", BAD)
def test_names_that_harm_are_refused_in_printable_words(name):
    assert refusal(name)
    assert refusal(name).isprintable()
    assert refusal(harmless(name)) == ""
    assert harmless(harmless(name)) == harmless(name)


def test_forms_of_unicode():
    assert composed("Jose\u0301") == "Jos\u00e9" == composed("Jos\u00e9")
    assert composed("a") == "a"


@pytest.mark.parametrize("name", BAD)
def test_no_cell_of_a_list_of_problems_is_a_formula(name):
    text = format_problems([Problem(name, name, name)]).decode()
    (row,) = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [refusal(cell) for cell in row] == [""] * 3
