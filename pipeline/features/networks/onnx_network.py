"""An ONNX file -> a network that turns one array into one array, the same on every call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import NotReadyError
from pipeline.features.networks.onnx_file import OnnxFile
from pipeline.features.networks.session import open_session
from pipeline.running.errors import in_words, one_line
from pipeline.running.guarded import Lost, run_here

TRIAL = 120.0
"""Seconds that the trial of a network on a made-up input may take."""


class NetworkError(ValueError):
    """Report a network that cannot be run on what it was given, in the words of the runtime."""


class OnnxNetwork:
    """A network, one input at a time and in one thread: what it gives hangs on nothing but its input.

    In a batch, or in several threads, sums would be added in another order.
    """

    def __init__(self, file: OnnxFile) -> None:
        """Load the network.

        Raises:
            NotReadyError: the runtime cannot load it.
        """
        self.file = file
        try:
            # lengths differ from one input to the next
            self._session = open_session(file.content, keep_memory=False)
        except Exception as error:  # noqa: BLE001  (onnxruntime's own exceptions have no common class)
            raise NotReadyError(f"{file.path}: onnxruntime cannot load it ({in_words(error)})") from None

    def run(self, given: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for one input.

        Raises:
            NetworkError: the network cannot be run on it, or the output is no array of floats.
        """
        try:
            (found,) = self._session.run([self.file.output], {self.file.input: given})
        except Exception as error:  # noqa: BLE001  (as above)
            raise NetworkError(one_line(str(error))) from None
        if not isinstance(found, np.ndarray) or found.dtype.kind != "f":
            kind = found.dtype if isinstance(found, np.ndarray) else type(found).__name__
            raise NetworkError(f"its output '{self.file.output}' is {kind}, expected floats")
        return np.asarray(found, np.float32)


def tried(check: Callable[[Any], None], subject: Any, path: Path) -> None:
    """Try a network out in a process of its own, which a hostile file may end, hang or fill with gigabytes.

    check: importable; raises NotReadyError. subject: is given to it.

    Raises:
        NotReadyError: of `check`, or the process did not come to an end.
    """
    (outcome,) = run_here(check, (), [subject], workers=1, time_limit=TRIAL)
    if isinstance(outcome, Lost):
        raise NotReadyError(
            f"{path}: tried on a made-up input, it ended its process or took longer than {TRIAL:g} s"
        )
