"""Recordings and the parameters of their partition -> the folds that are trained, one or several.

The manifest keeps the partitions that the corpus came with; every stage that needs to know who is in
train, dev and test asks here, so that all agree. No label is looked at, only whether there is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.corpora.recording import PARTITIONS, Partition, Recording
from pipeline.params import Partitions


@dataclass(frozen=True)
class Fold:
    """Recordings with the partition that they have in this fold; name: empty where there is one only."""

    name: str
    recordings: list[Recording]


@dataclass(frozen=True)
class Shared:
    """Speakers who are in more than one partition of the corpus as it came.

    speakers: all of the corpus. shared: those in several partitions, who have `recordings`. moved: of these
    recordings those that `speaker_disjoint` moves, by the partition that they leave and the one they go to.
    """

    speakers: int
    shared: int
    recordings: int
    moved: dict[tuple[Partition, Partition], int]

    def sentence(self) -> str:
        """Say how many there are, for people."""
        return (
            f"{self.shared} of {self.speakers} speakers, with {self.recordings} recordings, "
            f"{'is' if self.shared == 1 else 'are'} in more than one partition"
        )

    def moves(self) -> str:
        """Say how many recordings move, and where: `3 recordings (dev to train 2, test to train 1)`."""
        where = ", ".join(f"{old} to {new} {count}" for (old, new), count in sorted(self.moved.items()))
        total = sum(self.moved.values())
        return f"{total} recording{'' if total == 1 else 's'} ({where})" if total else "no recording"


def folds(
    recordings: Sequence[Recording], partitions: Partitions, labelled: Collection[str] | None = None
) -> list[Fold]:
    """Return the folds of a corpus; same recordings and parameters, same folds, on any machine.

    labelled: recordings with labels, which are dealt first; None: all alike.


    `given`: one fold, as the corpus came. `speaker_disjoint`: one fold; whoever is in several partitions
    is whole in the one with most of their recordings (among equals train before dev before test).
    `cross_validation`: every speaker is in one of k groups; fold i tests on group i, chooses on group i + 1
    (the first after the last), and trains on the others. So each speaker is in test once and in dev once.
    With `sessions` all of one session are in one group.

    Raises:
        ValueError: fewer speakers (or sessions) than folds, a speaker without a session, or
            `speaker_disjoint` would leave a partition empty.
    """
    if partitions.method == "given":
        return [Fold("", list(recordings))]
    if partitions.method == "speaker_disjoint":
        return [Fold("", _speaker_disjoint(recordings))]
    group = _groups(recordings, partitions, labelled)
    found = []
    for test, name in enumerate(partitions.names):
        part: dict[int, Partition] = {(test + 1) % len(partitions.names): "dev", test: "test"}
        of_fold = [replace(item, partition=part.get(group[item.speaker], "train")) for item in recordings]
        found.append(Fold(name, of_fold))
    return found


def shared_speakers(recordings: Sequence[Recording]) -> Shared:
    """Count the speakers who are in several partitions; recordings: as the corpus came."""
    counts = _counts(recordings)
    shared = {speaker for speaker, parts in counts.items() if len(parts) > 1}
    moved = Counter(
        (item.partition, home)
        for item in recordings
        if item.partition != (home := _home(counts[item.speaker]))
    )
    of_shared = sum(item.speaker in shared for item in recordings)
    return Shared(len(counts), len(shared), of_shared, dict(moved))


def _speaker_disjoint(recordings: Sequence[Recording]) -> list[Recording]:
    counts = _counts(recordings)
    moved = [replace(item, partition=_home(counts[item.speaker])) for item in recordings]
    emptied = [p for p in PARTITIONS if p in _parts(recordings) and p not in _parts(moved)]
    if emptied:
        raise ValueError(
            f"partitions.method: speaker_disjoint leaves no recording in {emptied[0]}, since all of its "
            "speakers have most of their recordings elsewhere; expected given or cross_validation"
        )
    return moved


def _counts(recordings: Sequence[Recording]) -> dict[str, Counter[Partition]]:
    counts: dict[str, Counter[Partition]] = {}
    for item in recordings:
        counts.setdefault(item.speaker, Counter())[item.partition] += 1
    return counts


def _home(parts: Counter[Partition]) -> Partition:
    """Return the partition with most recordings; of equal ones max gives the first: train, dev, test."""
    return max(PARTITIONS, key=lambda partition: parts[partition])


def _parts(recordings: Sequence[Recording]) -> set[Partition]:
    return {item.partition for item in recordings}


def _groups(
    recordings: Sequence[Recording], partitions: Partitions, labelled: Collection[str] | None
) -> dict[str, int]:
    """Return the group of each speaker, 0 to k - 1, groups about equally large in recordings.

    Where `sessions` is set, all of a session are dealt as one speaker.

    Speakers with labels are dealt first, by the recordings of theirs that have some, so that each group has
    its share; then the others, by all of theirs.

    The speaker with most recordings first, each to the group that has fewest so far; the seed draws the order
    of equals. That is scikit-learn's `GroupKFold`, whose own shuffling would balance speakers and not
    recordings, and whose order of equals is that of an unstable sort, so may differ between machines.
    """
    session = _sessions({item.speaker for item in recordings}, partitions.sessions)
    counts = Counter(session[item.speaker] for item in recordings)
    count = len(partitions.names)
    if len(counts) < count:
        what = "speakers, of whom" if partitions.sessions is None else "sessions, of which"
        raise ValueError(
            f"partitions.folds: found {count}, expected no more folds than {what} there are {len(counts)}"
        )
    drawn = np.random.default_rng(partitions.seed).permutation(sorted(counts)).tolist()
    known = set(labelled) if labelled is not None else {item.recording for item in recordings}
    of_known = Counter(session[item.speaker] for item in recordings if item.recording in known)
    group: dict[str, int] = {}
    _deal([name for name in drawn if of_known[name]], of_known, [0] * count, group)
    sizes = [0] * count
    for dealt, own in group.items():
        sizes[own] += counts[dealt]
    _deal([name for name in drawn if not of_known[name]], counts, sizes, group)
    return {speaker: group[name] for speaker, name in session.items()}


def _sessions(speakers: Collection[str], pattern: str | None) -> dict[str, str]:
    """Return the session of each speaker, by what the pattern matches in the name; without one their own.

    Raises:
        ValueError: there is no match in a name.
    """
    if pattern is None:
        return {speaker: speaker for speaker in speakers}
    found = {speaker: re.search(pattern, speaker) for speaker in speakers}
    without = sorted(speaker for speaker, match in found.items() if not match or not match[0])
    if without:
        raise ValueError(
            f"partitions.sessions: '{pattern}' matches nothing in '{without[0]}' and {len(without) - 1} "
            "other names of speakers, expected the session in each"
        )
    return {speaker: match[0] for speaker, match in found.items() if match}


def _deal(drawn: Sequence[str], counts: Counter[str], sizes: list[int], group: dict[str, int]) -> None:
    """Deal speakers to groups of the given sizes; `group` gets the group of each."""
    for speaker in sorted(drawn, key=lambda name: -counts[name]):  # a stable sort keeps the draw of equals
        group[speaker] = sizes.index(min(sizes))
        sizes[group[speaker]] += counts[speaker]
