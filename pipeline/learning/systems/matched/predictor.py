"""Trained networks of one setting: what the stages, a recogniser and ONNX files predict with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.outputs import probabilities
from pipeline.learning.stepping import Step
from pipeline.learning.systems.matched.autoencoders import RowEncoder, Shape
from pipeline.learning.systems.matched.network import Network, reads_of
from pipeline.learning.systems.matched.reading import outputs_of

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph


@dataclass(frozen=True)
class MatchedPredictor:
    """Networks, one per seed, that read the same views."""

    networks: tuple[Network, ...]

    @classmethod
    def of(cls, weights: Sequence[Mapping[str, torch.Tensor]], shape: Shape) -> MatchedPredictor:
        """Return the networks with these weights, which say by themselves what they read.

        Raises:
            RuntimeError, ValueError: they are those of networks of other sizes.
        """
        networks = []
        for own in weights:
            # said before layers are made: sizes may be anybody's words
            if shape.layers + shape.convolutions * (shape.frames > 1) > len(own):
                raise ValueError(f"{len(own)} weights are of fewer layers than {shape}")
            # without memory of its own: the weights are the tensors given
            with torch.device("meta"):
                network = Network(shape, reads_of(own, len(shape.widths)))
            network.load_state_dict(own, assign=True)
            networks.append(network)
        return cls(tuple(networks))

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the views that are read."""
        return self.networks[0].reads

    @property
    def shape(self) -> Shape:
        """Return the sizes of the networks."""
        return self.networks[0].shape

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, frames, outputs) for scaled features (frames, features) of each view."""
        return self.predict_each({name: views[name][None] for name in self.reads})[:, 0]

    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, recordings, frames, outputs); see `Predictor`."""
        features = torch.from_numpy(np.concatenate([views[name] for name in self.reads], axis=2))
        lengths = [features.shape[1]] * len(features)
        found = [torch.stack(outputs_of(own, features, lengths, self.reads)) for own in self.networks]
        return self._as_predictions(torch.stack(found))

    def stepper(self) -> Step:
        """Return the networks at the beginning of a recording; they remember the frames of a window."""
        remembered: dict[str, NDArray[np.float32]] = {}

        def step(views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
            new = len(views[self.reads[0]])
            every = {
                name: np.concatenate([*([remembered[name]] if name in remembered else []), views[name]])
                for name in self.reads
            }
            found = self.predict(every)[:, -new:]
            # a window that began with the recording is none that begins later
            remembered.update(
                {
                    name: own[-(self.shape.frames - 1) :] if self.shape.frames > 1 else own[:0]
                    for name, own in every.items()
                }
            )
            return found

        return step

    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Refuse: latents are alike in their distribution, and not where those of a pair are.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"the system has no embeddings of one space, of the {view} modality or another")

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the networks to an ONNX graph; see `pipeline.learning.learner.Portable`.

        Raises:
            NotPortableError: they read sequences.
        """
        from pipeline.learning.onnx_graph import NotPortableError, head, linear

        if self.shape.frames > 1:
            raise NotPortableError(
                f"its models read sequences of {self.shape.frames} frames (learning.matched.span) through "
                "Transformers, which this program does not write as ONNX; those of utterances it does"
            )
        found = []
        for network in self.networks:
            latents = []
            for name in network.views:
                if name not in network.encoders:
                    rows = graph.add("Shape", views["target"], start=0, end=1)
                    wanted = graph.add("Concat", rows, graph.constant([self.shape.latent], np.int64), axis=0)
                    own = graph.constant(network.missing[name].detach().numpy())
                    latents.append(graph.add("Expand", own, wanted))
                    continue
                encoder, values = network.encoders[name], views[name]
                assert isinstance(encoder, RowEncoder)
                for place, layer in enumerate(encoder.layers[::2]):
                    values = graph.add("Relu", values) if place else values
                    values = linear(graph, values, *(part.detach().numpy() for part in layer.parameters()))
                latents.append(values)
            joined = graph.add("Concat", *latents, axis=1)
            first, last = ([part.detach().numpy() for part in own.parameters()] for own in network.head[::2])
            hidden = graph.add("Relu", linear(graph, joined, *first))
            weight, bias = last
            found.append(head(graph, hidden, weight, bias, self.shape.several))
        return found

    def _as_predictions(self, outputs: torch.Tensor) -> NDArray[np.float32]:
        return probabilities(outputs, self.shape.several).numpy()
