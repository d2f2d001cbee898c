"""Names of classes -> their word vectors: from the table that comes along, or a file of the user's.

A name of several words (`pleasant surprise`, `pleasant_surprise`) has the mean of their vectors, or that of
the whole where there is one. Vectors are used as they are, neither centred nor scaled: a learned map reads
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.cell_numbers import finite, no_number
from pipeline.corpora.text_table import TableError, text_table
from pipeline.features.extractor import NotReadyError
from pipeline.features.text import wordllama
from pipeline.features.text.vector_file import read_vectors
from pipeline.features.text.words import spellings, tokens_of, words_of
from pipeline.learning.systems.emotion_words.pleasure import PLEASURE
from pipeline.params.emotion_words import PAD, EmotionWords
from pipeline.params.sentences import did_you_mean
from pipeline.running.errors import in_words

KEY = "learning.emotion_words.vectors"
WORD = "word"
CSV = "expected a csv file with the column word, and columns of numbers (word,pleasure,arousal,dominance)"
Vector = NDArray[np.float32]


def class_vectors(names: Sequence[str], source: str, root: Path = Path()) -> Vector:
    """Return the vectors of classes, (classes, values).

    source: `learning.emotion_words.vectors`; a path is that of a file of the checkout `root`, unless
    absolute.

    Raises:
        NotReadyError: the source cannot be read, has no vector of some class, or one for several; which.
    """
    find = _finder(names, source, root)
    found = {name: find(name) for name in names}
    if unknown := [name for name, vector in found.items() if vector is None]:
        raise NotReadyError(
            f"{KEY}: {source} has no vector of the class{'es' if len(unknown) > 1 else ''} "
            f"{', '.join(unknown)}, expected one of each class: name another source, or a csv file of your "
            "own (docs/methods.md)"
        )
    vectors = np.stack([vector for vector in found.values() if vector is not None]).astype(np.float32)
    first: dict[bytes, str] = {}
    for name, vector in zip(found, vectors, strict=True):
        other = first.setdefault(vector.tobytes(), name)
        if other != name:
            raise NotReadyError(
                f"{KEY}: {source} has one vector for the classes {other} and {name}, which nothing could "
                "then tell apart, expected one of each"
            )
    return vectors


def _finder(names: Iterable[str], source: str, root: Path) -> Callable[[str], Vector | None]:
    """Return what finds the vector of a name, None where a word of it has none."""
    if source == PAD:
        return lambda name: _mean_of(_words(name), {w: np.array(v) for w, v in PLEASURE.items()})
    path = root / source
    if wordllama.is_wordllama(path):
        table = wordllama.load_table(path)
        return lambda name: np.asarray(table.of(" ".join(_words(name))).mean(0)) if _words(name) else None
    if path.suffix.lower() == ".csv":
        table_of_words = _read_csv(path)
        return lambda name: _mean_of(_words(name), table_of_words)
    wanted = {token for name in names for word in _words(name) for form in spellings(word) for token in form}
    known = read_vectors(path, wanted).by_word
    return lambda name: _mean_of(
        [part for word in _words(name) for part in tokens_of(word, known) or [word]], known
    )


def _words(name: str) -> list[str]:
    return words_of(name.replace("_", " "), lower_case=True)


def _mean_of(words: Sequence[str], known: Mapping[str, NDArray[np.floating]]) -> Vector | None:
    if (whole := " ".join(words)) in known:
        words = [whole]
    if not words or any(word not in known for word in words):
        return None
    return np.asarray(np.mean([known[word] for word in words], axis=0), np.float32)


def _read_csv(path: Path) -> dict[str, Vector]:
    """Return word, in small letters -> values.

    Raises:
        NotReadyError: it cannot be read, or is of another form.
    """
    found: dict[str, Vector] = {}
    try:
        with text_table(path, [WORD], small=True) as table:
            columns = [name for name in table.header if name != WORD]
            for line in table:
                word = " ".join(_words(line.cells[WORD]))
                values = [finite(line.cells[name]) for name in columns]
                if None in values:
                    wrong = columns[values.index(None)]
                    table.fault(line.number, f"{wrong} is {no_number(line.cells[wrong])}")
                elif word in found:
                    table.fault(line.number, f"found '{word}' again, expected it once")
                else:
                    found[word] = np.array(values, np.float32)
    except OSError as error:
        raise NotReadyError(f"{KEY}: {path}: {error.strerror or in_words(error)}; {CSV}") from None
    except TableError as error:
        raise NotReadyError(f"{KEY}: {error}; {CSV}") from None
    if not found or not columns:
        raise NotReadyError(f"{KEY}: {path}: holds no values of a word; {CSV}")
    return found


def require_known(named: Iterable[str], classes: Sequence[str], key: str) -> None:
    """Refuse a class that the corpus does not have; key: below `learning.emotion_words`.

    Raises:
        ValueError: which, and the classes that there are.
    """
    for name in named:
        if name not in classes:
            raise ValueError(
                f"learning.emotion_words.{key}: found '{name}', expected some of {list(classes)}"
                f"{did_you_mean(name, classes)}"
            )


def require_two(own: EmotionWords, classes: Sequence[str]) -> None:
    """Refuse `zero_shot`, or `few_shot` that is learned last, if fewer than two other classes are left.

    Raises:
        ValueError: what is left.
    """
    rest = [name for name in classes if name not in own.zero_shot]
    if len(rest) < 2:
        raise ValueError(
            f"learning.emotion_words.zero_shot: found {list(own.zero_shot)}, which of the classes "
            f"{list(classes)} leaves {rest} to be learned, expected two or more"
        )
    first = [name for name in rest if name not in own.learned_last]
    if len(first) < 2:
        raise ValueError(
            f"learning.emotion_words.few_shot: found {list(own.few_shot)}, which of the classes "
            f"{list(classes)} leaves {first} to be learned before them, as few_shot_by {own.few_shot_by} "
            "does; expected two or more, or few_shot_by joint"
        )
