import audmetric
import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import log_loss, precision_score, recall_score

from pipeline.learning.dev_scores import dev_loss, dev_score, shift_back
from tests.learning.synthetic import learning


def test_shift_back_holds_the_first_prediction():
    outputs = torch.arange(6.0).view(1, 1, 6, 1)
    assert shift_back(outputs, 2).flatten().tolist() == [0, 0, 0, 1, 2, 3]
    assert torch.equal(shift_back(outputs, 0), outputs)
    assert shift_back(outputs, 99).flatten().tolist() == [0] * 6


def test_regression_score_is_the_ccc_over_all_recordings():
    random = np.random.default_rng(0)
    gold = random.normal(size=(3, 20))
    gold[1, 15:] = np.nan
    outputs = np.nan_to_num(gold) * [[[0.5]], [[-1.0]]] + 0.3
    found = dev_score(torch.from_numpy(outputs)[..., None], torch.from_numpy(gold))
    known = np.isfinite(gold)
    expected = [audmetric.concordance_cc(gold[known], own[known]) for own in outputs]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_classification_score_is_the_harmonic_mean_of_macro_precision_and_recall():
    random = np.random.default_rng(1)
    gold = random.integers(0, 4, size=(30, 1)).astype(float)
    gold[5] = np.nan
    outputs = random.normal(size=(2, 30, 1, 5))  # class 4 never occurs in gold
    found = dev_score(torch.from_numpy(outputs), torch.from_numpy(gold))
    known = np.isfinite(gold[:, 0])
    for model in range(2):
        predicted = outputs[model, :, 0].argmax(1)[known]
        options = {"average": "macro", "labels": range(4), "zero_division": 0}
        p, r = (
            score(gold[known, 0].astype(int), predicted, **options)
            for score in (precision_score, recall_score)
        )
        assert found[model].item() == pytest.approx(2 * p * r / (p + r))


def test_no_gold_standard_gives_nan():
    assert dev_score(torch.zeros(2, 1, 3, 1), torch.full((1, 3), torch.nan)).isnan().all()


def test_the_loss_of_classes_is_the_cross_entropy_over_what_has_a_class():
    random = np.random.default_rng(2)
    gold = [np.array([2.0]), np.array([np.nan]), np.array([0.0, 1.0])]
    outputs = [torch.from_numpy(random.normal(size=(2, len(own), 3))) for own in gold]
    found = dev_loss(outputs, list(map(torch.from_numpy, gold)), learning("demo_clips"))
    for model in range(2):
        scores = torch.cat([outputs[0], outputs[2]], dim=1)[model].numpy()
        expected = log_loss([2, 0, 1], softmax(scores, axis=1), labels=range(3))
        assert found[model].item() == pytest.approx(expected)


def test_dev_without_labels_has_no_loss():
    nothing = [torch.full((4,), torch.nan, dtype=torch.float64)]
    assert dev_loss([torch.zeros(2, 4, 1)], nothing, learning("demo_sessions")).isnan().tolist() == [True] * 2
