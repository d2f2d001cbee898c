"""One file outside of any corpus -> the rows that the stages of a corpus would make of it.

The extractors are those that the corpus chooses, one after the other, with the limits that they put on one
recording; what share of a corpus may fail (`max_failed_share`) says nothing here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pipeline.corpora.recording import Medium
from pipeline.features.extractor import Extractor, Given, NotReadyError, extractor_of
from pipeline.params import Corpus, modality_of
from pipeline.recogniser.error import RecogniserError
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHAINS = {
    "audio": ("extract_audio",),
    "video": ("detect_faces", "embed_faces", "pool_video"),
    "text": ("extract_text",),
}
"""Modality -> the stages between a file and its rows, in order."""
SIGNAL = "signal"
"""What sentences call sound that is in no file."""
FIGURES = re.compile(r"[\d.]+")
TRANSCRIPT = ".txt"
"""The ending of a file of words, of a recording beside that."""
Extraction = Mapping[str, Mapping[str, Any]]


def stages_of(corpus: Corpus, modality: str) -> tuple[str, ...]:
    """Return the stages that make the features of a modality from a file; none for tables that were given."""
    name = modality_of(modality)
    return CHAINS[name] if name in corpus.extract else ()


def known_names(corpus: Corpus, modality: str) -> tuple[str, ...] | None:
    """Return the names of the features that parameters make, None where only the features say so.

    Raises:
        NotReadyError: a file that names depend on is missing.
    """
    names: tuple[str, ...] | None = None
    for stage in stages_of(corpus, modality):
        names = extractor_of(stage, corpus).names(names)
    return names


def require_stages(corpus: Corpus, modalities: Iterable[str]) -> None:
    """Refuse modalities whose features no file has, since they came with the corpus as tables.

    Raises:
        RecogniserError: which.
    """
    for modality in modalities:
        if not stages_of(corpus, modality):
            raise RecogniserError(
                f"its features of {modality} came with the corpus as tables, so they cannot be made from a "
                "file or signal; `emobed evaluate` scores it on a corpus that has such tables, and in Python "
                "`predict_rows` takes rows of them"
            )


def words_of(file: Path) -> Path:
    """Return the transcript of a file: itself, if it is one, else the one beside it.

    Raises:
        MediaError: there is none.
    """
    from pipeline.features.media.opening import MediaError

    if file.suffix.lower() == TRANSCRIPT:
        return file
    for ending in (TRANSCRIPT, TRANSCRIPT.upper()):
        if (beside := file.parent / f"{file.stem}{ending}").is_file():
            return beside
    raise MediaError(
        f"{file}: no words, expected {file.stem}{TRANSCRIPT} beside it, or a table with a column transcript"
    )


@dataclass(frozen=True)
class FileFeatures:
    """The extractors of one modality, in the order in which they are called."""

    modality: str
    extractors: tuple[Extractor, ...]
    device: str

    @classmethod
    def of(cls, corpus: Corpus, modality: str, expected: Extraction, device: str) -> Self:
        """Return the extractors that a corpus chooses.

        expected: by stage, what the features of training depended on besides the media.

        Raises:
            RecogniserError: an extractor is another than that of training or lacks a file; or the features
                were tables that came with the corpus, which no file has.
        """
        require_stages(corpus, [modality])
        made = []
        for stage in stages_of(corpus, modality):
            try:
                extractor = extractor_of(stage, corpus)
                found = extractor.fingerprint()
            except NotReadyError as error:
                raise RecogniserError(f"its features of {modality} cannot be made: {error}") from None
            if sentence := difference(found, expected.get(stage, {})):
                raise RecogniserError(
                    f"features would be made otherwise than those of training ({stage}: {sentence}); use the "
                    "version of EmoBed, and of the packages, that recogniser.json names"
                )
            made.append(extractor)
        return cls(modality_of(modality), tuple(made), device)

    def rows(self, path: Path) -> Rows:
        """Return the rows of a file; where words are wanted, of the transcript that it is or has beside it.

        Raises:
            MediaError: the file cannot be used.
        """
        own = words_of(path) if self.modality == "text" else path
        return self._made(Given(path.name, own, medium=Medium(own)))

    def signal_rows(self, signal: NDArray[Any], rate_hz: int, said: set[str] | None = None) -> Rows:
        """Return the rows of a signal; see `pipeline.features.audio.sound_at_hand`.

        said: what was said of other parts of one recording, which is not said again, whatever its figures;
        what is new is added.

        Raises:
            MediaError: the signal cannot be used, as that of a file.
            RecogniserError: it is none, or what is wanted is no sound.
        """
        from pipeline.features.audio.sound_at_hand import sound_of

        first = self.extractors[0]
        if first.reads.medium != "audio":
            raise RecogniserError(f"predicts from {self.modality}, and a signal is sound; give a file")
        try:
            sound = sound_of(signal, rate_hz, first.audio.sampling_rate_hz, SIGNAL)  # type: ignore[attr-defined]
        except ValueError as error:
            raise RecogniserError(str(error)) from None
        if said is not None:
            notes = {FIGURES.sub("", note): note for note in sound.notes}
            sound = replace(sound, notes=tuple(note for kind, note in notes.items() if kind not in said))
            said.update(notes)
        return self._made(Given(SIGNAL, Path(SIGNAL), sound=sound))

    def transcript_rows(self, words: str) -> Rows:
        """Return the row of what was said.

        Raises:
            RecogniserError: what is wanted are no words.
        """
        from pipeline.features.text.word_vectors import WordVectors

        (first, *_) = self.extractors
        if not isinstance(first, WordVectors):
            raise RecogniserError(f"predicts from {self.modality}, and not from what was said")
        with self._named_needs():
            return first.row(words)

    def _made(self, given: Given) -> Rows:
        from pipeline.features.media.opening import NoStreamError
        from pipeline.running.one_thread import one_thread

        rows: Rows | None = None
        try:
            with one_thread(), self._named_needs():  # as in the stages: more threads round differently
                left = list(self.extractors)
                while left:
                    own, first = given._replace(rows=rows), left.pop(0)
                    both = left[0].extract_both(first, own, self.device) if left else None
                    made = [first.extract(own, self.device)] if both is None else both
                    for extractor, rows in zip((first, *left), made, strict=False):
                        extractor.check(given.path, rows)
                    left = left[len(made) - 1 :]
        except NoStreamError as error:
            raise NoStreamError(f"{error}, and this recogniser predicts from {self.modality}") from None
        assert rows is not None
        return rows

    @contextmanager
    def _named_needs(self) -> Iterator[None]:
        try:
            yield
        except NotReadyError as error:
            raise RecogniserError(f"its features of {self.modality} cannot be made: {error}") from None


def difference(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Say what is otherwise than in training; empty if nothing is.

    found: the fingerprint of an extractor that is here. expected: that of training, as JSON has it.
    """
    found = json.loads(json.dumps(found))  # lists for tuples
    return "; ".join(
        f"{key} is {found.get(key)}, in training {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    )
