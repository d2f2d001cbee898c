"""Recordings that a corpus lists and that are not on disk -> how many, by partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.corpora.layouts import meld
from pipeline.corpora.layouts.omg_tables import OFFICIAL_NAMES
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import PARTITIONS, Recording


class Missing(NamedTuple):
    """Of the `listed` recordings of a partition so many are `missing`; partition: empty where unknown."""

    partition: str
    listed: int
    missing: int

    def __str__(self) -> str:
        """Say it for people: `train 12 of 40 (30.0 %)`."""
        share = f"{100 * self.missing / self.listed:.1f} %"
        return f"{self.partition or 'of unknown partition'} {self.missing} of {self.listed} ({share})"


def count_missing(problems: Iterable[Problem], recordings: Sequence[Recording]) -> list[Missing]:
    """Count the recordings of which a medium is listed and not on disk; empty where there is none.

    A partition is known from the manifest or, where the recording is not in it, from the folder in which
    OMG-Emotion or MELD keeps it, which in a mixed corpus lies deeper. problems: of the corpus as it lies on
    disk, others are passed over. recordings: of the manifest, with the partitions that the corpus came with.
    """
    known: dict[str, str] = {item.recording: item.partition for item in recordings}
    folders = {folder: partition for partition, folder in OFFICIAL_NAMES.items()} | {
        folder: partition for partition, names in meld.FOLDERS.items() for folder in names
    }
    missing = {
        item.recording: known.get(item.recording, _partition(item.file, folders))
        for item in problems
        if isinstance(item, NotOnDisk)
    }
    listed = list((known | missing).values())
    gone = list(missing.values())
    found = [Missing(part, listed.count(part), gone.count(part)) for part in (*PARTITIONS, "")]
    return [item for item in found if item.listed] if missing else []


def _partition(file: str, folders: Mapping[str, str]) -> str:
    return next((folders[part] for part in file.split("/") if part in folders), "")


def missing_sentence(missing: Sequence[Missing]) -> str:
    """Return `12 of 50 listed recordings (24.0 %) are not on disk: train 10 of 30 (33.3 %), ...`."""
    gone, listed = sum(item.missing for item in missing), sum(item.listed for item in missing)
    return (
        f"{gone} of {listed} listed recordings ({100 * gone / listed:.1f} %) {'is' if gone == 1 else 'are'} "
        f"not on disk: {', '.join(str(item) for item in missing)}"
    )
