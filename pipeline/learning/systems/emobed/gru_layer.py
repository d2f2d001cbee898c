"""A GRU layer of many models at once on the CPU: by compiled functions, or as products and recurrence.

The compiled functions (`compiled_layers/`) do a layer's inputs, recurrence and gradients some frames at a
time, in the processor's cache, and keep gates for the way back, if there is one (docs/performance.md has the
ratios). They take single precision. Each model is computed by itself, so that it is the same whatever is
trained beside it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from pipeline.learning.systems.emobed.compiled import library, longs
from pipeline.learning.systems.emobed.products import linear
from pipeline.learning.systems.emobed.recurrence import recurrence
from pipeline.learning.systems.emobed.reused_memory import empty

ALIGNMENT = 64
"""Bytes at whose multiples the memory to work in begins."""


class Layer(NamedTuple):
    """Weights of a layer, or where their gradients go.

    weight_ih: (models, 3 * hidden, inputs). bias_ih: (models, 3 * hidden). weight_hh: (models, 3 * hidden,
    hidden). bias_hh: (models, 3 * hidden).
    """

    weight_ih: torch.Tensor
    bias_ih: torch.Tensor
    weight_hh: torch.Tensor
    bias_hh: torch.Tensor


def gru_layer(
    inputs: torch.Tensor, layer: Layer, gradients: Layer | None = None, compiled: bool = True
) -> torch.Tensor:
    """Return the hidden states, (models, batch, frames, hidden).

    inputs: (models, batch, frames, inputs). gradients: where gradients go of weights that a step uses once.
    The compiled functions write them, and weights are left out of the graph; without compiled functions those
    of the input weights go there, see `linear`. compiled: whether to use them, where they are there.
    """
    if compiled and inputs.device.type == "cpu" and inputs.dtype == torch.float32 and library() is not None:
        back = torch.is_grad_enabled() and any(own.requires_grad for own in (inputs, *layer))
        if gradients is None:
            return _Compiled.apply(inputs, *layer, None, back)
        # one weight stays in the graph, which would not come here for its gradients else: a small one
        *large, bias_hh = layer
        return _Compiled.apply(inputs, *(weight.detach() for weight in large), bias_hh, gradients, back)
    into = None if gradients is None else gradients.weight_ih
    projected = linear(inputs, layer.weight_ih, layer.bias_ih, into)
    return recurrence(projected, layer.weight_hh, layer.bias_hh)


class _Compiled(torch.autograd.Function):
    """`gru_layer` by the compiled functions."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        weight_ih: torch.Tensor,
        bias_ih: torch.Tensor,
        weight_hh: torch.Tensor,
        bias_hh: torch.Tensor,
        into: Layer | None,
        back: bool,
    ) -> torch.Tensor:
        """Return the hidden states. into: where gradients go. back: whether anybody asks for them."""
        ctx.into = into
        inputs = _rows(inputs)
        weights = [_rows(weight) for weight in (weight_ih, bias_ih, weight_hh, bias_hh)]
        models, batch, frames, _ = inputs.shape
        states = empty(models, batch, frames, weights[2].shape[-1])
        call = _Call(inputs, weights)
        kept = empty(models, call.functions.gru_kept(call.sizes)) if back or frames == 1 else None
        call.functions.gru_forward(
            call.sizes,
            longs(call.strides),
            inputs.data_ptr(),
            _pointers(weights),
            states.data_ptr(),
            None if kept is None else kept.data_ptr(),
            call.memory,
        )
        ctx.save_for_backward(inputs, *weights, states, kept)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of inputs and weights; W_hh of single frames takes no part and has none."""
        inputs, *weights, states, kept = ctx.saved_tensors
        gradient = gradient.contiguous()
        d_inputs = empty(*inputs.shape) if ctx.needs_input_grad[0] else None
        d_weights = ctx.into or [torch.empty(weight.shape) for weight in weights]
        made = list(d_weights) if inputs.shape[2] > 1 else [*d_weights[:2], None, d_weights[3]]
        call = _Call(inputs, weights)
        call.functions.gru_backward(
            call.sizes,
            longs([*call.strides, *(own.stride(0) for own in d_weights)]),
            inputs.data_ptr(),
            _pointers(weights),
            states.data_ptr(),
            kept.data_ptr(),
            gradient.data_ptr(),
            None if d_inputs is None else d_inputs.data_ptr(),
            _pointers(made),
            call.memory,
        )
        return d_inputs, *(made if ctx.into is None else (None, None, None, made[3])), None, None


class _Call:
    """What both ways are called with."""

    def __init__(self, inputs: torch.Tensor, weights: Sequence[torch.Tensor]) -> None:
        found = library()
        assert found is not None
        self.functions = found
        self.sizes = longs([*inputs.shape, weights[2].shape[-1]])
        self.strides = [*inputs.stride()[:3], *(weight.stride(0) for weight in weights)]
        self._held = torch.empty(found.gru_bytes(self.sizes) + ALIGNMENT, dtype=torch.uint8)
        self.memory = -(-self._held.data_ptr() // ALIGNMENT) * ALIGNMENT


def _rows(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor whose matrices of a model lie in one piece; of inputs each row."""
    inner = tensor.stride()[-1] == 1 and (tensor.dim() != 3 or tensor.stride(1) == tensor.shape[2])
    return tensor if inner else tensor.contiguous()


def _pointers(tensors: Sequence[torch.Tensor | None]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*(None if own is None else own.data_ptr() for own in tensors))
