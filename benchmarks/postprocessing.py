"""Time the post-processing search on a corpus of RECOLA's size against a loop over the grid.

27 recordings of 7,501 frames, 5 median windows x 15 shifts, each also without a window, without a shift, with
and without centring and scaling (384 candidates). Run: `python -m benchmarks.postprocessing`.
"""

from __future__ import annotations

import time
from itertools import product

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from pipeline.params import Postprocessing
from pipeline.scoring.chain import ChainGrid
from pipeline.scoring.metrics import ccc
from pipeline.scoring.postprocessing import fit_chain

RECORDINGS, FRAMES, HOP = 27, 7501, 0.04


def naive_search(
    traces: list[np.ndarray], gold: list[np.ndarray], grid: ChainGrid
) -> tuple[float, int, int, bool, bool]:
    """Build and score every candidate, as one would write it down."""
    truth = np.concatenate(gold)
    found = []
    for window, frames in product((1, *grid.medians), (0, *grid.shifts)):
        filtered = [median_filter(p, size=window, mode="nearest") for p in traces]
        values = np.concatenate(filtered)
        for centring, scaling in product((False, True), (False, True)):
            ratio = truth.std() / values.std() if scaling else 1.0
            mean = truth.mean() if centring else values.mean()
            lines = [(p - values.mean()) * ratio + mean for p in filtered]
            moved = [np.concatenate([np.full(frames, p[0]), p])[: len(p)] for p in lines]
            found.append((ccc(np.concatenate(moved), truth), window, frames, centring, scaling))
    return max(found)


def main() -> None:
    """Print both times, their ratio and that both find the same."""
    rng = np.random.default_rng(0)
    gold = [0.2 * gaussian_filter1d(rng.normal(size=FRAMES), 25.0) * 9 for _ in range(RECORDINGS)]
    traces = [0.4 * np.roll(g, -6) + 0.1 + 0.05 * rng.normal(size=FRAMES) for g in gold]
    params = Postprocessing(
        median_windows=(0.12, 0.20, 0.28, 0.36, 0.44),
        centring=True,
        scaling=True,
        shifts=tuple(round(0.04 * k, 2) for k in range(1, 16)),
    )
    grid = ChainGrid.from_params(params, HOP)
    fast = []
    for _ in range(3):
        start = time.perf_counter()
        chain = fit_chain(traces, gold, grid)
        fast.append(time.perf_counter() - start)
    start = time.perf_counter()
    score, *steps = naive_search(traces, gold, grid)
    naive = time.perf_counter() - start
    same = [chain.median, chain.shift, chain.centring, chain.scaling] == steps
    print(f"fast: {min(fast):.2f} s (of {[round(t, 2) for t in fast]}), naive loop: {naive:.2f} s")
    difference = abs(score - chain.dev_after)
    print(f"ratio: {naive / min(fast):.1f}; same steps: {same}; dev CCC differs by {difference:.1e}")


if __name__ == "__main__":
    main()
