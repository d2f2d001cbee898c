"""Matrix products and linear layers of many models at once, on the CPU rounded as if one by one.

`torch.bmm` rounds differently for another number of models; NumPy multiplies matrix by matrix.
Results must not depend on which models share a program, hence NumPy here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable


def product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return the matrix product of each model, without gradient.

    left: (models, n, k). right: (models, k, m). Returns (models, n, m).
    """
    if left.device.type == "cpu":
        return torch.from_numpy(np.matmul(left.detach().numpy(), right.detach().numpy()))
    return torch.bmm(left.detach(), right.detach())


def linear(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Apply each model's linear layer.

    inputs: (models, batch, frames, inputs). weight: (models, outputs, inputs). bias: (models,
    outputs). Returns (models, batch, frames, outputs).
    """
    models, batch, frames, width = inputs.shape
    flat = inputs.reshape(models, batch * frames, width)
    return _Linear.apply(flat, weight, bias).view(models, batch, frames, -1)


class _Linear(torch.autograd.Function):
    """inputs (models, rows, inputs) -> (models, rows, outputs)."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(inputs, weight)
        return product(inputs, weight.transpose(1, 2)) + bias.unsqueeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor]:
        inputs, weight = ctx.saved_tensors
        ones = gradient.new_ones(1, 1, gradient.shape[1]).expand(len(gradient), -1, -1)
        return (
            product(gradient, weight) if ctx.needs_input_grad[0] else None,
            product(gradient.transpose(1, 2), inputs),
            product(ones, gradient).squeeze(1),
        )
