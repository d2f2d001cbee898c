"""HDF5 files from anywhere -> groups, names and arrays of plain numbers that lie in the file itself.

HDF5 can name data of other files (external and soft links, external storage, virtual datasets), ask for
plugins (filters), and state shapes that it holds no values of. A weight file saved by Keras does none of
these.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from pipeline.features.embeddings.vgg_architecture import WeightsError

MOST_NAMES = 1 << 20
"""Bytes of a list of names."""


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading.

    Raises:
        WeightsError: it breaks off, or something in it is damaged or not there; also within the context.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except WeightsError:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}); download it again") from None


def member(group: h5py.Group, name: str) -> h5py.Group:
    """Return a group below a group.

    Raises:
        WeightsError: it is not there, is reached by a link, or is no group.
    """
    found = _follow(group, name)
    if not isinstance(found, h5py.Group):
        raise WeightsError(f"{_place(group, name)} is no group, expected a layer as Keras saves it")
    return found


def dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """Return an array below a group, unread: its values are floats that lie in this file, uncompressed.

    Raises:
        WeightsError: it is not there, is reached by a link, or is something else.
    """
    found = _follow(group, name)
    if not isinstance(found, h5py.Dataset):
        raise WeightsError(f"{_place(group, name)} is no dataset, expected an array of weights")
    stated = math.prod(found.shape or ()) * found.dtype.itemsize
    if found.is_virtual or found.external:
        wrong = "takes its values from other files"
    elif found.id.get_create_plist().get_nfilters():
        wrong = "is compressed or filtered"
    elif found.dtype.kind != "f" or found.shape is None:
        wrong = f"holds {found.dtype}"
    elif not stated <= min(found.id.get_storage_size(), Path(found.file.filename).stat().st_size):
        wrong = f"states {stated:,} bytes of values and does not hold them"
    else:
        return found
    raise WeightsError(f"{_place(group, name)} {wrong}, expected plain floats as Keras saves them")


def names(group: h5py.Group, attribute: str) -> list[str] | None:
    """Return a list of names that Keras keeps as an attribute, empty if there is none.

    None for strings of variable length, as h5py 3 writes them: how long they are is known only when they
    are read, and a damaged one asks for gigabytes.

    Raises:
        WeightsError: it is no list of names.
    """
    if attribute not in group.attrs:
        return []
    stored = group.attrs.get_id(attribute)
    count = math.prod(stored.shape)
    if not count:
        return []
    text = h5py.check_string_dtype(stored.dtype)
    if text is None or len(stored.shape) != 1 or count * stored.dtype.itemsize > MOST_NAMES:
        raise WeightsError(f"{_place(group, attribute)} is no list of names, expected one as Keras saves it")
    if text.length is None:
        return None
    return [name.decode() for name in group.attrs[attribute]]


def members(group: h5py.Group) -> list[str]:
    """Return the names in a group in their natural order: conv2d_9 before conv2d_10."""

    def parts(name: str) -> list[str | int]:
        # text and digits in turn
        return [int(part) if place % 2 else part for place, part in enumerate(re.split("([0-9]+)", name))]

    return sorted(group, key=parts)


def arrays(group: h5py.Group) -> list[str]:
    """Return the names of all datasets below a group; links elsewhere are not followed."""
    found: list[str] = []
    group.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


def _follow(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """Go down to a member, step by step: each must be in the group itself, and not a link elsewhere."""
    found = group
    for step in filter(None, name.split("/")):
        link = found.get(step, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            raise WeightsError(f"{_place(group, name)} is listed and not there")
        if not isinstance(link, h5py.HardLink):
            raise WeightsError(f"{_place(group, name)} is a link, expected what it points to")
        found = found[step]
    return found


def _place(group: h5py.Group, name: str) -> str:
    return f"{group.file.filename}: {group.name.rstrip('/')}/{name}"
