"""Faces followed in the pictures of a recording -> one row per tick, and from there the boxes to be embedded.

largest: the face followed. followed: the face of the one person who is seen at most ticks (of several the
first), with the person's number. all: the faces of the picture side by side, each with its person's number.
Numbers count the persons of a recording from 0 in the order in which they are seen; `persons` is how many are
known by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.following import MOST, Sighting
from pipeline.features.faces.mtcnn import Candidates
from pipeline.store.rows import Rows

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
BOX = ("left", "top", "right", "bottom")
FACE = (*BOX, *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"), "probability")
NAMES = ("frame_time", *FACE)
"""Features of `keep: largest`."""
FOLLOWED = (*NAMES, "person", "persons")
"""Features of `keep: followed`."""
SLOTS = tuple((*(f"face_{k}_{name}" for name in FACE), f"face_{k}_person") for k in range(MOST))
ALL = ("frame_time", *(name for slot in SLOTS for name in slot), "persons")
"""Features of `keep: all`; a face that is not there has probability 0."""
OF_KEEP = {"largest": NAMES, "followed": FOLLOWED, "all": ALL}


def tabulated(
    keep: str, seen: Sequence[Sighting], ticks: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the features of each tick, (ticks, features), and whether a face was taken at it, (ticks,).

    keep: of `OF_KEEP`, which has their names. seen: in order. ticks: how many there are.
    """
    values, valid = np.zeros((ticks, len(OF_KEEP[keep])), np.float32), np.zeros(ticks, np.bool_)
    person = _most_seen(seen) if keep == "followed" else None
    for one in seen:
        own = slice(one.ticks.start, one.ticks.stop)
        values[own, 0] = one.time
        if keep != "largest":
            values[own, -1] = one.known
        numbers = [n for n, other in enumerate(one.persons.tolist()) if keep != "followed" or other == person]
        for place, number in enumerate(numbers):
            first = 1 + place * (len(FACE) + 1)
            values[own, first : first + len(FACE)] = _face_values(one.found, number)
            if keep != "largest":
                values[own, first + len(FACE)] = one.persons[number]
            valid[own] = True
    return values, valid


def boxes_at(detections: Rows, tick: int) -> NDArray[np.float32]:
    """Return the boxes of the faces taken at a tick, (faces, 4); detections: as `tabulated` makes them."""
    row = detections.values[tick]
    if not detections.valid[tick]:
        return np.empty((0, len(BOX)), np.float32)
    if detections.names != ALL:
        first = detections.names.index(BOX[0])
        return row[None, first : first + len(BOX)]
    slots = row[1:-1].reshape(MOST, len(FACE) + 1)
    return slots[slots[:, len(FACE) - 1] > 0, : len(BOX)]


def persons_at(detections: Rows) -> NDArray[np.float32] | None:
    """Return the person of each face, (ticks, faces), NaN where there is none; None: not known (largest)."""
    if detections.names == FOLLOWED:
        return np.where(detections.valid, detections.column("person"), np.float32(np.nan))[:, None]
    if detections.names != ALL:
        return None
    slots = detections.values[:, 1:-1].reshape(len(detections), MOST, len(FACE) + 1)
    return np.where(slots[:, :, len(FACE) - 1] > 0, slots[:, :, -1], np.float32(np.nan))


def _face_values(found: Candidates, number: int) -> NDArray[np.float32]:
    """Return the features `FACE` of one face."""
    return np.concatenate(
        [found.boxes[number], found.landmarks[number].ravel(), found.probability[number : number + 1]]
    )


def _most_seen(seen: Sequence[Sighting]) -> int | None:
    """Return who is seen at most ticks, of several the first; None: nobody is seen."""
    ticks = Counter[int]()
    for one in seen:
        for person in one.persons.tolist():
            ticks[person] += len(one.ticks)
    return min(ticks, key=lambda person: (-ticks[person], person)) if ticks else None
