"""What turns a recording into rows: the interface of all extractors, and how one is chosen.

An extractor starts from a medium (a file of sound, pictures or text), from the rows of another table, or
from both. The engine (`extraction/`) does the rest: units, failures, tables. A new one is a file with a class
and a function `extractor`, and an entry in `pipeline.catalogue.extractors`; none is imported before it is
asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from pipeline.catalogue.extractors import EXTRACTORS, ExtractorEntry

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.corpora.recording import Medium
    from pipeline.features.audio.sound import Sound
    from pipeline.location import Location
    from pipeline.params import Corpus
    from pipeline.store.damage import Damage
    from pipeline.store.rows import Rows


class NotReadyError(ValueError):
    """Report what an extractor lacks whatever the recording, such as its weights; what to do."""


class Reads(NamedTuple):
    """What an extractor starts from.

    medium: the modality whose file it opens; None: none. table: the kind of table whose rows it takes; None:
    none.
    """

    medium: str | None = None
    table: str | None = None


class Given(NamedTuple):
    """What an extractor is given of a recording.

    path: of its medium; of what stands for it where no medium is read. rows: of the table that is read.
    medium: as the manifest has it, for whoever reads a part of a file, such as a cell of a table. sound: that
    is at hand already, so that no file is opened.
    """

    recording: str
    path: Location
    rows: Rows | None = None
    medium: Medium | None = None
    sound: Sound | None = None

    def required_rows(self) -> Rows:
        """Return the rows, which the engine gives to whoever reads a table."""
        assert self.rows is not None, f"{self.recording}: given no rows"
        return self.rows


class Finished(Protocol):
    """What of finished rows limits are about; it is read when it is asked for."""

    @property
    def damage(self) -> Damage:
        """Return the damage of the medium."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Return which rows describe the recording, (rows,)."""


class Looked(NamedTuple):
    """What a look at a medium found, without what costs hours.

    duration: seconds. notes: what extraction would mend or choose, in words. rate_hz: of the sound.
    """

    duration: float
    damage: Damage
    notes: list[str]
    rate_hz: int | None = None


class Extractor(ABC):
    """Turns one recording into rows, by parameters that it holds; it travels to processes and machines.

    reads: what it starts from. on_device: whether it computes on `runtime.device`; those here do not.
    in_stage: whether it is so quick, and so far from any decoder, that the stage's own process does all
    recordings.
    """

    reads: ClassVar[Reads]
    on_device: ClassVar[bool] = False
    in_stage: ClassVar[bool] = False

    @property
    def emotion_trained(self) -> bool:
        """Say whether labels of emotions took part in its making, which results have to say."""
        return False

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """Return everything but its input that the rows depend on: version, parameters, weights.

        Raises:
            NotReadyError: as `require`.
        """

    def names(self, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return what its features are called, None where only a recording or a user's network says so.

        before: the names of the rows that it reads, None if not known.
        """
        return None

    def prepared(self, given: Iterable[Given]) -> Extractor:
        """Return the extractor with what all of some recordings need, where that costs less at once.

        given: all that there is to compute, read as it is asked for.

        Raises:
            NotReadyError: as `require`.
        """
        return self

    @abstractmethod
    def extract(self, given: Given, device: str) -> Rows:
        """Compute the rows of a recording.

        device: `cpu` or `cuda`.

        Raises:
            MediaError: the medium cannot be used.
            NotReadyError: as `require`.
        """

    def extract_both(self, before: Extractor, given: Given, device: str) -> tuple[Rows, Rows] | None:
        """Compute the rows that this extractor reads, and its own of them, while the medium is read once.

        before: what makes the rows that it reads. given: to `before`. Returns the same as the two by
        themselves, None where they do not go together.

        Raises:
            MediaError, NotReadyError: as `extract` of both.
        """
        return None

    def check(self, path: Location, finished: Finished) -> None:  # noqa: B027  (most refuse nothing)
        """Refuse finished rows by limits that are no part of their key.

        Raises:
            MediaError: a limit is not kept.
        """

    def require(self, root: Path) -> None:  # noqa: B027  (most need nothing)
        """Refuse to start, before hours of work, where a file that it needs is missing or of another kind.

        root: folder of the checkout.

        Raises:
            NotReadyError: which file, what was found, what would be right.
        """


class MediumExtractor(Extractor):
    """An extractor that is the first to open a medium, and so knows what is wrong with it."""

    @abstractmethod
    def look(self, path: Location) -> Looked:
        """Look at a medium as extraction does, for `emobed check`: what remains undone are the networks.

        Raises:
            MediaError: the medium cannot be used.
        """

    @abstractmethod
    def check_damage(self, path: Location, damage: Damage) -> None:
        """Refuse a medium of which too much is missing.

        Raises:
            MediaError: more is missing than is allowed.
        """

    def check_length(self, path: Location, duration: float) -> None:
        """Refuse a medium that is too short for this extractor, whatever the windows.

        duration: seconds.

        Raises:
            MediaError: it is.
        """

    def check(self, path: Location, finished: Finished) -> None:
        """Refuse finished rows of a medium of which too much is missing."""
        self.check_damage(path, finished.damage)


def entry_of(stage: str, corpus: Corpus) -> ExtractorEntry:
    """Return which extractor a corpus chooses for a stage."""
    chosen = {"extract_audio": corpus.audio.network, "embed_faces": corpus.video.embedding.network}
    own = [entry for entry in EXTRACTORS if entry.stage == stage]
    (entry,) = own if stage not in chosen else [entry for entry in own if entry.name == chosen[stage]]
    return entry


def extractor_of(stage: str, corpus: Corpus) -> Extractor:
    """Return the extractor that a corpus chooses for a stage, with its parameters."""
    made = import_module(f".{entry_of(stage, corpus).module}", __package__).extractor(corpus)
    assert isinstance(made, Extractor)
    return made


def needing_files(corpus: Corpus) -> Iterator[tuple[ExtractorEntry, Extractor]]:
    """Give the extractors of what a corpus extracts that need files of the user's; no other is imported."""
    for stage in dict.fromkeys(entry.stage for entry in EXTRACTORS):
        entry = entry_of(stage, corpus)
        # the key of the file lies in the group of what is extracted: `text.file`, `video.embedding.weights`
        if entry.needs_file and entry.needs_file.split(".")[0] in corpus.extract:
            yield entry, extractor_of(stage, corpus)
