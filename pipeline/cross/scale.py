"""Traces on the scale of one corpus -> on that of the labels that a recogniser learnt from.

Neither corpora nor recognisers say what their scale is: raters seldom use all of it, so the lowest and the
highest label do not tell. Whoever asks for a score knows, and CCC is of use only where both are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-6
"""Of a scale's width: how far beyond its ends a label may be written."""
APART = 0.4
"""Of the wider range of labels: where an end is as far from the other's, scales are perhaps not the same.

Labels that use a third of a scale's width more or less on one side are no rarity; those of 0 to 1 beside
those of -1 to 1 are half the width apart.
"""


class Scale(NamedTuple):
    """The ends of a scale that people rate on."""

    low: float
    high: float

    def __str__(self) -> str:
        """Write it as on the command line."""
        return f"{self.low:g} {self.high:g}"


class Scales(NamedTuple):
    """On which scale a corpus is rated, and on which the labels are that a recogniser learnt from."""

    corpus: Scale
    recogniser: Scale = Scale(-1.0, 1.0)

    def require(self, label_range: tuple[float, float] | None, recogniser: str) -> None:
        """Refuse scales that cannot be: without width, or narrower than the recogniser's labels.

        label_range: lowest and highest label that it learnt from, if that is known.

        Raises:
            ValueError: which, and what would be right.
        """
        for name, scale in (("--scale", self.corpus), ("--trained-scale", self.recogniser)):
            if not (np.isfinite(scale).all() and scale.low < scale.high):
                raise ValueError(f"{name} {scale}: expected the lower end first, then a higher one")
        if label_range is not None and _beyond(label_range, self.recogniser):
            raise ValueError(
                f"{recogniser} learnt from labels between {in_words(label_range)}, beyond "
                f"--trained-scale {self.recogniser}: name the scale on which they were rated"
            )

    def mapped(
        self, values: Mapping[str, NDArray[np.float64]], corpus: str
    ) -> dict[str, NDArray[np.float64]]:
        """Return traces by recording, (frames,) each, on the scale of the recogniser.

        Raises:
            ValueError: a label of the corpus is beyond its scale.
        """
        found = label_range_of(values)
        if found is not None and _beyond(found, self.corpus):
            raise ValueError(f"{corpus}: labels lie between {in_words(found)}, beyond --scale {self.corpus}")
        (low, high), (own_low, own_high) = self
        stretch = (own_high - own_low) / (high - low)
        return {name: own_low + (own - low) * stretch for name, own in values.items()}


def label_range_of(values: Mapping[str, NDArray[np.float64]]) -> tuple[float, float] | None:
    """Return the lowest and the highest label of all recordings; None where there is none."""
    finite = [own[np.isfinite(own)] for own in values.values()]
    every = np.concatenate(finite) if finite else np.zeros(0)
    return (float(every.min()), float(every.max())) if len(every) else None


def far_apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Say whether labels within these ranges are perhaps of different scales."""
    width = max(one[1] - one[0], other[1] - other[0])
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) > APART * width


def in_words(ends: tuple[float, float]) -> str:
    """Write a range of labels: `-0.62 and 0.763`."""
    return f"{ends[0]:.3g} and {ends[1]:.3g}"


def _beyond(found: tuple[float, float], scale: Scale) -> bool:
    room = ROUNDING * (scale.high - scale.low)
    return found[0] < scale.low - room or found[1] > scale.high + room
