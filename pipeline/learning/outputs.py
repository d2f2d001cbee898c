"""What the last layer of a network says -> probabilities of classes, together or each by itself."""

from __future__ import annotations

import torch


def probabilities(outputs: torch.Tensor, several: bool = False) -> torch.Tensor:
    """Return what is predicted for outputs (..., outputs): one output is a number and stays as it is.

    several: an utterance may have any number of the classes, so each has a probability of its own (sigmoid);
    else they add up to 1 (softmax).
    """
    if outputs.shape[-1] == 1:
        return outputs
    return torch.sigmoid(outputs) if several else torch.softmax(outputs, dim=-1)
