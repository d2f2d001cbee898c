"""Weights and gradients of many models in one flat array, and Adam on it.

One row per model: Adam, the gradient's norm, and averages over epochs are then a few operations on
(models, weights) instead of a few per tensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

ALIGNMENT = 16
"""Tensors start at multiples of 64 bytes: matrix products may round differently on other addresses."""


class FlatWeights:
    """The weights of all models as rows of `values`; `tensors` are views of it that take gradients."""

    def __init__(self, models: Sequence[Mapping[str, torch.Tensor]], device: torch.device) -> None:
        """Copy the weights of the models, which all have the same names and shapes."""
        self._shapes = {name: tuple(tensor.shape) for name, tensor in models[0].items()}
        dtype = next(iter(models[0].values())).dtype
        self._spans = {}
        width = 0
        for name, tensor in models[0].items():
            self._spans[name] = (width, width + tensor.numel())
            width += -(-tensor.numel() // ALIGNMENT) * ALIGNMENT
        self.values = torch.zeros(len(models), width, dtype=dtype)
        for row, weights in zip(self.values, models, strict=True):
            for name, (start, end) in self._spans.items():
                row[start:end] = weights[name].flatten()
        self.values = self.values.to(device)
        self.gradients = torch.zeros_like(self.values)
        self.tensors = self.views(self.values)
        for tensor in self.tensors.values():
            tensor.requires_grad_()

    def set_gradients(self, gradients: Sequence[torch.Tensor | None]) -> None:
        """Copy the gradients of `tensors`, in their order, into the flat array; None is zero."""
        for view, gradient in zip(self.views(self.gradients).values(), gradients, strict=True):
            if gradient is None:
                view.zero_()
            else:
                view.copy_(gradient)

    def views(self, values: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the named tensors (models, ...) as views of `values` (models, weights)."""
        return {
            name: values[:, start:end].view(len(values), *self._shapes[name])
            for name, (start, end) in self._spans.items()
        }


class Adam:
    """Adam with L2 weight decay, as `torch.optim.Adam(weight_decay=...)`, on flat weights."""

    def __init__(self, weights: FlatWeights, learning_rate: float, weight_decay: float) -> None:
        """Start with moments of zero."""
        self._weights, self._rate, self._decay = weights, learning_rate, weight_decay
        self._mean = torch.zeros_like(weights.values)
        self._square = torch.zeros_like(weights.values)
        self._steps = 0

    def step(self, factor: torch.Tensor, active: torch.Tensor) -> None:
        """Update the weights.

        factor: by which each model's gradient is clipped, (models,). active: which models still
        learn, (models,).
        """
        self._steps += 1
        first, second = 0.9, 0.999
        values = self._weights.values
        gradient = (self._weights.gradients * factor.unsqueeze(1)).add_(values, alpha=self._decay)
        self._mean.lerp_(gradient, 1 - first)
        self._square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        scale = (self._square / (1 - second**self._steps)).sqrt_().add_(1e-8)
        update = (self._mean / scale).mul_(self._rate / (1 - first**self._steps))
        values.sub_(update.mul_(active.unsqueeze(1)))


def clip_factor(norm: torch.Tensor, clip_norm: float | None) -> torch.Tensor:
    """Return by what to multiply each model's gradient so that its norm is at most `clip_norm`, (models,)."""
    if clip_norm is None:
        return torch.ones_like(norm)
    return (clip_norm / (norm + 1e-6)).clamp_max(1.0)
