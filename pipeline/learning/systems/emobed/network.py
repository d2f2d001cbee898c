"""Two encoders and one shared network of GRU layers, for many models in one batched program.

Every weight has a leading model axis. `e = encoder(x)` is eq. 1 of the paper, `y = head(shared(e))`
eq. 2. Layers are `torch.nn.GRU`'s: the same gate order (r, z, n), the same initialisation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from pipeline.learning.seeding import torch_stream
from pipeline.learning.systems.emobed.gru_layer import Layer, gru_layer
from pipeline.learning.systems.emobed.products import linear

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Architecture:
    """Sizes of a model.

    target_features, auxiliary_features: features per frame. outputs: 1 for regression, the number of classes
    for classification. several: an utterance may have any number of them.
    """

    target_features: int
    auxiliary_features: int
    encoder_layers: int
    shared_layers: int
    hidden: int
    bidirectional: bool
    outputs: int
    several: bool = False

    def said(self) -> dict[str, Any]:
        """Return the sizes for model files and keys; `several` only where it is so, as older ones have it."""
        return {name: value for name, value in vars(self).items() if name != "several" or value}

    @property
    def embedding(self) -> int:
        """Return the size of an embedding."""
        return self.hidden * (2 if self.bidirectional else 1)

    @property
    def directions(self) -> tuple[str, ...]:
        """Return the suffixes of the weights' names, one per direction in time."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def layers(self, block: str) -> int:
        """Return the number of GRU layers of the block target, auxiliary or shared."""
        return self.shared_layers if block == "shared" else self.encoder_layers

    def shapes(self, block: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield name and shape of each weight of the block target, auxiliary, shared or head."""
        if block == "head":
            yield "head.weight", (self.outputs, self.embedding)
            yield "head.bias", (self.outputs,)
            return
        first = {"target": self.target_features, "auxiliary": self.auxiliary_features}.get(
            block, self.embedding
        )
        for layer in range(self.layers(block)):
            for suffix in self.directions:
                yield (
                    f"{block}.{layer}.weight_ih{suffix}",
                    (3 * self.hidden, self.embedding if layer else first),
                )
                yield f"{block}.{layer}.weight_hh{suffix}", (3 * self.hidden, self.hidden)
                yield f"{block}.{layer}.bias_ih{suffix}", (3 * self.hidden,)
                yield f"{block}.{layer}.bias_hh{suffix}", (3 * self.hidden,)


def initial_weights(
    architecture: Architecture, seed: int, *blocks: str, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Draw the start weights of one model: uniform within +-1/sqrt(units), as PyTorch's GRU and Linear.

    Each block has a stream of its own: the target encoder of a seed starts the same whatever the
    auxiliary modality is.
    """
    weights = {}
    for block in blocks:
        random = torch_stream(seed, "weights", block)
        bound = 1 / math.sqrt(architecture.embedding if block == "head" else architecture.hidden)
        for name, shape in architecture.shapes(block):
            weights[name] = torch.empty(shape).uniform_(-bound, bound, generator=random).to(dtype)
    return weights


def gru(
    inputs: torch.Tensor,
    lengths: torch.Tensor,
    weights: Weights,
    block: str,
    architecture: Architecture,
    gradients: Weights | None = None,
    compiled: bool = True,
) -> torch.Tensor:
    """Run the GRU layers of a block.

    inputs: (models, batch, frames, features). lengths: (models, batch), frames. gradients: where gradients of
    the weights go, compiled: whether by compiled functions; see `gru_layer`. Returns (models, batch, frames,
    embedding); what lies after a sequence's end is to be ignored.
    """
    for layer in range(architecture.layers(block)):
        outputs = []
        for suffix in architecture.directions:
            names = [f"{block}.{layer}.{kind}{suffix}" for kind in Layer._fields]
            own = Layer(*(weights[name] for name in names))
            into = None if gradients is None else Layer(*(gradients[name] for name in names))
            if suffix:
                states = gru_layer(_reverse(inputs, lengths), own, into, compiled)
                outputs.append(_reverse(states, lengths))
            else:
                outputs.append(gru_layer(inputs, own, into, compiled))
        inputs = torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]
    return inputs


def encode(
    inputs: torch.Tensor,
    lengths: torch.Tensor,
    weights: Weights,
    modality: str,
    architecture: Architecture,
    gradients: Weights | None = None,
    compiled: bool = True,
) -> torch.Tensor:
    """Return the embeddings of a modality, target or auxiliary (eq. 1).

    The arguments are those of `gru`.
    """
    return gru(inputs, lengths, weights, modality, architecture, gradients, compiled)


def recognise(
    embeddings: torch.Tensor,
    lengths: torch.Tensor,
    weights: Weights,
    architecture: Architecture,
    gradients: Weights | None = None,
    compiled: bool = True,
) -> torch.Tensor:
    """Return the shared network's predictions (eq. 2), (models, batch, frames, outputs).

    The arguments are those of `gru`.
    """
    states = gru(embeddings, lengths, weights, "shared", architecture, gradients, compiled)
    return linear(states, weights["head.weight"], weights["head.bias"])


def _reverse(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Reverse each sequence in time within its own length; its own inverse."""
    frames = torch.arange(values.shape[2], device=values.device)
    ends = lengths.unsqueeze(-1)  # (models, batch, 1)
    source = torch.where(frames < ends, ends - 1 - frames, frames)  # (models, batch, frames)
    return values.gather(2, source.unsqueeze(-1).expand(values.shape))
