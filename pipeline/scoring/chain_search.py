"""Traces of dev -> the chain that is best on all recordings, or on any some of them.

CCC follows from six sums, those of several recordings are the sums of each, and centring and scaling move
them in closed form. So each recording is filtered once for each window and summed once for each shift;
whatever recordings are left out, a chain that is fitted on the others costs additions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.chain import Chain, ChainGrid, Trace, median
from pipeline.scoring.moments import ccc_of_moments, moved

RISE = 1e-9
"""Smallest difference in CCC that counts: below it is rounding."""
CONSTANT = 1e-12
"""Variance below this share of the mean square is rounding."""
Keep = Literal["leave_one_out", "dev"]
Values = NDArray[np.float64]


class Chosen(NamedTuple):
    """The chains that were chosen on K sets of recordings, (K,) each.

    window, frames: places in those that were tried. gain, offset: of the absolute prediction. before, after:
    CCC of these recordings without and with the chain.
    """

    window: NDArray[np.int_]
    frames: NDArray[np.int_]
    centring: NDArray[np.bool_]
    scaling: NDArray[np.bool_]
    gain: Values
    offset: Values
    before: Values
    after: Values


@dataclass(frozen=True)
class ChainSearch:
    """What every window and shift makes of a model's recordings.

    sums: (windows, shifts, recordings, 6), of predictions less `mean_p` and gold standard less `mean_g`: near
    0, which keeps the sums of squares accurate. mean_p: (windows,). medians, shifts: frames, the first 1 and
    0 for none.
    """

    grid: ChainGrid
    sums: Values
    mean_p: Values
    mean_g: float

    @classmethod
    def of(cls, traces: Sequence[Trace], gold: Sequence[Trace], grid: ChainGrid) -> ChainSearch:
        """Filter and sum; traces, gold: one array per recording, (frames,), in time; gold may be NaN."""
        known = _padded([(~np.isnan(g)).astype(float) for g in gold])  # (recordings, longest), 0: unknown
        truth = _padded([np.nan_to_num(g) for g in gold])
        n = max(known.sum(), 1.0)
        mean_g = float((truth * known).sum() / n)
        truth = (truth - mean_g) * known
        of_gold = known.sum(1), truth.sum(1), np.einsum("rt,rt->r", truth, truth)
        later = np.arange(truth.shape[1])
        means, tables = [], []
        for window in (1, *grid.medians):
            filtered = _padded([median(trace, window) for trace in traces])
            means.append(float((filtered * known).sum() / n))
            filtered -= means[-1]
            rows = []
            for frames in (0, *grid.shifts):
                moved_later = filtered[:, np.maximum(later - frames, 0)]
                weighted = moved_later * known
                count, sum_g, sum_gg = of_gold
                square = np.einsum("rt,rt->r", weighted, moved_later)
                both = np.einsum("rt,rt->r", moved_later, truth)
                rows.append(np.stack([count, weighted.sum(1), sum_g, square, sum_gg, both], axis=-1))
            tables.append(np.stack(rows))
        return cls(grid, np.stack(tables), np.array(means), mean_g)

    @property
    def recordings(self) -> int:
        """Return how many there are."""
        return int(self.sums.shape[2])

    def choose(self, kept: NDArray[np.bool_]) -> Chosen:
        """Return the chains with the highest CCC on each set of recordings, of equals those of fewest steps.

        kept: (K, recordings). Where the CCC is undefined: the identity.
        """
        sums = np.tensordot(kept.astype(float), self.sums, (1, 2))  # (K, windows, shifts, 6)
        n, p, g, pp, gg, _ = np.moveaxis(sums[:, :, :1], -1, 0)  # before the shift, (K, windows, 1)
        n = np.maximum(n, 1.0)
        variance = pp / n - (p / n) ** 2
        varies = variance > CONSTANT * pp / n
        ratio = np.sqrt(np.where(varies, (gg / n - (g / n) ** 2) / np.where(varies, variance, 1.0), 1.0))
        options = list(product(sorted({False, self.grid.centring}), sorted({False, self.grid.scaling})))
        gains, offsets, values = [], [], []
        for centring, scaling in options:
            gain = ratio if scaling else np.ones_like(ratio)
            mean_p = self.mean_p[:, None] + p / n
            offset = (self.mean_g + g / n if centring else mean_p) - gain * mean_p
            inside = gain * self.mean_p[:, None] + offset - self.mean_g
            values.append(ccc_of_moments(sums, gain, inside))
            gains.append(gain)
            offsets.append(offset)
        every = np.stack(values, axis=-1)  # (K, windows, shifts, options)
        every = np.where(np.isnan(every), -np.inf, every)
        best = every.max((1, 2, 3), keepdims=True)
        order = np.where(every >= best - RISE, self._order(options), np.inf).reshape(len(every), -1)
        window, frames, option = np.unravel_index(order.argmin(1), every.shape[1:])
        before = values[0][:, 0, 0]
        for place in (window, frames, option):
            place[np.isnan(before)] = 0
        row = np.arange(len(every))
        centring_of, scaling_of = np.array(options)[option].T
        return Chosen(
            window, frames, centring_of, scaling_of,
            np.stack(gains, -1)[row, window, 0, option], np.stack(offsets, -1)[row, window, 0, option],
            before, np.where(np.isnan(before), before, every[row, window, frames, option]),
        )  # fmt: skip

    def left_out(self, kept: NDArray[np.bool_]) -> float:
        """Return the CCC of some recordings, (recordings,), each with the chain of the others among them.

        NaN with fewer than two.
        """
        places = np.flatnonzero(kept)
        if len(places) < 2:
            return float("nan")
        others = np.repeat(kept[None], len(places), axis=0)
        others[np.arange(len(places)), places] = False
        chosen = self.choose(others)
        own = [self.under(chosen, row)[place] for row, place in enumerate(places)]
        return float(ccc_of_moments(np.sum(own, axis=0)))

    def under(self, chosen: Chosen, row: int) -> Values:
        """Return the six sums of every recording under one of the chains, (recordings, 6)."""
        sums = self.sums[chosen.window[row], chosen.frames[row]]
        mean_p = self.mean_p[chosen.window[row]]
        offset = chosen.gain[row] * mean_p + chosen.offset[row]
        return moved(sums, float(chosen.gain[row]), float(offset), self.mean_g)

    def fit(self, kept: NDArray[np.bool_], keep: Keep) -> tuple[Chain, Values]:
        """Return the chain of some recordings, (recordings,), by the rule `keep`, and all sums under it."""
        chosen = self.choose(kept[None])
        before = float(chosen.before[0])
        chain = self._chain(chosen)
        if keep == "dev" or chain.steps == 0:
            return chain, self.under(chosen, 0)
        left_out = self.left_out(kept)
        if left_out > before + RISE:
            return self._chain(chosen, left_out), self.under(chosen, 0)
        return Chain(dev_before=before, dev_after=before, dev_left_out=left_out), self.raw

    @property
    def raw(self) -> Values:
        """Return the six sums of every recording without a chain, (recordings, 6)."""
        return moved(self.sums[0, 0], 1.0, float(self.mean_p[0]), self.mean_g)

    def _chain(self, chosen: Chosen, left_out: float = float("nan")) -> Chain:
        centring, scaling = bool(chosen.centring[0]), bool(chosen.scaling[0])
        return Chain(
            (1, *self.grid.medians)[int(chosen.window[0])], centring, scaling,
            (0, *self.grid.shifts)[int(chosen.frames[0])],
            float(chosen.gain[0]) if scaling else 1.0,
            float(chosen.offset[0]) if centring or scaling else 0.0,
            float(chosen.before[0]), float(chosen.after[0]), left_out,
        )  # fmt: skip

    def _order(self, options: Sequence[tuple[bool, bool]]) -> Values:
        """Return the rank of every candidate, (windows, shifts, options): fewest steps, then smallest."""
        keys = [
            ((w > 0) + (f > 0) + centring + scaling, w, f, centring)
            for w in range(self.sums.shape[0])
            for f in range(self.sums.shape[1])
            for centring, scaling in options
        ]
        ranks = {place: rank for rank, place in enumerate(sorted(range(len(keys)), key=keys.__getitem__))}
        return np.array([ranks[place] for place in range(len(keys))], float).reshape(
            *self.sums.shape[:2], len(options)
        )


def _padded(arrays: Sequence[Trace]) -> Trace:
    """Stack arrays of different lengths, zeros behind: one index then shifts all recordings at once."""
    longest = max(map(len, arrays))
    return np.stack([np.pad(array, (0, longest - len(array))) for array in arrays])
