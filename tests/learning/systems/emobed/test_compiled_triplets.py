"""The compiled triplet loss and its gradient against loops over all pairs, in double precision."""

import ctypes

import numpy as np
import pytest
import torch

from pipeline.learning.systems.emobed.compiled import library
from pipeline.learning.systems.emobed.compiled_steps import FORMS, Triplet
from pipeline.learning.systems.emobed.graded_triplet import Pairs, graded_pairs
from tests.learning.plain_loop import triplet_loss
from tests.learning.systems.emobed.test_graded_triplet import VOTES, naive

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")


def compiled(embeddings, codes, pairs, form="literal", margin=1.0, reduction="mean", factor=1.0, at=None):
    """Return loss, gradient and anchors left out; embeddings: (anchors, units)."""
    anchors, units = embeddings.shape
    at = np.arange(anchors) if at is None else at
    ld = int(at.max(initial=0)) + 5
    lanes, gradient = np.full((units, ld), 9, np.float32), np.full((units, ld), 3, np.float32)
    lanes[:, at] = embeddings.T
    tables = [np.ascontiguousarray(own, np.float32) for own in pairs]
    kinds = len(tables[0])
    own = Triplet(
        FORMS.index(form), reduction == "mean", margin, kinds, *(table.ctypes.data for table in tables)
    )
    memory = np.empty(library().triplet_bytes(anchors, units, kinds) + 64, np.uint8)
    left_out = ctypes.c_long()
    codes, at = (np.array(own, dtype=ctypes.c_long) for own in (codes, at))
    value = library().triplet_loss(
        ctypes.byref(own), anchors, units, lanes.ctypes.data, ld, at.ctypes.data, codes.ctypes.data, factor,
        gradient.ctypes.data, ctypes.addressof(left_out), -(-memory.ctypes.data // 64) * 64,
    )  # fmt: skip
    gradient -= 3  # what lies there is added to
    others = np.setdiff1d(np.arange(ld), at)
    assert not gradient[:, others].any()
    return value, gradient[:, at].T, left_out.value


def of_classes(count):
    same = np.eye(count)
    return Pairs(same, 1 - same, 1 - same)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("anchors", [2, 5, 16, 37, 130])
def test_classes_as_a_loop_over_all_pairs(form, reduction, anchors):
    random = np.random.default_rng(anchors)
    embeddings = random.normal(size=(anchors, 7)).astype(np.float32)
    codes = random.integers(-1, 3, anchors)
    codes[:2] = 0  # some anchor has a positive
    leaf = torch.from_numpy(embeddings).double().requires_grad_()
    expected = triplet_loss(list(leaf), codes, form, 0.4, reduction) if len(set(codes) - {-1}) > 1 else 0
    order = random.permutation(anchors)
    found, gradient, left_out = compiled(
        embeddings, codes, of_classes(3), form, 0.4, reduction, factor=2.0, at=order
    )
    assert found == pytest.approx(float(torch.as_tensor(expected).detach()), rel=1e-5)
    if isinstance(expected, torch.Tensor):
        (2 * expected).backward()
        np.testing.assert_allclose(gradient, leaf.grad, atol=3e-5)
    else:
        assert not gradient.any()
    alone = [kind for kind in range(3) if (codes == kind).sum() == 1]
    several = len(set(codes) - {-1}) > 1
    assert left_out == (len(alone) if several else (codes != -1).sum())


@pytest.mark.parametrize("codes", [[1] * 6, [-1] * 6, [0, 1, 2, -1, -1, -1], [], [0]])
def test_without_a_triplet_there_is_a_zero(codes):
    embeddings = np.random.default_rng(0).normal(size=(len(codes), 5)).astype(np.float32)
    found, gradient, left_out = compiled(embeddings, np.array(codes, int), of_classes(3))
    assert found == 0
    assert not gradient.any()
    assert left_out == sum(code != -1 for code in codes)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_what_raters_saw_as_a_loop_over_all_pairs(ordered, form, reduction):
    random = np.random.default_rng(3)
    pairs = graded_pairs(torch.from_numpy(VOTES).float(), ordered)
    for anchors in (3, 19, 33):
        embeddings = random.normal(size=(anchors, 6)).astype(np.float32)
        codes = random.integers(-1, len(VOTES), anchors)
        settings = ordered, form, 0.4, reduction
        found, gradient, left_out = compiled(embeddings, codes, pairs, form, 0.4, reduction)
        expected, expected_out = naive(embeddings.astype(float), codes, *settings)
        assert found == pytest.approx(expected, rel=1e-5)
        assert left_out == expected_out
        for place in list(np.ndindex(embeddings.shape))[::5]:
            sides = []
            for step in (1e-6, -1e-6):
                moved = embeddings.astype(float)
                moved[place] += step
                sides.append(naive(moved, codes, *settings)[0])
            assert gradient[place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=2e-4)


def test_equal_embeddings_have_a_finite_slope():
    found, gradient, _ = compiled(np.ones((4, 3), np.float32), [0, 0, 1, 1], of_classes(2))
    assert found == pytest.approx(0, abs=1e-9)
    assert np.isfinite(gradient).all()


def test_what_is_not_a_number_is_nobodys_positive_or_negative():
    embeddings = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    codes = np.array([0, 0, 0, 1, 1, 1])
    expected = compiled(embeddings[:5], codes[:5], of_classes(2), reduction="sum")[0]
    embeddings[5] = np.nan
    found, _, left_out = compiled(embeddings, codes, of_classes(2), reduction="sum")
    assert found == pytest.approx(expected)
    assert left_out == 1
