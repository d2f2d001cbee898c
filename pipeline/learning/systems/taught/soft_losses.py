"""A student's outputs and what a teacher says of the same sequences -> losses.

All take weights of frames, 0 where nothing is to be learned from the teacher or a sequence has ended; a batch
without any gives a zero that is attached to the graph.
"""

from __future__ import annotations

import torch

from pipeline.learning.losses import SMALLEST
from pipeline.params import CccOver


def soft_cross_entropy(
    logits: torch.Tensor, probabilities: torch.Tensor, weight: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the mean of `-T^2 sum_c q_c log softmax(logits / T)_c`, q = p^(1/T) / sum(p^(1/T)).

    T^2 keeps gradients of one size whatever the temperature T (Hinton et al., arXiv 1503.02531).

    logits, probabilities: of student and teacher, (batch, frames, classes). weight: (batch, frames).
    """
    softened = torch.softmax(torch.log(probabilities.clamp_min(SMALLEST)) / temperature, dim=-1)
    error = -(softened * torch.log_softmax(logits / temperature, dim=-1)).sum(-1)
    return temperature**2 * (error * weight).sum() / weight.sum().clamp_min(SMALLEST)


def weighted_ccc_loss(
    outputs: torch.Tensor, trace: torch.Tensor, weight: torch.Tensor, over: CccOver
) -> torch.Tensor:
    """Return 1 - CCC with weighted moments over the batch, or the weighted mean over its sequences.

    With a = weight / sum(weight), means, variances and the covariance are sums of a times the values. A
    sequence has one weight in all its frames, so that in the mean over sequences long ones count as short.

    outputs, trace, weight: (batch, frames).
    """
    if over == "batch":
        return _one_minus_ccc(outputs.reshape(1, -1), trace.reshape(1, -1), weight.reshape(1, -1))[0]
    own = weight.amax(1)  # the same in all frames of a sequence
    return (own * _one_minus_ccc(outputs, trace, weight)).sum() / own.sum().clamp_min(SMALLEST)


def _one_minus_ccc(outputs: torch.Tensor, trace: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return 1 - CCC of each row, 0 for one without weight."""
    total = weight.sum(1, keepdim=True)
    share = weight / total.clamp_min(SMALLEST)
    mean_o, mean_t = ((share * values).sum(1, keepdim=True) for values in (outputs, trace))
    off_o, off_t = outputs - mean_o, trace - mean_t
    variances = (share * (off_o.square() + off_t.square())).sum(1)
    covariance = (share * off_o * off_t).sum(1)
    ccc = 2 * covariance / (variances + (mean_o - mean_t)[:, 0].square()).clamp_min(SMALLEST)
    return (1 - ccc) * (total[:, 0] > 0)


def weighted_mse(outputs: torch.Tensor, trace: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean of squared differences; each (batch, frames)."""
    return ((outputs - trace).square() * weight).sum() / weight.sum().clamp_min(SMALLEST)


def similarity_loss(student: torch.Tensor, teachers: torch.Tensor, together: torch.Tensor) -> torch.Tensor:
    """Return the mean squared difference of the cosine similarities of all pairs of a batch's sequences.

    The teacher's are the mean of those of its networks (after Tung and Mori, arXiv 1907.09682).

    student: (batch, embedding). teachers: (networks, batch, embedding), of length 1. together: pairs that
    are compared, (batch, batch), 1.0 or 0.0.
    """
    unit = torch.nn.functional.normalize(student, dim=-1)
    wanted = (teachers @ teachers.transpose(1, 2)).mean(0)
    error = (unit @ unit.T - wanted).square() * together
    return error.sum() / together.sum().clamp_min(1)
