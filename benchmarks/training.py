"""Time training: many models at once against one by one, the recurrence against autograd's loop, Adam.

Run `python benchmarks/training.py`; about a minute on one core. Figures are ratios within one run: single
times depend on what else the machine does. Nothing here is asserted in tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from pipeline.learning.systems.emobed.network import Architecture, encode, initial_weights, recognise
from pipeline.learning.systems.emobed.optimiser import Adam, FlatWeights
from pipeline.learning.systems.emobed.recurrence import recurrence
from pipeline.learning.systems.emobed.recurrence_device import DeviceRecurrence
from pipeline.running.one_thread import one_thread

REPEATS = 5


def seconds(run: Callable[[], None], times: int = 1) -> float:
    """Return the shortest of a few runs, each `times` calls, seconds."""
    run()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(times):
            run()
        found.append(time.perf_counter() - start)
    return min(found)


def autograd_recurrence(projected: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Run the recurrence as a plain loop that autograd differentiates."""
    hidden = projected.shape[-1] // 3
    h, states = projected.new_zeros(*projected.shape[:2], hidden), []
    for a in projected.unbind(2):
        g = torch.baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2))
        r, z = torch.sigmoid(a[..., : 2 * hidden] + g[..., : 2 * hidden]).chunk(2, dim=-1)
        n = torch.tanh(a[..., 2 * hidden :] + r * g[..., 2 * hidden :])
        h = n + z * (h - n)
        states.append(h)
    return torch.stack(states, dim=2)


def recurrences(models: int, batch: int, frames: int, hidden: int) -> None:
    """Print forward and backward of one recurrence, three ways."""
    shapes = ((models, batch, frames, 3 * hidden), (models, 3 * hidden, hidden), (models, 3 * hidden))
    arguments = [torch.randn(shape).mul_(0.2).requires_grad_() for shape in shapes]
    ways = {"autograd": autograd_recurrence, "pytorch": DeviceRecurrence.apply, "numpy": recurrence}
    times = {
        name: seconds(lambda way=way: torch.autograd.grad(way(*arguments).square().sum(), arguments))
        for name, way in ways.items()
    }
    print(
        f"recurrence, {models} models, batch {batch}, {frames} frames, hidden {hidden}: autograd's loop "
        f"{times['autograd'] * 1e3:.0f} ms; by hand in PyTorch x{times['autograd'] / times['pytorch']:.1f}, "
        f"by hand in NumPy x{times['autograd'] / times['numpy']:.1f}"
    )


def programs(models: int, batch: int, frames: int, features: int, hidden: int) -> None:
    """Print forward and backward of encoder and shared network, at once against torch.nn.GRU one by one."""
    architecture = Architecture(features, 1, 1, 1, hidden, False, 1)
    single = [initial_weights(architecture, seed, "target", "shared", "head") for seed in range(models)]
    weights = {name: torch.stack([w[name] for w in single]).requires_grad_() for name in single[0]}
    inputs = torch.randn(models, batch, frames, features)
    lengths = torch.full((models, batch), frames)

    def at_once() -> None:
        embeddings = encode(inputs, lengths, weights, "target", architecture)
        loss = recognise(embeddings, lengths, weights, architecture).square().sum()
        torch.autograd.grad(loss, list(weights.values()), allow_unused=True)

    modules = [
        (
            torch.nn.GRU(features, hidden, batch_first=True),
            torch.nn.GRU(hidden, hidden, batch_first=True),
            torch.nn.Linear(hidden, 1),
        )
        for _ in range(models)
    ]

    def one_by_one() -> None:
        for (encoder, shared, head), own in zip(modules, inputs, strict=True):
            loss = head(shared(encoder(own)[0])[0]).square().sum()
            parameters = [p for module in (encoder, shared, head) for p in module.parameters()]
            torch.autograd.grad(loss, parameters)

    slow, fast = seconds(one_by_one), seconds(at_once)
    print(
        f"program, {models} models, batch {batch}, {frames} frames, {features} features, hidden {hidden}: "
        f"torch.nn.GRU one by one {slow * 1e3:.0f} ms; at once x{slow / fast:.1f}"
    )


def optimisers(models: int, width: int) -> None:
    """Print Adam's step of many models: operations on the flat array against `torch.optim.Adam` on rows."""
    single = [{"weights": torch.randn(width)} for _ in range(models)]
    weights = FlatWeights(single, torch.device("cpu"))
    weights.gradients.normal_()
    mean, square = torch.zeros_like(weights.values), torch.zeros_like(weights.values)

    def flat() -> None:
        gradient = weights.gradients.add(weights.values, alpha=1e-4)
        mean.lerp_(gradient, 0.1)
        square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        weights.values.sub_((mean / square.sqrt().add_(1e-8)).mul_(1e-3))

    adams = {
        "one rate": Adam(weights, [1e-3] * models, [1e-4] * models),
        "a rate per model": Adam(weights, [1e-3 * (m + 1) for m in range(models)], [1e-4] * models),
    }
    factor, active = torch.ones(models), [True] * models
    slow = seconds(flat, 20)
    ratios = [
        f"{name} x{slow / seconds(lambda adam=adam: adam.step(factor, active), 20):.1f}"
        for name, adam in adams.items()
    ]
    print(
        f"optimiser, {models} models of {width} weights: flat operations {slow / 20 * 1e3:.2f} ms a step; "
        f"torch.optim.Adam, fused: {', '.join(ratios)}"
    )


if __name__ == "__main__":
    with one_thread():
        for size in ((12, 25_000), (12, 200_000), (1, 25_000), (48, 10_000)):
            optimisers(*size)
        for size in ((12, 4, 400, 32), (1, 4, 400, 32), (4, 4, 1500, 120)):
            recurrences(*size)
        for size in ((12, 4, 400, 88, 32), (12, 4, 400, 512, 32), (12, 64, 1, 88, 32), (12, 4, 1, 88, 32)):
            programs(*size)
