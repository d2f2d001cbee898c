"""A draw of labelled speakers and the recordings of a fold -> the recordings whose labels nobody may see.

A hidden recording is one of train without labels: its features may be learned from, nothing else. Dev and
test keep their labels, which choose and score.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from math import comb

import numpy as np

from pipeline.corpora.recording import Recording
from pipeline.params.label_draws import LabelDraw

TRIES = 2000
"""Orders that are drawn for one draw before all draws are drawn anew."""


def hidden_recordings(
    recordings: Sequence[Recording],
    draw: LabelDraw,
    draws: Sequence[LabelDraw],
    seed: int,
    labelled: Collection[str],
) -> frozenset[str]:
    """Return the recordings of train whose labels are hidden.

    Which speakers keep theirs depends on the seed, the number of the draw and who has labels, not on what
    they say. Draws of one number are nested: who is labelled at a small share is so at every larger one. No
    two draws of one share keep the same speakers. A recording without a speaker counts as a speaker of its
    own.

    recordings: of one fold. draws: all that are made of them, `draw` among them. labelled: recordings with
    labels.

    Raises:
        ValueError: there are fewer labelled training speakers than are to keep their labels, or fewer
            choices of them than draws.
    """
    train = {
        item.recording: item.speaker or item.recording for item in recordings if item.partition == "train"
    }
    known = {name: speaker for name, speaker in train.items() if name in labelled}
    speakers = sorted(set(known.values()))
    if not draw.hides or not speakers:
        return frozenset()
    hiding = [own for own in draws if own.hides]
    counts = sorted({_kept(own, len(speakers)) for own in hiding})
    last = max(own.draw for own in hiding)
    for own in hiding:
        _require_different(own, last, len(speakers))
    seen = set(_orders(speakers, counts, last, seed)[draw.draw - 1][: _kept(draw, len(speakers))])
    return frozenset(name for name, speaker in known.items() if speaker not in seen)


def _kept(draw: LabelDraw, speakers: int) -> int:
    """Return how many of the labelled speakers keep their labels.

    Raises:
        ValueError: there are fewer.
    """
    if draw.speakers is None:
        return max(1, round((draw.share or 0.0) * speakers))
    if draw.speakers > speakers:
        raise ValueError(
            f"partitions.labelled_speakers: found {draw.speakers}, expected at most the {speakers} speakers "
            "of train who have labels"
        )
    return draw.speakers


def _require_different(draw: LabelDraw, draws: int, speakers: int) -> None:
    """Refuse more draws than there are choices of speakers: a draw that comes twice shows no spread.

    Raises:
        ValueError: how many there are.
    """
    kept = _kept(draw, speakers)
    if draws <= (most := comb(speakers, kept)):
        return
    asked = f"labelled_speakers {draw.speakers}" if draw.share is None else f"label_shares {draw.share:g}"
    raise ValueError(
        f"partitions.label_draws: found {draws}, expected at most {most}: partitions.{asked} keeps {kept} of "
        f"the {speakers} speakers of train who have labels, and there are no more ways to choose them"
    )


def _orders(speakers: Sequence[str], counts: Sequence[int], draws: int, seed: int) -> list[list[str]]:
    """Return an order of the speakers for each draw; no two begin with the same ones, as many as any count.

    counts: how many of them keep their labels; of each there are as many choices as draws, or more.
    """
    for again in itertools.count():
        if found := _drawn(speakers, counts, draws, seed, again):
            return found
    raise AssertionError("drawn until found")


def _drawn(
    speakers: Sequence[str], counts: Sequence[int], draws: int, seed: int, again: int
) -> list[list[str]]:
    """Draw the orders one after the other; none if one was not found, since those before may leave none."""
    found: list[list[str]] = []
    taken: set[frozenset[str]] = set()
    for draw in range(1, draws + 1):
        for attempt in range(TRIES):
            # the first that is drawn has the bare key: draws that do not repeat stay what they were
            key = [seed, draw, attempt, again] if attempt or again else [seed, draw]
            order = np.random.default_rng(key).permutation(speakers).tolist()
            first = {frozenset(order[:count]) for count in counts}
            if not first & taken:
                break
        else:
            return []
        found.append(order)
        taken |= first
    return found
