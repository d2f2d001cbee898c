"""An exception -> one line for people: the same bytes wherever and whenever it was raised."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 600
"""Characters kept of what an exception says; some libraries print whole schemas or arrays."""
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Where an object lay in memory: another number in each process."""


class Place(str):
    """Where an exception was raised, such as the name of an experiment: a note that goes along with it."""


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Note of exceptions raised inside where that was, also in another process."""
    try:
        yield
    except Exception as error:
        if where:
            error.add_note(Place(where))
        raise


def place_of(error: BaseException) -> str:
    """Return the places noted of an exception, each followed by a colon, the outermost first."""
    notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, Place)]
    return "".join(f"{note}: " for note in reversed(notes))


def in_words(error: BaseException) -> str:
    """Return an exception's type and what it says, such as `KeyError: 'date'`."""
    name, words = type(error).__name__.lstrip("_"), one_line(str(error))
    if len(words) > LONGEST:
        words = f"{words[:LONGEST]} ..."
    return f"{name}: {words}" if words else name


def unusable(error: BaseException) -> str:
    """Return what becomes of a recording whose reading raised an exception that nobody expected."""
    what = "needs more memory than there is" if isinstance(error, MemoryError) else "cannot be used"
    return f"{what} ({in_words(error)})"


def way_to(error: BaseException) -> str:
    """Return the traceback of an exception, as any file in UTF-8 can hold it."""
    text = "".join(traceback.format_exception(error))
    return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    """Return a text as one line that any file in UTF-8 can hold.

    Line feeds and other control characters become spaces; bytes of a file name that are no characters are
    written as numbers, behind a backslash.
    """
    text = ADDRESS.sub("", text.encode("utf-8", "backslashreplace").decode())
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
