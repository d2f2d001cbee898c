"""Weights of earlier epochs -> the final weights: their average, or those of the best dev epoch."""

from __future__ import annotations

import torch

from pipeline.learning.systems.emobed.optimiser import FlatWeights


class KeptWeights:
    """Weights of earlier epochs, of which the final ones are made."""

    def __init__(self, weights: FlatWeights, epochs: int) -> None:
        """Keep up to `epochs` epochs of each model."""
        self._weights = weights
        self._last = [torch.zeros_like(weights.values) for _ in range(epochs)]
        self._count = torch.zeros(len(weights.values), dtype=torch.long)

    def keep_last(self, active: torch.Tensor) -> None:
        """Keep the present weights of the active models in place of their oldest ones."""
        slots = (self._count % len(self._last)).tolist()
        for model in active.nonzero().flatten().tolist():
            self._last[slots[model]][model].copy_(self._weights.values[model])
        self._count += active

    def keep_best(self, improved: torch.Tensor) -> None:
        """Keep the present weights of the improved models in place of all earlier ones."""
        for model in improved.nonzero().flatten().tolist():
            self._last[0][model].copy_(self._weights.values[model])
        self._count.fill_(1)

    def restore(self) -> None:
        """Set the weights to the average of those kept."""
        total = torch.zeros_like(self._weights.values)
        for values in self._last:
            total += values
        count = self._count.clamp_max(len(self._last)).unsqueeze(1)
        self._weights.values.copy_(total / count.to(total.device))
