"""Recordings that are scored, and those that a recogniser learnt from -> what is in both, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.corpora.recording import Recording
from pipeline.store.digest import sha256_of

LEARNT = ("train", "dev")
"""Partitions that weights, settings and thresholds come from."""
TEXT = "text"
"""The modality of words."""


def overlap(
    scored: Sequence[Recording], manifest: Path, sha256: str, learnt: Sequence[Recording], same_corpus: bool
) -> list[str]:
    """Say what of the scored recordings took part in training, as far as that is known.

    manifest: the list of recordings that the recogniser learnt from; sha256: what it was then. learnt: the
    recordings of it that took part. same_corpus: partitions of one corpus, whose speakers are what they are.
    """
    if not manifest.is_file():
        return [f"whether recordings or speakers took part in training is not known: {manifest} is not here"]
    said = []
    if sha256_of(manifest) != sha256:
        said.append(
            f"{manifest} is not the one that the recogniser learnt from any more (its sha256 differs): what "
            "is said of recordings and speakers in training holds for the list of today"
        )
    media = set[str]().union(*map(_media, learnt))
    again = sum(not media.isdisjoint(_media(item)) for item in scored)
    if again:
        said.append(
            f"{again} of the {len(scored)} recordings took part in training (the sha256 of their media): "
            "their scores are too good"
        )
    names = {item.speaker for item in learnt if item.speaker}
    shared = sorted({item.speaker for item in scored} & names)
    if shared:
        few = ", ".join(shared[:5]) + (" and more" if len(shared) > 5 else "")
        perhaps = "" if same_corpus else "; if they are the same people, scores are too good"
        one = len(shared) == 1
        said.append(
            f"{len(shared)} speaker{'' if one else 's'} of training {'has' if one else 'have'} the name of "
            f"one that is scored ({few}){perhaps}"
        )
    return said


def _media(item: Recording) -> set[str]:
    """Return the sha256 of what tells a recording from others: sound and pictures.

    Words are not that where there is more: in acted corpora everybody says the same sentences.
    """
    known = {name: own.sha256 for name, own in item.media.items() if own.sha256}
    return {own for name, own in known.items() if name != TEXT} or set(known.values())
