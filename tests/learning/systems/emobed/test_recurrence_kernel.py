"""Triton's kernels against the recurrence on the CPU: interpreted, and on a GPU where there is one."""

import os
import subprocess
import sys

import pytest
import torch

from pipeline.learning.systems.emobed import recurrence_device

INTERPRETED = """
import sys
import torch
from pipeline.learning.systems.emobed import recurrence_kernel
from pipeline.learning.systems.emobed.recurrence import recurrence

recurrence_kernel.AGAIN_AT_ONCE = float(sys.argv[2])
device = sys.argv[1]
sizes = [(2, 3, 7, 5), (1, 1, 1, 4), (1, 2, 5, 33)]
if device == "cuda":
    sizes += [(5, 4, 400, 120), (3, 2, 50, 128)]
for models, batch, frames, hidden in sizes:
    torch.manual_seed(frames)
    shapes = ((models, batch, frames, 3 * hidden), (models, 3 * hidden, hidden), (models, 3 * hidden))
    scales = (1, hidden**-0.5, 1)
    ours = [(torch.randn(shape) * scale).requires_grad_() for shape, scale in zip(shapes, scales)]
    theirs = [part.detach().clone().to(device).requires_grad_() for part in ours]
    found, expected = recurrence_kernel.KernelRecurrence.apply(*theirs), recurrence(*ours)
    torch.testing.assert_close(found.cpu(), expected, atol=2e-6, rtol=0)
    upstream = torch.randn(expected.shape)
    found.backward(upstream.to(device))
    expected.backward(upstream)
    for own, other in zip(theirs, ours):
        wanted = torch.zeros_like(other) if other.grad is None else other.grad
        most = 1e-5 * max(1, wanted.abs().max().item())
        torch.testing.assert_close(own.grad.cpu(), wanted, atol=most, rtol=0)
print("equal")
"""


def run(device: str, at_once: float) -> str:
    environment = os.environ | {"PYTHONPATH": "."}
    if device == "cpu":  # it is read when the kernels are defined, hence another process
        environment["TRITON_INTERPRET"] = "1"
    command = [sys.executable, "-c", INTERPRETED, device, str(at_once)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("at_once", [1e9, 3000])  # all frames at once, and a few at a time
def test_kernels_equal_the_recurrence_on_the_cpu(at_once):
    pytest.importorskip("triton")
    assert run("cpu", at_once) == "equal\n"


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("hidden", [8, 120])
def test_kernels_compile_without_a_gpu(hidden, capability):
    """The interpreter accepts what the compiler does not."""
    pytest.importorskip("triton")
    from triton import compile as compiled
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from pipeline.learning.systems.emobed import recurrence_kernel as kernels

    sizes = kernels._launch(hidden)
    warps = sizes.pop("num_warps")
    for kernel in (kernels._forward, kernels._backward):
        types = {name: "*fp32" for name in kernel.arg_names if name not in sizes}
        types |= dict.fromkeys(("batch", "frames", "first", "count") & types.keys(), "i32")
        types |= dict.fromkeys(sizes, "constexpr")
        places = {(kernel.arg_names.index(name),): value for name, value in sizes.items()}
        source = ASTSource(kernel, types, places)
        made = compiled(source, target=GPUTarget("cuda", capability, 32), options={"num_warps": warps})
        assert "cubin" in made.asm


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("at_once", [1e9, 3e6])
def test_compiled_kernels_equal_the_recurrence_on_the_cpu(at_once):
    assert run("cuda", at_once) == "equal\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="kernels run here")
def test_without_kernels_a_warning_says_what_is_slow(caplog):
    assert not recurrence_device.has_kernels.__wrapped__()
    assert "frame by frame" in caplog.text
