"""Large arrays of a training step in the memory that those of the step before had.

The C library gives large blocks back to the system when they are freed. The pages of a new one are cleared
one by one when they are touched first, which takes longer than to fill them.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from numpy.typing import NDArray

SMALLEST = 1 << 20
"""Bytes from which on memory is used again."""

ALIGNMENT = 64
"""Bytes at whose multiples arrays begin."""

_blocks: ContextVar[list[NDArray[np.uint8]] | None] = ContextVar("blocks", default=None)


@contextmanager
def reused_memory() -> Iterator[None]:
    """Use memory again within; all that is free afterwards goes back to the system."""
    token = _blocks.set([])
    try:
        yield
    finally:
        _blocks.reset(token)


def empty(*shape: int) -> torch.Tensor:
    """Return a tensor of single precision on the CPU that holds anything, as `torch.empty`."""
    free, size = _blocks.get(), 4 * math.prod(shape)
    if free is None or size < SMALLEST:
        return torch.empty(shape)
    block = _take(free, size)
    start = -block.ctypes.data % ALIGNMENT
    array = block[start : start + size].view(np.float32)
    # the tensor holds this view, and nothing else does
    weakref.finalize(array, free.append, block)
    return torch.from_numpy(array).view(shape)


def _take(free: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Take the smallest block that is large enough, or a new one: one twice as large is kept for others."""
    fitting = [i for i, block in enumerate(free) if size <= len(block) - ALIGNMENT <= 2 * size]
    if not fitting:  # by PyTorch: NumPy asks for pages of 2 MB, which took four times as long to clear
        return torch.empty(size + ALIGNMENT, dtype=torch.uint8).numpy()
    return free.pop(min(fitting, key=lambda i: len(free[i])))
