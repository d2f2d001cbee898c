"""Predictions as they come -> the tables of a run, which a killed run goes on with.

The table of predictions, and beside it one of embeddings where these are asked for, grow by the rows of one
file at a time; `journal` keeps what is finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.predicting.block import Block
from pipeline.predicting.failed_list import FAILED, is_failed_list, write_failures
from pipeline.predicting.growing_table import Table, WriteError, written
from pipeline.predicting.journal import (
    ENDING,
    Journal,
    Mark,
    Past,
    ResumeError,
    holding,
    journal_of,
    read,
    require_same,
)
from pipeline.predicting.medium import Failure


@dataclass
class Output:
    """The tables of a run and its journal; use as a context manager.

    made: what the tables are made with, which must be the same to go on. resume: whether to go on with what
    an earlier run left.
    """

    tables: tuple[Table, ...]
    made: Mapping[str, Any]
    resume: bool = False
    past: tuple[Mark, ...] = ()
    _journal: Journal | None = None
    _complete: bool = False
    failures: list[Failure] = field(default_factory=list)

    @property
    def _path(self) -> Path:
        return self.tables[0].path

    def __enter__(self) -> Self:
        """Open the tables; `past` then holds what an earlier run finished.

        Raises:
            ResumeError: there is nothing to go on with, or it was made with other recognisers or options;
                or an output, or another file that is there, would be lost, or nothing can be written there.
        """
        try:
            self._open()
        except OSError as error:
            where = error.filename or self._path
            raise ResumeError(f"{self._path}: cannot be written ({where}: {error.strerror})") from None
        return self

    def _open(self) -> None:
        failures = self._path.with_name(FAILED)
        for table in self.tables:
            if table.path.name == FAILED:
                raise ResumeError(
                    f"{table.path}: is the name of the list of what failed, expected another one"
                )
            if table.path.name.endswith(ENDING):
                raise ResumeError(
                    f"{table.path}: is the name of the journal of another table, expected one without "
                    f"{ENDING}"
                )
        if failures.exists() and not is_failed_list(failures):
            raise ResumeError(
                f"{failures}: is there already and no list of what failed, which would be written there; "
                "move it, or choose another folder"
            )
        where = journal_of(self._path)
        past = read(where) if where.is_file() else None
        if self.resume:
            self._go_on(past)
        else:
            self._begin(past)

    def _begin(self, past: Past | None) -> None:
        for table in self.tables:
            _require_ours(table, past, journal_of(self._path))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(journal_of(self._path))
        for table in self.tables:  # first, so that a journal never speaks of another run's tables
            for path in (table.path, table.written):
                path.unlink(missing_ok=True)
        self._journal.cut(0)
        self._journal.begin(self.made)
        for table in self.tables:
            table.open()

    def _go_on(self, past: Past | None) -> None:
        where = journal_of(self._path)
        if past is None:
            if self._path.exists():
                raise ResumeError(
                    f"{self._path}: has no journal {where.name} beside it, so nobody knows what of it is "
                    "finished; delete it to begin anew"
                )
            self._begin(None)  # killed before the first line, or never begun
            return
        require_same(past, self.made, self._path)
        self._journal = Journal(where)
        for table in self.tables if past.finished else ():
            table.unseal()
        marks = holding(past.marks, [table.written for table in self.tables])
        self._journal.cut(past.going_back_to(marks))
        self.past = tuple(past.marks)
        for place, table in enumerate(self.tables):
            if past.marks and past.schemas is not None:
                last = past.marks[-1]
                table.open(last.ends[place], last.sums[place], past.schemas[place])
            else:
                table.open()
        self.failures += [Failure(*problem) for mark in past.marks for problem in mark.problems]

    def write(
        self, file: str, stamp: tuple[int, ...], blocks: Sequence[Block], problems: Sequence[Failure] = ()
    ) -> None:
        """Write the rows of a finished file, a block for each table; the first blocks say the columns.

        Raises:
            WriteError: they cannot be written; what was written before can be gone on with.
        """
        with written(self._path):
            self._write(file, stamp, blocks, problems)

    def _write(
        self, file: str, stamp: tuple[int, ...], blocks: Sequence[Block], problems: Sequence[Failure]
    ) -> None:
        assert self._journal is not None
        if not self.tables[0].schema:
            for table, block in zip(self.tables, blocks, strict=True):
                table.head(block.schema)
            self._journal.mark(self._mark(None), [table.schema for table in self.tables])
        for table, block in zip(self.tables, blocks, strict=True):
            table.append(block)
        self.failures += problems
        self._journal.mark(self._mark(file, stamp, tuple((own.file, own.reason) for own in problems)))

    def _mark(
        self, file: str | None, stamp: tuple[int, ...] = (), problems: tuple[tuple[str, str], ...] = ()
    ) -> Mark:
        ends, sums = zip(*((table.end, table.sum) for table in self.tables), strict=True)
        return Mark(file, ends, sums, stamp, problems)

    def fail(self, failure: Failure) -> None:
        """Note a file that has no rows; the next run tries it again."""
        self.failures.append(failure)

    def complete(self) -> None:
        """Say that all files were done, or failed: the tables are whole when they are closed."""
        self._complete = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, way: TracebackType | None
    ) -> None:
        """Close the tables, and write which files failed.

        Raises:
            WriteError: that cannot be written; after another error that one is what is said.
        """
        try:
            with written(self._path):
                self._end(self._complete and kind is None)
        except WriteError:
            if kind is None:
                raise

    def _end(self, whole: bool) -> None:
        with ExitStack() as left:
            if self._journal is not None:
                left.callback(self._journal.close)
            with ExitStack() as tables:  # each of them, whatever closing another one says
                for table in self.tables:
                    tables.callback(table.close)
            if self._journal is None:
                return
            write_failures(self._path, self.failures)
            if whole:
                for table in self.tables:
                    table.seal()
                self._journal.finished()
                for table in self.tables:
                    if table.written != table.path:
                        table.written.unlink(missing_ok=True)


def _require_ours(table: Table, past: Past | None, journal: Path) -> None:
    """Refuse to write over a file that is not a finished output of an earlier run.

    Raises:
        ResumeError: it is somebody else's, or hours of work are in it.
    """
    if past is None:
        if table.path.exists():
            raise ResumeError(
                f"{table.path}: is there already and no earlier output; choose another name or delete it"
            )
        return
    if not past.finished and past.marks:
        count = sum(mark.file is not None for mark in past.marks)
        raise ResumeError(
            f"{table.path}: an earlier run was ended with {count} files finished: --resume goes on with it, "
            f"or delete {journal.name} and it to begin anew"
        )
