"""One thread for every library that has threads of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from pipeline.running.guarded import THREADS

SETTERS = (
    ("torch", "set_num_threads", "get_num_threads"),
    ("cv2", "setNumThreads", "getNumThreads"),
)
"""Modules with a number of threads of their own, and the functions that set and get it."""


@contextmanager
def one_thread(libraries: Any = None) -> Iterator[None]:
    """Compute in one thread, as the processes of `run_tasks` do: sums over more threads round differently.

    Libraries that are loaded inside read their number of threads from the environment. libraries: those that
    are loaded, `threadpoolctl.ThreadpoolController()`, for whoever comes here so often that looking for them
    each time (some 10 ms) would cost more than the work.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    counts = [
        (sys.modules[module], setter, getattr(sys.modules[module], getter)())
        for module, setter, getter in SETTERS
        if module in sys.modules
    ]
    try:
        os.environ |= dict.fromkeys(THREADS, "1")
        for module, setter, _ in counts:
            getattr(module, setter)(1)
        with _limited(libraries):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for module, setter, count in counts:
            getattr(module, setter)(count)


def _limited(libraries: Any) -> AbstractContextManager[Any]:
    if libraries is not None:
        return libraries.limit(limits=1)
    if "numpy" not in sys.modules:  # then none of them is loaded
        return nullcontext()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1)
