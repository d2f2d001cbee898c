"""Time training at RECOLA's size: one epoch of many models at once against plain PyTorch, one by one.

Run `python -m benchmarks.recola_training [cpu|cuda] [MODELS ...]`: made-up recordings, 9 of train and 9 of
dev, 7,501 frames each, 88 and 168 features, 2 + 2 layers of 120 units, batches of 4. Plain PyTorch is
`torch.nn.GRU` and `torch.optim.Adam` for the target's and the auxiliary's loss, without the triplet loss and
dev scores, which ours has: the ratio is too small rather than too large. On the CPU times are those of the
processor, by one thread, and the weights of the joint system after an epoch are held against plain PyTorch's.
Nothing here is asserted in tests.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from pipeline.learning.batches import SeededOrder
from pipeline.learning.losses import ccc_loss
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.gru_layer import Layer, gru_layer
from pipeline.learning.systems.emobed.network import Architecture, initial_weights
from pipeline.learning.systems.emobed.reused_memory import reused_memory
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Learning, load_params
from pipeline.running.one_thread import one_thread

FRAMES, RECORDINGS, FEATURES = 7501, 9, (88, 168)


def made_up(partition: str, features: int, frames: int, seed: int) -> Sequences:
    """Return recordings whose features follow a random walk, the label."""
    random = np.random.default_rng(seed)
    labels = [0.01 * np.cumsum(random.normal(size=frames)).astype(np.float32) for _ in range(RECORDINGS)]
    weights = random.normal(size=(1, features))
    values = (label[:, None] * weights + random.normal(size=(frames, features)) for label in labels)
    names = tuple(f"{partition}_{i}" for i in range(RECORDINGS))
    return Sequences(
        names,
        (partition,) * RECORDINGS,
        names,
        tuple(value.astype(np.float32) for value in values),
        tuple(labels),
        tuple((label > 0).astype(np.int64) for label in labels),
        tuple(label.astype(np.float64) for label in labels),
    )


def data(frames: int) -> TrainingData:
    """Return the experiment audio+video of made-up sessions."""
    own, other = FEATURES
    return TrainingData(
        Architecture(own, other, 2, 2, 120, False, 1),
        made_up("train", own, frames, 0),
        made_up("train", other, frames, 1),
        made_up("dev", own, frames, 2),
        60,
    )


def settings(epochs: int) -> Learning:
    """Return RECOLA's parameters of learning with so many epochs."""
    learning = load_params(Path("params.yaml")).corpus("recola").learning
    optimiser = learning.optimiser.model_copy(
        update={"epochs": epochs, "average_epochs": 1, "patience": None}
    )
    return learning.model_copy(update={"optimiser": optimiser})


def at_once(models: int, frames: int, device: str, epochs: int = 2) -> float:
    """Return the seconds per epoch and model of so many models at once."""
    points = [GridPoint(0.3, 0.1, seed) for seed in range(models)]
    made, learning = data(frames), settings(epochs)
    train_program(data(8), settings(1), points[:1], device)  # kernels are compiled once
    start = clock(device)
    train_program(made, learning, points, device)
    return (clock(device) - start) / models / epochs


def clock(device: str) -> float:
    """Return seconds: of the processor where it does the work, since other work disturbs those less."""
    return time.perf_counter() if device == "cuda" else time.process_time()


def plain(
    given: TrainingData, device: str, steps: int, warm: int = 1
) -> tuple[float, dict[str, torch.Tensor]]:
    """Train one joint model as it is usually written; return seconds per epoch and the weights by our names.

    warm: steps before those that are timed; the weights are those after all.
    """
    names = ("target", "auxiliary", "shared")
    sizes = dict(zip(names, (*FEATURES, 120), strict=True))
    modules = {name: torch.nn.GRU(size, 120, 2, batch_first=True).to(device) for name, size in sizes.items()}
    head = torch.nn.Linear(120, 1).to(device)
    named = {
        f"{name}.{layer}.{kind}": getattr(module, f"{kind}_l{layer}")
        for name, module in modules.items()
        for layer in range(2)
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    } | {"head.weight": head.weight, "head.bias": head.bias}
    start_weights = initial_weights(given.architecture, 0, *names, "head")
    for name, parameter in named.items():
        parameter.data.copy_(start_weights[name])
    optimiser, parameters = settings(1).optimiser, list(named.values())
    adam = torch.optim.Adam(parameters, lr=optimiser.learning_rate, weight_decay=optimiser.weight_decay)
    parts = {"target": given.target, "auxiliary": given.auxiliary}
    orders = {name: SeededOrder(RECORDINGS, 4, 0, name) for name in parts}
    tensors = {
        name: [torch.from_numpy(np.stack(own)).to(device) for own in (part.features, part.labels)]
        for name, part in parts.items()
    }

    def step() -> None:
        losses = []
        for name, (features, labels) in tensors.items():
            batch = torch.from_numpy(orders[name].draw()).to(device)
            outputs = head(modules["shared"](modules[name](features[batch])[0])[0])
            label = labels[batch].unsqueeze(0)
            losses.append(ccc_loss(outputs.squeeze(-1).unsqueeze(0), label, torch.ones_like(label)))
        adam.zero_grad()
        (losses[0] + 0.3 * losses[1]).sum().backward()
        if optimiser.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, optimiser.clip_norm)
        adam.step()
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(warm):
        step()
    start = clock(device)
    for _ in range(steps):
        step()
    seconds = (clock(device) - start) / steps * -(-RECORDINGS // 4)
    return seconds, {name: parameter.data.cpu() for name, parameter in named.items()}


def best(work: Callable[[], object], times: int = 5) -> float:
    """Return the least seconds of the processor that something took."""
    found = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        found = min(found, time.process_time() - start)
    return found


def peaks() -> tuple[float, float]:
    """Return the GFLOPS that one large product of matrices reaches, and those of a convolution of VGG's."""
    matrix = np.ones((2048, 2048), np.float32)
    product = best(lambda: matrix @ matrix)
    pictures, kernels = torch.ones(8, 256, 56, 56), torch.ones(256, 256, 3, 3)
    with torch.no_grad():
        convolution = best(lambda: torch.nn.functional.conv2d(pictures, kernels, padding=1))
    taken = 2 * 9 * 256**2 * 56**2 * len(pictures)
    return 2 * len(matrix) ** 3 / product / 1e9, taken / convolution / 1e9


def layer_speeds(batch: int) -> tuple[float, float, float]:
    """Return GFLOPS of the products of a layer of 120 units: there, there before a way back, and back."""
    shapes = ((360, 120), (360,), (360, 120), (360,))
    layer = Layer(*(torch.empty(1, *shape).uniform_(-0.1, 0.1).requires_grad_() for shape in shapes))
    inputs = torch.randn(1, batch, FRAMES, 120, requires_grad=True)
    upstream = torch.randn(1, batch, FRAMES, 120)
    once = 2 * 360 * 240 * batch * FRAMES / 1e9
    with reused_memory():
        with torch.no_grad():
            alone = best(lambda: gru_layer(inputs, layer))
        there = best(lambda: gru_layer(inputs, layer))
        both = best(lambda: torch.autograd.grad(gru_layer(inputs, layer), (inputs, *layer), upstream))
    return once / alone, once / there, 2 * once / (both - there)


def operations(frames: int) -> float:
    """Return the GFLOP of an epoch's products: there, back twice as much, and dev, nothing twice."""
    layer = 2 * 3 * 120
    own, other = (layer * (width + 120) + 3 * layer * 240 for width in FEATURES)
    back = 2 * (own + other) - layer * sum(FEATURES)  # nobody asks for the gradients of features
    steps = -(-RECORDINGS // 4)
    return (steps * 4 * (own + other + back) + RECORDINGS * own) * frames / 1e9


def memory() -> float:
    """Return the most memory that this process has had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(device: str, counts: list[int]) -> None:
    """Print a table."""
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread"
    given = data(FRAMES)
    print(f"{name}; torch {torch.__version__}; {FRAMES} frames")
    before = memory()
    for models in counts:
        own = at_once(models, FRAMES, device)
        taken = torch.cuda.max_memory_allocated() if device == "cuda" else memory() - before
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        # plain beside each, since what else the machine does changes from minute to minute
        usual, weights = plain(given, device, 3) if device == "cuda" else plain(given, device, 2)
        print(
            f"{models} at once: {own:.3f} s per epoch and model, torch.nn.GRU and Adam, one by one, "
            f"{usual:.2f} s, x{usual / own:.1f}; {taken / models / 1e9:.2f} GB per model; "
            f"384 models of 50 epochs in {384 * 50 * own / 60:.0f} min",
            flush=True,
        )
        if device == "cpu":
            product, convolution = peaks()
            reached = operations(FRAMES) / own
            print(
                f"products at {reached:.0f} GFLOPS, all else included; a large one reaches {product:.0f}, a "
                f"convolution {convolution:.0f}"
            )
            for batch in (4, 8):
                alone, there, back = layer_speeds(batch)
                print(
                    f"products of a layer, {batch} sequences: dev {alone:.0f} GFLOPS, there {there:.0f}, "
                    f"back {back:.0f}"
                )
    if device == "cpu":  # three steps both
        (ours,) = train_program(given, settings(1), [GridPoint(0.3, 0.0, 0)])
        far = max((ours.weights[name] - weight).abs().max().item() for name, weight in weights.items())
        print(f"after an epoch of the joint system weights differ by at most {far:.1e}")


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    wanted = [int(count) for count in sys.argv[2:]] or ([1, 16, 96] if chosen == "cuda" else [1, 4])
    with one_thread():
        main(chosen, wanted)
