"""Compiled steps of utterances against plain PyTorch and against steps by autograd, for all they take."""

import dataclasses
import logging

import numpy as np
import pytest
import torch

from pipeline.learning.sequences import MISSING, Labelling
from pipeline.learning.systems.emobed import training
from pipeline.learning.systems.emobed.compiled import library, load
from pipeline.learning.systems.emobed.compiled_files import cache_folder
from pipeline.learning.systems.emobed.grid_point import GridPoint, program_order
from pipeline.learning.systems.emobed.network import Architecture
from pipeline.learning.systems.emobed.program import Program
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.systems.emobed.utterances import UtteranceSteps, obstacle
from pipeline.learning.trained_model import TrainingError
from pipeline.learning.votes import Distributions
from tests.learning import plain_loop
from tests.learning.synthetic import learning
from tests.learning.systems.emobed.test_equation_8 import examples, sequences
from tests.learning.systems.emobed.test_gru_layer import supported
from tests.learning.systems.emobed.test_training import assert_same

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")

EVERY = [GridPoint(a, b, s) for a in (0.0, 0.25) for b in (0.0, 0.5) for s in (1, 2)]
EVERY += [GridPoint(0.25, 0.5, s, "placebo") for s in (1, 2)]
EVERY += [GridPoint(0.0, 0.0, 1, rate=0.02, decay=0.01)]
GRADED = [GridPoint(0.0, 0.5, s, graded=True) for s in (1, 2)]


def clips(count, features, seed, classes, codes, unlabelled=()):
    """Make utterances; some have no label, some no class."""
    made = examples([1] * count, features, seed, classes, codes)
    for i in unlabelled:
        made[i].labels[:], made[i].classes[:] = np.nan, MISSING
    return made


def experiment(
    sizes=(4, 3),
    hidden=5,
    counts=(20, 13),
    outputs=1,
    classes=2,
    layers=(1, 1),
    both_ways=False,
    several=False,
):
    """Return made-up utterances of both modalities, with placebos and what raters saw."""
    target, auxiliary = (
        clips(count, features, seed, classes, outputs > 1, unlabelled=(1, 4) if seed == 2 else ())
        for count, features, seed in zip(counts, sizes, (1, 2), strict=True)
    )
    if several:
        for place, example in enumerate((*target, *auxiliary)):
            example.labels = np.array([place % 2**outputs], float)
    random = np.random.default_rng(0)
    shares = random.multinomial(5, np.ones(classes) / classes, 7).astype(np.float32) / 5
    seen = [
        tuple(random.integers(0, 7, 1) if e.classes[0] != MISSING else e.classes for e in made)
        for made in (target, auxiliary)
    ]
    turned = [auxiliary[i - 1] for i in range(len(auxiliary))]
    labels = Labelling(tuple(e.labels for e in turned), tuple(e.classes for e in turned))
    codes = tuple(seen[1][i - 1] for i in range(len(auxiliary)))
    data = TrainingData(
        Architecture(*sizes, *layers, hidden, both_ways, outputs, several),
        sequences(target),
        sequences(auxiliary),
        sequences(clips(9, sizes[0], 99, classes, outputs > 1), "dev"),
        0,
        {1: labels, 2: labels},
        positive_weight=tuple(range(1, outputs + 1)) if several else (),
        distributions=Distributions(shares, outputs == 1, *seen, {1: codes, 2: codes}),
    )
    return data, target, auxiliary


def settings_of(**groups):
    optimiser = {"epochs": 2, "average_epochs": 1, "batch": 8, "weight_decay": 0.01, "learning_rate": 2e-3}
    groups["optimiser"] = optimiser | groups.get("optimiser", {})
    groups["triplet"] = {"frames": 1000, "margin": 0.4} | groups.get("triplet", {})
    return learning("demo_clips", **groups)


def by_autograd(monkeypatch, data, settings, points):
    with monkeypatch.context() as patch:
        patch.setattr(training, "obstacle", lambda program: "for comparison")
        return train_program(data, settings, points)


def assert_near(one, two, weights=3e-5, curves=1e-5):
    assert one.variant == two.variant
    for name, tensor in one.weights.items():
        where = f"{one.variant.name} {name}"
        torch.testing.assert_close(tensor, two.weights[name], atol=weights, rtol=0, msg=where)
    np.testing.assert_allclose(one.curve, two.curve, atol=curves, rtol=curves)
    for own, other in zip(one.predictions, two.predictions, strict=True):
        np.testing.assert_allclose(own, other, atol=10 * weights)


@pytest.mark.parametrize("form", ["literal", "hinge", "softplus"])
@pytest.mark.parametrize(
    ("loss", "groups"), [("ccc", {}), ("ccc", {"ccc": "sequence"}), ("mse", {}), ("cross_entropy", {})]
)
def test_every_system_as_a_plain_loop_of_torchs_modules(form, loss, groups):
    outputs = 4 if loss == "cross_entropy" else 1
    data, target, auxiliary = experiment(outputs=outputs, classes=4)
    reduction = "sum" if form == "hinge" else "mean"
    settings = settings_of(loss=loss, triplet={"form": form, "reduction": reduction}, **groups)
    if "ccc" in groups:  # nothing is learned from a CCC over one frame
        settings = settings_of(loss=loss, triplet={"form": form}, optimiser={"weight_decay": 0.1}, **groups)
    points = [point for point in EVERY if point.control is None]
    for model in train_program(data, settings, points):
        point = GridPoint.of(model.variant)
        plain = plain_loop.train(data.architecture, target, auxiliary, settings, point)
        for name, weight in plain.items():
            torch.testing.assert_close(model.weights[name].double(), weight, atol=1e-4, rtol=0)


TAKEN = {
    "deep": ({"layers": (2, 3)}, {}),
    "both ways": ({"layers": (2, 2), "both_ways": True, "hidden": 3}, {}),
    "wide": ({"sizes": (130, 67), "hidden": 33}, {}),
    "one feature": ({"sizes": (1, 1), "hidden": 1}, {}),
    "batches of one": ({}, {"optimiser": {"batch": 1}, "loss": "mse"}),
    "large batches": ({"counts": (150, 171)}, {"optimiser": {"batch": 131}}),
    "few frames drawn": ({}, {"triplet": {"frames": 6, "form": "softplus"}}),
    "one class": ({"classes": 1}, {}),
    "many classes": ({"classes": 30}, {}),
    "several labels": ({"outputs": 3, "several": True}, {"loss": "binary_cross_entropy"}),
    "classes": ({"outputs": 5, "classes": 5}, {"loss": "cross_entropy"}),
    "not clipped": ({}, {"optimiser": {"clip_norm": None}}),
    "much clipped": ({}, {"optimiser": {"clip_norm": 1e-3}}),
    "without decay": ({}, {"optimiser": {"weight_decay": 0.0}}),
    "graded": ({"classes": 3}, {"triplet": {"distance": "label", "form": "hinge"}}),
    "best epoch": ({}, {"optimiser": {"weights": "best_dev_epoch", "patience": 1, "epochs": 4}}),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_all_that_they_take_as_by_autograd(monkeypatch, kind):
    about, groups = TAKEN[kind]
    data, *_ = experiment(**about)
    settings = settings_of(**{"loss": "ccc", **groups})
    points = EVERY + GRADED
    theirs = by_autograd(monkeypatch, data, settings, points)
    for own, other in zip(train_program(data, settings, points), theirs, strict=True):
        assert_near(own, other)


def test_the_target_as_its_own_auxiliary_modality(monkeypatch):
    data = experiment()[0].same_modality()
    points = [GridPoint(0.25, 0.5, s, "same_modality") for s in (1, 2)]
    settings = settings_of(loss="mse")
    theirs = by_autograd(monkeypatch, data, settings, points)
    for own, other in zip(train_program(data, settings, points), theirs, strict=True):
        assert_near(own, other)


@pytest.mark.parametrize("about", [{}, {"sizes": (70, 33), "hidden": 17, "layers": (2, 1)}])
def test_models_at_once_equal_models_one_by_one_bit_by_bit(about):
    data, *_ = experiment(**about)
    settings = settings_of(loss="ccc", triplet={"frames": 10})
    for model in train_program(data, settings, EVERY + GRADED):
        assert_same(model, train_program(data, settings, [GridPoint.of(model.variant)])[0])


@pytest.mark.parametrize("loss", ["ccc", "mse"])
@pytest.mark.parametrize("about", [{}, {"sizes": (88, 129), "hidden": 19, "counts": (70, 90)}])
def test_gradients_are_those_of_double_precision(loss, about):
    """The first mean of Adam is a tenth of the gradient."""
    data, target, auxiliary = experiment(**about)
    settings = settings_of(loss=loss, optimiser={"batch": 65, "weight_decay": 0.0, "clip_norm": None})
    point = GridPoint(0.25, 0.5, 1)
    steps = dataclasses.replace(data, at_least=0)
    program = Program(steps, settings, [point], torch.device("cpu"))
    program.steps = 1
    compiled = UtteranceSteps(program)
    compiled.epoch(0, torch.ones(1, dtype=torch.bool))
    model = plain_loop.PlainModel(data.architecture, 1)
    again = Program(steps, settings, [point], torch.device("cpu"))
    own = [target[i] for i in again.draw("target")[0]]
    others = [auxiliary[i] for i in again.draw("auxiliary")[0]]
    embedded = [model.embed("target", example) for example in own]
    embedded_others = [model.embed("auxiliary", example) for example in others]
    total = plain_loop.prediction_loss(loss, [model.recognise(e) for e in embedded], own)
    total = total + 0.25 * plain_loop.prediction_loss(
        loss, [model.recognise(e) for e in embedded_others], others
    )
    every = [e[0] for e in (*embedded, *embedded_others)]
    classes = [int(e.classes[0]) for e in (*own, *others)]
    total = total + 0.5 * plain_loop.triplet_loss(every, classes, "literal", 1.0, "mean")
    total.backward()
    found = {}
    for (weights, _), moments in zip(program.parts(), compiled.moments, strict=True):
        found |= {name: 10 * view[0] for name, view in weights.views(moments[0]).items()}
    for name, parameter in model.named():
        largest = parameter.grad.abs().max().item()
        torch.testing.assert_close(
            found[name].double(), parameter.grad, atol=max(3e-6 * largest, 3e-8), rtol=1e-5, msg=name
        )


@pytest.mark.slow
@pytest.mark.parametrize("processor", supported())
def test_those_of_other_processors_are_too(monkeypatch, processor):
    other = load(cache_folder(), processor)
    monkeypatch.setattr("pipeline.learning.systems.emobed.utterances.library", lambda: other)
    for loss in ("ccc", "mse"):
        for about in ({}, {"sizes": (88, 129), "hidden": 19, "counts": (70, 90)}):
            test_gradients_are_those_of_double_precision(loss, about)


def test_weights_that_no_gradient_reaches_shrink_as_by_torchs_adam():
    data, *_ = experiment()
    settings = settings_of(loss="mse", optimiser={"epochs": 3, "weight_decay": 0.3})
    (model,) = train_program(data, settings, [GridPoint(0.25, 0.5, 1)])
    start = Program(data, settings, [GridPoint(0.25, 0.5, 1)], torch.device("cpu"))
    for weights, _ in start.parts():
        for name, tensor in weights.tensors.items():
            if "weight_hh" in name:
                parameter = torch.nn.Parameter(tensor[0].detach().clone())
                adam = torch.optim.Adam([parameter], lr=2e-3, weight_decay=0.3)
                for _ in range(3 * start.steps):
                    parameter.grad = torch.zeros_like(parameter)
                    adam.step()
                torch.testing.assert_close(model.weights[name], parameter.detach(), atol=1e-6, rtol=0)
                assert not torch.equal(model.weights[name], tensor[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_named_as_by_autograd(monkeypatch, value):
    data, *_ = experiment()
    points = sorted(EVERY, key=program_order)
    data.auxiliary.features[5][0, 1] = value
    settings = settings_of(loss="mse")
    sentences = []
    for train in (train_program, lambda *given: by_autograd(monkeypatch, *given)):
        with pytest.raises(TrainingError) as error:
            train(data, settings, points)
        sentences.append(str(error.value))
    assert sentences[0] == sentences[1]
    assert sentences[0].startswith("model joint")


def test_a_gradient_that_is_not_finite_is_named():
    data, *_ = experiment()
    for array in data.target.labels:
        array[:] = 1e25
    settings = settings_of(loss="mse")
    with pytest.raises(TrainingError, match=r"loss is not finite in epoch 1"):
        train_program(data, settings, EVERY[:1])
    for array in data.target.labels:
        array[:] = 1e19  # whose square is a number, unlike the square of the gradient's norm
    with pytest.raises(TrainingError, match=r"gradient is not finite in epoch 1"):
        train_program(data, settings_of(loss="mse", optimiser={"batch": 1}), EVERY[:1])


def test_the_way_that_is_taken_is_said(caplog):
    data, *_ = experiment()
    settings = settings_of(loss="ccc")
    with caplog.at_level(logging.DEBUG, logger=training.__name__):
        train_program(data, settings, EVERY[:1])
        names = ("features", "labels", "classes", "gold")
        twice = {name: tuple(np.repeat(a, 2, 0) for a in getattr(data.target, name)) for name in names}
        longer = dataclasses.replace(data, target=dataclasses.replace(data.target, **twice))
        train_program(longer, settings, EVERY[:1])
    assert "compiled" in caplog.messages[0]
    assert caplog.messages[1].endswith("by autograd: sequences have more than one frame")


def test_they_are_not_taken_without_a_compiler_or_in_double_precision(monkeypatch):
    data, *_ = experiment()
    program = Program(data, settings_of(loss="ccc"), EVERY[:1], torch.device("cpu"))
    assert obstacle(program) is None
    monkeypatch.setattr("pipeline.learning.systems.emobed.utterances.library", lambda: None)
    assert obstacle(program) == "there are no compiled functions"
    program.core.values = program.core.values.double()
    assert obstacle(program) == "torch.float64 on cpu"
