"""The weights of trained models -> outputs and embeddings of one recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.outputs import probabilities
from pipeline.learning.stepping import GruState, Layer, Step, require_forwards
from pipeline.learning.systems.emobed.network import Architecture, encode, recognise

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph


COMPILED = False
"""Whoever predicts needs no compiler and waits for none; outputs are those of training up to rounding."""


@dataclass(frozen=True)
class Networks:
    """The networks of a few models at once; weights: (models, ...) by name."""

    weights: Mapping[str, torch.Tensor]
    architecture: Architecture

    @classmethod
    def of(cls, weights: Sequence[Mapping[str, torch.Tensor]], architecture: Mapping[str, Any]) -> Self:
        """Stack the weights of models of one architecture.

        Raises:
            ValueError: a weight of the target's encoder or the shared network has another shape.
        """
        made = Architecture(**architecture)
        for block in ("target", "shared", "head"):
            for name, shape in made.shapes(block):
                if found := [tuple(own[name].shape) for own in weights if own[name].shape != shape]:
                    raise ValueError(f"the weight {name} has the shape {found[0]}, expected {shape}")
        stacked = {name: torch.stack([own[name] for own in weights]) for name in weights[0]}
        return cls(stacked, made)

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the outputs for the frames of the target, (models, frames, outputs).

        views: scaled features, (frames, features). Not shifted back; probabilities for classes.
        """
        return self.predict_each({"target": views["target"][None]})[:, 0]

    @torch.no_grad()
    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (models, recordings, frames, outputs); see `Predictor`."""
        embeddings, lengths = self._encode(views["target"], "target")
        outputs = recognise(embeddings, lengths, self.weights, self.architecture, compiled=COMPILED)
        return probabilities(outputs, self.architecture.several).numpy()

    @torch.no_grad()
    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Return the embeddings of frames of a view, (models, frames, embedding)."""
        return self._encode(values[None], view)[0][:, 0].numpy()

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the networks to an ONNX graph; see `pipeline.learning.learner.Portable`."""
        from pipeline.learning.onnx_graph import LayerWeights, gru, head

        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        found = []
        for model in range(len(self.weights["head.bias"])):
            own = {name: weight[model].numpy() for name, weight in self.weights.items()}
            rows = views["target"]
            for block in ("target", "shared"):
                layers = [
                    [
                        LayerWeights(*(own[f"{block}.{layer}.{kind}{suffix}"] for kind in kinds))
                        for suffix in self.architecture.directions
                    ]
                    for layer in range(self.architecture.layers(block))
                ]
                rows = gru(graph, rows, layers)
            found.append(head(graph, rows, own["head.weight"], own["head.bias"], self.architecture.several))
        return found

    def stepper(self) -> Step:
        """Return the networks at the beginning of a recording; see `pipeline.learning.stepping`."""
        require_forwards(self.architecture.bidirectional)
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        encoder, shared = (
            GruState(
                [
                    Layer(*(self.weights[f"{block}.{layer}.{kind}"] for kind in kinds))
                    for layer in range(self.architecture.layers(block))
                ]
            )
            for block in ("target", "shared")
        )
        weight, bias = self.weights["head.weight"], self.weights["head.bias"]

        @torch.no_grad()
        def step(views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
            inputs = torch.from_numpy(views["target"]).expand(len(bias), -1, -1)
            states = shared.go_on(encoder.go_on(inputs))
            outputs = states @ weight.transpose(1, 2) + bias.unsqueeze(1)
            return probabilities(outputs, self.architecture.several).numpy()

        return step

    def _encode(self, values: NDArray[np.float32], view: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return embeddings (models, recordings, frames, embedding) and lengths (models, recordings).

        values: (recordings, frames, features).
        """
        models = len(self.weights["head.bias"])
        scaled = torch.from_numpy(values)
        inputs = scaled.expand(models, *scaled.shape)
        lengths = torch.full((models, len(scaled)), scaled.shape[1])
        return encode(inputs, lengths, self.weights, view, self.architecture, compiled=COMPILED), lengths
