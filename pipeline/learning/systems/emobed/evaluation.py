"""Models and whole recordings of dev and test -> predictions and dev scores of all models at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from pipeline.learning.batches import Padded, in_one_go
from pipeline.learning.dev_scores import dev_loss, dev_score, shift_back
from pipeline.learning.systems.emobed.network import Weights, encode, recognise
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Learning


class Group(NamedTuple):
    """Recordings that are predicted in one go, and where their frames lie among those of the padded ones."""

    padded: Padded
    frames: torch.Tensor


class Evaluation:
    """Recordings of the target modality that are predicted but not learned from."""

    def __init__(self, data: TrainingData, device: torch.device) -> None:
        """Take the whole recordings of dev and test; those of dev are padded once for all epochs."""
        recordings = data.evaluation
        self._recordings, self._architecture = recordings, data.architecture
        self._delay, self._device = data.delay_frames, device
        self._positive_weight = data.positive_weight
        self._dev = [i for i, name in enumerate(recordings.partitions) if name == "dev"]
        self._gold_of = [torch.tensor(recordings.gold[i], device=device) for i in self._dev]
        self._gold = torch.cat([torch.zeros(0, dtype=torch.float64, device=device), *self._gold_of])
        self._scored = bool(torch.isfinite(self._gold).any())
        self._groups = self._padded(self._dev) if self._scored else []

    def on_dev(self, weights: Weights, learning: Learning) -> torch.Tensor:
        """Return each model's score and loss over all dev recordings, (models, 2); NaN without labels."""
        if not self._scored:
            return torch.full((len(weights["head.bias"]), 2), torch.nan, dtype=torch.float64)
        every = self._predict(weights, self._groups)  # (models, frames, outputs)
        score = dev_score(every.unsqueeze(1), self._gold.unsqueeze(0), self._architecture.several)
        if learning.loss == "ccc" and learning.ccc == "sequence":
            outputs, gold = every.split([len(own) for own in self._gold_of], dim=1), self._gold_of
        else:  # of all frames: as of one recording
            outputs, gold = (every,), [self._gold]
        loss = dev_loss(outputs, gold, learning, self._positive_weight)
        return torch.stack((score.double(), loss.double()), dim=1).cpu()

    def outputs(self, weights: Weights) -> list[torch.Tensor]:
        """Return the outputs for each recording, shifted back, (models, frames, outputs) each."""
        # dev apart, as in `on_dev`: the same groups, the same rounding
        others = [i for i in range(len(self._recordings)) if i not in set(self._dev)]
        found: dict[int, torch.Tensor] = {}
        for part in filter(None, (self._dev, others)):
            lengths = [len(self._recordings.features[i]) for i in part]
            every = self._predict(weights, self._padded(part))
            found |= dict(zip(part, every.split(lengths, dim=1), strict=True))
        return [found[i] for i in range(len(self._recordings))]

    def _padded(self, recordings: Sequence[int]) -> list[Group]:
        groups = []
        for group in in_one_go(recordings, [len(array) for array in self._recordings.features]):
            padded = Padded.of(self._recordings.select(group), self._device)
            frames = torch.arange(padded.features.shape[1], device=self._device)
            groups.append(Group(padded, (frames < padded.lengths.unsqueeze(1)).flatten().nonzero().flatten()))
        return groups

    @torch.no_grad()
    def _predict(self, weights: Weights, groups: Sequence[Group]) -> torch.Tensor:
        """Return the outputs for the frames of some recordings, shifted back, (models, frames, outputs)."""
        models = len(weights["head.bias"])
        found = []
        for part, frames in groups:
            inputs = part.features.expand(models, *part.features.shape)
            lengths = part.lengths.expand(models, -1)
            embeddings = encode(inputs, lengths, weights, "target", self._architecture)
            outputs = recognise(embeddings, lengths, weights, self._architecture)
            found.append(shift_back(outputs, self._delay).flatten(1, 2)[:, frames])
        return found[0] if len(found) == 1 else torch.cat(found, dim=1)
