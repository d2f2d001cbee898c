"""A source of a mixed corpus: its recordings under their names there, and the half of its speakers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pipeline.corpora.interface import CorpusLayout
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import PARTITIONS, Partition, Recording
from pipeline.location import Location, as_location

Half = Literal["first", "second"]


@dataclass(frozen=True)
class Part:
    """One source of a mixed corpus.

    corpus: its name under `corpora`. root: of that corpus, relative to the checkout. reader: of its layout.
    modalities: whose media are taken; none where no scenario names the source. media_folders: of that corpus.
    """

    name: str
    corpus: str
    root: Location
    reader: CorpusLayout
    half: Half | None
    modalities: tuple[str, ...]
    media_folders: tuple[Path, ...] = ()

    def found(self, checkout: Location) -> bool:
        """Say whether the source's corpus is on this machine."""
        return self.reader.found(checkout / self.root)

    def take(self, item: Recording) -> Recording | None:
        """Return a recording of the source under its name here; None if it has no medium that is wanted."""
        media = {
            modality: replace(medium, path=self.root / medium.path)
            for modality, medium in item.media.items()
            if modality in self.modalities
        }
        if not media:
            return None
        name, speaker = (f"{self.name}/{own}" for own in (item.recording, item.speaker))
        return Recording(name, item.partition, speaker, media)

    def rows(self, registered: Mapping[str, Recording]) -> dict[str, Recording]:
        """Return the rows of a mixed corpus' manifest that are of this source, by their names in the source.

        Rows of a corpus that had the source's name before are left out: their media lie elsewhere. A table
        may name media anywhere; its list decides.
        """
        return {
            name: registered[here]
            for name, here in self.own(registered).items()
            if self.reader.csv_is_the_list
            or all(
                isinstance(medium.path, Path)
                and isinstance(self.root, Path)
                and medium.path.is_relative_to(self.root)
                for medium in registered[here].media.values()
            )
        }

    def own(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of the names that are of this source: name in the source -> name here."""
        start = f"{self.name}/"
        return {name.removeprefix(start): name for name in names if name.startswith(start)}


def halves(speakers: Iterable[tuple[str, Partition]]) -> dict[Half, set[str]]:
    """Cut speakers into two halves: of each partition the 1st, 3rd, ... by name, and the others.

    speakers: with their partitions; who is in several counts where they come first (train, dev, test), so
    that nobody is in both halves.
    """
    found = set(speakers)
    cut: dict[Half, set[str]] = {"first": set(), "second": set()}
    for partition in PARTITIONS:
        own = {speaker for speaker, where in found if where == partition} - cut["first"] - cut["second"]
        ordered = sorted(own)
        cut["first"] |= set(ordered[::2])
        cut["second"] |= set(ordered[1::2])
    return cut


def kept_rows(
    part: Part,
    rows: Mapping[str, Recording],
    here: Mapping[str, Recording],
    speakers: set[str] | None,
) -> dict[str, Recording]:
    """Return the rows of a source's recordings, by their names here, that an older manifest may keep.

    rows: by the name in the source. here: what is listed now. speakers: of the half; None: all.
    """
    kept = {}
    for name, row in rows.items():
        wanted = part.modalities
        if part.reader.csv_is_the_list:
            if name not in here:
                continue
            wanted = tuple(m for m in wanted if here[name].medium(m) is not None)
        elif speakers is not None and row.speaker.removeprefix(f"{part.name}/") not in speakers:
            continue
        row = trimmed(row, wanted)
        if row.media:
            kept[row.recording] = row
    return kept


def trimmed(row: Recording, modalities: Collection[str]) -> Recording:
    """Return a row of the manifest with the media of some modalities only."""
    return replace(row, media={name: medium for name, medium in row.media.items() if name in modalities})


def renamed(part: Part, item: Problem) -> Problem:
    """Return a problem of a source with the names that recording and file have here."""
    name = f"{part.name}/{item.recording}" if item.recording else ""
    file = (part.root / as_location(item.file)).as_posix() if item.file else ""
    return item._replace(recording=name, file=file)


def unwanted(part: Part, item: Problem, here: Mapping[str, Recording]) -> bool:
    """Say whether a problem is only that a medium is absent which is not taken."""
    row = here.get(item.recording)
    return (
        isinstance(item, NotOnDisk)
        and row is not None
        and part.root / as_location(item.file) not in [medium.path for medium in row.media.values()]
    )
