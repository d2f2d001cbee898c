"""Faces of one picture after the other -> the numbers of the persons whose they are.

A face that overlaps one of the last second is of the same person. Any other is compared with all persons of
the recording by what O-Net makes of it and by its colours; if it is like none, it is a new person. O-Net was
not trained to tell people apart, and under one light faces are alike: who comes back is recognised in nine of
ten cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.crops import crop
from pipeline.features.faces.mtcnn import OnetEmbedder

Array = NDArray[np.float32]

ALIKE = 0.84
"""Cosine from which on two faces are one person's: as many of the same are missed as others are taken."""
COLOURS = (6, 8, 8)
"""Steps of lightness, and of both colours, of the histogram."""
REMEMBERED = 1.0
"""Seconds for which the place of a face says whose it is."""


@dataclass
class Person:
    """Somebody who was seen. like: the sum of what was seen of them, (values,). box: the last, (4,)."""

    like: Array
    box: Array
    tick: int


class Persons:
    """The persons of one recording."""

    def __init__(self, rate_hz: float, same_face_overlap: float) -> None:
        """Know nobody; rate_hz: of ticks. same_face_overlap: of a person's boxes, intersection over union."""
        self.rate_hz, self.overlap = rate_hz, same_face_overlap
        self.embedder = OnetEmbedder("post_relu")
        self.known: list[Person] = []

    def of(self, image: NDArray[np.uint8], boxes: Array, tick: int) -> NDArray[np.int64]:
        """Return the number of each face's person, (faces,), no two the same.

        image: (height, width, 3). boxes: (faces, 4). tick: of the picture, later than those before.
        """
        found = np.full(len(boxes), -1)
        if not len(boxes):
            return found
        like = self._described(image, boxes)
        recent = [number for number, person in enumerate(self.known) if self._recent(person, tick)]
        if recent:
            overlap = overlap_of_union(boxes, np.stack([self.known[number].box for number in recent]))
            for face, place in best_pairs(overlap, self.overlap):
                found[face] = recent[place]
        rest = np.flatnonzero(found < 0)
        others = [number for number in range(len(self.known)) if number not in set(found.tolist())]
        if len(rest) and others:
            sums = np.stack([self.known[number].like for number in others])
            cosine = like[rest] @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T
            for face, place in best_pairs(cosine, ALIKE):
                found[rest[face]] = others[place]
        for face, box in enumerate(boxes):
            if found[face] < 0:
                found[face] = len(self.known)
                self.known.append(Person(like[face].copy(), box, tick))
            else:
                person = self.known[found[face]]
                person.like, person.box, person.tick = person.like + like[face], box, tick
        return found

    def _recent(self, person: Person, tick: int) -> bool:
        return tick - person.tick <= REMEMBERED * self.rate_hz

    def _described(self, image: NDArray[np.uint8], boxes: Array) -> Array:
        """Return what faces are like, (faces, values), each of length 1."""
        crops = np.stack([crop(image, box, 0.0, self.embedder.size) for box in boxes])
        parts = (self.embedder.embed(crops), np.stack([_colours(face) for face in crops]))
        # half of the cosine is that of each part
        whole = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in parts]
        return np.asarray(np.concatenate(whole, axis=1) * np.sqrt(0.5), np.float32)


def best_pairs(alike: Array, least: float) -> Iterator[tuple[int, int]]:
    """Give pairs of rows and columns, the most alike first, each row and column at most once.

    alike: (rows, columns). least: how much they are at least.
    """
    rows, columns = set[int](), set[int]()
    for place in np.argsort(-alike, axis=None, kind="stable"):
        row, column = divmod(int(place), alike.shape[1])
        if alike[row, column] < least:
            return
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            yield row, column


def _colours(face: NDArray[np.uint8]) -> Array:
    """Return the square roots of a histogram of colours: their cosine is Bhattacharyya's coefficient."""
    lab = cv2.cvtColor(face, cv2.COLOR_RGB2LAB)
    counts = cv2.calcHist([lab], [0, 1, 2], None, list(COLOURS), [0, 256] * 3)
    return np.sqrt(np.asarray(counts, np.float32).ravel())
