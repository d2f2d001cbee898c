import math

import numpy as np
import pytest
import torch

from pipeline.learning.systems.emobed.network import Architecture, encode, initial_weights, recognise
from pipeline.learning.systems.emobed.recurrence import recurrence
from pipeline.learning.systems.emobed.recurrence_device import DeviceRecurrence

MODELS, BATCH, FEATURES, HIDDEN = 3, 4, 5, 7
KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def program(architecture: Architecture, *blocks: str, dtype=torch.float64):
    """Stack the start weights of models with the seeds 0, 1, 2."""
    models = [initial_weights(architecture, seed, *blocks, dtype=dtype) for seed in range(MODELS)]
    return {name: torch.stack([w[name] for w in models]).requires_grad_() for name in models[0]}


def torch_gru(weights, model: int, architecture: Architecture, dtype=torch.float64) -> torch.nn.GRU:
    """Return PyTorch's GRU with the weights of one model."""
    gru = torch.nn.GRU(
        FEATURES, HIDDEN, 2, bidirectional=architecture.bidirectional, batch_first=True, dtype=dtype
    )
    for layer in range(2):
        for kind in KINDS:
            for suffix in architecture.directions:
                value = weights[f"target.{layer}.{kind}{suffix}"][model].detach()
                getattr(gru, f"{kind}_l{layer}{suffix}").data.copy_(value)
    return gru


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 9])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_encoder_equals_torch_gru_in_values_and_gradients(bidirectional, frames, dtype, tolerance):
    architecture = Architecture(FEATURES, 3, 2, 1, HIDDEN, bidirectional, 1)
    weights = program(architecture, "target", dtype=dtype)
    random = torch.Generator().manual_seed(1)
    inputs = torch.randn(MODELS, BATCH, frames, FEATURES, generator=random, dtype=dtype, requires_grad=True)
    embeddings = encode(inputs, torch.full((MODELS, BATCH), frames), weights, "target", architecture)
    upstream = torch.randn(embeddings.shape, generator=random, dtype=dtype)
    embeddings.backward(upstream)
    for model in range(MODELS):
        gru = torch_gru(weights, model, architecture, dtype)
        own = inputs[model].detach().requires_grad_()
        expected, _ = gru(own)
        expected.backward(upstream[model])
        torch.testing.assert_close(embeddings[model], expected, atol=tolerance, rtol=0)
        torch.testing.assert_close(inputs.grad[model], own.grad, atol=tolerance, rtol=0)
        for layer in range(2):
            for kind in KINDS:
                for suffix in architecture.directions:
                    found = weights[f"target.{layer}.{kind}{suffix}"].grad
                    wanted = getattr(gru, f"{kind}_l{layer}{suffix}").grad
                    if found is None:  # W_hh of single frames is left out: torch gives zeros
                        assert frames == 1
                        assert kind == "weight_hh"
                        assert not wanted.any()
                    else:
                        torch.testing.assert_close(found[model], wanted, atol=tolerance * 10, rtol=1e-4)


def test_padded_sequences_equal_packed_ones():
    architecture = Architecture(FEATURES, 3, 2, 1, HIDDEN, True, 1)
    weights = program(architecture, "target")
    inputs = torch.randn(MODELS, BATCH, 6, FEATURES, dtype=torch.float64)
    lengths = torch.tensor([6, 2, 1, 4])
    found = encode(inputs, lengths.expand(MODELS, -1), weights, "target", architecture)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        inputs[1], lengths, batch_first=True, enforce_sorted=False
    )
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(
        torch_gru(weights, 1, architecture)(packed)[0], batch_first=True
    )
    for i, length in enumerate(lengths):
        torch.testing.assert_close(found[1, i, :length], expected[i, :length], atol=1e-12, rtol=0)


def test_backward_leaves_the_incoming_gradient_alone():
    projected = torch.randn(2, 3, 4, 6, dtype=torch.float64, requires_grad=True)
    states = recurrence(projected, torch.randn(2, 6, 2, dtype=torch.float64), torch.zeros(2, 6).double())
    upstream = torch.ones_like(states)
    states.backward(upstream)
    assert (upstream == 1).all()


def test_device_recurrence_equals_the_one_on_the_cpu():
    shapes = ((2, 3, 8, 15), (2, 15, 5), (2, 15))
    ours = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    theirs = [part.detach().clone().requires_grad_() for part in ours]
    states, expected = recurrence(*ours), DeviceRecurrence.apply(*theirs)
    torch.testing.assert_close(states, expected, atol=1e-12, rtol=0)
    upstream = torch.randn(states.shape, dtype=torch.float64)
    states.backward(upstream)
    expected.backward(upstream)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-12, rtol=1e-9)


def test_recurrence_by_hand():
    # one unit, two frames, all of W_hh and the biases 0: r = z = sigmoid(0) = 1/2, n = tanh(a_n)
    projected = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, -2.0]).view(1, 1, 2, 3)
    states = recurrence(projected, torch.zeros(1, 3, 1), torch.zeros(1, 3))
    first = 0.5 * math.tanh(1.0)
    expected = [first, 0.5 * math.tanh(-2.0) + 0.5 * first]
    np.testing.assert_allclose(states.flatten().numpy(), expected, rtol=1e-6)


def test_recognise_ends_in_a_linear_head_without_squashing():
    architecture = Architecture(FEATURES, 3, 1, 1, HIDDEN, False, 2)
    weights = program(architecture, "shared", "head")
    embeddings = torch.randn(MODELS, BATCH, 3, HIDDEN, dtype=torch.float64)
    lengths = torch.full((MODELS, BATCH), 3)
    with torch.no_grad():
        weights["head.weight"].zero_()
        weights["head.bias"].fill_(5.0)
        assert (recognise(embeddings, lengths, weights, architecture) == 5).all()


def test_start_weights_follow_torchs_rule_and_the_seed_alone():
    architecture = Architecture(50, 40, 1, 1, 64, False, 1)
    weights = initial_weights(architecture, 3, "target", "shared", "head")
    values = weights["target.0.weight_ih"]
    assert values.abs().max() <= 1 / 8
    assert values.std().item() == pytest.approx(1 / 8 / math.sqrt(3), rel=0.03)  # of a uniform distribution
    other = initial_weights(Architecture(50, 999, 1, 1, 64, False, 7), 3, "auxiliary", "target")
    assert torch.equal(values, other["target.0.weight_ih"])
    assert not torch.equal(values, initial_weights(architecture, 4, "target")["target.0.weight_ih"])
