"""A table on disk that grows by the rows of one file at a time, in the format that its name says."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.predicting.block import Block, Schema
from pipeline.predicting.formats import (
    Format,
    format_of,
    parquet_from_stream,
    stream_from_parquet,
)


class WriteError(ValueError):
    """Report a table that could not be written on: which, why, and how to go on."""


@dataclass
class Table:
    """A table on disk that grows. written: where its bytes go, which for Parquet is not the file itself."""

    path: Path
    format: Format
    end: int = 0
    sum: int = 0
    schema: Schema = ()
    _file: BinaryIO | None = None

    @classmethod
    def at(cls, path: Path) -> Table:
        """Return the table in the format that its ending names.

        Raises:
            FormatError: it names none.
        """
        return cls(path, format_of(path))

    @property
    def written(self) -> Path:
        """Return the file that grows."""
        return (
            self.path.with_name(f".{self.path.name}.partial") if self.format.name == "parquet" else self.path
        )

    def open(self, end: int = 0, sum: int = 0, schema: Schema = ()) -> None:
        """Open the file that grows, and cut off what is behind its first `end` bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.written.open("ab")
        self._file.truncate(end)
        self.end, self.sum, self.schema = end, sum, schema

    def head(self, schema: Schema) -> None:
        """Write what stands in front of all rows."""
        self.schema = schema
        self._append(self.format.head(schema))

    def append(self, block: Block) -> None:
        """Write the rows of a file."""
        block.require(self.schema)
        self._append(self.format.body(block))

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        with written(self.path):
            self._file.write(data)
            self._file.flush()
        self.end, self.sum = self.end + len(data), zlib.crc32(data, self.sum)

    def close(self) -> None:
        """Close the file that grows."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def seal(self) -> None:
        """Make the table of what grew, if it is another file."""
        if self.written != self.path and self.schema:
            with written(self.path):
                parquet_from_stream(self.written, self.path)

    def unseal(self) -> None:
        """Make again what the table was made of, so that it can grow."""
        if self.written != self.path and self.path.is_file() and not self.written.is_file():
            stream_from_parquet(self.path, self.written)


@contextmanager
def written(path: Path | None) -> Iterator[None]:
    """Say of which file something could not be written; path: None for what is printed.

    Raises:
        WriteError: the system refused, such as a disk that is full.
        BrokenPipeError: whoever read what is printed has gone.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if path is None:
            raise WriteError(f"the table cannot be printed ({error.strerror})") from None
        raise WriteError(
            f"{path}: cannot be written ({error.strerror}); --resume goes on behind the files that are "
            "finished"
        ) from None
