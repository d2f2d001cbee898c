"""Pictures of a video, one after the other -> the face followed in each.

`exact`: every picture goes through the whole detector, each by itself. `track`: the first picture of each
second of the recording does, and every picture in which what was followed is lost; in the others R- and O-Net
look where the face was in the picture before, which costs a tenth. What is found hangs on the pictures of the
recording alone, in their order.

Of several faces the one is followed whose box overlaps the last one's most; where none does, the largest face
is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.mtcnn import Candidates, Picture
from pipeline.params import Faces

TRACK_VERSION = 1
"""Raised whenever mode track gives other numbers for the same recording."""
ACCEPTED = 0.8
"""Probability of a face that O-Net must see where the face was; `min_probability` is for new ones."""


class Follower:
    """Follows a face from one picture of a recording to the next."""

    def __init__(self, faces: Faces) -> None:
        """Begin a recording."""
        self.faces = faces
        self._last: NDArray[np.float32] | None = None
        self._seen, self._second = False, -1

    def see(self, picture: Picture, tick: int) -> Candidates:
        """Return the face followed in the next picture, none or one.

        tick: the first of those at which it is shown, since the beginning.
        """
        second = int(tick / self.faces.frame_rate_hz)
        again, self._second = second == self._second, second
        found = self._near(picture) if again and self._seen and self.faces.mode == "track" else None
        if found is None:
            everywhere = picture.faces
            found = everywhere.only(choose(everywhere, self._last, self.faces.same_face_overlap))
        self._seen = len(found.boxes) > 0
        if self._seen:
            self._last = found.boxes[0]
        return found

    def _near(self, picture: Picture) -> Candidates | None:
        """Return the face where it was in the picture before, None where it is lost."""
        assert self._last is not None, "a face was seen"
        found = picture.near(self._last[None], ACCEPTED)
        if not len(found.boxes):
            return None
        overlap = overlap_of_union(found.boxes, self._last[None])[:, 0]
        best = int(overlap.argmax())
        return found.only(best) if overlap[best] >= self.faces.same_face_overlap else None


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
