"""Exceptions in words: one line, without what differs between processes."""

from __future__ import annotations

import pytest

from pipeline.running.errors import LONGEST, in_words, one_line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("date"), "KeyError: 'date'"),
        (MemoryError(), "MemoryError"),
        (ValueError("two\n  lines\x1b[31m"), "ValueError: two lines [31m"),
        (OSError(2, "No such file", "B\udcfcr"), r"FileNotFoundError: [Errno 2] No such file: 'B\udcfcr'"),
        (TypeError(f"got {object()!r}"), "TypeError: got <object object>"),
        (RuntimeError("x" * 2 * LONGEST), f"RuntimeError: {'x' * LONGEST} ..."),
    ],
)
def test_the_type_and_what_it_says(error, words):
    assert in_words(error) == words


def test_every_line_can_be_written_in_utf_8():
    assert one_line("".join(map(chr, range(0xD7FE, 0xE001)))).encode()
    assert one_line("ß\r\n\t東京\x00\x85\u2028.") == "ß 東京 ."
