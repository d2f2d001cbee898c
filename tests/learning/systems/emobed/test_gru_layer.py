import logging
import platform
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.learning.systems.emobed import compiled, gru_layer
from pipeline.learning.systems.emobed.compiled_files import cache_folder
from pipeline.learning.systems.emobed.gru_layer import Layer
from pipeline.learning.systems.emobed.gru_layer import gru_layer as run
from pipeline.learning.systems.emobed.reused_memory import reused_memory

pytestmark = pytest.mark.skipif(compiled.library() is None, reason="no C compiler here")

SIZES = [
    (1, 1, 1, 1),
    (3, 7, 5, 4),  # batch, frames, features, hidden
    (1, 9, 5, 7),
    (4, 70, 88, 120),  # frames of three chunks
    (5, 33, 17, 48),
    (2, 130, 16, 33),
    (150, 3, 16, 16),  # a frame is more than a chunk
    (130, 1, 40, 24),
    (6, 1, 33, 120),
    (3, 2, 1, 121),
    (5, 40, 3, 1),
    (1, 1, 7, 121),
    (3, 131, 128, 128),  # no row is padded
    (8, 20, 130, 120),
    (9, 17, 300, 15),  # a sum over features in three parts
    (129, 2, 2, 31),
]


def random_size(seed: int) -> tuple[int, int, int, int]:
    random = np.random.default_rng(seed)
    return tuple(
        int(random.choice(own)) for own in (range(1, 12), (1, 2, 31, 33, 65), range(1, 140), range(1, 50))
    )


def layer(models: int, features: int, hidden: int, seed: int = 0) -> Layer:
    random = torch.Generator().manual_seed(seed)
    shapes = ((3 * hidden, features), (3 * hidden,), (3 * hidden, hidden), (3 * hidden,))
    return Layer(*(torch.empty(models, *s).uniform_(-0.3, 0.3, generator=random) for s in shapes))


def in_torch(inputs: torch.Tensor, weights: Layer, model: int) -> tuple[torch.nn.GRU, torch.Tensor]:
    features, hidden = inputs.shape[-1], weights.weight_hh.shape[-1]
    gru = torch.nn.GRU(features, hidden, batch_first=True, dtype=torch.float64)
    for name, value in weights._asdict().items():
        getattr(gru, f"{name}_l0").data.copy_(value[model])
    return gru, gru(inputs)[0]


def gradients(inputs: torch.Tensor, weights: Layer, upstream: torch.Tensor, into: Layer | None = None):
    """Return states and the gradients of inputs and weights."""
    inputs = inputs.clone().requires_grad_()
    own = Layer(*(weight.clone().requires_grad_() for weight in weights))
    states = run(inputs, own, into)
    found = torch.autograd.grad(states, (inputs, *own), upstream, allow_unused=True)
    return states.detach(), found


def assert_equals_torch(size: tuple[int, int, int, int], seed: int = 0) -> None:
    """Hold values and gradients against those of torch.nn.GRU in double precision."""
    batch, frames, features, hidden = size
    weights = layer(2, features, hidden, seed)
    random = torch.Generator().manual_seed(seed + 1)
    inputs = torch.randn(2, batch, frames, features, generator=random)
    upstream = torch.randn(2, batch, frames, hidden, generator=random)
    states, found = gradients(inputs, weights, upstream)
    for model in range(2):
        own = inputs[model].double().requires_grad_()
        gru, expected = in_torch(own, weights, model)
        expected.backward(upstream[model].double())
        torch.testing.assert_close(states[model].double(), expected, atol=5e-6, rtol=0)
        wanted = [own.grad, *(getattr(gru, f"{name}_l0").grad for name in Layer._fields)]
        for name, one, other in zip(("inputs", *Layer._fields), found, wanted, strict=True):
            if one is None:
                assert (name, frames) == ("weight_hh", 1)
                continue
            scale = max(1.0, other.abs().max().item())
            torch.testing.assert_close(one[model].double(), other, atol=5e-6 * scale, rtol=0, msg=name)


@pytest.mark.parametrize("size", SIZES)
def test_equals_torchs_gru_in_values_and_gradients(size):
    assert_equals_torch(size)


def test_equals_torchs_gru_at_random_sizes():
    for seed in range(40):
        assert_equals_torch(random_size(seed), seed)


def supported() -> list[str]:
    """Return flags for processors whose programs run on this one, other than its own kind."""
    known = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not known.is_file():
        return []
    own = set(known.read_text().split("flags", 1)[1].split("\n", 1)[0].split())
    kinds = {
        "-march=x86-64": set(),
        "-march=x86-64 -mavx": {"avx"},
        "-march=haswell": {"avx2", "fma", "bmi2"},
    }
    return [flags for flags, needed in kinds.items() if needed <= own]


@pytest.mark.slow
@pytest.mark.parametrize("processor", supported())
def test_other_processors_compute_the_same(processor, monkeypatch):
    other = compiled.load(cache_folder(), processor)
    monkeypatch.setattr(gru_layer, "library", lambda: other)
    for size in SIZES[2:]:
        assert_equals_torch(size)


def test_sequences_without_a_way_back_have_the_same_states():
    weights, inputs = layer(2, 40, 24), torch.randn(2, 5, 60, 40)
    states, _ = gradients(inputs, weights, torch.randn(2, 5, 60, 24))
    assert torch.equal(run(inputs, weights), states)
    with torch.no_grad():
        assert torch.equal(
            run(inputs, Layer(*(weight.clone().requires_grad_() for weight in weights))), states
        )


def test_memory_that_is_used_again_does_not_reach_results():
    weights, inputs, upstream = layer(2, 70, 120), torch.randn(2, 4, 300, 70), torch.randn(2, 4, 300, 120)
    states, found = gradients(inputs, weights, upstream)
    with reused_memory():
        for _ in range(3):
            again, own = gradients(inputs, weights, upstream)
            assert torch.equal(again, states)
            assert all(torch.equal(one, other) for one, other in zip(own, found, strict=True))


def test_a_model_and_a_sequence_are_the_same_beside_any_others():
    weights = layer(3, 40, 24)
    inputs, upstream = torch.randn(3, 7, 50, 40), torch.randn(3, 7, 50, 24)
    states, found = gradients(inputs, weights, upstream)
    alone, own = gradients(inputs[1:2], Layer(*(weight[1:2] for weight in weights)), upstream[1:2])
    assert torch.equal(alone[0], states[1])
    assert all(torch.equal(one[0], other[1]) for one, other in zip(own, found, strict=True))
    few, own = gradients(inputs[:, 2:4], weights, upstream[:, 2:4])
    assert torch.equal(few, states[:, 2:4])
    assert torch.equal(own[0], found[0][:, 2:4])


@pytest.mark.parametrize("frames", [1, 40])
def test_inputs_and_weights_may_be_views_and_gradients_go_where_they_are_wanted(frames):
    weights = layer(2, 20, 12)
    whole = torch.randn(3, frames, 30)
    inputs = whole[:, :, 3:23].expand(2, 3, frames, 20)
    upstream = torch.randn(2, 3, frames, 12)
    rows = torch.full((2, sum(weight[0].numel() for weight in weights)), 7.0)
    sizes = [weight[0].numel() for weight in weights]
    parts = zip(rows.split(sizes, dim=1), weights, strict=True)
    into = Layer(*(part.view(weight.shape) for part, weight in parts))
    states, found = gradients(inputs, weights, upstream, into)
    plain, expected = gradients(inputs.contiguous(), weights, upstream)
    assert torch.equal(states, plain)
    assert torch.equal(found[0], expected[0])
    for name, place, one in zip(Layer._fields, into, expected[1:], strict=True):
        if one is None:  # W_hh of single frames
            assert (place == 7).all()
        else:
            assert torch.equal(place, one), name
    assert found[4].data_ptr() == into.bias_hh.data_ptr()
    assert found[1:4] == (None, None, None)  # they are where they are wanted, and not in the graph


def test_what_is_not_a_number_stays_so():
    weights = layer(1, 3, 4)
    inputs = torch.zeros(1, 1, 3, 3)
    inputs[0, 0, 1, 0] = torch.nan
    states = run(inputs, weights)
    assert torch.isfinite(states[0, 0, 0]).all()
    assert torch.isnan(states[0, 0, 1:]).all()


def test_large_values_saturate():
    weights = Layer(torch.ones(1, 3, 1), torch.zeros(1, 3), torch.zeros(1, 3, 1), torch.zeros(1, 3))
    inputs = torch.tensor([-1e30, -torch.inf, 0.0, 1e30, torch.inf]).view(1, 5, 1, 1)
    # h = (1 - z) n: -1 where z is 0, 0 where it is 1
    torch.testing.assert_close(run(inputs, weights).flatten(), torch.tensor([-1.0, -1.0, 0.0, 0.0, 0.0]))


def test_without_a_compiler_the_values_are_the_same_and_a_warning_says_so(monkeypatch, tmp_path, caplog):
    weights, inputs, upstream = layer(2, 20, 12), torch.randn(2, 3, 40, 20), torch.randn(2, 3, 40, 12)
    states, found = gradients(inputs, weights, upstream)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(gru_layer, "library", compiled.library.__wrapped__)
    with caplog.at_level(logging.WARNING):
        plain, expected = gradients(inputs, weights, upstream)
    assert "there is no C compiler (cc, gcc, clang)" in caplog.text
    torch.testing.assert_close(states, plain, atol=1e-6, rtol=0)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
