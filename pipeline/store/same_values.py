"""Dataclasses of arrays -> whether two hold the same, as `==` says it.

The comparison that `dataclass` makes by itself compares tuples of fields, and asks an array whether it is
true, which none is. So `@dataclass(eq=False)` and this class beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class SameValues:
    """Compared by its fields: arrays are the same with one shape, one type and one value at each place.

    NaN is the same as NaN. What compares by values that may be changed in place has no hash.
    """

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self: DataclassInstance, other: object) -> bool:
        """Return whether both are of one class and hold the same."""
        if type(other) is not type(self):
            return NotImplemented
        names = [own.name for own in fields(self) if own.compare]
        return all(_same(getattr(self, name), getattr(other, name)) for name in names)


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        if one.shape != two.shape or one.dtype != two.dtype:
            return False
        return bool(((one == two) | ((one != one) & (two != two))).all())
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)
    if isinstance(one, float) and isinstance(two, float):
        return one == two or (one != one and two != two)
    return bool(one == two)
