import math

import numpy as np
import pytest
import torch

from pipeline.learning.systems.emobed.frame_draws import FrameDraws
from pipeline.learning.systems.emobed.triplet import crossmodal_triplet


def naive(embeddings: np.ndarray, classes: np.ndarray, form: str, margin: float, reduction: str):
    """Compute eqs. 5 and 6 for one model by loops; class -1 takes no part."""
    terms, left_out = [], 0
    for i, anchor in enumerate(embeddings):
        if classes[i] == -1:
            continue
        positives, negatives = [], []
        for j, other in enumerate(embeddings):
            if j == i or classes[j] == -1:
                continue
            (positives if classes[j] == classes[i] else negatives).append(math.dist(anchor, other))
        if not positives or not negatives:
            left_out += 1
            continue
        difference = max(positives) - min(negatives)
        if form == "hinge":
            difference = max(0.0, difference + margin)
        elif form == "softplus":
            difference = math.log1p(math.exp(difference))
        terms.append(difference)
    total = sum(terms)
    return (total / len(terms) if terms and reduction == "mean" else total), left_out


@pytest.mark.parametrize("form", ["literal", "hinge", "softplus"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_equals_a_naive_loop_over_both_modalities(form, reduction):
    random = np.random.default_rng(4)
    target, auxiliary = random.normal(size=(3, 9, 4)), random.normal(size=(3, 7, 4))
    target_classes, auxiliary_classes = random.integers(-1, 4, (3, 9)), random.integers(-1, 4, (3, 7))
    auxiliary_classes[0, 0] = 9  # one of its kind: no positive
    found = crossmodal_triplet(
        *(torch.from_numpy(x) for x in (target, auxiliary, target_classes, auxiliary_classes)),
        form,
        0.7,
        reduction,
    )
    for m in range(3):
        loss, left_out = naive(
            np.concatenate((target[m], auxiliary[m])),
            np.concatenate((target_classes[m], auxiliary_classes[m])),
            form,
            0.7,
            reduction,
        )
        assert found.loss[m].item() == pytest.approx(loss, abs=1e-5)
        assert found.anchors_left_out[m].item() == left_out


def test_by_hand():
    # class 0: audio at 0, video at 3; class 1: audio at 1, video at 5 (on a line)
    target, auxiliary = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[[3.0], [5.0]]])
    classes = torch.tensor([[0, 1]])
    # 0: 3 - 1 = 2; 1: 4 - 1 = 3; 3: 3 - 2 = 1; 5: 4 - 2 = 2
    for reduction, expected in (("mean", 2.0), ("sum", 8.0)):
        found = crossmodal_triplet(target, auxiliary, classes, classes, "literal", 1.0, reduction)
        assert found.loss.tolist() == [pytest.approx(expected)]
        assert found.anchors_left_out.tolist() == [0]


def test_gradient_of_the_hand_made_case():
    target = torch.tensor([[[0.0], [1.0]]], requires_grad=True)
    auxiliary = torch.tensor([[[3.0], [5.0]]], requires_grad=True)
    classes = torch.tensor([[0, 1]])
    crossmodal_triplet(target, auxiliary, classes, classes, "literal", 1.0, "sum").loss.sum().backward()
    # sum over anchors 0, 1, 3, 5: (x3 - x0) - (x1 - x0), (x5 - x1) - (x1 - x0), (x3 - x0) - (x3 - x1),
    # (x5 - x1) - (x5 - x3); by x0: 1 - 1, by x1: -1 - 2 + 1 - 1, by x3: 1 + 1, by x5: 1
    np.testing.assert_allclose(target.grad.flatten(), [0.0, -3.0], atol=1e-5)
    np.testing.assert_allclose(auxiliary.grad.flatten(), [2.0, 1.0], atol=1e-5)


def test_duplicates_have_finite_gradients():
    target = torch.zeros(2, 4, 3, requires_grad=True)
    auxiliary = torch.zeros(2, 4, 3, requires_grad=True)
    classes = torch.tensor([[0, 0, 1, 1]] * 2)
    crossmodal_triplet(target, auxiliary, classes, classes).loss.sum().backward()
    assert torch.isfinite(target.grad).all()
    assert torch.isfinite(auxiliary.grad).all()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("codes", [[0, 0, 0], [-1, -1, -1], [0, 1, -1]])
def test_no_complete_anchor_gives_zero_attached_to_the_graph(codes, reduction):
    target, auxiliary = torch.randn(1, 3, 2, requires_grad=True), torch.randn(1, 3, 2)
    own = torch.tensor([codes])
    other = own if codes[1] != 1 else torch.full((1, 3), -1)
    found = crossmodal_triplet(target, auxiliary, own, other, "softplus", 1.0, reduction)
    assert found.loss.tolist() == [0]
    found.loss.sum().backward()
    assert not target.grad.any()
    assert found.anchors_left_out.item() == int((own >= 0).sum() + (other >= 0).sum())


def test_drawn_frames_are_labelled_and_the_same_for_equal_seeds():
    embeddings = torch.arange(3 * 2 * 10, dtype=torch.float32).view(3, 2, 10, 1) % 20
    classes = torch.full((3, 2, 10), -1)
    classes[:, :, ::2] = 1  # ten labelled frames per model
    draws = FrameDraws(4)
    drawn, kinds = draws.draw(embeddings, classes, [5, 6, 5], [False] * 3)
    assert drawn.shape == (3, 4, 1)
    assert (kinds == 1).all()
    assert (drawn % 2 == 0).all()
    assert len(set(drawn[0].flatten().tolist())) == 4
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])
    alone, _ = FrameDraws(4).draw(embeddings[:1], classes[:1], [6], [True])
    assert torch.equal(drawn[1], alone[0])


def test_where_labels_lie_does_not_reach_a_model_of_the_same_seed_that_sees_others():
    embeddings = torch.arange(2 * 10, dtype=torch.float32).view(2, 1, 10, 1) % 10
    classes = torch.full((2, 1, 10), -1)
    classes[0, 0, :5], classes[1, 0, 5:] = 1, 1
    drawn, kinds = FrameDraws(4).draw(embeddings, classes, [3, 3], [False, True])
    assert (kinds == 1).all()
    assert (drawn[0] < 5).all()
    assert (drawn[1] >= 5).all()


def test_too_few_labelled_frames_are_filled_with_unlabelled_ones():
    classes = torch.full((1, 1, 10), -1)
    classes[0, 0, [3, 7]] = 2
    _, kinds = FrameDraws(4).draw(torch.zeros(1, 1, 10, 1), classes, [1], [False])
    assert sorted(kinds[0].tolist()) == [-1, -1, 2, 2]
