"""The recurrence of `recurrence.py` off the CPU: by Triton's kernels, or in PyTorch alone."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import torch
from torch.autograd.function import once_differentiable

logger = logging.getLogger(__name__)


def recurrence_on_device(
    projected: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor
) -> torch.Tensor:
    """Run the recurrence; arguments and result as `recurrence`.

    The kernels take float32 and layers of up to 128 units; all else goes frame by frame, some forty times
    slower (docs/performance.md).
    """
    if projected.device.type == "cuda" and projected.dtype == torch.float32 and has_kernels():
        from pipeline.learning.systems.emobed.recurrence_kernel import LARGEST, KernelRecurrence

        if weight_hh.shape[-1] <= LARGEST:
            return KernelRecurrence.apply(projected, weight_hh, bias_hh)
    return DeviceRecurrence.apply(projected, weight_hh, bias_hh)


@cache
def has_kernels() -> bool:
    """Say whether Triton compiles and runs here; a warning where it does not.

    It comes with PyTorch for CUDA, but needs a C compiler on the machine.
    """
    try:
        from pipeline.learning.systems.emobed.recurrence_kernel import KernelRecurrence

        shapes = ((1, 1, 1, 3), (1, 3, 1), (1, 3))
        KernelRecurrence.apply(*(torch.zeros(shape, device="cuda") for shape in shapes))
    # whatever Triton, the compiler or the driver raise: the other way gives the same, only later
    except Exception as error:  # noqa: BLE001
        logger.warning(
            "Triton's kernels do not run here (%s: %s): training on the GPU goes frame by frame, some forty "
            "times slower; a C compiler and the Triton of the installed PyTorch are needed",
            type(error).__name__, str(error).partition("\n")[0],
        )  # fmt: skip
        return False
    return True


class DeviceRecurrence(torch.autograd.Function):
    """The recurrence over any number of frames: arguments and result as `recurrence`."""

    @staticmethod
    def forward(
        ctx: Any, projected: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor
    ) -> torch.Tensor:
        """Return the hidden states."""
        models, batch, frames, width = projected.shape
        hidden = width // 3
        # time beside the models: each frame is then (models, batch, ...) with a whole batch in one piece
        a = projected.transpose(1, 2).contiguous()  # (models, frames, batch, 3 * hidden)
        rz = a.new_empty(models, frames, batch, 2 * hidden)
        n, g_n, states = (a.new_empty(models, frames, batch, hidden) for _ in range(3))
        weight, bias = weight_hh.transpose(1, 2).contiguous(), bias_hh.unsqueeze(1)
        h = a.new_zeros(models, batch, hidden)
        views = (a[..., : 2 * hidden], a[..., 2 * hidden :], rz, rz[..., :hidden], rz[..., hidden:])
        for a_rz, a_n, rz_t, r, z, n_t, g_n_t, h_t in zip(
            *(view.unbind(1) for view in (*views, n, g_n, states)), strict=True
        ):
            g = torch.baddbmm(bias, h, weight)  # (models, batch, 3 * hidden)
            torch.add(a_rz, g[..., : 2 * hidden], out=rz_t).sigmoid_()
            g_n_t.copy_(g[..., 2 * hidden :])
            torch.addcmul(a_n, r, g_n_t, out=n_t).tanh_()
            h = torch.lerp(n_t, h, z, out=h_t)
        ctx.save_for_backward(weight_hh, rz, n, g_n, states)
        return states.transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the gradients of the three arguments."""
        weight_hh, rz, n, g_n, states = ctx.saved_tensors
        models, frames, batch, hidden = states.shape
        gradient = gradient.transpose(1, 2)  # (models, frames, batch, hidden)
        r, z = rz.chunk(2, dim=-1)
        before = torch.cat((torch.zeros_like(states[:, :1]), states[:, :-1]), dim=1)
        # dg = dh * slope for each of the gates r, z, n: known for all frames before the loop
        slope_n = (1 - z) * (1 - n * n)
        slope_z = (before - n) * z * (1 - z)
        slope = torch.stack((slope_n * g_n * r * (1 - r), slope_z, slope_n * r), dim=3)
        d_g = torch.empty_like(slope)  # (models, frames, batch, 3, hidden)
        d_h = torch.empty_like(states)
        carry = torch.zeros_like(states[:, 0])
        for gradient_t, slope_t, z_t, d_g_t, d_h_t in reversed(
            list(zip(*(part.unbind(1) for part in (gradient, slope, z, d_g, d_h)), strict=True))
        ):
            torch.add(gradient_t, carry, out=d_h_t)
            torch.mul(d_h_t.unsqueeze(2), slope_t, out=d_g_t)
            carry = torch.baddbmm(d_h_t * z_t, d_g_t.view(models, batch, 3 * hidden), weight_hh)
        d_a = d_g.clone()
        torch.mul(d_h, slope_n, out=d_a[:, :, :, 2])
        flat = d_g.view(models, frames * batch, 3 * hidden)
        d_weight = torch.bmm(flat.transpose(1, 2), before.view(models, frames * batch, hidden))
        return d_a.flatten(3).transpose(1, 2), d_weight, flat.sum(1)
