"""Standard input, output and error, where whoever called has closed one (`>&-`, some schedulers)."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO, TextIO

NAMES = ("stdin", "stdout", "stderr")
_closed: set[str] = set()


class ClosedStreamError(ValueError):
    """Report a standard stream that is needed and closed, and what would be right."""


def hold_places() -> None:
    """Put /dev/null where a standard stream is closed, for this process and those that it starts.

    Else the next file that is opened has its number, and what a library writes to standard error is in it;
    and Python has no such stream, which libraries do not expect.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
        if getattr(sys, name) is None:
            _closed.add(name)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", errors="replace", closefd=False))


def standard_output() -> TextIO:
    """Return standard output.

    Raises:
        ClosedStreamError: it is closed.
    """
    _require_open(
        "stdout",
        "standard output is closed, and predictions would be printed there: leave it open, or name a file "
        "(--out)",
    )
    return sys.stdout


def standard_input() -> BinaryIO:
    """Return standard input, of bytes.

    Raises:
        ClosedStreamError: it is closed.
    """
    _require_open("stdin", "standard input is closed, and the input - reads it: give it sound, or name files")
    return sys.stdin.buffer


def _require_open(name: str, sentence: str) -> None:
    if name in _closed:
        raise ClosedStreamError(sentence)
