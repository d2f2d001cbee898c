"""How many settings the classic system may choose from, and which: the freedom that EmoBed has.

EmoBed's weights are chosen on dev among alpha x beta settings. A system with one setting would be compared
with the best of many, so classic chooses on dev too: among as many learning rates and weight decays.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from pipeline.params import Learning

RATE_FACTOR, DECAY_FACTOR = 10**0.5, 10.0
"""From one learning rate, one weight decay, to the next."""
SMALLEST_DECAY = 1e-4
"""The first weight decay above none, where `learning.optimiser` has none: the paper's."""


class ClassicSetting(NamedTuple):
    """Learning rate and weight decay of a classic model, both None for those of `learning.optimiser`."""

    rate: float | None = None
    decay: float | None = None


def classic_settings(learning: Learning) -> list[ClassicSetting]:
    """Return the settings of the classic system: that of `learning.optimiser` first, each once."""
    optimiser = learning.optimiser
    if learning.classic.settings == "equal":
        pairs = _around(optimiser.learning_rate, optimiser.weight_decay, emobed_settings(learning))
    else:
        pairs = [(own.learning_rate, own.weight_decay) for own in learning.classic.settings]
    default = (optimiser.learning_rate, optimiser.weight_decay)
    others = [ClassicSetting(*pair) for pair in dict.fromkeys(pairs) if pair != default]
    return [ClassicSetting(), *others]


def emobed_settings(learning: Learning) -> int:
    """Return from how many settings EmoBed is chosen."""
    return sum(weight > 0 for weight in learning.alpha) * sum(weight > 0 for weight in learning.beta)


def _around(rate: float, decay: float, wanted: int) -> list[tuple[float, float]]:
    """Return the `wanted` pairs of a lattice that are nearest to (rate, decay), which comes first.

    Steps along the rate are half powers of ten, along the decay whole ones, rounded to three digits. Nearest:
    by the larger number of steps, then by their sum; of equals the smaller rate, then the larger decay first.
    """
    for radius in count():
        steps = range(-radius, radius + 1)
        cells = [(i, j) for i in steps for j in steps if decay > 0 or j >= 0]
        if len(cells) >= wanted:
            cells.sort(key=lambda cell: (max(map(abs, cell)), sum(map(abs, cell)), cell[0], -cell[1]))
            return [(_rate(rate, i), _decay(decay, j)) for i, j in cells[: max(wanted, 1)]]
    raise AssertionError("count() has no end")


def _rate(rate: float, steps: int) -> float:
    return _rounded(rate * RATE_FACTOR**steps) if steps else rate


def _decay(decay: float, steps: int) -> float:
    if not steps:
        return decay
    return _rounded(decay * DECAY_FACTOR**steps if decay else SMALLEST_DECAY * DECAY_FACTOR ** (steps - 1))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
