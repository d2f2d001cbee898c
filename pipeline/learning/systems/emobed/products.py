"""Matrix products and linear layers of many models at once, on the CPU rounded as if one by one.

`torch.bmm` rounds differently for another number of models; NumPy multiplies matrix by matrix.
Results must not depend on which models share a program, hence NumPy here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from pipeline.learning.systems.emobed.reused_memory import empty


def product(left: torch.Tensor, right: torch.Tensor, into: torch.Tensor | None = None) -> torch.Tensor:
    """Return the matrix product of each model, without gradient.

    left: (models, n, k). right: (models, k, m). into: where the CPU writes the product, None: a new
    tensor. Returns (models, n, m).
    """
    if left.device.type == "cpu":
        if into is None and left.dtype == torch.float32:
            into = empty(*left.shape[:2], right.shape[2])
        if into is not None:
            np.matmul(left.detach().numpy(), right.detach().numpy(), out=into.numpy())
            return into
        return torch.from_numpy(np.matmul(left.detach().numpy(), right.detach().numpy()))
    return torch.bmm(left.detach(), right.detach())


def linear(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, gradient: torch.Tensor | None = None
) -> torch.Tensor:
    """Apply each model's linear layer.

    inputs: (models, batch, frames, inputs). weight: (models, outputs, inputs). bias: (models,
    outputs). gradient: where the CPU writes the gradient of a weight that a step uses once: a large one
    is then neither allocated nor copied. Returns (models, batch, frames, outputs).
    """
    models, batch, frames, width = inputs.shape
    flat = inputs.reshape(models, batch * frames, width)
    return _Linear.apply(flat, weight, bias, gradient).view(models, batch, frames, -1)


class _Linear(torch.autograd.Function):
    """inputs (models, rows, inputs) -> (models, rows, outputs)."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        into: torch.Tensor | None,
    ) -> torch.Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.into = into
        return product(inputs, weight.transpose(1, 2)) + bias.unsqueeze(1)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor, None]:
        inputs, weight = ctx.saved_tensors
        ones = gradient.new_ones(1, 1, gradient.shape[1]).expand(len(gradient), -1, -1)
        return (
            product(gradient, weight) if ctx.needs_input_grad[0] else None,
            product(gradient.transpose(1, 2), inputs, ctx.into),
            product(ones, gradient).squeeze(1),
            None,
        )
