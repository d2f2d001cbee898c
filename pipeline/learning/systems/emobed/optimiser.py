"""Weights and gradients of many models in one flat array, and Adam on it.

One row per model: the gradient's norm, Adam's step and averages over epochs are then a few operations on
(models, weights) instead of a few per tensor.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cached_property

import torch

from pipeline.learning.systems.emobed.compiled import library, longs

FIRST, SECOND = 0.9, 0.999
"""Shares that the means of gradients and of squares keep of their old values, as in `torch.optim.Adam`."""

ALIGNMENT = 16
"""Tensors start at multiples of 64 bytes: matrix products may round differently on other addresses."""


class FlatWeights:
    """The weights of all models as rows of `values`; `tensors` are views of it that take gradients."""

    def __init__(self, models: Sequence[Mapping[str, torch.Tensor]], device: torch.device) -> None:
        """Copy the weights of the models, which all have the same names and shapes."""
        self._shapes = {name: tuple(tensor.shape) for name, tensor in models[0].items()}
        dtype = next(iter(models[0].values())).dtype
        self.spans: dict[str, tuple[int, int]] = {}
        """Where the values of each tensor lie in a row, from and to."""
        width = 0
        for name, tensor in models[0].items():
            self.spans[name] = (width, width + tensor.numel())
            width += -(-tensor.numel() // ALIGNMENT) * ALIGNMENT
        self.values = torch.zeros(len(models), width, dtype=dtype)
        for row, weights in zip(self.values, models, strict=True):
            for name, (start, end) in self.spans.items():
                row[start:end] = weights[name].flatten()
        self.values = self.values.to(device)
        self.tensors = self.views(self.values)
        for tensor in self.tensors.values():
            tensor.requires_grad_()

    @cached_property
    def gradients(self) -> torch.Tensor:
        """Return where the gradients of all models go, made when somebody asks for it."""
        return torch.zeros_like(self.values)

    @cached_property
    def gradient_of(self) -> dict[str, torch.Tensor]:
        """Return views of `gradients`, by the names of the weights."""
        return self.views(self.gradients)

    def set_gradients(self, gradients: Sequence[torch.Tensor | None]) -> None:
        """Copy the gradients of `tensors`, in their order, into the flat array.

        Those that the backward pass wrote into `gradient_of` lie there already; they are None where the graph
        leaves them out. What nothing is ever written for stays zero, and that is the same at every step:
        batches are padded to the longest sequence of all, so W_hh of single frames is never written.
        """
        for view, gradient in zip(self.gradient_of.values(), gradients, strict=True):
            if gradient is not None and gradient.data_ptr() != view.data_ptr():
                view.copy_(gradient)

    def squared_norms(self) -> torch.Tensor:
        """Return the sum of squares of each model's gradient, (models,).

        On the CPU row by row: the squares of one may stay in the cache, those of all go out and come back.
        """
        if self.gradients.device.type != "cpu":
            return self.gradients.square().sum(1)
        if (compiled := _compiled(self.gradients)) is not None:
            sums = torch.empty(len(self.gradients))
            compiled.squares(longs(self.gradients.shape), self.gradients.data_ptr(), sums.data_ptr())
            return sums
        squares = torch.empty_like(self.gradients[:1])
        return torch.cat([torch.square(row, out=squares).sum(1) for row in self.gradients.split(1)])

    def views(self, values: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the named tensors (models, ...) as views of `values` (models, weights)."""
        return {
            name: values[:, start:end].view(len(values), *self._shapes[name])
            for name, (start, end) in self.spans.items()
        }


class Adam:
    """`torch.optim.Adam` with one parameter per model, each with its own rate, decay and clipping.

    The compiled function, and PyTorch's fused kernel where it is not there, read each row once: six times as
    fast as one operation after another on the flat array where that is too large for the processor's caches
    (`benchmarks/training.py`). Rows are multiples of `ALIGNMENT`, hence there is no remainder, and a model is
    rounded the same whatever the models beside it.
    """

    def __init__(
        self, weights: FlatWeights, learning_rates: Sequence[float], weight_decays: Sequence[float]
    ) -> None:
        """Start with moments of zero. learning_rates, weight_decays (L2): of each model, (models,)."""
        self._weights = weights
        self._compiled = _compiled(weights.values)
        if self._compiled is not None:
            self._mean, self._square = torch.zeros_like(weights.values), torch.zeros_like(weights.values)
            self._rates = torch.tensor(learning_rates, dtype=torch.float64)
            self._decays = torch.tensor(weight_decays, dtype=torch.float64)
            self._steps = torch.zeros(len(weights.values), dtype=torch.float64)
            return
        self._rows = list(weights.values)
        groups: dict[tuple[float, float], list[torch.Tensor]] = {}
        for row, rate, decay in zip(self._rows, learning_rates, weight_decays, strict=True):
            groups.setdefault((rate, decay), []).append(row)
        self._adam = torch.optim.Adam(
            [{"params": rows, "lr": rate, "weight_decay": decay} for (rate, decay), rows in groups.items()],
            fused=True,
        )

    def step(self, factor: torch.Tensor, active: Sequence[bool]) -> None:
        """Update the weights; the gradients may be clipped in place.

        factor: by which each model's gradient is clipped, (models,). active: which models still
        learn, (models,).
        """
        if self._compiled is not None:
            taking = torch.tensor(active, dtype=torch.long)
            self._steps += taking
            taken = self._steps.clamp_min(1)
            parts = (
                factor.double(), self._decays, self._rates / (1 - FIRST**taken), (1 - SECOND**taken).rsqrt(),
            )  # fmt: skip
            settings = torch.stack(parts, dim=1).float()  # (models, 4)
            values, gradients = self._weights.values, self._weights.gradients
            self._compiled.adam(
                longs(values.shape), taking.data_ptr(), settings.data_ptr(),
                *(own.data_ptr() for own in (values, gradients, self._mean, self._square)),
            )  # fmt: skip
            return
        gradients = self._weights.gradients.mul_(factor.unsqueeze(1))
        for row, gradient, learns in zip(self._rows, gradients, active, strict=True):
            row.grad = gradient if learns else None  # PyTorch leaves out a parameter without a gradient
        self._adam.step()


def _compiled(values: torch.Tensor) -> ctypes.CDLL | None:
    """Return the compiled functions where they can do this."""
    return library() if values.device.type == "cpu" and values.dtype == torch.float32 else None


def clip_factor(norm: torch.Tensor, clip_norm: float | None) -> torch.Tensor:
    """Return by what to multiply each model's gradient so that its norm is at most `clip_norm`, (models,)."""
    if clip_norm is None:
        return torch.ones_like(norm)
    return (clip_norm / (norm + 1e-6)).clamp_max(1.0)
