"""How much intervals cover of recordings never seen, and how wide they are, by recordings of dev.

    python -m benchmarks.coverage [experiments, 500]

Prints, for kinds of errors (what recordings differ in) and 3 to 30 recordings of dev, the share of frames of
new recordings that a 90 % interval covers, and its width against the one that knows the distribution: `as
used` (`pipeline.scoring.conformal`), the conformal quantile of groups with its guarantee (infinite below 9),
and the quantile of all frames alone. A minute on a core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from pipeline.scoring.conformal import COVERAGE, quantile_of_units, reach

Errors = NDArray[np.float64]


class Kind(NamedTuple):
    """Errors of variance 1: a part of it is an offset of each recording, the rest a noise that is slow.

    scale: standard deviation of the logarithm of each recording's scale. tails: degrees of freedom of the
    offset.
    """

    offset: float
    slowness: float = 0.97
    scale: float = 0.0
    tails: float = np.inf


KINDS: Mapping[str, Kind] = {
    "white": Kind(0.0, 0.0),
    "within": Kind(0.0),
    "half": Kind(0.5),
    "offsets": Kind(0.9),
    "scales": Kind(0.3, scale=0.4),
    "tails": Kind(0.5, tails=3.0),
}
RECORDINGS = (3, 4, 6, 9, 12, 18, 30)
FRAMES = 250


def errors(rng: np.random.Generator, recordings: int, frames: int, kind: Kind) -> Errors:
    """Draw errors, (recordings, frames)."""
    start = 100  # until the noise has forgotten its first value
    noise = rng.standard_normal((recordings, frames + start))
    noise = lfilter([np.sqrt(1 - kind.slowness**2)], [1, -kind.slowness], noise, axis=1)[:, start:]
    if np.isinf(kind.tails):
        offset = rng.standard_normal((recordings, 1))
    else:
        offset = rng.standard_t(kind.tails, (recordings, 1)) * np.sqrt(1 - 2 / kind.tails)
    mixed = np.sqrt(kind.offset) * offset + np.sqrt(1 - kind.offset) * noise
    return np.asarray(mixed * np.exp(kind.scale * rng.standard_normal((recordings, 1))))


def covered_by(width: float, kind: Kind, rng: np.random.Generator, recordings: int = 200) -> float:
    """Return the share of frames of new recordings within +- width."""
    return float((np.abs(errors(rng, recordings, 20, kind)) <= width).mean())


def conformal(own: Errors) -> float:
    """Return the conformal quantile of groups, infinite where it is."""
    recordings = len(own)
    level = COVERAGE * (recordings + 1) / recordings
    return quantile_of_units(np.abs(own), level) if level <= 1 + 1e-9 else np.inf


WAYS: Mapping[str, Callable[[Errors], float]] = {
    "as used": lambda own: reach(list(own)).value,
    "conformal": conformal,
    "quantile alone": lambda own: quantile_of_units(np.abs(own), COVERAGE),
}


def main(experiments: int) -> None:
    """Print the table."""
    print(f"{'errors':8} {'recordings':>10}" + "".join(f"{way:>22}" for way in WAYS))
    for name, kind in KINDS.items():
        new = np.sort(np.abs(errors(np.random.default_rng(0), 4000, FRAMES, kind)).ravel())
        known = new[int(COVERAGE * len(new))]
        for recordings in RECORDINGS:
            rng = np.random.default_rng(recordings)
            drawn = [errors(rng, recordings, FRAMES, kind) for _ in range(experiments)]
            cells = []
            for way in WAYS.values():
                widths = np.array([way(own) for own in drawn])
                covered = np.searchsorted(new, widths, side="right").mean() / len(new)
                cells.append(f"{covered:.3f}, width {np.median(widths) / known:.2f}")
            print(f"{name:8} {recordings:10}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
