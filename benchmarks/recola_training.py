"""Time training at RECOLA's size: one epoch of many models at once against plain PyTorch, one by one.

Run `python -m benchmarks.recola_training [cpu|cuda] [MODELS ...]`: made-up recordings, 9 of train and 9 of
dev, 7,501 frames each, 88 and 168 features, 2 + 2 layers of 120 units, batches of 4. Plain PyTorch is
`torch.nn.GRU` and `torch.optim.Adam` for the target's and the auxiliary's loss, without the triplet loss and
dev scores, which ours has: the ratio is too small rather than too large. Nothing here is asserted in tests.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from pipeline.learning.losses import ccc_loss
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.network import Architecture
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Learning, load_params

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
    if device == "cuda":  # kernels are compiled once
        train_program(data(8), settings(1), points[:1], device)
    start = time.perf_counter()
    train_program(made, learning, points, device)
    return (time.perf_counter() - start) / models / epochs


def plain(frames: int, device: str, steps: int = 1) -> float:
    """Return the seconds per epoch of one model as it is usually written, from a few steps."""
    encoders = [torch.nn.GRU(features, 120, 2, batch_first=True).to(device) for features in FEATURES]
    shared = torch.nn.GRU(120, 120, 2, batch_first=True).to(device)
    head = torch.nn.Linear(120, 1).to(device)
    parameters = [p for module in (*encoders, shared, head) for p in module.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3, weight_decay=1e-4)
    batches = [torch.randn(4, frames, features, device=device) for features in FEATURES]
    label = torch.randn(1, 4, frames, device=device)
    labelled = torch.ones_like(label)

    def step() -> None:
        losses = [
            ccc_loss(head(shared(encoder(batch)[0])[0]).squeeze(-1).unsqueeze(0), label, labelled)
            for encoder, batch in zip(encoders, batches, strict=True)
        ]
        adam.zero_grad()
        (losses[0] + 0.3 * losses[1]).sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        adam.step()
        if device == "cuda":
            torch.cuda.synchronize()

    step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps * -(-RECORDINGS // 4)


def main(device: str, counts: list[int]) -> None:
    """Print a table."""
    frames = FRAMES if device == "cuda" else 1500
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{name}; torch {torch.__version__}; {frames} frames")
    usual = plain(frames, device, 3 if device == "cuda" else 1)
    print(f"torch.nn.GRU and Adam, one by one: {usual:.2f} s per epoch and model")
    for models in counts:
        own = at_once(models, frames, device)
        memory = ""
        if device == "cuda":
            memory = f", {torch.cuda.max_memory_allocated() / models / 1e9:.2f} GB per model"
            torch.cuda.reset_peak_memory_stats()
        print(
            f"{models} at once: {own:.3f} s, x{usual / own:.1f}{memory}; "
            f"384 models of 50 epochs in {384 * 50 * own / 60:.0f} min",
            flush=True,
        )


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    main(chosen, [int(count) for count in sys.argv[2:]] or ([1, 16, 96] if chosen == "cuda" else [1, 4]))
