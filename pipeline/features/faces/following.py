"""Pictures of a recording, one after the other -> the faces followed in each.

`mode: exact`: every picture goes through the whole detector, each by itself. `mode: track`: the first picture
of each second of the recording does, and every picture in which what was followed is lost; in the others R-
and O-Net look where faces were in the picture before, which costs a fifth. What is found hangs on nothing but
the pictures of the recording, in their order.

`keep: largest`: of several faces the one is followed whose box overlaps the last one's most; where none does,
the largest is taken. `followed`, `all`: all faces are followed, with their persons' numbers (`persons`).
While some are followed others may come, go and come back in any picture, and so `track` looks for them in
each as `exact` does, but not about the faces that it has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.mtcnn import Candidates, Picture
from pipeline.features.faces.persons import Persons, best_pairs
from pipeline.params import Faces

VERSIONS = {"track": 2, "keep": 2, "several": 1}
"""Raised whenever the same recording gives other numbers: of mode track; of another `keep` than largest,
its persons included; of mode track with another `keep` than largest."""
ACCEPTED = 0.8
"""Probability of a face that O-Net must see where the face was; `min_probability` is for new ones."""
MOST = 10
"""Faces of a picture that are followed, the largest."""


class Sighting(NamedTuple):
    """The faces followed in a picture.

    time: of the picture, seconds. ticks: at which it is shown. persons: the number of each face's person,
    (faces,); with `keep: largest` nobody is known and all are 0. known: how many persons there were so far.
    """

    time: float
    ticks: range
    found: Candidates
    persons: NDArray[np.int64]
    known: int


class Follower:
    """Follows faces from one picture of a recording to the next."""

    def __init__(self, faces: Faces) -> None:
        """Begin a recording."""
        self.faces = faces
        self._persons = (
            None if faces.keep == "largest" else Persons(faces.frame_rate_hz, faces.same_face_overlap)
        )
        self._last: NDArray[np.float32] | None = None
        self._boxes, self._second = np.empty((0, 4), np.float32), -1

    def see(self, picture: Picture, time: float, ticks: range) -> Sighting:
        """Return the faces followed in the next picture; with `keep: largest` none or one.

        time: of the picture, seconds. ticks: at which it is shown, since the beginning.
        """
        second = int(ticks.start / self.faces.frame_rate_hz)
        again, self._second = second == self._second, second
        found = self._followed(picture) if again and self.faces.mode == "track" else None
        if found is None:
            found = self._wanted(picture.faces)
        self._boxes = found.boxes
        if self._persons is None:
            self._last = found.boxes[0] if len(found.boxes) else self._last
            return Sighting(time, ticks, found, np.zeros(len(found.boxes), np.int64), 0)
        persons = self._persons.of(picture.image, found.boxes, ticks.start)
        return Sighting(time, ticks, found, persons, len(self._persons.known))

    def _wanted(self, found: Candidates) -> Candidates:
        if self._persons is not None:
            return found.only(np.arange(min(MOST, len(found.boxes))))
        chosen = choose(found, self._last, self.faces.same_face_overlap)
        return found.only(np.arange(0) if chosen is None else np.array([chosen]))

    def _followed(self, picture: Picture) -> Candidates | None:
        """Return the faces without a look at the whole picture; None: it takes one."""
        if not len(self._boxes):
            return None
        look = picture.look()
        near = look.near(self._boxes, ACCEPTED)
        pairs = best_pairs(overlap_of_union(near.boxes, self._boxes), self.faces.same_face_overlap)
        near = near.only(np.array(sorted(face for face, _ in pairs), np.int64))
        if not len(near.boxes) or self._persons is None:
            return near if len(near.boxes) else None
        return self._wanted(near.and_of(look.elsewhere(near.boxes)))


def choose(found: Candidates, last: NDArray[np.float32] | None, same_face_overlap: float) -> int | None:
    """Return which candidate is the face followed, None if there is none.

    last: the box followed so far, (4,), or None.
    """
    if not len(found.boxes):
        return None
    if last is not None:
        overlap = overlap_of_union(found.boxes, last[None])[:, 0]
        if overlap.max() >= same_face_overlap:
            return int(overlap.argmax())
    width, height = (found.boxes[:, 2:] - found.boxes[:, :2]).T
    return int((width * height).argmax())
