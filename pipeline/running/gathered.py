"""What is logged in another process -> the log of this one, as if it had been said here."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class _Gathering(logging.Handler):
    """Keeps records, in a form that can travel."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        record.exc_info = record.exc_text = None
        self.records.append(record)


@contextmanager
def gathered() -> Iterator[list[logging.LogRecord]]:
    """Keep what is logged inside, of INFO and above, from the log, and give it."""
    root, handler = logging.getLogger(), _Gathering()
    level, others = root.level, list(root.handlers)
    root.setLevel(logging.INFO)
    root.handlers[:] = [handler]
    try:
        yield handler.records
    finally:
        root.handlers[:] = others
        root.setLevel(level)


def repeat(records: Iterable[logging.LogRecord]) -> None:
    """Log what was said elsewhere, where it is wanted here."""
    for record in records:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)
