"""What a run has finished -> a file beside its output, by which a killed run goes on.

`<output>.run.jsonl` says in its first line what the output is made with. Then come marks: the columns of the
tables, and each finished file, with the length of every table behind its rows and the checksum of all that
is in them. A mark is written after the rows that it speaks of: what stands in a table behind the last mark
was never finished, and is cut off. Who finds a table shorter than a mark says (the machine went down) goes
back to the last mark that holds.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

ENDING = ".run.jsonl"
FORMAT = 1
BLOCK = 1 << 20
"""Bytes that are read at once."""
SHOWN = 120
AGAIN = "delete it and the output to begin anew"


class ResumeError(ValueError):
    """Report an output that cannot be gone on with, or that is not to be written over: why, what to do."""


@dataclass(frozen=True)
class Mark:
    """How far the tables are: behind their columns (file None), or behind a finished file.

    ends, sums: of each table. stamp: of the file, whatever changes with it. problems: what of it was not
    predicted, as (file, reason). behind: bytes of the journal with this mark.
    """

    file: str | None
    ends: tuple[int, ...]
    sums: tuple[int, ...]
    stamp: tuple[int, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    behind: int = 0


@dataclass
class Past:
    """What an earlier run left.

    made: what its output is made with. schemas: of the tables, None before any. marks: that of the columns
    first. begun: bytes of the journal's first line. finished: whether it ended with all files.
    """

    made: dict[str, Any]
    begun: int
    schemas: tuple[tuple[tuple[str, str], ...], ...] | None = None
    marks: list[Mark] = field(default_factory=list)
    finished: bool = False

    def going_back_to(self, count: int) -> int:
        """Keep the first marks and return how many bytes of the journal they are."""
        self.finished = self.finished and count == len(self.marks)
        del self.marks[count:]
        if not self.marks:
            self.schemas = None
        return self.marks[-1].behind if self.marks else self.begun


def journal_of(output: Path) -> Path:
    """Return where the journal of an output lies."""
    return output.with_name(output.name + ENDING)


def read(path: Path) -> Past | None:
    """Read a journal; a last line that was not finished is not there. None: it has no first line.

    Raises:
        ResumeError: it is none, or that of another version.
    """
    past, behind = None, 0
    for line in path.read_bytes().split(b"\n")[:-1]:
        behind += len(line) + 1
        try:
            entry = json.loads(line)
            if past is None:
                if entry["journal"] != FORMAT:
                    raise ResumeError(f"{path}: of another version of EmoBed; {AGAIN}")
                past = Past(entry["made"], behind)
            elif "finished" in entry:
                past.finished = True
            else:
                past.finished = False
                if "columns" in entry:
                    past.schemas = tuple(tuple((str(n), str(k)) for n, k in own) for own in entry["columns"])
                past.marks.append(_mark(entry, behind))
        except ResumeError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ResumeError(f"{path}: not the journal of a prediction; {AGAIN}") from None
    return past


def _mark(entry: Mapping[str, Any], behind: int) -> Mark:
    stamp = tuple(map(int, entry.get("stamp", ())))
    problems = tuple((str(file), str(why)) for file, why in entry.get("problems", ()))
    return Mark(entry.get("file"), tuple(entry["ends"]), tuple(entry["sums"]), stamp, problems, behind)


def require_same(past: Past, made: Mapping[str, Any], path: Path) -> None:
    """Refuse to go on with other recognisers or other options.

    Raises:
        ResumeError: what differs.
    """
    now = json.loads(json.dumps(made))
    for key in {**past.made, **now}:
        if past.made.get(key) != now.get(key):
            raise ResumeError(
                f"{path}: was begun with {key} {_shown(past.made.get(key))}, now it is "
                f"{_shown(now.get(key))}: rows of both do not belong in one table; go on with the same, or "
                "write another one"
            )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def holding(marks: Sequence[Mark], tables: Sequence[Path]) -> int:
    """Return how many of the marks hold, from the first: their rows are all there.

    Raises:
        ResumeError: a table is not what was written: somebody changed it.
    """
    sizes = [table.stat().st_size if table.is_file() else 0 for table in tables]
    count = len(marks)
    while count and any(end > size for end, size in zip(marks[count - 1].ends, sizes, strict=True)):
        count -= 1
    if not count:
        return 0
    last = marks[count - 1]
    for table, end, wanted in zip(tables, last.ends, last.sums, strict=True):
        if checksum(table, end) != wanted:
            raise ResumeError(
                f"{table}: somebody changed it since it was written, expected it as the run left it; delete "
                "it and its journal to begin anew"
            )
    return count


def checksum(path: Path, end: int) -> int:
    """Return the CRC-32 of the first `end` bytes of a file."""
    found = 0
    with path.open("rb") as file:
        while end > 0 and (block := file.read(min(BLOCK, end))):
            found, end = zlib.crc32(block, found), end - len(block)
    return found


class Journal:
    """An open journal: what is noted is with the operating system before the call returns.

    It is locked as long as it is open, so that two runs never write one output.
    """

    def __init__(self, path: Path) -> None:
        """Open the journal for appending.

        Raises:
            ResumeError: another process has it open.
        """
        self._file: BinaryIO = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ResumeError(
                f"{path}: another `emobed predict` writes there; wait for it, or write another output"
            ) from None

    def cut(self, size: int) -> None:
        """Drop what stands behind the first bytes."""
        os.truncate(self._file.fileno(), size)

    def begin(self, made: Mapping[str, Any]) -> None:
        """Note what the output is made with."""
        self._note({"journal": FORMAT, "made": made})

    def mark(self, mark: Mark, schemas: Sequence[Sequence[tuple[str, str]]] | None = None) -> None:
        """Note how far the tables are; schemas: with the first mark."""
        entry: dict[str, Any] = {"ends": mark.ends, "sums": mark.sums}
        if schemas is not None:
            entry["columns"] = schemas
        if mark.file is not None:
            entry |= {"file": mark.file, "stamp": mark.stamp}
        self._note(entry | ({"problems": mark.problems} if mark.problems else {}))

    def finished(self) -> None:
        """Note that all files are there."""
        self._note({"finished": True})

    def close(self) -> None:
        """Close it, and let others have it."""
        self._file.close()

    def _note(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
