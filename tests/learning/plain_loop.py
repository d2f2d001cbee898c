"""Equation 8 written plainly: one model, one sequence at a time, PyTorch's own modules and optimiser.

Nothing of the batched program is used but the random choices: start weights, order of the batches and which
frames are drawn for triplets are given to both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.learning.batches import SeededOrder
from pipeline.learning.seeding import numpy_stream
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.network import Architecture, initial_weights
from pipeline.params import Learning

BLOCKS = ("target", "auxiliary", "shared")


@dataclass
class Example:
    """One training sequence: features (frames, features), labels (NaN: none) and classes (-1: none)."""

    features: np.ndarray
    labels: np.ndarray
    classes: np.ndarray


class PlainModel:
    """Two `torch.nn.GRU` encoders, a shared `torch.nn.GRU`, a `torch.nn.Linear`, in double precision."""

    def __init__(self, architecture: Architecture, seed: int) -> None:
        a = architecture
        sizes = {"target": a.target_features, "auxiliary": a.auxiliary_features, "shared": a.embedding}
        self.gru = {
            block: torch.nn.GRU(
                size, a.hidden, a.shared_layers if block == "shared" else a.encoder_layers,
                batch_first=True, bidirectional=a.bidirectional,
            ).double()
            for block, size in sizes.items()
        }  # fmt: skip
        self.head = torch.nn.Linear(a.embedding, a.outputs).double()
        start = initial_weights(a, seed, *BLOCKS, "head")
        with torch.no_grad():
            for name, parameter in self.named():
                parameter.copy_(start[name])

    def named(self):
        """Yield the project's name of each weight and the module's parameter."""
        for block, module in self.gru.items():
            for name, parameter in module.named_parameters():
                kind, layer = name.split("_l")
                number, *reverse = layer.split("_")
                yield f"{block}.{number}.{kind}" + "".join(f"_{part}" for part in reverse), parameter
        for name, parameter in self.head.named_parameters():
            yield f"head.{name}", parameter

    def embed(self, block: str, example: Example) -> torch.Tensor:
        return self.gru[block](torch.from_numpy(example.features).double()[None])[0][0]

    def recognise(self, embedding: torch.Tensor) -> torch.Tensor:
        return self.head(self.gru["shared"](embedding[None])[0][0])


def prediction_loss(
    name: str, outputs: Sequence[torch.Tensor], batch: Sequence[Example], ccc_over: str = "batch"
) -> torch.Tensor:
    """Return 1 - CCC, mean squared error or cross-entropy over the labelled frames of a batch.

    ccc_over: sequence for the mean over sequences of 1 - CCC.
    """
    if name == "ccc" and ccc_over == "sequence":
        pairs = [
            (output, example)
            for output, example in zip(outputs, batch, strict=True)
            if not np.isnan(example.labels).all()
        ]
        losses = [prediction_loss(name, [output], [example]) for output, example in pairs]
        return torch.stack(losses).mean() if losses else 0 * outputs[0].sum()
    labels = torch.from_numpy(np.concatenate([example.labels for example in batch])).double()
    known = ~torch.isnan(labels)
    p, y = torch.cat(list(outputs))[known], labels[known]
    if name == "cross_entropy":
        return torch.nn.CrossEntropyLoss()(p, y.long())
    p = p[:, 0]
    if name == "mse":
        return torch.nn.MSELoss()(p, y)
    covariance = torch.mean((p - p.mean()) * (y - y.mean()))
    return 1 - 2 * covariance / (p.var(correction=0) + y.var(correction=0) + (p.mean() - y.mean()) ** 2)


def triplet_loss(
    embeddings: Sequence[torch.Tensor], classes: Sequence[int], form: str, margin: float, reduction: str
) -> torch.Tensor:
    """Return eqs. 5 and 6 by looking at every pair of embeddings of both modalities."""
    terms = []
    for i, anchor in enumerate(embeddings):
        others = [j for j in range(len(embeddings)) if j != i and classes[j] != -1]
        positives = [torch.dist(anchor, embeddings[j]) for j in others if classes[j] == classes[i]]
        negatives = [torch.dist(anchor, embeddings[j]) for j in others if classes[j] != classes[i]]
        if classes[i] == -1 or not positives or not negatives:
            continue
        difference = max(positives) - min(negatives)
        if form == "hinge":
            difference = torch.clamp(difference + margin, min=0)
        elif form == "softplus":
            difference = torch.log(1 + torch.exp(difference))
        terms.append(difference)
    total = sum(terms)
    return total / len(terms) if reduction == "mean" else total


def train(
    architecture: Architecture,
    target: Sequence[Example],
    auxiliary: Sequence[Example],
    learning: Learning,
    point: GridPoint,
) -> dict[str, torch.Tensor]:
    """Minimise `J = L_target + alpha L_auxiliary + beta L_triplet + lambda R`; return the last weights."""
    model, settings = PlainModel(architecture, point.seed), learning.optimiser
    # what takes no part in J is not trained, and not shrunk by R either
    used = ("target", "shared", "head") + (("auxiliary",) if point.alpha or point.beta else ())
    weights = [parameter for name, parameter in model.named() if name.startswith(used)]
    rate = settings.learning_rate if point.rate is None else point.rate
    decay = settings.weight_decay if point.decay is None else point.decay
    adam = torch.optim.Adam(weights, lr=rate, weight_decay=decay)
    orders = {
        name: SeededOrder(len(examples), settings.batch, point.seed, name)
        for name, examples in (("target", target), ("auxiliary", auxiliary))
    }
    draws = numpy_stream(point.seed, "triplet")
    steps = max(
        math.ceil(len(examples) / min(settings.batch, len(examples))) for examples in (target, auxiliary)
    )
    for _ in range(steps * settings.epochs):
        own = [target[i] for i in orders["target"].draw()]
        embedded = [model.embed("target", example) for example in own]
        outputs = [model.recognise(e) for e in embedded]
        loss = prediction_loss(learning.loss, outputs, own, learning.ccc)
        if point.alpha or point.beta:
            others = [auxiliary[i] for i in orders["auxiliary"].draw()]
            embedded_others = [model.embed("auxiliary", example) for example in others]
        if point.alpha:
            outputs = [model.recognise(e) for e in embedded_others]
            loss = loss + point.alpha * prediction_loss(learning.loss, outputs, others, learning.ccc)
        if point.beta:
            form = learning.triplet
            chosen: list[torch.Tensor] = []
            classes: list[int] = []
            sides = ((embedded, own, target), (embedded_others, others, auxiliary))
            for vectors, examples, whole in sides:
                longest = max(len(example.classes) for example in whole)
                for i, frame in _drawn(examples, longest, form.frames // 2, draws):
                    chosen.append(vectors[i][frame])
                    classes.append(int(examples[i].classes[frame]))
            loss = loss + point.beta * triplet_loss(chosen, classes, form.form, form.margin, form.reduction)
        adam.zero_grad()
        loss.backward()
        if settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, settings.clip_norm)
        adam.step()
    return {name: parameter.detach() for name, parameter in model.named()}


def _drawn(
    batch: Sequence[Example], longest: int, count: int, draws: np.random.Generator
) -> list[tuple[int, int]]:
    """Return (example, frame) of the labelled frames that form triplets: all, or `count` drawn at random."""
    frames = [(i, k) for i in range(len(batch)) for k in range(longest)]
    known = [k < len(batch[i].classes) and batch[i].classes[k] != -1 for i, k in frames]
    keys = np.where(known, 0.0, np.inf)
    if len(frames) > count:
        keys = keys + draws.random(len(frames))
        frames = [frames[place] for place in np.argsort(keys)[:count] if known[place]]
    else:
        frames = [frame for frame, usable in zip(frames, known, strict=True) if usable]
    return frames
