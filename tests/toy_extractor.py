"""An extractor made of a function, for tests of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import Extractor, Finished, Given, Reads
from pipeline.store.rows import Rows

AUDIO = Reads(medium="audio")


@dataclass(frozen=True)
class Toy(Extractor):
    """compute: what is given -> rows. refuse: a limit on path and `valid` of finished rows."""

    compute: Callable[[Given], Rows]
    refuse: Callable[[Path, np.ndarray], None] | None = None
    reads: Reads = AUDIO
    version: int = 1

    def fingerprint(self):
        return {"version": self.version}

    def extract(self, given: Given, device: str) -> Rows:
        return self.compute(given)

    def check(self, path: Path, finished: Finished) -> None:
        if self.refuse is not None:
            self.refuse(path, finished.valid)


def toy_stage(compute, refuse=None, reads=AUDIO, name="extract_test", kind="test") -> Stage:
    return Stage(name, kind, Toy(compute, refuse, reads))
