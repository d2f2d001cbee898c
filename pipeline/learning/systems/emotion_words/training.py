"""Recordings and word vectors -> a trained network, stopped on dev.

Adam; the gradient's norm is at most 1; the learning rate is a tenth after 5 epochs without a smaller loss on
dev; the weights are those of the epoch with the best score on dev, which is looked for until `patience`
epochs bring none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils import parameters_to_vector

from pipeline.corpora.label_sets import codes_of
from pipeline.learning.batches import SeededOrder, in_one_go, steps_per_epoch
from pipeline.learning.dev_scores import dev_score
from pipeline.learning.progress import mark_epoch
from pipeline.learning.seeding import stream_seed, torch_stream
from pipeline.learning.systems.emotion_words.gem import projected
from pipeline.learning.systems.emotion_words.losses import binary_loss, positive_weights
from pipeline.learning.systems.emotion_words.network import Part, WordNetwork
from pipeline.learning.systems.emotion_words.recordings import PaddedRecordings, WordRecordings
from pipeline.learning.trained_model import CURVES, TrainingError
from pipeline.params.emotion_words import EmotionWords

CLIP_NORM = 1.0
PLATEAU, FACTOR = 5, 0.1
"""Epochs without a smaller loss on dev after which the learning rate is multiplied, and by what."""


@dataclass(frozen=True)
class Memory:
    """What a training does no harm to: recordings, and the codes of the classes that were learned of them."""

    recordings: WordRecordings
    seen: NDArray[np.int64]


@dataclass(frozen=True)
class Lesson:
    """What one training learns from.

    train, dev: recordings, all with labels. seen: codes of the classes that are columns of the loss. memory:
    to which no harm is done. several: a recording may carry any number of them. batch, learning_rate: of this
    training.
    """

    train: WordRecordings
    dev: WordRecordings
    seen: NDArray[np.int64]
    several: bool
    batch: int
    learning_rate: float
    memory: Memory | None = None


class WordTraining:
    """The training of one network, in one lesson or several, one after the other."""

    def __init__(
        self,
        parts: dict[str, Part],
        words: NDArray[np.float32],
        own: EmotionWords,
        seed: int,
        device: str,
        name: str,
    ) -> None:
        """Draw start weights from the seed; words: (classes, values). name: of the model, for errors."""
        self.parts, self.own, self.seed, self.name = parts, own, seed, name
        self.device = torch.device(device)
        self.network = WordNetwork(parts, own.dropout, seed).to(self.device)
        self.words = torch.from_numpy(words).to(self.device)
        self.left_out = torch_stream(seed, "emotion words", "modalities")

    def learn(self, lesson: Lesson, number: int = 0, marks: Path | None = None) -> NDArray[np.float64]:
        """Learn a lesson and return the curve, (epochs, `CURVES`); the network has its best weights.

        number: of the lesson. marks: of the epochs, see `pipeline.learning.progress`.

        Raises:
            TrainingError: a loss or gradient is not finite.
        """
        adam = torch.optim.Adam(self.network.parameters(), lesson.learning_rate)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=FACTOR, patience=PLATEAU)
        train = self._padded(lesson.train)
        remembered = None if lesson.memory is None else self._remembered(lesson.memory)
        weights = torch.from_numpy(positive_weights(lesson.train.labels)).to(self.device)
        order = SeededOrder(len(train), lesson.batch, self.seed, f"emotion words {number}")
        steps = steps_per_epoch(len(train), 0, lesson.batch)
        best, best_epoch, curve = -np.inf, 0, []
        kept = self._state()
        with seeded(stream_seed(self.seed, "emotion words", "dropout", str(number)), self.device):
            for epoch in range(self.own.epochs):
                losses = [
                    self._step(adam, lesson, train.gather(self._drawn(order)), weights, remembered, epoch)
                    for _ in range(steps)
                ]
                score, loss = self._on_dev(lesson, weights)
                schedule.step(loss)
                curve.append((float(np.mean(losses)), np.nan, np.nan, np.nan, score, loss))
                if score > best:
                    best, best_epoch, kept = score, epoch, self._state()
                mark_epoch(marks, best)
                if epoch - best_epoch >= self.own.patience:
                    break
        self.network.load_state_dict(kept)
        assert len(CURVES) == len(curve[0])
        return np.array(curve)

    def _padded(self, recordings: WordRecordings) -> PaddedRecordings:
        return PaddedRecordings.of(
            recordings, {view: part.width for view, part in self.parts.items()}, self.device
        )

    def _drawn(self, order: SeededOrder) -> torch.Tensor:
        return torch.from_numpy(order.draw()).to(self.device)

    def _state(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def loss(self, batch: PaddedRecordings, seen: NDArray[np.int64], weights: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch over the classes that are seen; weights: of all classes."""
        closeness = self.network.closeness(batch.views, self.words[seen])
        logits = self.network.logits(closeness, self._some_of(batch.there))
        return binary_loss(logits, batch.labels[:, seen], weights[seen])

    def _some_of(self, there: torch.Tensor) -> torch.Tensor:
        """Leave modalities out at random; of a recording that would have none all stay."""
        if not self.own.modality_dropout:
            return there
        drawn = torch.rand(there.shape, generator=self.left_out).to(there) >= self.own.modality_dropout
        some = there * drawn
        return torch.where(some.sum(0) > 0, some, there)

    def _step(
        self,
        adam: torch.optim.Adam,
        lesson: Lesson,
        batch: PaddedRecordings,
        weights: torch.Tensor,
        remembered: Callable[[], torch.Tensor] | None,
        epoch: int,
    ) -> float:
        loss = self.loss(batch, lesson.seen, weights)
        self._check(loss, "loss", epoch)
        adam.zero_grad()
        loss.backward()
        if remembered is not None:
            self._do_no_harm(remembered)
        self._check(torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM), "gradient", epoch)
        adam.step()
        return loss.item()

    def _remembered(self, memory: Memory) -> Callable[[], torch.Tensor]:
        """Return what computes the loss on a memory."""
        padded = self._padded(memory.recordings)
        weights = torch.from_numpy(positive_weights(memory.recordings.labels)).to(self.device)
        return lambda: self.loss(padded, memory.seen, weights)

    def _do_no_harm(self, remembered: Callable[[], torch.Tensor]) -> None:
        """Turn the gradient so that the loss on a memory does not rise."""
        parameters = list(self.network.parameters())
        own = parameters_to_vector([_gradient(parameter) for parameter in parameters])
        self.network.zero_grad()
        remembered().backward()
        memory = parameters_to_vector([_gradient(parameter) for parameter in parameters])
        turned = projected(own.double().cpu().numpy(), memory.double().cpu().numpy()[None])
        parts = torch.from_numpy(turned).to(own).split([parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter).clone()

    def _check(self, value: torch.Tensor, what: str, epoch: int) -> None:
        if not torch.isfinite(value):
            raise TrainingError(f"model {self.name}: {what} is not finite in epoch {epoch + 1}")

    def _on_dev(self, lesson: Lesson, weights: torch.Tensor) -> tuple[float, float]:
        """Return score and loss on dev, by all modalities that a recording has and over the classes seen."""
        logits = torch.from_numpy(self.logits(lesson.dev))[:, lesson.seen]
        labels = torch.from_numpy(lesson.dev.labels)[:, lesson.seen]
        loss = binary_loss(logits, labels, weights[lesson.seen].cpu())
        # one model, as many recordings, of one frame
        gold = codes_of(labels.numpy()) if lesson.several else labels.argmax(1).double().numpy()
        score = dev_score(logits[None, :, None], torch.from_numpy(gold)[:, None], lesson.several)
        return float(score), float(loss)

    def logits(self, recordings: WordRecordings, views: tuple[str, ...] = ()) -> NDArray[np.float32]:
        """Return logits for all classes, (recordings, classes), by some views or by all that there are."""
        return logits_of(self.network, recordings, self.parts, self.words, views)


def _gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.detach()


@torch.no_grad()
def logits_of(
    network: WordNetwork,
    recordings: WordRecordings,
    parts: dict[str, Part],
    words: torch.Tensor,
    views: tuple[str, ...] = (),
) -> NDArray[np.float32]:
    """Return logits for all classes, (recordings, classes), by some views or by all that there are."""
    training = network.training
    network.eval()
    longest = [
        max(1 if own[i] is None else len(own[i]) for own in recordings.features.values())  # type: ignore[arg-type]
        for i in range(len(recordings))
    ]
    found = [np.zeros((0, len(words)), np.float32)]
    for group in in_one_go(range(len(recordings)), longest):
        widths = {view: part.width for view, part in parts.items()}
        part = PaddedRecordings.of(recordings.select(group), widths, words.device)
        there = part.there
        if views:
            asked = [[float(view in views)] for view in parts]
            there = there * torch.tensor(asked, device=words.device)
        found.append(network.logits(network.closeness(part.views, words), there).cpu().numpy())
    network.train(training)
    return np.concatenate(found)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed what PyTorch draws by itself (dropout); afterwards its state is what it was."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
