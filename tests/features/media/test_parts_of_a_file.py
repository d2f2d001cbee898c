"""What is said of a file of several parts."""

from __future__ import annotations

from pipeline.features.media.clock import joined


def test_a_part_is_counted_in_words():
    assert joined([]) == []
    assert joined([2.3]) == ["its time stamps begin anew once, at 2.30 s: it runs on from there"]
    assert joined([2.3, 4.6]) == [
        "its time stamps begin anew 2 times, first at 2.30 s: it runs on from there"
    ]
