"""What is logged of the same thing again and again, by work that is done many times -> said once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def said_once(logger: logging.Logger) -> Iterator[None]:
    """Let each message of a logger about one thing through once, whatever its numbers are the next time.

    What it is about is its first argument: of `"%s: %d of %d rows are not valid"` the text before the colon.
    """
    said: set[tuple[str, str]] = set()

    def is_new(record: logging.LogRecord) -> bool:
        about = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        key = (str(record.msg), str(about))
        if key in said:
            return False
        said.add(key)
        return True

    logger.addFilter(is_new)
    try:
        yield
    finally:
        logger.removeFilter(is_new)
