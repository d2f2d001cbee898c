"""Sets of labels <-> numbers: how tables say of an utterance that it is angry and afraid, or neither.

The code of a set is the sum of 2^k over the codes k of its classes: 0 is none of them, which is a label as
any other. An utterance of which nothing is known has no code (no row, or NaN). So a set is one number
wherever a class is one, and the matrix of labels, (utterances, classes), follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST = 52
"""Classes, at most: float64 counts sets of more no longer exactly."""
SEPARATOR = ";"
"""Between the names of a set where it is written."""
NONE = "none"
"""How a set without any class is written."""


def codes_of(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return the codes of sets, (...), for whether each class is among them, (..., classes).

    Raises:
        ValueError: there are more than `MOST` classes.
    """
    members = np.asarray(matrix, bool)
    require_few(members.shape[-1])
    return np.asarray(members @ 2.0 ** np.arange(members.shape[-1]))


def matrix_of(codes: ArrayLike, classes: int) -> NDArray[np.bool_]:
    """Return whether each class is in sets, (..., classes), for their codes, (...), none of them NaN."""
    whole = np.asarray(codes).astype(np.int64)
    return np.asarray((whole[..., None] >> np.arange(classes)) & 1, bool)


def joined(codes: ArrayLike, classes: Sequence[str]) -> list[str]:
    """Return sets as text, such as `anger;fear`, `NONE` for the empty one; codes: (rows,)."""
    names = np.array(classes, object)
    return [SEPARATOR.join(names[own]) or NONE for own in matrix_of(codes, len(classes))]


def recoded(codes: ArrayLike, classes: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Return codes over `others`, which has all that occur, for codes over `classes`; (rows,)."""
    members = matrix_of(codes, len(classes))
    found = np.zeros((len(members), len(others)), bool)
    for place, name in enumerate(classes):
        if name in others:
            found[:, others.index(name)] |= members[:, place]
    return codes_of(found)


def require_few(classes: int) -> None:
    """Refuse more classes than a set can be told of.

    Raises:
        ValueError: how many there are, and how many there may be.
    """
    if classes > MOST:
        raise ValueError(
            f"found {classes} classes, expected at most {MOST} where an utterance may have several"
        )
