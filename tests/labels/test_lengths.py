"""How long recordings are by their feature tables, and those whose tables cannot be of one recording."""

from __future__ import annotations

import pytest

from pipeline.labels.lengths import lengths_of

HOP = 0.5


class Counts(dict):
    """Numbers of rows by recording, by the interface of feature tables."""

    @property
    def recordings(self):
        return sorted(self)

    def count(self, recording):
        return self.get(recording, 0)


def rows(seconds):
    return round(seconds / HOP) + 1


@pytest.mark.parametrize(("text", "bio"), [(4.0, 10.0), (4.0, 7.5)])
def test_a_recording_whose_tables_disagree_has_no_length_and_the_others_have(text, bio):
    tables = {
        "text": Counts(a=rows(text), b=rows(10.0), c=rows(3.0)),
        "bio": Counts(a=rows(bio), b=rows(10.0)),
    }
    frames, wrong = lengths_of(tables, (), HOP)
    assert frames == {"b": rows(10.0), "c": rows(3.0)}
    assert list(wrong) == ["a"]
    assert wrong["a"].startswith(f"features of text end at {text} s, bio at {bio} s: not the same recording")


def test_tables_may_differ_by_half_and_a_second():
    tables = {"text": Counts(a=rows(4.0)), "bio": Counts(a=rows(7.0))}
    assert lengths_of(tables, (), HOP) == ({"a": rows(7.0)}, {})


def test_media_say_how_long_a_recording_is():
    tables = {"audio": Counts(a=rows(10.0), b=rows(10.0)), "text": Counts(a=rows(4.0), b=rows(30.0))}
    frames, wrong = lengths_of(tables, ("audio",), HOP)
    assert frames == {"a": rows(10.0)}  # a shorter table is allowed beside a medium
    assert wrong["b"].startswith("features of audio end at 10.0 s, text at 30.0 s")
