"""All frames of a step -> the seeded few that form triplets (method.md, section 2).

A full batch of RECOLA would need a 60,008 x 60,008 distance matrix.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.sequences import MISSING


class FrameDraws:
    """Draws of frames, a stream per seed: models of the same seed and labels draw the same frames."""

    def __init__(self, frames: int) -> None:
        """Start without a stream; `frames` is how many are drawn per modality and step."""
        self._streams: dict[tuple[int, Hashable], np.random.Generator] = {}
        self._frames = frames

    def draw(
        self,
        embeddings: torch.Tensor,
        classes: torch.Tensor,
        seeds: Sequence[int],
        labellings: Sequence[Hashable],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw frames of one modality.

        embeddings: (models, batch, frames, embedding). classes: (models, batch, frames). seeds: of the
        models. labellings: of the models, equal for those that see the same classes; frames without a class
        are drawn last, so where they lie must not reach a model that sees others. Returns (models, drawn,
        embedding) and (models, drawn).
        """
        embeddings, classes = embeddings.flatten(1, 2), classes.flatten(1, 2)  # (models, batch * frames, ...)
        if self.takes_all(classes.shape[1]):
            return embeddings, classes
        positions = self.positions(classes.cpu().numpy(), seeds, labellings)
        drawn = torch.from_numpy(positions).to(classes.device)  # (models, drawn)
        chosen = drawn.unsqueeze(-1).expand(-1, -1, embeddings.shape[-1])
        return embeddings.gather(1, chosen), classes.gather(1, drawn)

    def takes_all(self, frames: int) -> bool:
        """Say whether a batch of so many frames is taken whole."""
        return frames <= self._frames

    def positions(
        self, classes: NDArray[np.int64], seeds: Sequence[int], labellings: Sequence[Hashable]
    ) -> NDArray[np.int64]:
        """Draw which frames of a batch are taken, (models, drawn).

        classes: (models, frames of the batch). seeds, labellings: as of `draw`.
        """
        keys = list(zip(seeds, labellings, strict=True))
        positions: dict[tuple[int, Hashable], NDArray[np.int64]] = {}
        for key, own in zip(keys, classes, strict=True):
            if key not in positions:
                if key not in self._streams:
                    self._streams[key] = numpy_stream(key[0], "triplet")
                # frames without a class come last: they are drawn only where there are too few others
                order = self._streams[key].random(len(own)) + (own == MISSING)
                positions[key] = np.argpartition(order, self._frames)[: self._frames]
        return np.stack([positions[key] for key in keys])
