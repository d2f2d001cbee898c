"""Networks of `torch.nn` layers for one model at a time: an encoder per part of the features, shared layers.

The layers and start weights are those of EmoBed's batched program; with one part the network is its classic
one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pipeline.learning.outputs import probabilities
from pipeline.learning.seeding import torch_stream
from pipeline.learning.stepping import Step, require_forwards
from pipeline.params import view_names

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph


@dataclass(frozen=True)
class Sizes:
    """Sizes of a network.

    widths: features of each part, each with an encoder of its own. outputs: 1 for regression, the number of
    classes for classification. others: outputs besides these, which are learned and not predicted. several:
    an utterance may have any number of the classes.
    """

    widths: tuple[int, ...]
    encoder_layers: int
    shared_layers: int
    hidden: int
    bidirectional: bool
    outputs: int
    others: int = 0
    several: bool = False

    def said(self) -> dict[str, Any]:
        """Return the sizes for model files and keys; `several` only where it is so, as older ones have it."""
        return {name: value for name, value in asdict(self).items() if name != "several" or value}

    @property
    def embedding(self) -> int:
        """Return the size of the embedding of a part."""
        return self.hidden * (2 if self.bidirectional else 1)


class Recurrent(nn.Module):
    """GRU layers over padded sequences."""

    def __init__(self, features: int, layers: int, sizes: Sizes) -> None:
        """Make the layers; their weights are whatever PyTorch draws."""
        super().__init__()
        self.gru = nn.GRU(
            features, sizes.hidden, layers, batch_first=True, bidirectional=sizes.bidirectional
        )  # fmt: skip

    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (batch, frames, embedding) for inputs (batch, frames, features); lengths: (batch,), frames.

        What lies after a sequence's end is to be ignored.
        """
        if not self.gru.bidirectional:
            return self.gru(inputs)[0]
        # backwards in time a sequence must begin at its own end
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=inputs.shape[1])[0]


class Network(nn.Module):
    """`y = head(shared([encoder(x) of each part]))`: eqs. 1 and 2 of the paper for one part."""

    def __init__(self, sizes: Sizes, seed: int | None = None) -> None:
        """Make the layers; seed: of the start weights, None where weights are loaded afterwards."""
        super().__init__()
        self.widths = sizes.widths
        self.encoders = nn.ModuleList(
            Recurrent(width, sizes.encoder_layers, sizes) for width in sizes.widths
        )  # fmt: skip
        self.shared = Recurrent(sizes.embedding * len(sizes.widths), sizes.shared_layers, sizes)
        self.head = nn.Linear(sizes.embedding, sizes.outputs + sizes.others)
        if seed is not None:
            blocks = dict(zip(view_names(len(self.encoders)), self.encoders, strict=True))
            for name, block in {**blocks, "shared": self.shared, "head": self.head}.items():
                units = sizes.embedding if name == "head" else sizes.hidden
                _start(block, 1 / math.sqrt(units), torch_stream(seed, "weights", name))

    def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return outputs (batch, frames, outputs) for features of all parts side by side."""
        return self.head(self.states(features, lengths))

    def states(self, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return what the head reads, (batch, frames, embedding)."""
        parts = features.split(self.widths, dim=-1)
        embeddings = [
            encoder(part, lengths) for encoder, part in zip(self.encoders, parts, strict=True)
        ]  # fmt: skip
        return self.shared(torch.cat(embeddings, dim=-1), lengths)

    def go_on(self, features: torch.Tensor, states: dict[nn.GRU, torch.Tensor | None]) -> torch.Tensor:
        """Return outputs (frames, outputs) of the next frames.

        states: what the last frames left in each GRU, empty at the beginning.
        """

        def next_of(block: Any, inputs: torch.Tensor) -> torch.Tensor:
            found, states[block.gru] = block.gru(inputs, states.get(block.gru))
            return found

        parts = features.split(self.widths, dim=-1)
        embeddings = [next_of(own, part) for own, part in zip(self.encoders, parts, strict=True)]
        return self.head(next_of(self.shared, torch.cat(embeddings, dim=-1)))


@torch.no_grad()
def _start(block: nn.Module, bound: float, random: torch.Generator) -> None:
    """Draw weights uniformly within +-bound, as PyTorch does for GRU and Linear; each block from a stream."""
    for parameter in block.parameters():
        parameter.uniform_(-bound, bound, generator=random)


@dataclass(frozen=True)
class Ensemble:
    """Networks of one system and setting, one per seed. order: of the views that they read side by side."""

    networks: tuple[Network, ...]
    outputs: int
    several: bool
    order: tuple[str, ...]

    @classmethod
    def of(
        cls, weights: Sequence[Mapping[str, torch.Tensor]], sizes: Sizes, order: Iterable[str] = ("target",)
    ) -> Ensemble:
        """Return the networks with these weights.

        Raises:
            RuntimeError, ValueError: they are those of networks of other sizes.
        """
        networks = []
        for own in weights:
            if sizes.encoder_layers + sizes.shared_layers > len(own):
                raise ValueError(f"{len(own)} weights are of fewer layers than {sizes}")
            # without memory of its own: sizes may be anybody's words, and the weights are the tensors given
            with torch.device("meta"):
                network = Network(sizes).eval()
            network.load_state_dict(own, assign=True)
            networks.append(network)
        return cls(tuple(networks), sizes.outputs, sizes.several, tuple(order))

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, frames, outputs) for scaled features (frames, features) of each view."""
        return self.predict_each({name: views[name][None] for name in self.order})[:, 0]

    @torch.no_grad()
    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, recordings, frames, outputs); see `Predictor`."""
        features = torch.from_numpy(np.concatenate([views[name] for name in self.order], axis=2))
        lengths = torch.full((len(features),), features.shape[1])
        outputs = torch.stack([network(features, lengths) for network in self.networks])[..., : self.outputs]
        return probabilities(outputs, self.several).numpy()

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the networks to an ONNX graph; see `pipeline.learning.learner.Portable`."""
        return [self._network_to_onnx(network, graph, views) for network in self.networks]

    def _network_to_onnx(self, network: Network, graph: Graph, views: Mapping[str, str]) -> str:
        from pipeline.learning.onnx_graph import gru, head, layers_of

        parts = [views[name] for name in self.order]
        side_by_side = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
        parts = [side_by_side]
        if len(network.widths) > 1:
            widths = graph.constant(network.widths, np.int64)
            parts = graph.add_several("Split", len(network.widths), side_by_side, widths, axis=1)
        embeddings = [
            gru(graph, part, layers_of(encoder.gru))  # type: ignore[arg-type]
            for part, encoder in zip(parts, network.encoders, strict=True)
        ]
        joined = embeddings[0] if len(embeddings) == 1 else graph.add("Concat", *embeddings, axis=1)
        states = gru(graph, joined, layers_of(network.shared.gru))
        weight, bias = (own.detach().numpy()[: self.outputs] for own in network.head.parameters())
        return head(graph, states, weight, bias, self.several)

    def stepper(self) -> Step:
        """Return the networks at the beginning of a recording; see `pipeline.learning.stepping`."""
        for network in self.networks:
            require_forwards(network.shared.gru.bidirectional)
        states: list[dict[nn.GRU, torch.Tensor | None]] = [{} for _ in self.networks]

        @torch.no_grad()
        def step(views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
            features = torch.from_numpy(np.concatenate([views[name] for name in self.order], axis=1))
            found = [network.go_on(features, own) for network, own in zip(self.networks, states, strict=True)]
            outputs = torch.stack(found)[..., : self.outputs]
            return probabilities(outputs, self.several).numpy()

        return step

    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Refuse: no encoder leads into a space that modalities share."""
        raise ValueError(f"the system has no embeddings of one space, of the {view} modality or another")


def sizes_from(about: Mapping[str, Any]) -> Sizes:
    """Return the sizes that a model file tells."""
    return Sizes(**{**about, "widths": tuple(about["widths"])})
