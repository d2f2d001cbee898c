"""Detections of a recording -> which faces were taken, counted: what a report says of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.face_table import boxes_at, persons_at
from pipeline.store.rows import Rows


class Taken(NamedTuple):
    """Counts of one recording, or the sums of several.

    frames: ticks looked at. found: of them, those with a face that was taken. faces: taken at all ticks
    together. persons: to whom all faces seen belong, those not taken included; None: not known (largest).
    changes: how often another face was taken than before. With `keep: largest` that is one somewhere else, be
    it the same person's after a jump; with all, other persons than before.
    """

    frames: int
    found: int
    faces: int
    persons: int | None
    changes: int


def taken(detections: Rows, same_face_overlap: float) -> Taken:
    """Count the faces taken in a recording; detections: as `face_table` has them."""
    found = np.flatnonzero(detections.valid)
    boxes = [boxes_at(detections, int(tick)) for tick in found]
    persons = persons_at(detections)
    if persons is None:
        changes = sum(
            overlap_of_union(one, other)[0, 0] < same_face_overlap for one, other in pairwise(boxes)
        )
        known = None
    else:
        groups = [frozenset(own[~np.isnan(own)].tolist()) for own in persons[found]]
        changes = sum(one != other for one, other in pairwise(groups))
        known = int(detections.column("persons").max(initial=0))
    return Taken(len(detections), len(found), sum(map(len, boxes)), known, int(changes))


def together(counts: Sequence[Taken]) -> Taken:
    """Add up the counts of recordings; a person is counted in each."""
    known = [one.persons for one in counts if one.persons is not None]
    persons = sum(known) if known else None
    frames, found, faces, changes = (
        sum(getattr(one, name) for one in counts) for name in ("frames", "found", "faces", "changes")
    )
    return Taken(frames, found, faces, persons, changes)
