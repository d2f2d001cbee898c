import dataclasses

import audmetric
import numpy as np
import pytest
import torch

from pipeline.learning.batches import SeededOrder
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.network import Architecture, initial_weights
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.trained_model import TrainedModel, TrainingError
from tests.learning.synthetic import learning

GRID = [GridPoint(a, b, s) for a in (0.0, 0.3) for b in (0.0, 0.1) for s in (1, 2)]


def made_up(count: int, partition: str, features: int, seed: int, frames: int = 30) -> Sequences:
    """Make sequences whose features are a mixture of the label and noise."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(features).normal(size=(2, features))
    labels = np.cumsum(random.normal(size=(count, frames)), axis=1)
    labels = 0.3 * (labels - labels.mean()) / labels.std()
    hidden = np.stack((labels * 3, random.normal(size=labels.shape)), axis=-1)
    arrays = (hidden @ mixing).astype(np.float32)
    return Sequences(
        tuple(f"{partition}_{i}" for i in range(count)),
        (partition,) * count,
        ("s",) * count,
        tuple(arrays),
        tuple(labels.astype(np.float32)),
        tuple((labels > 0).astype(np.int64)),
        tuple(labels),
    )


def data(auxiliary: int = 5, seed: int = 9, hidden: int = 7, bidirectional: bool = False) -> TrainingData:
    dev, test = made_up(2, "dev", 6, 3), made_up(2, "test", 6, 4, frames=21)
    both = Sequences(*(getattr(dev, part) + getattr(test, part) for part in Sequences.__dataclass_fields__))
    return TrainingData(
        Architecture(6, 9, 1, 1, hidden, bidirectional, 1),
        made_up(5, "train", 6, 1),
        made_up(auxiliary, "train", 9, seed),
        both,
        2,
    )


def assert_same(one: TrainedModel, two: TrainedModel, *, blocks: tuple[str, ...] = ("",)) -> None:
    """Hold weights, curves and predictions of two models against each other, bit by bit."""
    assert one.variant == two.variant
    for name, tensor in one.weights.items():
        if name.startswith(blocks):
            assert torch.equal(tensor, two.weights[name]), name
    np.testing.assert_array_equal(one.curve, two.curve)
    for a, b in zip(one.predictions, two.predictions, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("hidden", [7, 16])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_models_at_once_equal_models_one_by_one_bit_by_bit(hidden, bidirectional):
    given, settings = data(hidden=hidden, bidirectional=bidirectional), learning()
    for model in train_program(given, settings, GRID):
        assert_same(model, train_program(given, settings, [GridPoint.of(model.variant)])[0])


def test_the_classic_system_does_not_depend_on_the_auxiliary_data():
    classic = GridPoint(0.0, 0.0, 1)
    one = train_program(data(), learning(), [classic, GridPoint(0.3, 0.1, 1)])[0]
    assert_same(one, train_program(data(seed=77), learning(), [classic])[0])


def test_every_system_takes_as_many_steps_per_epoch():
    """A larger auxiliary modality must not mean more updates than the classic system has."""
    classic, emobed = GridPoint(0.0, 0.0, 1), GridPoint(0.3, 0.1, 1)
    steps = []
    for auxiliary, epochs in ((5, 4), (11, 2)):  # batches of 2: 4 x 3 and 2 x 6 steps
        settings = learning(optimiser={"epochs": epochs, "average_epochs": 1})
        alone = train_program(data(auxiliary), settings, [classic])[0]
        assert_same(alone, train_program(data(auxiliary), settings, [classic, emobed])[0])
        steps.append(alone.weights)
    # as many steps on the same target, in epochs of another length: the same model
    for name, weight in steps[0].items():
        if name.startswith(("target", "shared", "head")):
            assert torch.equal(weight, steps[1][name]), name


def test_the_other_systems_depend_on_the_auxiliary_data():
    for point in GRID[2:]:
        if point.system != "classic":
            one, two = (train_program(given, learning(), [point])[0] for given in (data(), data(seed=77)))
            assert not torch.equal(one.weights["target.0.weight_ih"], two.weights["target.0.weight_ih"])


@pytest.mark.parametrize(("auxiliary", "steps"), [(23, 12), (2, 3)])
def test_a_modality_with_more_sequences_is_trained_on_in_full(monkeypatch, auxiliary, steps):
    """Unpaired sampling with 5 target sequences: count what a program really draws."""
    drawn = {"target": [], "auxiliary": []}

    class Counted(SeededOrder):
        def __init__(self, count, batch, seed, modality):
            super().__init__(count, batch, seed, modality)
            self.own = drawn[modality]

        def draw(self):
            self.own.append(super().draw())
            return self.own[-1]

    monkeypatch.setattr("pipeline.learning.systems.emobed.program.SeededOrder", Counted)
    train_program(data(auxiliary), learning(), [GridPoint(0.3, 0.1, 1)])  # batches of 2, 4 epochs
    assert {name: len(own) for name, own in drawn.items()} == dict.fromkeys(drawn, 4 * steps)
    for name, count in (("target", 5), ("auxiliary", auxiliary)):
        in_first_epoch = set(np.concatenate(drawn[name][:steps]).tolist())
        assert in_first_epoch == set(range(count))
        often = np.bincount(np.concatenate(drawn[name]))
        assert often.max() - often.min() <= 1


def test_the_classic_system_equals_a_plain_loop_with_torchs_modules():
    settings = learning(optimiser={"average_epochs": 1, "epochs": 5, "clip_norm": 0.5})
    given, point = data(), GridPoint(0.0, 0.0, 2)
    start = initial_weights(given.architecture, 2, "target", "shared", "head")
    encoder = torch.nn.GRU(6, 7, batch_first=True)
    shared = torch.nn.GRU(7, 7, batch_first=True)
    head = torch.nn.Linear(7, 1)
    for module, block in ((encoder, "target.0"), (shared, "shared.0")):
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(module, f"{kind}_l0").data.copy_(start[f"{block}.{kind}"])
    head.weight.data.copy_(start["head.weight"])
    head.bias.data.copy_(start["head.bias"])
    parameters = [p for module in (encoder, shared, head) for p in module.parameters()]
    adam = torch.optim.Adam(parameters, lr=5e-3, weight_decay=1e-4)
    order = SeededOrder(5, 2, 2, "target")
    inputs, labels = (
        torch.from_numpy(np.stack(part)) for part in (given.target.features, given.target.labels)
    )
    losses = []
    for _ in range(5 * 3):
        batch = torch.from_numpy(order.draw())
        p, y = head(shared(encoder(inputs[batch])[0])[0]).flatten(), labels[batch].flatten()
        covariance = ((p - p.mean()) * (y - y.mean())).mean()
        variances = p.var(correction=0) + y.var(correction=0)
        loss = 1 - 2 * covariance / (variances + (p.mean() - y.mean()) ** 2)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        adam.step()
        losses.append(loss.item())
    (model,) = train_program(given, settings, [point])
    torch.testing.assert_close(
        model.weights["target.0.weight_hh"], encoder.weight_hh_l0.data, atol=2e-4, rtol=0
    )
    torch.testing.assert_close(model.weights["head.weight"], head.weight.data, atol=2e-4, rtol=0)
    np.testing.assert_allclose(model.curve[:, 0], np.reshape(losses, (5, 3)).mean(1), atol=1e-3)
    with torch.no_grad():
        raw = head(shared(encoder(torch.from_numpy(given.evaluation.features[3])[None])[0])[0])[0]
    shifted = torch.cat((raw[:1], raw[:1], raw[:-2]))  # a delay of two frames
    np.testing.assert_allclose(model.predictions[3], shifted, atol=1e-3)


def test_curves_say_what_each_system_used():
    for model in train_program(data(), learning(), GRID):
        assert model.curve.shape == (4, 6)
        used = np.isfinite(model.curve).all(axis=0)
        point = GridPoint.of(model.variant)
        assert used.tolist() == [True, point.alpha > 0, point.beta > 0, True, True, True]
        assert model.curve[-1, 0] < model.curve[0, 0]


@pytest.mark.parametrize("changes", [{}, {"ccc": "sequence"}, {"loss": "mse"}])
def test_the_loss_on_dev_is_that_of_training(changes):
    settings = learning(optimiser={"average_epochs": 1}, **changes)
    given = data()
    for model in train_program(given, settings, GRID[::3]):
        dev = [i for i, name in enumerate(given.evaluation.partitions) if name == "dev"]
        pairs = [(given.evaluation.gold[i], model.predictions[i][:, 0]) for i in dev]
        assert len(pairs) > 1
        if settings.loss == "ccc" and settings.ccc == "sequence":
            expected = np.mean([1 - concordance(gold, found) for gold, found in pairs])
        else:
            gold, found = map(np.concatenate, zip(*pairs, strict=True))
            known = np.isfinite(gold)
            expected = (
                np.mean((gold - found)[known] ** 2)
                if settings.loss == "mse"
                else 1 - concordance(gold, found)
            )
        assert model.curve[-1, 5] == pytest.approx(expected, abs=1e-5)


def concordance(gold, found):
    known = np.isfinite(gold)
    return audmetric.concordance_cc(gold[known], found[known])


def test_average_is_the_mean_of_the_last_epochs():
    def weights(epochs, average):
        settings = learning(optimiser={"epochs": epochs, "average_epochs": average})
        return train_program(data(), settings, [GRID[-1]])[0].weights["shared.0.weight_ih"]

    single = [weights(epochs, 1) for epochs in (2, 3, 4)]
    torch.testing.assert_close(weights(4, 3), torch.stack(single).mean(0), atol=1e-7, rtol=0)
    torch.testing.assert_close(weights(2, 2), (weights(1, 1) + single[0]) / 2, atol=1e-7, rtol=0)


def test_patience_freezes_each_model_on_its_own_and_best_dev_epoch_keeps_the_best():
    optimiser = {"epochs": 25, "patience": 2, "weights": "best_dev_epoch", "learning_rate": 0.05}
    models = train_program(data(), learning(optimiser=optimiser), GRID)
    assert len({len(model.curve) for model in models}) > 1
    for model in models:
        best = int(np.argmax(model.curve[:, 4]))
        assert len(model.curve) in (best + 3, 25)
        stopped = learning(
            optimiser=optimiser | {"epochs": best + 1, "average_epochs": 1, "weights": "average"}
        )
        (again,) = train_program(data(), stopped, [GridPoint.of(model.variant)])
        assert torch.equal(model.weights["head.weight"], again.weights["head.weight"])


def test_the_auxiliary_encoder_of_a_classic_model_is_as_drawn():
    (model,) = train_program(data(), learning(), [GridPoint(0.0, 0.0, 1)])
    start = initial_weights(data().architecture, 1, "auxiliary")
    for name, tensor in start.items():
        assert torch.equal(model.weights[name], tensor)


def test_a_loss_that_is_not_finite_names_the_model():
    given = data()
    given.auxiliary.features[0][3] = np.inf
    train_program(given, learning(), [GridPoint(0.0, 0.0, 1)])
    with pytest.raises(TrainingError, match=r"model joint alpha=0\.3 seed=1: loss is not finite in epoch 1"):
        train_program(given, learning(), [GridPoint(0.0, 0.0, 1), GridPoint(0.3, 0.0, 1)])


@pytest.mark.parametrize("form", ["literal", "hinge", "softplus"])
@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_every_form_and_loss_trains(form, loss):
    models = train_program(data(), learning(triplet={"form": form}, loss=loss), GRID[-1:])
    assert np.isfinite(models[0].curve).all()


def test_evaluation_without_labels_is_predicted_and_scored_nan():
    given = data()
    unlabelled = dataclasses.replace(
        given.evaluation, gold=tuple(np.full_like(gold, np.nan) for gold in given.evaluation.gold)
    )
    (model,) = train_program(dataclasses.replace(given, evaluation=unlabelled), learning(), GRID[:1])
    assert np.isnan(model.curve[:, 4:]).all()
    assert [len(part) for part in model.predictions] == [30, 30, 21, 21]
