"""Computational sequences of the CMU multimodal SDK (`.csd`, HDF5) -> their entries as arrays.

    /<root name>/data/<video>/features     (rows, values), or (rows, ..., values)
    /<root name>/data/<video>/intervals    (rows, 2): begin and end of each row, seconds
    /<root name>/metadata/...

An entry is a video, or after the SDK aligned it to sentences one of these, `<video>[<index>]`. Files come
from anywhere: what is reached by a link, or lies in another file, is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import h5py

SUFFIX = ".csd"


class CsdError(ValueError):
    """Report a file or an entry that is no computational sequence: what was found, what was expected."""


@dataclass(frozen=True)
class Sequence:
    """The rows of one entry. features: (rows, values), numbers or text. intervals: (rows, 2), seconds."""

    features: NDArray[Any]
    intervals: NDArray[np.float64]


class Csd:
    """An opened file."""

    def __init__(self, path: Path, data: h5py.Group) -> None:
        self.path, self._data = path, data
        self._last: tuple[str, Sequence] | None = None

    def entries(self) -> list[str]:
        """Return the names of all entries, sorted."""
        return sorted(self._data)

    def __contains__(self, entry: str) -> bool:
        """Say whether there is an entry of this name."""
        return entry in self._data

    def read(self, entry: str) -> Sequence:
        """Return the rows of an entry, in their order.

        The entry that was read last is kept: the segments of a video are asked for one after the other.

        Raises:
            CsdError: features or intervals are missing, are no numbers, or do not fit together.
        """
        if self._last is not None and self._last[0] == entry:
            return self._last[1]
        self._last = None
        group = _member(self._data, entry, self.path)
        features, intervals = (
            np.asarray(_member(group, name, self.path, array=True)) for name in ("features", "intervals")
        )
        where = f"{self.path}: {entry}"
        if features.ndim < 2 or intervals.ndim != 2 or intervals.shape[1:] != (2,):
            raise CsdError(
                f"{where}: features of the shape {features.shape} and intervals of {intervals.shape}, "
                "expected (rows, values) and (rows, 2)"
            )
        if len(features) != len(intervals):
            raise CsdError(f"{where}: {len(features)} rows of features and {len(intervals)} of intervals")
        if features.dtype.kind not in "fiu" or intervals.dtype.kind not in "fiu":
            raise CsdError(f"{where}: features of the type {features.dtype}, expected numbers")
        found = Sequence(features.reshape(len(features), -1), intervals.astype(np.float64))
        self._last = entry, found
        return found


@contextmanager
def opened(path: Path) -> Iterator[Csd]:
    """Open a file for reading.

    Raises:
        CsdError: it is not HDF5, breaks off, or is no computational sequence; also within the context.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            roots = list(file)
            if len(roots) != 1:
                raise CsdError(
                    f"{path}: found the groups {roots[:5]}, expected one, as the CMU SDK writes it"
                )
            yield Csd(path, _member(_member(file, roots[0], path), "data", path))
    except CsdError:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        raise CsdError(f"{path}: cannot be read as HDF5 ({error}); download it again") from None


def _member(group: h5py.Group, name: str, path: Path, array: bool = False) -> Any:
    """Return a group or array below a group that lies in this file.

    Raises:
        CsdError: it is not there, is reached by a link, or is something else.
    """
    import h5py

    wanted = h5py.Dataset if array else h5py.Group
    link = group.get(name, getlink=True)
    found = group.get(name) if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, wanted) or (array and (found.external or found.is_virtual)):
        place = f"{group.name.rstrip('/')}/{name}"
        kind = "array" if array else "group"
        raise CsdError(f"{path}: {place} is no {kind} of this file, expected one as the CMU SDK writes it")
    return found
