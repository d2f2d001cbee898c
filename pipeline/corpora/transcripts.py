"""Words of recordings -> the media of the modality `text`: a file, or a cell of a table of text.

The manifest lies in git, and what people said may be personal: it names the file or the table and the sha256,
never the words. A short answer can be guessed from its sha256 by who tries all short answers.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from pipeline.corpora.recording import Medium
from pipeline.location import Location

TEXT = "text"
"""The modality, and the column of own tables that names files."""
TRANSCRIPT = "transcript"
"""The column that holds the words themselves, in own tables and in OMG-Emotion's."""
SUFFIX = ".txt"


def cell(table: Location, words: str) -> Medium:
    """Return the medium that the words of one recording are, which stand in a table.

    table: relative to the corpus root. words: as `text_table` gives a cell.
    """
    return Medium(table, sha256_of_words(words), TRANSCRIPT)


def sha256_of_words(words: str) -> str:
    """Return the sha256 of words in a cell, which stands for the words in the manifest and in keys."""
    return hashlib.sha256(words.encode()).hexdigest()


def not_a_file(named: str) -> str:
    """Say that a cell of the column `text` names no file of text; empty if it does.

    Words in the place of a path would go into the manifest as its name.
    """
    if PurePath(named).suffix.lower() == SUFFIX:
        return ""
    return (
        f"found no name of a {SUFFIX} file in the column {TEXT}, expected a path below the root of the "
        f"corpus; words go into the column {TRANSCRIPT}"
    )
