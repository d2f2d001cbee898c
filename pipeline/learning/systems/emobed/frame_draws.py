"""All frames of a step -> the seeded few that form triplets (method.md, section 2).

A full batch of RECOLA would need a 60,008 x 60,008 distance matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.sequences import MISSING


class FrameDraws:
    """Draws of frames, a stream per seed: models of the same seed draw the same frames."""

    def __init__(self, seeds: Sequence[int], frames: int) -> None:
        """Start the streams; `frames` is how many are drawn per modality and step."""
        self._streams = {seed: numpy_stream(seed, "triplet") for seed in seeds}
        self._frames = frames

    def draw(
        self, embeddings: torch.Tensor, classes: torch.Tensor, seeds: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw frames of one modality.

        embeddings: (models, batch, frames, embedding). classes: (models, batch, frames). seeds: of
        the models. Returns (models, drawn, embedding) and (models, drawn).
        """
        embeddings, classes = embeddings.flatten(1, 2), classes.flatten(1, 2)  # (models, batch * frames, ...)
        if classes.shape[1] <= self._frames:
            return embeddings, classes
        positions: dict[int, torch.Tensor] = {}
        for seed, own in zip(seeds, classes.cpu().numpy(), strict=True):
            if seed not in positions:
                # frames without a class come last: they are drawn only where there are too few others
                keys = self._streams[seed].random(len(own)) + (own == MISSING)
                positions[seed] = torch.from_numpy(np.argpartition(keys, self._frames)[: self._frames])
        drawn = torch.stack([positions[seed] for seed in seeds]).to(classes.device)  # (models, drawn)
        chosen = drawn.unsqueeze(-1).expand(-1, -1, embeddings.shape[-1])
        return embeddings.gather(1, chosen), classes.gather(1, drawn)
