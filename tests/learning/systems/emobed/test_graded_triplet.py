"""The triplet loss of graded pairs: an independent loop, and what it is where raters agree."""

import math

import numpy as np
import pytest
import torch

from pipeline.learning.sequences import MISSING
from pipeline.learning.systems.emobed.graded_triplet import graded_pairs, graded_triplet
from pipeline.learning.systems.emobed.triplet import crossmodal_triplet

FORMS = ["literal", "hinge", "softplus"]
VOTES = np.array([[5, 1, 0], [1, 5, 0], [3, 3, 0], [0, 2, 4], [6, 0, 0], [0, 0, 6], [2, 2, 2]]) / 6


def overlap(q, p) -> float:
    return sum(min(a, b) for a, b in zip(q, p, strict=True))


def moved(q, p, ordered: bool) -> float:
    """Return how much has to be moved, times how far: bit by bit from the left, in whole sixths."""
    if not ordered:
        return 1 - overlap(q, p)
    of_q, of_p = (np.repeat(np.arange(len(own)), np.round(np.array(own) * 6).astype(int)) for own in (q, p))
    return float(np.abs(of_q - of_p).mean())


def naive(embeddings, codes, ordered, form, margin, reduction):
    """Compute the loss of one model by loops over pairs, in double precision; -1 takes no part."""
    terms, left_out = [], 0
    for i, anchor in enumerate(embeddings):
        if codes[i] == -1:
            continue
        best, nearest = None, None
        for j, other in enumerate(embeddings):
            if codes[j] == -1:
                continue
            shared = overlap(VOTES[codes[i]], VOTES[codes[j]])
            distance = math.dist(anchor, other)
            if j != i and shared > 1e-9 and (best is None or shared * distance > best):
                best = shared * distance
            if 1 - shared > 1e-9 and (nearest is None or distance / (1 - shared) < nearest[0]):
                far = moved(VOTES[codes[i]], VOTES[codes[j]], ordered)
                nearest = distance / (1 - shared), (1 - shared) * distance, far
        if best is None or nearest is None:
            left_out += 1
            continue
        difference = best - nearest[1]
        if form == "hinge":
            difference = max(0.0, difference + margin * nearest[2])
        elif form == "softplus":
            difference = math.log1p(math.exp(difference))
        terms.append(difference)
    total = sum(terms)
    return (total / len(terms) if terms and reduction == "mean" else total), left_out


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_equals_a_naive_loop_with_its_gradient(form, reduction, ordered):
    random = np.random.default_rng(3)
    embeddings = random.normal(size=(2, 16, 4))
    codes = random.integers(-1, len(VOTES), (2, 16))
    codes[1] = np.where(codes[1] >= 0, 4, -1)  # all agree: no negative
    pairs = graded_pairs(torch.from_numpy(VOTES), ordered)

    def loss(values: torch.Tensor):
        kinds = torch.from_numpy(codes)
        parts = (values[:, :9], values[:, 9:], kinds[:, :9], kinds[:, 9:])
        return graded_triplet(*parts, pairs, form, 0.7, reduction)

    values = torch.from_numpy(embeddings).requires_grad_()
    found = loss(values)
    for m in range(2):
        expected, left_out = naive(embeddings[m], codes[m], ordered, form, 0.7, reduction)
        assert found.loss[m].item() == pytest.approx(expected, abs=1e-9)
        assert found.anchors_left_out[m].item() == left_out
    assert found.anchors_left_out[1].item() > 0
    found.loss.sum().backward()
    # the hardest pairs stay what they are for so small a step
    for place in [(0, 0, 1), (0, 4, 0), (0, 9, 3), (0, 15, 2), (1, 3, 1)]:
        sides = []
        for step in (1e-6, -1e-6):
            near = embeddings.copy()
            near[place] += step
            sides.append(naive(near[place[0]], codes[place[0]], ordered, form, 0.7, reduction)[0])
        assert values.grad[place].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("classes", "ordered"), [(4, False), (2, True), (2, False)])
def test_raters_who_agree_make_it_the_triplet_loss_bit_by_bit(form, classes, ordered):
    random = torch.Generator().manual_seed(5)
    target, auxiliary = (torch.randn(3, n, 5, generator=random) for n in (12, 9))
    one, other = (torch.randint(-1, classes, (3, n), generator=random) for n in (12, 9))
    results = []
    for pairs in (None, graded_pairs(torch.eye(classes), ordered)):
        parts = (target.clone().requires_grad_(), auxiliary.clone().requires_grad_(), one, other)
        loss = crossmodal_triplet if pairs is None else graded_triplet
        rest = () if pairs is None else (pairs,)
        found = loss(*parts, *rest, form, 0.7, "mean")
        found.loss.sum().backward()
        results.append((found.loss.detach(), found.anchors_left_out, parts[0].grad, parts[1].grad))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert results[0][2].any()


def test_of_three_classes_in_order_the_far_one_has_twice_the_margin():
    pairs = graded_pairs(torch.eye(3), True)
    assert pairs.distance.tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert graded_pairs(torch.eye(3), False).distance.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_equal_distributions_overlap_wholly_whatever_their_rounding():
    shares = torch.tensor([[1 / 6, 5 / 6], [0.1, 0.9], [1 / 7 + 2 / 7, 4 / 7]])
    pairs = graded_pairs(shares, True)
    assert pairs.overlap.diagonal().tolist() == [1, 1, 1]
    assert pairs.apart.diagonal().tolist() == [0, 0, 0]
    assert pairs.apart[0, 1].item() == pytest.approx(1 / 6 - 0.1)


def test_no_complete_anchor_gives_zero_attached_to_the_graph():
    target = torch.randn(1, 3, 2, requires_grad=True)
    codes = torch.tensor([[0, MISSING, 0]])
    found = graded_triplet(target, torch.randn(1, 3, 2), codes, codes, graded_pairs(torch.eye(2), True))
    assert found.loss.tolist() == [0]
    found.loss.sum().backward()
    assert not target.grad.any()
    assert found.anchors_left_out.tolist() == [4]
