"""Models and whole recordings of dev and test -> predictions and dev scores of all models at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.learning.batches import Padded, in_one_go
from pipeline.learning.dev_scores import dev_score, shift_back
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.emobed.network import Architecture, Weights, encode, recognise


class Evaluation:
    """Recordings of the target modality that are predicted but not learned from."""

    def __init__(
        self, recordings: Sequences, architecture: Architecture, delay_frames: int, device: torch.device
    ) -> None:
        """Group the recordings; `delay_frames` is by how much labels were moved."""
        self._recordings, self._architecture = recordings, architecture
        self._delay, self._device = delay_frames, device
        self._dev = [i for i, name in enumerate(recordings.partitions) if name == "dev"]
        gold = [recordings.gold[i] for i in self._dev]
        self._gold = torch.from_numpy(np.concatenate([np.zeros(0), *gold])).unsqueeze(0).to(device)

    def dev_score(self, weights: Weights) -> torch.Tensor:
        """Return each model's score over all dev recordings, (models,); NaN without labels."""
        if not torch.isfinite(self._gold).any():
            return torch.full((len(weights["head.bias"]),), torch.nan, dtype=torch.float64)
        outputs = torch.cat(self._predict(weights, self._dev), dim=1).unsqueeze(1)
        return dev_score(outputs, self._gold).double().cpu()  # of (models, 1, frames, outputs)

    def outputs(self, weights: Weights) -> list[torch.Tensor]:
        """Return the outputs for each recording, shifted back, (models, frames, outputs) each."""
        # dev apart, as in `dev_score`: the same groups, the same rounding
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
