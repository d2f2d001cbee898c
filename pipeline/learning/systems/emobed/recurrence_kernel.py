"""The recurrence of `recurrence.py` on a GPU as two Triton kernels, one persistent program per sequence.

A loop of PyTorch's operations launches some ten kernels per frame, and the launches take nearly all of the
time. Here a program holds W_hh of its model in registers and walks over the frames itself
(docs/performance.md has the ratios). What a backward pass needs of the gates is computed again from the
hidden states, some frames at a time, so that a layer keeps four values per unit and frame.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch.autograd.function import once_differentiable

# Triton reads the annotations of a kernel as code: it can have none but its own.

LARGEST = 128
"""Units of a layer whose W_hh the registers of one program hold."""

AGAIN_AT_ONCE = 1e9
"""Bytes that gates which are computed again may take."""


@triton.jit
def _tanh(x):  # type: ignore[no-untyped-def]
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def _add(a_r, a_z, a_n, b_r, b_z, b_n):  # type: ignore[no-untyped-def]
    return a_r + b_r, a_z + b_z, a_n + b_n


@triton.jit
def _forward(  # type: ignore[no-untyped-def]
    projected, into, bias, states, batch, frames, HIDDEN: tl.constexpr, SIZE: tl.constexpr
):
    """Write the states of one sequence; into: W_hh of each model, transposed, (hidden before, 3 * hidden)."""
    row = tl.program_id(0)
    model = row // batch
    before, unit = tl.arange(0, SIZE), tl.arange(0, SIZE)
    own = (unit < HIDDEN)[None, :]
    tile = (before < HIDDEN)[:, None] & own
    into += model * 3 * HIDDEN * HIDDEN + before[:, None] * 3 * HIDDEN + unit[None, :]
    w_r, w_z = tl.load(into, tile, 0.0)[None], tl.load(into + HIDDEN, tile, 0.0)[None]
    w_n = tl.load(into + 2 * HIDDEN, tile, 0.0)[None]
    bias += model * 3 * HIDDEN + unit[None, :]
    b_r, b_z = tl.load(bias, own, 0.0), tl.load(bias + HIDDEN, own, 0.0)
    b_n = tl.load(bias + 2 * HIDDEN, own, 0.0)
    projected += row.to(tl.int64) * frames * 3 * HIDDEN + unit[None, :]
    states += row.to(tl.int64) * frames * HIDDEN + unit[None, :]
    h = tl.zeros([1, SIZE], tl.float32)
    for _ in range(frames):
        a_r, a_z = tl.load(projected, own, 0.0), tl.load(projected + HIDDEN, own, 0.0)
        a_n = tl.load(projected + 2 * HIDDEN, own, 0.0)
        # two axes would do for one sequence; of three Triton makes the layout that is fast
        column = h[:, :, None]
        g_r, g_z, g_n = tl.reduce((column * w_r, column * w_z, column * w_n), 1, _add)
        r, z = tl.sigmoid(a_r + g_r + b_r), tl.sigmoid(a_z + g_z + b_z)
        n = _tanh(a_n + r * (g_n + b_n))
        h = n + z * (h - n)
        tl.store(states, h, own)
        projected += 3 * HIDDEN
        states += HIDDEN


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    slopes,
    weight,
    gradient,
    carry,
    d_projected,
    batch,
    first,
    count,
    frames,
    HIDDEN: tl.constexpr,
    SIZE: tl.constexpr,
):
    """Walk back over `count` frames from `first` on of one sequence.

    slopes: of these frames, (sequences, count, 5 * hidden): of r, z and n, then r and z. gradient:
    (sequences, frames, hidden). carry: what the frame after these gave back, and what they give back,
    (sequences, hidden). d_projected: (sequences, frames, 3 * hidden).
    """
    row = tl.program_id(0)
    model = row // batch
    after, unit = tl.arange(0, SIZE), tl.arange(0, SIZE)
    own = (unit < HIDDEN)[None, :]
    tile = (after < HIDDEN)[:, None] & own
    weight += model * 3 * HIDDEN * HIDDEN + after[:, None] * HIDDEN + unit[None, :]
    w_r, w_z = tl.load(weight, tile, 0.0)[None], tl.load(weight + HIDDEN * HIDDEN, tile, 0.0)[None]
    w_n = tl.load(weight + 2 * HIDDEN * HIDDEN, tile, 0.0)[None]
    last = row.to(tl.int64) * frames + first + count - 1
    gradient += last * HIDDEN + unit[None, :]
    d_projected += last * 3 * HIDDEN + unit[None, :]
    slopes += (row.to(tl.int64) * count + count - 1) * 5 * HIDDEN + unit[None, :]
    carry += row * HIDDEN + unit[None, :]
    back = tl.load(carry, own, 0.0)
    for _ in range(count):
        d_h = tl.load(gradient, own, 0.0) + back
        d_r = d_h * tl.load(slopes, own, 0.0)
        d_z = d_h * tl.load(slopes + HIDDEN, own, 0.0)
        d_n = d_h * tl.load(slopes + 2 * HIDDEN, own, 0.0)
        r, z = tl.load(slopes + 3 * HIDDEN, own, 0.0), tl.load(slopes + 4 * HIDDEN, own, 0.0)
        tl.store(d_projected, d_r, own)
        tl.store(d_projected + HIDDEN, d_z, own)
        tl.store(d_projected + 2 * HIDDEN, d_n, own)
        products = d_r[:, :, None] * w_r + d_z[:, :, None] * w_z + (d_n * r)[:, :, None] * w_n
        back = d_h * z + tl.sum(products, 1)
        gradient -= HIDDEN
        d_projected -= 3 * HIDDEN
        slopes -= 5 * HIDDEN
    tl.store(carry, back, own)


def _launch(hidden: int) -> dict[str, int]:
    """Return the compile-time sizes: each warp of 32 threads has 16 rows of W_hh."""
    size = max(16, triton.next_power_of_2(hidden))
    return {"HIDDEN": hidden, "SIZE": size, "num_warps": size // 16}


class KernelRecurrence(torch.autograd.Function):
    """The recurrence of float32 values and at most `LARGEST` units: arguments and result as `recurrence`."""

    @staticmethod
    def forward(
        ctx: Any, projected: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor
    ) -> torch.Tensor:
        """Return the hidden states."""
        models, batch, frames, width = projected.shape
        hidden = width // 3
        projected, weight_hh, bias_hh = projected.contiguous(), weight_hh.contiguous(), bias_hh.contiguous()
        into = weight_hh.transpose(1, 2).contiguous()
        states = projected.new_empty(models, batch, frames, hidden)
        grid = (models * batch,)
        _forward[grid](projected, into, bias_hh, states, batch, frames, **_launch(hidden))
        ctx.save_for_backward(projected, weight_hh, bias_hh, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the gradients of the three arguments."""
        projected, weight_hh, bias_hh, states = ctx.saved_tensors
        models, batch, frames, hidden = states.shape
        gradient = gradient.contiguous()
        d_projected = torch.empty_like(projected)
        d_weight, d_bias = torch.zeros_like(weight_hh), torch.zeros_like(bias_hh)
        carry = states.new_zeros(models, batch, hidden)
        grid = (models * batch,)
        at_once = max(1, int(AGAIN_AT_ONCE // (models * batch * hidden * 16 * states.element_size())))
        for end in range(frames, 0, -at_once):
            first = max(0, end - at_once)
            before = _before(states, first, end)  # (models, batch * count, hidden)
            r, slopes = _slopes(projected[:, :, first:end], before, weight_hh, bias_hh)
            _backward[grid](
                slopes, weight_hh, gradient, carry, d_projected, batch, first, end - first, frames,
                **_launch(hidden),
            )  # fmt: skip
            d_g = d_projected[:, :, first:end].clone()
            d_g[..., 2 * hidden :] *= r
            d_g = d_g.flatten(1, 2)
            d_weight.baddbmm_(d_g.transpose(1, 2), before)
            d_bias += d_g.sum(1)
        return d_projected, d_weight, d_bias


def _before(states: torch.Tensor, first: int, end: int) -> torch.Tensor:
    """Return the hidden states before frames `first` to `end`, (models, batch * frames, hidden)."""
    if first:
        return states[:, :, first - 1 : end - 1].flatten(1, 2)
    start = torch.zeros_like(states[:, :, :1])
    return torch.cat((start, states[:, :, : end - 1]), dim=2).flatten(1, 2)


def _slopes(
    projected: torch.Tensor, before: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the gates of some frames again: r, and what `_backward` reads.

    The latter are d/dh of what goes into r, z and n, as far as they do not depend on the frame after, then r
    and z themselves.
    """
    hidden = before.shape[-1]
    g = torch.baddbmm(bias_hh.unsqueeze(1), before, weight_hh.transpose(1, 2))
    g_rz, g_n = g.view(projected.shape).split((2 * hidden, hidden), dim=-1)
    r, z = torch.sigmoid(projected[..., : 2 * hidden] + g_rz).chunk(2, dim=-1)
    n = torch.tanh(projected[..., 2 * hidden :] + r * g_n)
    slope_n = (1 - z) * (1 - n * n)
    slope_z = (before.view(n.shape) - n) * z * (1 - z)
    return r, torch.cat((slope_n * g_n * r * (1 - r), slope_z, slope_n, r, z), dim=-1)
