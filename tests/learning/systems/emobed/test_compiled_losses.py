"""The compiled losses and their gradients against sums written out, in double precision."""

import ctypes
import math

import numpy as np
import pytest
import torch

from pipeline.learning.losses import prediction_loss
from pipeline.learning.systems.emobed.compiled import library
from pipeline.learning.systems.emobed.compiled_steps import LOSSES, Loss

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")
LD = 40


def compiled(kind, outputs, labels, labelled, weight=(), factor=1.0):
    """Return the loss and its gradient; outputs: (outputs, frames)."""
    count, frames = outputs.shape
    padded, gradient = np.full((count, LD), 7, np.float32), np.full((count, LD), 5, np.float32)
    padded[:, :frames] = outputs
    weights = np.array(weight, float)
    own = Loss(LOSSES.index(kind), count, weights.ctypes.data)
    labels, labelled = np.array(labels, float), np.array(labelled, float)
    value = library().prediction_loss(
        ctypes.byref(own), frames, padded.ctypes.data, LD, labels.ctypes.data, labelled.ctypes.data, factor,
        gradient.ctypes.data,
    )  # fmt: skip
    assert (gradient[:, frames:] == 5).all()  # nothing is written beside them
    return value, gradient[:, :frames]


def made(kind, frames, seed):
    random = np.random.default_rng(seed)
    several = kind.endswith("entropy")
    outputs = random.normal(size=(5 if several else 1, frames)) * 2
    if kind == "cross_entropy":
        labels = random.integers(0, 5, frames)
    elif kind == "binary_cross_entropy":
        labels = random.integers(0, 2**5, frames)
    else:
        labels = random.normal(size=frames)
    weight = (0.5, 1.0, 3.0, 20.0, 1.5) if kind == "binary_cross_entropy" else ()
    return outputs.astype(np.float32), labels.astype(float), weight


def naive(kind, outputs, labels, labelled, weight):
    """Compute a loss by loops over the labelled frames."""
    known = [i for i in range(len(labels)) if labelled[i]]
    if not known:
        return 0.0
    p = [[float(own[i]) for own in outputs] for i in known]
    y = [labels[i] for i in known]
    if kind == "ccc_per_sequence":
        return 1.0
    if kind == "mse":
        return sum((own[0] - label) ** 2 for own, label in zip(p, y, strict=True)) / len(y)
    if kind == "ccc":
        p = [own[0] for own in p]
        mean_p, mean_y = sum(p) / len(p), sum(y) / len(y)
        covariance = sum((a - mean_p) * (b - mean_y) for a, b in zip(p, y, strict=True)) / len(y)
        variance = (sum((a - mean_p) ** 2 for a in p) + sum((b - mean_y) ** 2 for b in y)) / len(y)
        below = variance + (mean_p - mean_y) ** 2
        return 1 - 2 * covariance / max(below, 1e-12)
    total = 0.0
    for own, label in zip(p, y, strict=True):
        if kind == "cross_entropy":
            total -= own[int(label)] - math.log(sum(map(math.exp, own)))
        else:
            for c, x in enumerate(own):
                one = int(label) >> c & 1
                chance = 1 / (1 + math.exp(-x))
                total -= (weight[c] * math.log(chance) if one else math.log(1 - chance)) / len(own)
    return total / len(y)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("frames", [1, 2, 17, 33])
@pytest.mark.parametrize("known", ["all", "some", "none"])
def test_values_and_slopes_are_those_of_a_naive_loop(kind, frames, known):
    outputs, labels, weight = made(kind, frames, frames)
    random = np.random.default_rng(1)
    labelled = {"all": np.ones(frames), "some": random.random(frames) < 0.5, "none": np.zeros(frames)}[known]
    labels = np.where(labelled, labels, 0)
    found, gradient = compiled(kind, outputs, labels, labelled, weight, factor=0.25)
    assert found == pytest.approx(naive(kind, outputs, labels, labelled, weight), rel=1e-9, abs=1e-12)
    step = 1e-5
    for place in np.ndindex(outputs.shape):
        sides = []
        for sign in (1, -1):
            moved = outputs.astype(float)
            moved[place] += sign * step
            sides.append(naive(kind, moved, labels, labelled, weight))
        slope = (sides[0] - sides[1]) / (2 * step)
        assert gradient[place] == pytest.approx(0.25 * slope, rel=2e-4, abs=1e-6)


@pytest.mark.parametrize("kind", LOSSES)
def test_values_and_slopes_are_those_of_autograd(kind):
    outputs, labels, weight = made(kind, 31, 3)
    labelled = (np.arange(31) % 4 > 0).astype(float)
    found, gradient = compiled(kind, outputs, labels, labelled, weight)
    leaf = torch.from_numpy(outputs).double().requires_grad_()
    name, over = ("ccc", "sequence") if kind == "ccc_per_sequence" else (kind, "batch")
    tensors = leaf.T[None, :, None], *(torch.from_numpy(own)[None, :, None] for own in (labels, labelled))
    loss = prediction_loss(name, *tensors, over, weight)
    loss.sum().backward()
    assert found == pytest.approx(loss.item(), rel=1e-6)
    np.testing.assert_allclose(gradient, leaf.grad, rtol=1e-5, atol=1e-8)


def test_constants_have_a_ccc_of_zero_and_no_slope():
    found, gradient = compiled("ccc", np.ones((1, 4), np.float32), [1.0] * 4, [1.0] * 4)
    assert found == 1
    assert not gradient.any()


@pytest.mark.parametrize("kind", ["cross_entropy", "binary_cross_entropy"])
def test_large_logits_stay_finite(kind):
    outputs = np.array([[300, -300], [-300, 300], [0, 0]], np.float32)
    found, gradient = compiled(kind, outputs, [1.0, 1.0], [1.0, 1.0], (1.0, 2.0, 3.0))
    assert math.isfinite(found)
    assert np.isfinite(gradient).all()
    assert found > 100


@pytest.mark.parametrize("kind", LOSSES)
def test_what_is_not_a_number_makes_the_loss_none(kind):
    outputs, labels, weight = made(kind, 9, 3)
    outputs[0, 4] = np.nan
    assert math.isnan(compiled(kind, outputs, labels, np.ones(9), weight)[0])
