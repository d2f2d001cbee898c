"""Trained models that go on where the last frames ended: what streams predict with.

Recurrent networks keep their states from call to call. Layers that also run backwards in time need a
recording's end before they can say anything of its beginning, and cannot go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

Step = Callable[[Mapping[str, NDArray[np.float32]]], NDArray[np.float32]]
"""Scaled features (frames, features) of the views, one frame or more -> outputs (seeds, frames, outputs), as
`Predictor.predict` gives them for all frames so far."""


class NotSteppedError(ValueError):
    """Report models whose prediction at a time depends on what comes after."""


@runtime_checkable
class Steppable(Protocol):
    """What a `Predictor` has besides if its models can go on from frame to frame."""

    def stepper(self) -> Step:
        """Return the models at the beginning of a recording.

        Raises:
            NotSteppedError: they also run backwards in time.
        """


def stepper_of(predictor: Any) -> Step:
    """Return the models of a predictor at the beginning of a recording.

    Raises:
        NotSteppedError: they also run backwards in time, or cannot go on.
    """
    if not isinstance(predictor, Steppable):
        raise NotSteppedError(
            f"{type(predictor).__name__} predicts whole recordings: it has no `stepper` "
            "(pipeline.learning.stepping.Steppable)"
        )
    return predictor.stepper()


def require_forwards(bidirectional: bool) -> None:
    """Refuse networks that also run backwards in time.

    Raises:
        NotSteppedError: they do.
    """
    if bidirectional:
        raise NotSteppedError(
            "the network is bidirectional (learning.network.bidirectional): it also reads a recording "
            "backwards from its end, which a stream does not know; train it with false"
        )


class Layer(NamedTuple):
    """Weights of a layer, (models, 3 hidden, inputs or hidden), and biases, (models, 3 hidden).

    Gates are in the order of `torch.nn.GRU`: r, z, n.
    """

    weight_ih: torch.Tensor
    weight_hh: torch.Tensor
    bias_ih: torch.Tensor
    bias_hh: torch.Tensor


class GruState:
    """GRU layers of several models, with the states that the last frames left."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        """Begin with states of 0."""
        self.layers = layers
        hidden = [layer.weight_hh for layer in layers]
        self.states = [own.new_zeros(len(own), 1, own.shape[2]) for own in hidden]

    def go_on(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the states at the next frames, (models, frames, hidden).

        inputs: (models, frames, inputs).
        """
        for place, (ih, hh, bias_ih, bias_hh) in enumerate(self.layers):
            projected = inputs @ ih.transpose(1, 2) + bias_ih.unsqueeze(1)
            onto, bias = hh.transpose(1, 2), bias_hh.unsqueeze(1)
            state, found = self.states[place], []
            for frame in range(inputs.shape[1]):
                a_r, a_z, a_n = projected[:, frame : frame + 1].chunk(3, dim=-1)
                g_r, g_z, g_n = (state @ onto + bias).chunk(3, dim=-1)
                z = torch.sigmoid(a_z + g_z)
                n = torch.tanh(a_n + torch.sigmoid(a_r + g_r) * g_n)
                state = n + z * (state - n)
                found.append(state)
            self.states[place] = state
            inputs = torch.cat(found, dim=1)
        return inputs
