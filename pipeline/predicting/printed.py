"""Predictions as they come -> the table on a pipe or a terminal, which nothing can be gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Self

from pipeline.predicting.block import Block, Schema
from pipeline.predicting.formats import (
    CSV,
    Format,
)
from pipeline.predicting.growing_table import written
from pipeline.predicting.journal import (
    Mark,
)
from pipeline.predicting.medium import Failure


@dataclass
class Printed:
    """The table of predictions on a pipe or a terminal; nothing can be gone on with."""

    stream: BinaryIO
    format: Format = CSV
    schema: Schema = ()
    failures: list[Failure] = field(default_factory=list)
    past: tuple[Mark, ...] = ()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def write(
        self, file: str, stamp: tuple[int, ...], blocks: Sequence[Block], problems: Sequence[Failure] = ()
    ) -> None:
        """Print the rows of a file.

        Raises:
            WriteError: they cannot be printed.
        """
        (block,) = blocks
        with written(None):
            if not self.schema:
                self.schema = block.schema
                self.stream.write(self.format.head(self.schema))
            block.require(self.schema)
            self.stream.write(self.format.body(block))
            self.stream.flush()
        self.failures += problems

    def fail(self, failure: Failure) -> None:
        """Note a file that has no rows."""
        self.failures.append(failure)

    def complete(self) -> None:
        """Do nothing: what was printed is printed."""
