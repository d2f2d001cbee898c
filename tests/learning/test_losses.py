import audmetric
import numpy as np
import pytest
import torch

from pipeline.learning.losses import ccc, ccc_loss, ccc_loss_per_sequence, cross_entropy, mse, prediction_loss


def test_ccc_loss_equals_audmetric_for_each_model():
    random = np.random.default_rng(0)
    label = random.normal(size=(3, 4, 50))
    prediction = 0.5 * label + random.normal(size=label.shape) + np.arange(3)[:, None, None]
    found = ccc_loss(*(torch.from_numpy(x) for x in (prediction, label, np.ones_like(label))))
    expected = [1 - audmetric.concordance_cc(label[m].ravel(), prediction[m].ravel()) for m in range(3)]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_ccc_per_sequence_is_the_mean_over_sequences_with_labels():
    random = np.random.default_rng(1)
    label, prediction = random.normal(size=(2, 3, 4, 20))
    labelled = (random.random(label.shape) > 0.3).astype(float)
    labelled[1, 2] = 0
    expected = []
    for m in range(3):
        known = [(label[m, i][labelled[m, i] > 0], prediction[m, i][labelled[m, i] > 0]) for i in range(4)]
        of_each = [1 - audmetric.concordance_cc(*pair) for pair in known if len(pair[0])]
        expected.append(sum(of_each) / len(of_each))
    parts = [torch.from_numpy(x) for x in (prediction, label, labelled)]
    np.testing.assert_allclose(ccc_loss_per_sequence(*parts).numpy(), expected, atol=1e-12)
    batch, sequence = (
        prediction_loss("ccc", parts[0][..., None], *parts[1:], over) for over in ("batch", "sequence")
    )
    np.testing.assert_allclose(sequence.numpy(), expected, atol=1e-12)
    torch.testing.assert_close(batch, ccc_loss(*parts))


def test_ccc_by_hand():
    # [0, 1, 2] against [0, 1, 1]: cov 1/3, variances 2/3 and 2/9, means 1 and 2/3: (2/3) / (8/9 + 1/9) = 2/3
    pair = (torch.tensor([[[0.0, 1, 2]]]), torch.tensor([[[0.0, 1, 1]]]))
    assert ccc(*pair, torch.ones(1, 1, 3)).item() == pytest.approx(2 / 3)


def test_frames_without_label_do_not_count():
    prediction = torch.tensor([[[0.0, 1, 2, 99]]], requires_grad=True)
    label, labelled = torch.tensor([[[0.0, 1, 1, -5]]]), torch.tensor([[[1.0, 1, 1, 0]]])
    for loss, expected in ((ccc_loss, 1 / 3), (mse, 1 / 3)):
        value = loss(prediction, label, labelled)
        assert value.item() == pytest.approx(expected)
        (gradient,) = torch.autograd.grad(value.sum(), prediction)
        assert gradient[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("loss", "over"), [("ccc", "batch"), ("ccc", "sequence"), ("mse", "batch"), ("cross_entropy", "batch")]
)
def test_no_label_at_all_gives_zero_attached_to_the_graph(loss, over):
    outputs = torch.randn(2, 3, 4, 5, requires_grad=True)
    value = prediction_loss(loss, outputs, torch.zeros(2, 3, 4), torch.zeros(2, 3, 4), over)
    assert value.tolist() == [0, 0]
    value.sum().backward()
    assert not outputs.grad.any()


@pytest.mark.parametrize("loss", [ccc_loss, ccc_loss_per_sequence, mse])
def test_constant_predictions_have_finite_gradients(loss):
    prediction = torch.zeros(1, 2, 3, requires_grad=True)
    loss(prediction, torch.zeros(1, 2, 3), torch.ones(1, 2, 3)).sum().backward()
    assert torch.isfinite(prediction.grad).all()


def test_cross_entropy_equals_torch_for_each_model():
    logits, code = torch.randn(2, 6, 1, 4), torch.randint(4, (2, 6, 1))
    labelled = torch.ones(2, 6, 1)
    labelled[1, 3:] = 0
    found = cross_entropy(logits, code.float(), labelled)
    first = torch.nn.functional.cross_entropy(logits[0, :, 0], code[0, :, 0])
    second = torch.nn.functional.cross_entropy(logits[1, :3, 0], code[1, :3, 0])
    torch.testing.assert_close(found, torch.stack((first, second)))
