"""Trained networks and word vectors -> what they say of recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.systems.emotion_words.network import WordNetwork, parts_from

if TYPE_CHECKING:
    from pipeline.learning.onnx_graph import Graph

WORDS = "words"
"""Among the weights: the vectors of the classes."""


def probabilities(logits: torch.Tensor, several: bool) -> torch.Tensor:
    """Return the probabilities of classes, (..., classes).

    Each class by itself has sigmoid(logit); given that a recording carries exactly one, the softmax is left.
    """
    return torch.sigmoid(logits) if several else torch.softmax(logits, dim=-1)


@dataclass(frozen=True)
class WordEnsemble:
    """Networks of one system, one per seed, each with the vectors of the classes, (classes, values)."""

    networks: tuple[WordNetwork, ...]
    words: tuple[torch.Tensor, ...]
    several: bool

    @classmethod
    def of(cls, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Self:
        """Return the networks with these weights; about: what the model file tells.

        Raises:
            RuntimeError, ValueError: they are those of networks of other sizes.
        """
        networks = []
        parts = parts_from(about)
        for own in weights:
            there = {
                view: part for view, part in parts.items() if f"modalities.{view}.encoder.weight_ih_l0" in own
            }
            # without memory of its own: sizes may be anybody's words, and the weights are the tensors given
            with torch.device("meta"):
                network = WordNetwork(there).eval()
            network.load_state_dict({name: t for name, t in own.items() if name != WORDS}, assign=True)
            networks.append(network)
        return cls(tuple(networks), tuple(own[WORDS] for own in weights), about["several"])

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return probabilities (seeds, frames, classes) for features (frames, features) of each view."""
        return self.predict_each({name: own[None] for name, own in views.items()})[:, 0]

    @torch.no_grad()
    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return probabilities (seeds, recordings, frames, classes), in all frames the same."""
        found = []
        for network, words in zip(self.networks, self.words, strict=True):
            given = {view: torch.from_numpy(views[view]) for view in network.modalities}
            recordings, frames = next(iter(given.values())).shape[:2]
            lengths = {view: torch.full((recordings,), own.shape[1]) for view, own in given.items()}
            closeness = network.closeness({view: (own, lengths[view]) for view, own in given.items()}, words)
            logits = network.logits(closeness, torch.ones(closeness.shape[:2]))
            found.append(probabilities(logits, self.several)[:, None].expand(-1, frames, -1))
        return torch.stack(found).numpy()

    @torch.no_grad()
    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the networks to an ONNX graph; see `pipeline.learning.learner.Portable`."""
        from pipeline.learning.onnx_graph import layers_of, lstm

        found = []
        for network, words in zip(self.networks, self.words, strict=True):
            terms = []
            for place, (view, own) in enumerate(network.modalities.items()):
                states = lstm(graph, views[view], layers_of(own.encoder))  # type: ignore[arg-type]
                last = graph.rows(
                    states, *(graph.constant([end], np.int64) for end in (-1, np.iinfo(np.int64).max))
                )
                towards = own.map(words)  # type: ignore[operator]
                towards = towards * network.weight[place] if len(network.modalities) > 1 else towards
                # both directions summed, then the dot product: one product of both side by side
                both = torch.cat((towards, towards), dim=1).T.numpy()
                terms.append(graph.add("MatMul", last, graph.constant(both)))
            logits = terms[0] if len(terms) == 1 else graph.add("Sum", *terms)
            of_each = graph.add("Sigmoid", logits) if self.several else graph.add("Softmax", logits, axis=-1)
            frames = graph.count(views[next(iter(network.modalities))])
            shape = graph.add("Concat", frames, graph.constant([len(words)], np.int64), axis=0)
            found.append(graph.add("Expand", of_each, shape))
        return found

    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Refuse: each modality has a space of its own."""
        raise ValueError(f"the system has no embeddings of one space, of the {view} modality or another")
