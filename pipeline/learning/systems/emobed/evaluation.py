"""Models and whole recordings of dev and test -> predictions and dev scores of all models at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pipeline.learning.batches import Padded, in_one_go
from pipeline.learning.dev_scores import dev_loss, dev_score, shift_back
from pipeline.learning.systems.emobed.network import Weights, encode, recognise
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Learning


class Evaluation:
    """Recordings of the target modality that are predicted but not learned from."""

    def __init__(self, data: TrainingData, device: torch.device) -> None:
        """Take the whole recordings of dev and test."""
        recordings = data.evaluation
        self._recordings, self._architecture = recordings, data.architecture
        self._delay, self._device = data.delay_frames, device
        self._positive_weight = data.positive_weight
        self._dev = [i for i, name in enumerate(recordings.partitions) if name == "dev"]
        self._gold_of = [torch.tensor(recordings.gold[i], device=device) for i in self._dev]
        self._gold = torch.cat([torch.zeros(0, dtype=torch.float64, device=device), *self._gold_of])

    def on_dev(self, weights: Weights, learning: Learning) -> torch.Tensor:
        """Return each model's score and loss over all dev recordings, (models, 2); NaN without labels."""
        if not torch.isfinite(self._gold).any():
            return torch.full((len(weights["head.bias"]), 2), torch.nan, dtype=torch.float64)
        outputs = self._predict(weights, self._dev)
        # of (models, 1, frames, outputs)
        every = torch.cat(outputs, dim=1).unsqueeze(1)
        score = dev_score(every, self._gold.unsqueeze(0), self._architecture.several)
        loss = dev_loss(outputs, self._gold_of, learning, self._positive_weight)
        return torch.stack((score.double(), loss.double()), dim=1).cpu()

    def outputs(self, weights: Weights) -> list[torch.Tensor]:
        """Return the outputs for each recording, shifted back, (models, frames, outputs) each."""
        # dev apart, as in `on_dev`: the same groups, the same rounding
        others = [i for i in range(len(self._recordings)) if i not in set(self._dev)]
        found: dict[int, torch.Tensor] = {}
        for group in (self._dev, others):
            found |= dict(zip(group, self._predict(weights, group), strict=True))
        return [found[i] for i in range(len(self._recordings))]

    @torch.no_grad()
    def _predict(self, weights: Weights, recordings: Sequence[int]) -> list[torch.Tensor]:
        """Return the outputs for some recordings, shifted back, (models, frames, outputs) each."""
        models = len(weights["head.bias"])
        found = []
        for group in in_one_go(recordings, [len(array) for array in self._recordings.features]):
            part = Padded.of(self._recordings.select(group), self._device)
            inputs = part.features.expand(models, *part.features.shape)
            lengths = part.lengths.expand(models, -1)
            embeddings = encode(inputs, lengths, weights, "target", self._architecture)
            outputs = recognise(embeddings, lengths, weights, self._architecture)
            outputs = shift_back(outputs, self._delay)
            found += [outputs[:, i, :length] for i, length in enumerate(part.lengths.tolist())]
        return found
