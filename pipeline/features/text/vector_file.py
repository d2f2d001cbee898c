"""A file of word vectors in GloVe's or word2vec's text format -> the vectors of the words that are wanted.

    word 0.1 -0.2 ...      one line a word, parted by single blanks; word2vec's first line is `words values`

Files have gigabytes: they are read line by line, and only wanted words are kept. A word of GloVe's 840B may
hold blanks itself: the last values of a line are the vector, so such a line is none of its first word.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import NotReadyError

LONGEST = 1 << 20
"""Bytes of a line: what is longer is no text."""
MOST_VALUES = 1 << 16
EXPECTED = (
    "expected word vectors in GloVe's or word2vec's text format: in each line a word and its values, parted "
    "by blanks (a binary file of word2vec is written as text by gensim's save_word2vec_format)"
)


class Vectors(NamedTuple):
    """Vectors of some words. size: values of each; by_word: (size,) each."""

    size: int
    by_word: Mapping[str, NDArray[np.float32]]


def read_vectors(path: Path, wanted: Collection[str]) -> Vectors:
    """Read the vectors of those wanted words that the file has; of a word that stands there twice the first.

    Raises:
        NotReadyError: no such file, or none of this format.
    """
    found: dict[str, NDArray[np.float32]] = {}
    try:
        with path.open("rb") as file:
            size, start, words = _layout(path, file)
            file.seek(start)
            number, line = 0, b""
            for number, line in _lines(path, file):
                name, _, values = line.rstrip().partition(b" ")
                word = _word(name)
                if word is not None and word in wanted and word not in found:
                    vector = _numbers(values)
                    if vector is not None and len(vector) == size:
                        found[word] = vector
                    # more: a word with blanks, unless all are numbers
                    elif values.count(b" ") < size or vector is not None:
                        wrong = f"found no {size} finite numbers behind '{word}'"
                        raise NotReadyError(f"{path}: line {number}: {wrong}, {EXPECTED}")
    except OSError as error:
        raise NotReadyError(f"{path}: cannot be read ({error.strerror}), {EXPECTED}") from None
    if number < words or (line.strip() and line.rstrip().count(b" ") < size):
        of = f" of {words}" if words else ""
        raise NotReadyError(f"{path}: breaks off in line {number}{of}, {EXPECTED}")
    return Vectors(size, found)


def require_vectors(path: Path) -> int:
    """Return how many values the vectors of a file have, by its first lines.

    Raises:
        NotReadyError: as `read_vectors`.
    """
    try:
        with path.open("rb") as file:
            return _layout(path, file)[0]
    except OSError as error:
        raise NotReadyError(f"{path}: cannot be read ({error.strerror}), {EXPECTED}") from None


def _layout(path: Path, file: IO[bytes]) -> tuple[int, int, int]:
    """Return how many values a vector has, where the first line with one begins, and how many lines follow.

    The last is what word2vec's first line says, 0 where there is none.
    """
    begin = len(codecs.BOM_UTF8) if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0
    file.seek(begin)
    first = file.readline(LONGEST).rstrip()
    counts = first.split()
    if len(counts) == 2 and all(count.isdigit() for count in counts):
        size, start = int(counts[1]), file.tell()
        second = file.readline(LONGEST).rstrip().split(b" ")
        if len(second) > size and _numbers(b" ".join(second[-size:])) is not None and size <= MOST_VALUES:
            return size, start, int(counts[0])
        raise NotReadyError(f"{path}: line 2: found no word and {size} numbers, {EXPECTED}")
    fields = first.split(b" ")
    size = next((k for k, field in enumerate(reversed(fields)) if _numbers(field) is None), len(fields) - 1)
    if not 2 <= size <= MOST_VALUES:
        raise NotReadyError(f"{path}: line 1: found no word and numbers, {EXPECTED}")
    return size, begin, 0


def _lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST:
            raise NotReadyError(f"{path}: line {number} has more than {LONGEST} bytes, {EXPECTED}")
        yield number, line


def _word(name: bytes) -> str | None:
    """Return a word as `words` has it; None: not UTF-8, as a few of published files are."""
    if name.isascii():
        return name.decode()
    try:
        return unicodedata.normalize("NFC", name.decode())
    except UnicodeDecodeError:
        return None


def _numbers(text: bytes) -> NDArray[np.float32] | None:
    """Return the numbers in a text, None if it holds anything else."""
    try:
        with np.errstate(over="ignore"):  # beyond float32: not finite, and so refused
            values = np.array(text.split(b" "), dtype=np.float32)
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None
