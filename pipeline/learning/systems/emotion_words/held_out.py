"""Classes of which nothing, or little, may be learned -> the recordings of train and dev that are left out.

Their features reach no scaling, their labels no loss, class weight, stopping or threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.systems.emotion_words.vectors import require_two
from pipeline.params.emotion_words import EmotionWords

Carried = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""Partition -> recording -> 1 for each class that it carries, (classes,)."""


def left_out(known: Carried, classes: tuple[str, ...], own: EmotionWords) -> frozenset[str]:
    """Return the recordings of train and dev that nothing may be learned from.

    Of `few_shot` the share of a class is drawn from its recordings of each partition that carry no class of
    `zero_shot`, at least one of train. A recording that carries several such classes counts for each of
    them; no class keeps more than its share, and fewer only where the others' shares leave none.
    """
    gone: set[str] = set()
    unseen = [classes.index(name) for name in own.zero_shot]
    for partition, recordings in known.items():
        seen = {name: row for name, row in recordings.items() if not row[unseen].any()}
        drawn = _few(
            seen, {classes.index(name): share for name, share in own.few_shot.items()}, partition, classes
        )
        rare = [classes.index(name) for name in own.few_shot]
        gone |= recordings.keys() - seen.keys()
        gone |= {name for name, row in seen.items() if row[rare].any()} - drawn
    return frozenset(gone)


def require_some(known: Carried, classes: Sequence[str], own: EmotionWords) -> None:
    """Refuse to learn fewer than two classes, or as few before those that are learned last.

    Raises:
        ValueError: what is left of the recordings of train.
    """
    require_two(own, classes)
    gone = left_out(known, tuple(classes), own)
    rows = {name: row for name, row in known["train"].items() if name not in gone}
    last = carrying(rows, classes, own.learned_last)
    for left, when in ((rows, ""), ({n: rows[n] for n in rows.keys() - last}, " to be learned first")):
        shown = np.sum(list(left.values()), axis=0) > 0 if left else np.zeros(len(classes), bool)
        if shown.sum() < 2:
            rest = [name for name, any_of in zip(classes, shown, strict=True) if any_of]
            raise ValueError(
                f"learning.emotion_words: zero_shot {list(own.zero_shot)} and few_shot {dict(own.few_shot)} "
                f"leave {len(left)} recordings of train{when}, which carry {rest} of the classes "
                f"{list(classes)}; expected two or more"
            )


def stopped_by(dev: Mapping[str, NDArray[np.float32]], classes: Sequence[str], own: EmotionWords) -> set[str]:
    """Return the recordings of dev by which every part of a training can be stopped.

    What is learned before the classes that come last is stopped without these.

    dev: classes that each labelled recording carries, (classes,).
    """
    left = dev.keys() - left_out({"dev": dev}, tuple(classes), own)
    return left - carrying(dev, classes, own.learned_last)


def carrying(
    recordings: Mapping[str, NDArray[np.float32]], classes: Sequence[str], some: Sequence[str]
) -> set[str]:
    """Return the recordings that carry one of some classes."""
    codes = [list(classes).index(name) for name in some]
    return {name for name, row in recordings.items() if row[codes].any()}


def _few(
    recordings: Mapping[str, NDArray[np.float32]],
    shares: Mapping[int, float],
    partition: str,
    classes: tuple[str, ...],
) -> set[str]:
    """Draw recordings of the classes that have a share, by code, so that each class has its number."""
    orders, numbers = {}, {}
    for code, share in shares.items():
        positives = sorted(name for name, row in recordings.items() if row[code])
        orders[code] = numpy_stream(0, "few shot", classes[code], partition).permutation(positives).tolist()
        numbers[code] = min(len(positives), max(partition == "train", round(share * len(positives))))
    kept: set[str] = set()
    counts = dict.fromkeys(shares, 0)

    def keep(code: int, enough: int) -> None:
        for name in orders[code]:
            if counts[code] >= enough:
                return
            carries = [other for other in shares if recordings[name][other]]
            if name not in kept and all(counts[other] < numbers[other] for other in carries):
                kept.add(name)
                for other in carries:
                    counts[other] += 1

    # each class has one before any has its share; those of few recordings choose first
    rarest_first = sorted(shares, key=lambda code: len(orders[code]))
    for code in rarest_first:
        keep(code, min(1, numbers[code]))
    for code in rarest_first:
        keep(code, numbers[code])
    return kept
