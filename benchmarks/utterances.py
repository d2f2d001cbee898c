"""Time training on utterances (one frame each): many models at once against plain PyTorch, one by one.

Run `python -m benchmarks.utterances [MODELS ...] [--whole]`: made-up clips, 320 of train and 36 of dev, of
88 and 512 or 88 and 4,096 features, EmoBed with 1 + 1 layers of 120 units, batches of 64. Plain PyTorch is
`torch.nn.GRU`, `torch.nn.Linear` and `torch.optim.Adam` with the same batches, the same three losses,
clipping, weight decay and a score on dev after each epoch. Both are trained in one run by one thread and
their weights held against each other. Times are seconds of the processor, which other work disturbs less.
With `--whole` a cross-validation of 324 models and 60 epochs is really trained, 54 at once, instead of being
reckoned. Nothing is asserted in tests.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from pipeline.learning.batches import SeededOrder
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.network import Architecture, initial_weights
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Learning, load_params
from pipeline.running.one_thread import one_thread

TRAIN, DEV, BATCH, HIDDEN = 320, 36, 64, 120
ALPHA, BETA = 0.3, 0.1
FEATURES = ((88, 512), (88, 4096))
REPEATS = 2
EPOCHS = 12
GRID = (324, 60)
"""Models and epochs of a cross-validation."""
AT_ONCE = 54
"""Models of it in one program."""
BLOCKS = ("target", "auxiliary", "shared")


def made_up(partition: str, count: int, features: int, seed: int) -> Sequences:
    """Return utterances whose features follow the label, with noise."""
    random = np.random.default_rng(seed)
    labels = random.uniform(-1, 1, size=(count, 1)).astype(np.float32)
    values = labels * random.normal(size=features) + random.normal(size=(count, features))
    names = tuple(f"{partition}_{i}" for i in range(count))
    return Sequences(
        names,
        (partition,) * count,
        names,
        tuple(values[:, None].astype(np.float32)),
        tuple(labels),
        tuple((labels > 0).astype(np.int64)),
        tuple(labels.astype(np.float64)),
    )


def data(features: tuple[int, int]) -> TrainingData:
    """Return the experiment of made-up clips; features: of target and auxiliary modality."""
    own, other = features
    return TrainingData(
        Architecture(own, other, 1, 1, HIDDEN, False, 1),
        made_up("train", TRAIN, own, 0),
        made_up("train", TRAIN, other, 1),
        made_up("dev", DEV, own, 2),
        0,
    )


def settings(epochs: int) -> Learning:
    """Return the parameters of learning."""
    learning = load_params(Path("params.yaml")).corpus("recola").learning
    optimiser = {"epochs": epochs, "average_epochs": 1, "patience": None, "batch": BATCH, "clip_norm": 5.0}
    triplet = {"form": "literal", "reduction": "mean"}
    return learning.model_copy(
        update={
            "optimiser": learning.optimiser.model_copy(update=optimiser | {"weights": "average"}),
            "triplet": learning.triplet.model_copy(update=triplet),
        }
    )


def ccc(found: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Return the concordance correlation coefficient of two vectors."""
    off = found - found.mean(), label - label.mean()
    moments = off[0].square().mean() + off[1].square().mean() + (found.mean() - label.mean()).square()
    return 2 * (off[0] * off[1]).mean() / moments


def triplet(embeddings: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the literal batch-hard loss; embeddings: (anchors, units)."""
    with torch.no_grad():
        distances = torch.cdist(embeddings, embeddings)
        same = classes[:, None] == classes
        positive = distances.masked_fill(~same, -1).argmax(1)
        negative = distances.masked_fill(same, torch.inf).argmin(1)
    far, near = ((embeddings - embeddings[other]).norm(dim=1) for other in (positive, negative))
    return (far - near).mean()


def plain(given: TrainingData, learning: Learning, seed: int) -> dict[str, torch.Tensor]:
    """Train one model as it is usually written; return its weights by our names."""
    architecture, optimiser = given.architecture, learning.optimiser
    sizes = {"target": architecture.target_features, "auxiliary": architecture.auxiliary_features}
    modules = {block: torch.nn.GRU(sizes.get(block, HIDDEN), HIDDEN, batch_first=True) for block in BLOCKS}
    head = torch.nn.Linear(HIDDEN, 1)
    start = initial_weights(architecture, seed, *BLOCKS, "head")
    named = {
        f"{block}.0.{kind}": getattr(module, f"{kind}_l0")
        for block, module in modules.items()
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    } | {"head.weight": head.weight, "head.bias": head.bias}
    for name, parameter in named.items():
        parameter.data.copy_(start[name])
    parameters = list(named.values())
    adam = torch.optim.Adam(parameters, lr=optimiser.learning_rate, weight_decay=optimiser.weight_decay)
    parts = {"target": given.target, "auxiliary": given.auxiliary}
    orders = {name: SeededOrder(TRAIN, BATCH, seed, name) for name in parts}
    tensors = {
        name: [torch.from_numpy(np.stack(own)) for own in (part.features, part.labels, part.classes)]
        for name, part in parts.items()
    }
    dev = torch.from_numpy(np.stack(given.evaluation.features))
    gold = torch.from_numpy(np.stack(given.evaluation.gold)).flatten()
    for _ in range(optimiser.epochs):
        for _ in range(-(-TRAIN // BATCH)):
            losses, embeddings, classes = [], [], []
            for name, whole in tensors.items():
                batch = torch.from_numpy(orders[name].draw())
                features, labels, own = (part[batch] for part in whole)
                embedding = modules[name](features)[0]
                found = head(modules["shared"](embedding)[0])
                losses.append(1 - ccc(found.flatten(), labels.flatten()))
                embeddings.append(embedding[:, 0])
                classes.append(own[:, 0])
            loss = losses[0] + ALPHA * losses[1] + BETA * triplet(torch.cat(embeddings), torch.cat(classes))
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, optimiser.clip_norm)
            adam.step()
        with torch.no_grad():
            found = head(modules["shared"](modules["target"](dev)[0])[0])
            1 - ccc(found.flatten(), gold)
    return {name: parameter.data for name, parameter in named.items()}


def furthest(given: TrainingData, epochs: int = 2) -> float:
    """Return the largest difference of a weight that takes part, ours and plain, after so many epochs."""
    learning = settings(epochs)
    (ours,) = train_program(given, learning, [GridPoint(ALPHA, BETA, 0)])
    return max(
        (ours.weights[name] - weight).abs().max().item()
        for name, weight in plain(given, learning, 0).items()
        if "weight_hh" not in name  # of no effect in sequences of one frame
    )


def main(counts: list[int]) -> None:
    """Print a table."""
    print(f"torch {torch.__version__}, one thread; EmoBed, batches of {BATCH}, {HIDDEN} units")
    for features in FEATURES:
        given = data(features)
        far = furthest(given)
        print(f"{features[0]} and {features[1]} features; weights differ by at most {far:.1e}")
        steps = -(-TRAIN // BATCH)
        learning = settings(EPOCHS)
        for models in counts:
            points = [GridPoint(ALPHA, BETA, seed) for seed in range(models)]
            usual, own = [], []
            for _ in range(REPEATS):
                start = time.process_time()
                for seed in range(min(models, 3)):
                    plain(given, learning, seed)
                between = time.process_time()
                usual.append((between - start) / min(models, 3))
                train_program(given, learning, points)
                own.append((time.process_time() - between) / models)
            per_step = [min(found) / EPOCHS / steps * 1e3 for found in (usual, own)]
            print(
                f"{models} at once: {per_step[1]:.2f} ms per model and step, plain {per_step[0]:.2f} ms, "
                f"x{per_step[0] / per_step[1]:.2f}; {GRID[0]} models of {GRID[1]} epochs: "
                f"{GRID[0] * GRID[1] * steps * per_step[1] / 6e4:.1f} min",
                flush=True,
            )


def whole() -> None:
    """Train a cross-validation with 512 features and print what it took."""
    models, epochs = GRID
    given, learning, start = data(FEATURES[0]), settings(epochs), time.process_time()
    for first in range(0, models, AT_ONCE):
        points = [GridPoint(ALPHA, BETA, first + seed) for seed in range(AT_ONCE)]
        train_program(given, learning, points)
    minutes = (time.process_time() - start) / 60
    print(f"{models} models of {epochs} epochs: {minutes:.2f} min of the processor")


if __name__ == "__main__":
    with one_thread():
        if "--whole" in sys.argv:
            whole()
        else:
            main([int(count) for count in sys.argv[1:]] or [1, 12, 48])
