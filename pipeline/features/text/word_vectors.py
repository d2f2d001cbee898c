"""Transcript -> the mean of its words' vectors, one row per utterance.

Vectors come from a file of the user's: GloVe's or word2vec's text format, or the package wordllama. Who said
nothing, or nothing that has a vector, has a row that is not valid.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.hashes import Stat, file_stat, sha256_of
from pipeline.features.extractor import Extractor, Given, NotReadyError, Reads
from pipeline.features.media.opening import MediaError
from pipeline.features.text import wordllama
from pipeline.features.text.transcript import read_transcript
from pipeline.features.text.vector_file import EXPECTED, Vectors, read_vectors, require_vectors
from pipeline.features.text.words import spellings, tokens_of, words_of
from pipeline.names import readable
from pipeline.params import Corpus, Text
from pipeline.store.damage import NO_DAMAGE, Damage
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)

VERSION = 3
"""Raised whenever the same words get other numbers, be it in the last bit."""


class Said(NamedTuple):
    """The vectors of what was said, (tokens, values), and how many words there were and had none."""

    vectors: NDArray[np.float32]
    words: int
    unknown: Counter[str]


@dataclass(frozen=True)
class WordVectors(Extractor):
    """The mean of word vectors. held: those of all words that will be asked for; None: read as needed."""

    reads: ClassVar[Reads] = Reads(medium="text")
    in_stage: ClassVar[bool] = True

    text: Text
    held: Vectors | None = None

    @property
    def path(self) -> Path:
        """Return the path of the vectors.

        Raises:
            NotReadyError: the parameters name none.
        """
        if self.text.file is None:
            raise NotReadyError(f"found null, {EXPECTED}, or the wheel of the package wordllama")
        return Path(self.text.file)

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the words that a row depends on.

        Raises:
            NotReadyError: the file cannot be read.
        """
        own = self.text.model_dump(include={"network", "lower_case", "unknown_words"})
        return {"version": VERSION, "vectors": vectors_sha256(self.path) if self.text.file else None, **own}

    def require(self, root: Path) -> None:
        """Refuse vectors that are not there or are of another format."""
        path = root / self.path
        if wordllama.is_wordllama(path):
            wordllama.load_table(path)
        else:
            require_vectors(path)

    def prepared(self, given: Iterable[Given]) -> WordVectors:
        """Return the extractor with the vectors of all words of some recordings: the file is read once.

        Recordings whose words cannot be read are left for `extract` to say so.
        """
        if wordllama.is_wordllama(self.path):
            return self
        words: set[str] = set()
        for one in given:
            try:
                words.update(words_of(_read(one), self.text.lower_case))
            except MediaError:
                continue
        return self._holding(words)

    def extract(self, given: Given, device: str) -> Rows:
        """Compute the row of a recording.

        Raises:
            MediaError: the transcript cannot be read.
            NotReadyError: the vectors cannot be read.
        """
        return self.row(_read(given))

    def row(self, text: str) -> Rows:
        """Return the row of what was said: valid if any word has a vector. `start` and `end` are 0.

        Its damage is the share of the words that have none.

        Raises:
            NotReadyError: the vectors cannot be read.
        """
        said = self.said(text)
        known = len(said.vectors)
        zeros = said.unknown.total() if self.text.unknown_words == "zero" else 0
        total = said.vectors.sum(axis=0, dtype=np.float64)
        mean = (total / max(1, known + zeros)).astype(np.float32)
        names = tuple(f"vector_{k}" for k in range(len(mean)))
        instant = np.zeros(1)
        return Rows(instant, instant, mean[None], np.array([known > 0]), names, _damage(said))

    def said(self, text: str) -> Said:
        """Return the vectors of what was said.

        Raises:
            NotReadyError: as `row`.
        """
        words = words_of(text, self.text.lower_case)
        path = self.path
        if wordllama.is_wordllama(path):
            table = wordllama.load_table(path)
            cased = readable(text.lower() if self.text.lower_case else text)
            return Said(table.of(cased.strip() if words else ""), len(words), Counter())
        extractor = self if self.held is not None else self._holding(words)
        assert extractor.held is not None
        size, known = extractor.held
        tokens = {word: tokens_of(word, known) for word in dict.fromkeys(words)}
        found = [known[token] for word in words for token in tokens[word]]
        unknown = Counter(word for word in words if not tokens[word])
        return Said(np.array(found, np.float32).reshape(len(found), size), len(words), unknown)

    def _holding(self, words: Iterable[str]) -> WordVectors:
        wanted = {token for word in set(words) for form in spellings(word) for token in form}
        return replace(self, held=read_vectors(self.path, wanted))


def _read(given: Given) -> str:
    assert given.medium is not None, f"{given.recording}: a transcript has a medium"
    return read_transcript(given.path, given.medium)


def _damage(said: Said) -> Damage:
    unknown = said.unknown.total()
    if not unknown:
        return NO_DAMAGE
    # which words, nobody reads here: damage is shared with the features, and words may be personal
    return Damage.of(unknown, said.words, [f"{unknown} of {said.words} words have no vector"])


def vectors_sha256(path: Path) -> str:
    """Return the sha256 of vectors: of the file, or of the two that are read of wordllama.

    Raises:
        NotReadyError: they cannot be read.
    """
    if wordllama.is_wordllama(path):
        return wordllama.files_sha256(path)
    return _file_sha256(path, file_stat(path))


@lru_cache(maxsize=4)
def _file_sha256(path: Path, stat: Stat | None) -> str:
    """Return the sha256 of a file; stat: of it, so that a changed one is hashed anew."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise NotReadyError(f"{path}: cannot be read ({error.strerror}), {EXPECTED}") from None


def extractor(corpus: Corpus) -> WordVectors:
    """Return the extractor with a corpus' parameters."""
    return WordVectors(corpus.text)
