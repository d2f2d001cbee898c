"""Distances between distributions, against double loops written plainly."""

import numpy as np
import pytest
import torch

from pipeline.learning.systems.matched.distances import (
    median_distance,
    mmd,
    pair_loss,
    unpaired_by_class,
    unpaired_loss,
)
from tests.learning.systems.partly_labelled import tensors


def naive_mmd(one, other, sigma):
    """Return the three sums of the paper, term by term."""

    def k(x, y):
        return np.exp(-np.sum((x - y) ** 2) / (2 * sigma**2))

    p, q = one.detach().numpy(), other.detach().numpy()
    m, n = len(p), len(q)
    within_p = sum(k(p[i], p[j]) for i in range(m) for j in range(m) if i != j)
    within_q = sum(k(q[i], q[j]) for i in range(n) for j in range(n) if i != j)
    across = sum(k(p[i], q[j]) for i in range(m) for j in range(n))
    return within_p / (m * (m - 1)) + within_q / (n * (n - 1)) - 2 * across / (m * n)


def naive_median(one, other):
    rows = np.concatenate([one.detach().numpy(), other.detach().numpy()])
    found = sorted(np.linalg.norm(rows[i] - rows[j]) for i in range(len(rows)) for j in range(i))
    return found[(len(found) - 1) // 2]


@pytest.mark.parametrize("sigma", [0.7, "median"])
def test_mmd_and_its_gradient_are_those_of_a_naive_double_loop(sigma):
    one, other = tensors(5, 3).requires_grad_(), (tensors(7, 3, seed=1) + 0.5).requires_grad_()
    width = naive_median(one, other) if sigma == "median" else sigma
    found = mmd(one, other, sigma)
    assert found.item() == pytest.approx(naive_mmd(one, other, width), rel=1e-10)
    found.backward()
    for side in (one, other):
        for place in np.ndindex(*side.shape):
            step = torch.zeros_like(side)
            step[place] = 1e-6
            sides = [[s + sign * step if s is side else s for s in (one, other)] for sign in (1, -1)]
            slope = (naive_mmd(*sides[0], width) - naive_mmd(*sides[1], width)) / 2e-6
            assert side.grad[place].item() == pytest.approx(slope, abs=1e-8)


def test_mmd_of_one_distribution_is_zero_in_the_mean_and_above_zero_of_two():
    same = [mmd(tensors(8, 2, seed=i), tensors(8, 2, seed=1000 + i), 1.0).item() for i in range(400)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 20
    assert min(same) < 0  # unbiased, so on either side
    apart = [mmd(tensors(8, 2, seed=i), tensors(8, 2, seed=1000 + i) + 1, 1.0).item() for i in range(50)]
    assert np.mean(apart) > 0.1


def test_too_few_rows_and_rows_that_are_all_the_same_give_zero_attached_to_the_graph():
    for one, other in (
        (tensors(1, 3), tensors(4, 3)),
        (tensors(4, 3), tensors(0, 3)),
        (tensors(3, 2) * 0,) * 2,
    ):
        one = one.clone().requires_grad_()
        found = mmd(one, other, "median")
        found.backward()
        assert found.item() == pytest.approx(0, abs=1e-12)
        assert torch.isfinite(one.grad).all()
    assert median_distance(torch.tensor([[0.0, 4.0], [4.0, 0.0]])) == 2


def test_the_unpaired_side_from_the_same_batch_would_cancel_exactly():
    latents = [tensors(9, 3).requires_grad_(), tensors(9, 3, seed=1).requires_grad_()]
    there = torch.ones(9, 2, dtype=torch.bool)
    shuffled = torch.from_numpy(np.random.default_rng(3).permutation(9))
    rest = (there, 0, "median")
    total = pair_loss(latents, *rest) + unpaired_loss(
        latents, there, [z[shuffled] for z in latents], *rest
    )  # fmt: skip
    total.backward()
    assert total.item() == pytest.approx(0, abs=1e-14)
    for z in latents:
        assert z.grad.abs().max() < 1e-14
    other = [tensors(9, 3, seed=7), tensors(9, 3, seed=8)]
    assert abs((pair_loss(latents, *rest) + unpaired_loss(latents, there, other, *rest)).item()) > 1e-3


def test_of_another_batch_only_pairs_being_close_is_left_in_the_mean():
    """E(L_pair + L_unpaired) = -2 / m (E k(z_i, z'_i) - E k(z_i, z'_j)): MMD itself does not see pairs."""
    random, m = np.random.default_rng(0), 4
    there = torch.ones(m, 2, dtype=torch.bool)

    def batch():
        one = random.normal(size=(m, 2))
        return [torch.from_numpy(one), torch.from_numpy(one + 0.1 * random.normal(size=(m, 2)))]

    found, close, far = [], [], []
    for _ in range(4000):
        own, other = batch(), batch()
        found.append(
            (pair_loss(own, there, 0, 1.0) + unpaired_loss(own, there, other, there, 0, 1.0)).item()
        )  # fmt: skip
        close.append(torch.exp(-(own[0] - own[1]).square().sum(1) / 2).mean().item())
        far.append(torch.exp(-(own[0] - other[1]).square().sum(1) / 2).mean().item())
    expected = -2 / m * (np.mean(close) - np.mean(far))
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / np.sqrt(len(found)))
    assert expected < -0.2


def test_the_hub_is_held_against_each_other_modality_in_rows_that_have_both():
    latents = [tensors(6, 3, seed=i) for i in range(3)]
    there = torch.ones(6, 3, dtype=torch.bool)
    there[0, 2] = there[5, 1] = False
    found = pair_loss(latents, there, 1, 1.3)
    expected = naive_mmd(latents[1][:5], latents[0][:5], 1.3) + naive_mmd(
        latents[1][1:5], latents[2][1:5], 1.3
    )
    assert found.item() == pytest.approx(expected, rel=1e-10)
    others, their = [tensors(4, 3, seed=10 + i) for i in range(3)], torch.ones(4, 3, dtype=torch.bool)
    found = unpaired_loss(latents, there, others, their, 1, 1.3)
    expected = naive_mmd(latents[1][:5], others[0], 1.3) + naive_mmd(latents[1][1:5], others[2], 1.3)
    assert found.item() == pytest.approx(-expected, rel=1e-10)


def test_of_another_class_each_class_is_held_against_the_rest():
    latents, codes = [tensors(7, 3), tensors(7, 3, seed=1)], torch.tensor([0, 1, 0, 1, 2, 1, 0])
    there = torch.ones(7, 2, dtype=torch.bool)
    each = [
        naive_mmd(latents[0][codes == code], latents[1][codes != code], 0.9) for code in (0, 1)
    ]  # 2 has one row
    found = unpaired_by_class(latents, there, codes, 0, 0.9)
    assert found.item() == pytest.approx(-np.mean(each), rel=1e-10)
    nothing = unpaired_by_class([z.requires_grad_() for z in latents], there, torch.zeros(7), 0, 0.9)
    assert nothing.item() == 0
    nothing.backward()
