"""Sequences and a network of `torch.nn` -> a trained network: one plain loop, one model at a time.

Batches, epochs, stopping, averaging, clipping and seeds follow the rules of EmoBed's batched program, so that
systems differ in what they learn from and in nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded, SeededOrder, in_one_go
from pipeline.learning.dev_scores import dev_loss, dev_score, shift_back
from pipeline.learning.losses import prediction_loss
from pipeline.learning.outputs import probabilities
from pipeline.learning.progress import mark_epoch
from pipeline.learning.sequences import Sequences
from pipeline.learning.torch_networks import Network, Sizes
from pipeline.learning.trained_model import CURVES, TrainingError
from pipeline.params import Learning


@dataclass(frozen=True)
class LoopData:
    """What a network learns from and predicts.

    train: labelled sequences, the features of all parts side by side. others: for each further output the
    labels of these sequences, (frames,) each, NaN where there is none. steps: of an epoch. order: the views
    whose features stand side by side, from left to right. positive_weight: of a label of each class, where an
    utterance may have several.
    """

    sizes: Sizes
    train: Sequences
    evaluation: Sequences
    delay_frames: int
    steps: int
    others: tuple[tuple[NDArray[np.float32], ...], ...] = ()
    order: tuple[str, ...] = ("target",)
    positive_weight: tuple[float, ...] = ()


class Loop(ABC):
    """One training of any network of `torch.nn`; whoever derives says what is minimised and predicted."""

    def __init__(
        self,
        network: torch.nn.Module,
        evaluation: Sequences,
        steps: int,
        learning: Learning,
        device: str,
        name: str,
        positive_weight: Sequence[float] = (),
    ) -> None:
        """Put the network on its device. steps: of an epoch. name: of the model, for errors.

        positive_weight: of a label of each class, where an utterance may have several.
        """
        self.several, self.positive_weight = learning.loss == "binary_cross_entropy", positive_weight
        self.learning, self.device, self.name = learning, torch.device(device), name
        self.parameters = list(network.to(self.device).parameters())
        self.steps, self.evaluation = steps, evaluation
        self.dev = [i for i, name in enumerate(evaluation.partitions) if name == "dev"]
        self.gold = [torch.tensor(evaluation.gold[i], device=self.device) for i in self.dev]

    def run(
        self, other_weight: float = 0.0, marks: Path | None = None, curve_wanted: bool = True
    ) -> NDArray[np.float64]:
        """Train all epochs, each noted in `marks`, and return the curve, (epochs, `CURVES`).

        The network then has its final weights. other_weight: of the losses of further outputs. curve_wanted:
        False: dev is looked at only if the parameters choose by it, and the curve says nothing of it else.

        Raises:
            TrainingError: a loss or gradient is not finite.
        """
        optimiser = self.learning.optimiser
        adam = torch.optim.Adam(self.parameters, optimiser.learning_rate, weight_decay=optimiser.weight_decay)
        kept: deque[list[torch.Tensor]] = deque(
            maxlen=optimiser.average_epochs if optimiser.weights == "average" else 1
        )
        best, best_epoch, curve = -np.inf, 0, []
        on_dev = curve_wanted or optimiser.weights != "average" or optimiser.patience is not None
        for epoch in range(optimiser.epochs):
            losses = [self._step(adam, other_weight, epoch) for _ in range(self.steps)]
            score, loss_on_dev = self._on_dev() if on_dev else (float("nan"), float("nan"))
            target, other = np.mean(losses, axis=0)
            curve.append((target, other, np.nan, np.nan, score, loss_on_dev))
            improved = score > best
            if improved:
                best, best_epoch = score, epoch
            if optimiser.weights == "average" or improved or not epoch:
                kept.append([parameter.detach().clone() for parameter in self.parameters])
            mark_epoch(marks, best)
            if optimiser.patience is not None and epoch - best_epoch >= optimiser.patience:
                break
        with torch.no_grad():
            for parameter, values in zip(self.parameters, zip(*kept, strict=True), strict=True):
                parameter.copy_(torch.stack(values).mean(0))
        assert len(CURVES) == len(curve[0])
        return np.array(curve)

    def _step(self, adam: torch.optim.Adam, other_weight: float, epoch: int) -> tuple[float, float]:
        """Do one step; return the loss of what is predicted and that of further outputs."""
        total, loss, other = self._losses(other_weight)
        self._check(total, "loss", epoch)
        adam.zero_grad()
        total.backward()
        limit = self.learning.optimiser.clip_norm
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, torch.inf if limit is None else limit)
        self._check(norm, "gradient", epoch)
        adam.step()
        return loss.item(), float("nan") if other is None else other.item()

    def _check(self, value: torch.Tensor, what: str, epoch: int) -> None:
        if not torch.isfinite(value):
            raise TrainingError(f"model {self.name}: {what} is not finite in epoch {epoch + 1}")

    def _on_dev(self) -> tuple[float, float]:
        """Return score and loss over all dev recordings; NaN without labels."""
        if not any(torch.isfinite(gold).any() for gold in self.gold):
            return float("nan"), float("nan")
        outputs = [own[None] for own in self._outputs(self.dev)]
        score = dev_score(torch.cat(outputs, dim=1)[:, None], torch.cat(self.gold)[None], self.several)
        return float(score), float(dev_loss(outputs, self.gold, self.learning, self.positive_weight))

    def predictions(self) -> tuple[NDArray[np.float32], ...]:
        """Return the predictions of each evaluation recording, shifted back; probabilities for classes."""
        return self.as_predictions(self._outputs(range(len(self.evaluation))))

    def as_predictions(self, found: Sequence[torch.Tensor]) -> tuple[NDArray[np.float32], ...]:
        """Return outputs of recordings as they are written: probabilities for classes."""
        return tuple(probabilities(own, self.several).cpu().numpy() for own in found)

    @abstractmethod
    def _losses(self, other_weight: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Draw a batch and return what is minimised, and its parts: of what is predicted, and the other."""

    @abstractmethod
    def _outputs(self, places: Sequence[int]) -> list[torch.Tensor]:
        """Return the outputs for some evaluation recordings, shifted back, (frames, outputs) each."""


class Run(Loop):
    """One training of a `Network`."""

    def __init__(self, data: LoopData, learning: Learning, seed: int, device: str, name: str) -> None:
        """Draw start weights and order of batches from the seed; name: of the model, for errors."""
        self.data, self.network = data, Network(data.sizes, seed)
        super().__init__(
            self.network, data.evaluation, data.steps, learning, device, name, data.positive_weight
        )
        self.train = Padded.of(data.train, self.device)
        self.others = [_padded(labels, self.train) for labels in data.others]
        self.order = SeededOrder(len(data.train), learning.optimiser.batch, seed, "target")

    def _losses(self, other_weight: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Draw a batch of labelled sequences."""
        drawn = torch.from_numpy(self.order.draw()).to(self.device)
        batch, count, kind = self.train.gather(drawn), self.data.sizes.outputs, self.learning.loss
        over = self.learning.ccc if kind == "ccc" else "batch"
        # a leading axis of one model, as losses have it
        outputs = self.network(batch.features, batch.lengths)[None]
        of_batch = outputs[..., :count], batch.labels[None], batch.labelled[None]
        loss = prediction_loss(kind, *of_batch, over, self.positive_weight)[0]
        other = loss.new_zeros(())
        for place, (labels, labelled) in enumerate(self.others):
            own = outputs[..., count + place, None]
            values = labels[drawn][None], labelled[drawn][None]
            # classes have numbers for their other dimensions
            own_kind = "ccc" if kind.endswith("cross_entropy") else kind
            other = other + prediction_loss(own_kind, own, *values, over)[0]
        return loss + other_weight * other, loss, other if self.others else None

    @cached_property
    def _dev_parts(self) -> list[Padded]:
        """Return dev as it is predicted after each epoch; padded once."""
        return self._parts(self.dev)

    def _parts(self, places: Sequence[int]) -> list[Padded]:
        """Return some evaluation recordings in groups that are predicted in one go."""
        lengths = [len(array) for array in self.evaluation.features]
        groups = in_one_go(places, lengths)
        return [Padded.of(self.evaluation.select(group), self.device) for group in groups]

    @torch.no_grad()
    def _outputs(self, places: Sequence[int]) -> list[torch.Tensor]:
        """Return the outputs for some evaluation recordings, shifted back, (frames, outputs) each."""
        found = []
        for part in self._dev_parts if places is self.dev else self._parts(places):
            outputs = self.network(part.features, part.lengths)[None, ..., : self.data.sizes.outputs]
            shifted = shift_back(outputs, self.data.delay_frames)[0]
            found += [shifted[i, :length] for i, length in enumerate(part.lengths.tolist())]
        return found


def _padded(labels: Sequence[NDArray[np.float32]], train: Padded) -> tuple[torch.Tensor, torch.Tensor]:
    """Return labels and where there are some, (sequences, frames) each, as `Padded` has them."""
    values = np.full(train.labels.shape, np.nan, np.float32)
    for row, own in zip(values, labels, strict=True):
        row[: len(own)] = own
    known = np.isfinite(values)
    device = train.labels.device
    return torch.from_numpy(np.where(known, values, 0)).to(device), torch.from_numpy(known).to(device).float()
