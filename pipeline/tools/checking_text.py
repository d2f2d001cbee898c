"""Transcripts of a corpus -> those that cannot be read, and how many words have a vector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording
from pipeline.corpora.text_table import without_path
from pipeline.features.extractor import Given, NotReadyError
from pipeline.features.media.opening import MediaError
from pipeline.features.text.transcript import read_transcript
from pipeline.features.text.word_vectors import WordVectors
from pipeline.features.text.words import words_of
from pipeline.location import Location
from pipeline.params import Corpus

NAMED = 5
"""Words without a vector that are named, the most frequent first."""


class Transcripts(NamedTuple):
    """What is wrong with transcripts, and sentences on all of them together."""

    problems: list[Problem]
    notes: list[str]


def check_text(corpus: Corpus, recordings: Sequence[Recording], root: Location) -> Transcripts:
    """Read every transcript as extraction does, and look for the vectors of its words.

    Where the file of vectors cannot be used nothing is said of it here.
    """
    if "text" not in corpus.extract or not recordings:
        return Transcripts([], [])
    problems: list[Problem] = []
    given: list[Given] = []
    texts: list[str] = []
    for item in recordings:
        medium = item.media.get("text")
        if medium is None:
            continue
        path = root / medium.path
        try:
            texts.append(read_transcript(path, medium))
            given.append(Given(item.recording, path, None, medium))
        except MediaError as error:
            reason = without_path(str(error), path)
            problems.append(Problem(item.recording, medium.path.as_posix(), reason))
    missing = sum("text" not in item.media for item in recordings)
    empty = sum(not words_of(text, corpus.text.lower_case) for text in texts)
    notes = [
        f"{count} of {len(recordings)} recordings {what}"
        for count, what in (
            (missing, "have no transcript"),
            (empty, "have a transcript without a word: not valid"),
        )
        if count
    ]
    try:
        return Transcripts(problems, notes + _unknown(WordVectors(corpus.text).prepared(given), texts))
    except NotReadyError:
        return Transcripts(problems, notes)


def _unknown(vectors: WordVectors, texts: Sequence[str]) -> list[str]:
    """Say how many words have no vector, and which most often."""
    unknown: Counter[str] = Counter()
    total = 0
    for text in texts:
        said = vectors.said(text)
        total += said.words
        unknown += said.unknown
    if not unknown:
        return []
    named = ", ".join(f"'{word}' ({count})" for word, count in unknown.most_common(NAMED))
    more = ", ..." if len(unknown) > NAMED else ""
    share = f"{unknown.total()} of {total} words ({100 * unknown.total() / total:.1f} %)"
    return [f"{share} of the transcripts have no vector in text.file: {named}{more}"]
