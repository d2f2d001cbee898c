"""The medium of a transcript -> its words, as somebody wrote them."""

from __future__ import annotations

from functools import lru_cache

from pipeline.corpora.hashes import Stat, file_stat
from pipeline.corpora.recording import Medium
from pipeline.corpora.text_table import TableError, text_of, text_table
from pipeline.corpora.transcripts import sha256_of_words
from pipeline.features.media.opening import MediaError
from pipeline.location import Location, RemoteError

LARGEST = 1 << 24
"""Bytes of a transcript in a file of its own: some four hundred hours of speech."""


def read_transcript(path: Location, medium: Medium) -> str:
    """Return the words of one recording.

    path: of the file or table, below the root. medium: what the manifest says of it; of a table it names the
    column, and the sha256 of the cell.

    Raises:
        MediaError: no such file, it is not UTF-8, or no cell of the table has these words any more.
        RemoteError: a URL whose server does not answer.
    """
    stat = file_stat(path)
    if stat is None:
        raise MediaError(f"{path}: no such file")
    try:
        if not medium.column:
            if stat[0] > LARGEST:
                raise MediaError(f"{path}: holds {stat[0]} bytes, expected a transcript of at most {LARGEST}")
            return text_of(path)
        cells = _cells(path, medium.column, stat)
    except TableError as error:
        raise MediaError(str(error)) from None
    except RemoteError:
        raise
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})") from None
    if medium.sha256 not in cells:
        raise MediaError(
            f"{path}: no cell of the column {medium.column} has the words that were registered "
            f"(sha256 {medium.sha256[:12]}...); the table has changed since, run `dvc repro` anew"
        )
    return cells[medium.sha256]


@lru_cache(maxsize=8)
def _cells(path: Location, column: str, stat: Stat) -> dict[str, str]:
    """Return the cells of a column by their sha256; stat: of the file, so that a changed one is read anew."""
    with text_table(path, (column,), names=(), small=_named_in_capitals(path, column)) as table:
        return {sha256_of_words(line.cells[column]): line.cells[column] for line in table}


def _named_in_capitals(path: Location, column: str) -> bool:
    """Say whether only the names of columns in small letters hold the column, as OMG-Emotion's are taken."""
    with text_table(path, names=(), likely=(column,)) as table:
        return column not in table.header
