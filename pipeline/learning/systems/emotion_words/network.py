"""An encoder per modality and maps of word vectors into its space -> closeness of recordings to emotions.

Dai, Liu, Yu, Fung, *Modality-transferable emotion embeddings for low-resource multimodal emotion
recognition*, AACL-IJCNLP 2020 (arXiv 2009.09629). With u_m a recording's vector in modality m, e_c the word
vector of class c, A_m and b_m a learned map (none where text has as many units as the vectors have values):

    s_mc = u_m . (A_m e_c + b_m),    logit_c = sum_m w_m s_mc

w_m starts at 1 / modalities and is free. A modality that a recording lacks is a dropped term; with a single
one its closeness is the logit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pipeline.learning.seeding import torch_stream
from pipeline.params import view_names

LAYERS = 2
"""Of each encoder."""


@dataclass(frozen=True)
class Part:
    """Sizes of what belongs to a modality.

    width: features. hidden: units of each direction. values: of a word vector. mapped: whether word vectors
    are mapped; else they have as many values as there are units.
    """

    width: int
    hidden: int
    values: int
    mapped: bool


class Modality(nn.Module):
    """A recurrent encoder and the map of word vectors into its space."""

    def __init__(self, part: Part, dropout: float = 0.0) -> None:
        """Make the layers; their weights are whatever PyTorch draws."""
        super().__init__()
        self.encoder = nn.LSTM(
            part.width, part.hidden, LAYERS, batch_first=True, dropout=dropout, bidirectional=True
        )
        self.map = nn.Linear(part.values, part.hidden) if part.mapped else nn.Identity()

    def start(self, seed: int, view: str) -> None:
        """Draw start weights as PyTorch does, each block from a stream of its own."""
        for name, block in (("encoder", self.encoder), ("map", self.map)):
            bound = 1 / math.sqrt(self.encoder.hidden_size if name == "encoder" else block.in_features)  # type: ignore[arg-type]
            random = torch_stream(seed, "emotion words", view, name)
            with torch.no_grad():
                for parameter in block.parameters():
                    parameter.uniform_(-bound, bound, generator=random)

    def vectors(self, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return recordings' vectors, (recordings, hidden): both directions at the last frame, summed.

        features: (recordings, frames, features), of which those behind a recording's end are ignored.
        lengths: frames of each, (recordings,).
        """
        packed = pack_padded_sequence(features, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)[0]
        last = states[torch.arange(len(lengths), device=states.device), lengths - 1]
        forwards, backwards = last.chunk(2, dim=-1)
        return forwards + backwards

    def forward(self, features: torch.Tensor, lengths: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Return the closeness of recordings to classes, (recordings, classes); words: (classes, values)."""
        return self.vectors(features, lengths) @ self.map(words).T


class WordNetwork(nn.Module):
    """The modalities by view, and the weight of each."""

    def __init__(self, parts: Mapping[str, Part], dropout: float = 0.0, seed: int | None = None) -> None:
        """Make the layers; seed: of the start weights, None where weights are loaded afterwards."""
        super().__init__()
        self.modalities = nn.ModuleDict({view: Modality(part, dropout) for view, part in parts.items()})
        self.weight = nn.Parameter(torch.full((len(parts),), 1 / len(parts)))
        if seed is not None:
            for view, own in self.modalities.items():
                own.start(seed, view)  # type: ignore[operator]

    def closeness(
        self, views: Mapping[str, tuple[torch.Tensor, torch.Tensor]], words: torch.Tensor
    ) -> torch.Tensor:
        """Return the closeness in each modality, (modalities, recordings, classes).

        views: by view features and lengths, as `Modality.vectors` has them.
        """
        return torch.stack([own(*views[view], words) for view, own in self.modalities.items()])

    def logits(self, closeness: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Return logits, (recordings, classes).

        there: 1.0 where a recording has a modality, (modalities, recordings).
        """
        several = there.sum(0) > 1
        weight = torch.where(several, self.weight[:, None], torch.ones_like(there)) * there
        return (weight[..., None] * closeness).sum(0)


def parts_from(about: Mapping[str, Any]) -> dict[str, Part]:
    """Return the sizes that a model file tells, by view; the target first, as weights have them."""
    return {view: Part(**about["parts"][view]) for view in view_names(len(about["parts"]))}
