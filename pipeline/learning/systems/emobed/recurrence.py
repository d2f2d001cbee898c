"""The recurrence of a GRU layer for many models at once, with its backward pass written by hand.

With the input projection `a = W_ih x + b_ih` done for all frames before, one frame is (gate order
r, z, n as in `torch.nn.GRU`):

    g = W_hh h' + b_hh                      h' is the hidden state of the frame before, 0 at first
    r = sigmoid(a_r + g_r)    z = sigmoid(a_z + g_z)    n = tanh(a_n + r g_n)
    h = n + z (h' - n)

Autograd through a Python loop over frames keeps a graph of a dozen nodes per frame. Here the backward pass
computes everything that does not depend on the frame after it for all frames at once; six operations per
frame remain. On the CPU the loop runs in NumPy: its calls cost a fraction of PyTorch's, and its batched
products round the same however many models there are (`pipeline.learning.systems.emobed.products`).
`benchmarks/training.py` has the ratios.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from pipeline.learning.systems.emobed.recurrence_device import recurrence_on_device


def recurrence(projected: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> torch.Tensor:
    """Run the recurrence over all frames.

    projected: (models, batch, frames, 3 * hidden). weight_hh: (models, 3 * hidden, hidden).
    bias_hh: (models, 3 * hidden). Returns the hidden states, (models, batch, frames, hidden).
    """
    if projected.device.type == "cpu":
        return _Recurrence.apply(projected, weight_hh, bias_hh)
    return recurrence_on_device(projected, weight_hh, bias_hh)


class _Recurrence(torch.autograd.Function):
    """The recurrence on the CPU.

    For sequences of one frame, h' is 0: W_hh takes no part and gets no gradient. Arrays are (frames,
    gates, models, batch, hidden): what one operation of a frame touches lies in one piece.
    """

    @staticmethod
    def forward(
        ctx: Any, projected: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor
    ) -> torch.Tensor:
        """Return the hidden states."""
        models, batch, frames, width = projected.shape
        hidden = width // 3
        a = projected.numpy().reshape(models, batch, frames, 3, hidden).transpose(2, 3, 0, 1, 4).copy()
        weight = weight_hh.numpy().reshape(models, 3, hidden, hidden).transpose(1, 0, 2, 3)
        bias = bias_hh.numpy().reshape(models, 3, 1, hidden).swapaxes(0, 1)  # (gates, models, 1, hidden)
        # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2: the halves of x go into the weights, once
        half = a.dtype.type(0.5)
        a[:, :2] = (a[:, :2] + bias[:2]) * half
        if frames > 1:
            into = weight.swapaxes(2, 3).copy()  # (gates, models, hidden before, hidden)
            into[:2] *= half
        bias_n = np.broadcast_to(bias[2], (models, batch, hidden)).copy()
        gates = np.zeros_like(a)  # r, z, g_n
        n = np.empty_like(a[:, 0])
        states = np.empty_like(n)
        h, change = np.zeros_like(n[0]), np.empty_like(n[0])
        for t, (a_t, gates_t, n_t, h_t) in enumerate(zip(a, gates, n, states, strict=True)):
            rz, g_n = gates_t[:2], gates_t[2]
            if t:
                np.matmul(h, into, out=gates_t)
            rz += a_t[:2]
            np.tanh(rz, out=rz)
            rz *= half
            rz += half
            g_n += bias_n
            np.multiply(rz[0], g_n, out=n_t)
            n_t += a_t[2]
            np.tanh(n_t, out=n_t)
            np.subtract(h, n_t, out=change)
            change *= rz[1]
            h = np.add(n_t, change, out=h_t)
        ctx.kept = weight, gates, n, states
        return torch.from_numpy(states.transpose(1, 2, 0, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        weight, gates, n, states = ctx.kept
        frames, models, batch, hidden = states.shape
        r, z, g_n = gates.swapaxes(0, 1)
        before = np.concatenate((np.zeros_like(states[:1]), states[:-1]))
        # dg = dh * slope for each of the gates r, z, n: known for all frames before the loop
        slope = np.empty_like(gates)
        slope_n = (1 - z) * (1 - n * n)
        slope[:, 0] = slope_n * g_n * r * (1 - r)
        slope[:, 1] = (before - n) * z * (1 - z)
        slope[:, 2] = slope_n * r
        d_g, d_h = slope, gradient.numpy().transpose(2, 0, 1, 3).copy()
        if frames > 1:
            out_of = np.ascontiguousarray(weight)
            carry, products = np.empty_like(n[0]), np.empty_like(slope[0])
        for t in range(frames - 1, -1, -1):
            d_h_t, d_g_t = d_h[t], d_g[t]
            if t < frames - 1:
                d_h_t += carry
            d_g_t *= d_h_t  # slope becomes gradient, in place
            if t:  # nothing is before the first frame
                np.matmul(d_g_t, out_of, out=products)
                np.multiply(d_h_t, z[t], out=carry)
                for product in products:
                    carry += product
        # (gates, models, frames * batch, hidden)
        flat = d_g.transpose(1, 2, 0, 3, 4).reshape(3, models, frames * batch, hidden)
        states_before = before.swapaxes(0, 1).reshape(models, frames * batch, hidden)
        d_weight = None
        if frames > 1:
            by_gate = np.matmul(flat.swapaxes(2, 3), states_before).swapaxes(0, 1)
            d_weight = torch.from_numpy(by_gate.reshape(models, 3 * hidden, hidden))
        d_bias = np.matmul(np.ones((1, frames * batch), flat.dtype), flat).swapaxes(0, 1)
        d_a = d_g.transpose(2, 3, 0, 1, 4).copy()  # (models, batch, frames, gates, hidden)
        d_a[:, :, :, 2] = (d_h * slope_n).transpose(1, 2, 0, 3)
        return (
            torch.from_numpy(d_a.reshape(models, batch, frames, 3 * hidden)),
            d_weight,
            torch.from_numpy(d_bias.reshape(models, 3 * hidden)),
        )
