import pytest
import torch

from pipeline.learning.systems.emobed import optimiser as flat
from pipeline.learning.systems.emobed.optimiser import Adam, FlatWeights, clip_factor
from pipeline.learning.systems.emobed.products import linear


def test_equals_torchs_adam_with_clipping_model_by_model():
    random = torch.Generator().manual_seed(0)
    models = [
        {"a": torch.randn(3, 5, generator=random), "b": torch.randn(7, generator=random)} for _ in range(3)
    ]
    weights = FlatWeights(models, torch.device("cpu"))
    rates, decays = [1e-2, 1e-2, 3e-3], [1e-1, 0.0, 1e-1]
    ours = Adam(weights, rates, decays)
    theirs = []
    for model, rate, decay in zip(models, rates, decays, strict=True):
        parameters = [torch.nn.Parameter(t.clone()) for t in model.values()]
        adam = torch.optim.Adam(parameters, lr=rate, weight_decay=decay, foreach=False)
        theirs.append((parameters, adam))
    for step in range(5):
        gradients = [torch.randn(3, *shape, generator=random) * 3**step for shape in ((3, 5), (7,))]
        weights.set_gradients(gradients)
        norm = weights.gradients.square().sum(1).sqrt()
        ours.step(clip_factor(norm, 4.0), [True] * 3)
        for m, (parameters, optimiser) in enumerate(theirs):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient[m].clone()
            torch.nn.utils.clip_grad_norm_(parameters, 4.0)
            optimiser.step()
    for m, (parameters, _) in enumerate(theirs):
        for name, parameter in zip("ab", parameters, strict=True):
            torch.testing.assert_close(
                weights.tensors[name][m].detach(), parameter.detach(), atol=1e-6, rtol=0
            )


def test_a_model_that_is_not_active_stays():
    weights = FlatWeights([{"a": torch.ones(4)}, {"a": torch.ones(4)}], torch.device("cpu"))
    weights.set_gradients([torch.ones(2, 4)])
    Adam(weights, [0.1] * 2, [0.0] * 2).step(torch.ones(2), [True, False])
    assert (weights.tensors["a"][0] < 1).all()
    assert (weights.tensors["a"][1] == 1).all()


def test_steps_of_a_model_do_not_depend_on_those_beside_it():
    random = torch.Generator().manual_seed(0)
    models = [{"a": torch.randn(301, generator=random)} for _ in range(5)]
    gradients = [torch.randn(5, 301, generator=random) for _ in range(4)]
    rates = [1e-2, 1e-3, 1e-2, 1e-3, 1e-4]

    def trained(chosen):
        weights = FlatWeights([models[m] for m in chosen], torch.device("cpu"))
        adam = Adam(weights, [rates[m] for m in chosen], [1e-2] * len(chosen))
        for gradient in gradients:
            weights.set_gradients([gradient[list(chosen)]])
            adam.step(torch.full((len(chosen),), 0.7), [True] * len(chosen))
        return weights.tensors["a"].detach()

    together = trained(range(5))
    for m in range(5):
        assert torch.equal(trained([m])[0], together[m])


def test_a_gradient_that_nothing_writes_is_zero_and_no_clipping_is_one():
    weights = FlatWeights([{"a": torch.ones(4), "b": torch.ones(2)}], torch.device("cpu"))
    weights.gradient_of["b"].fill_(3)  # written by the backward pass
    weights.set_gradients([None, None])
    assert not weights.gradient_of["a"].any()
    assert (weights.gradient_of["b"] == 3).all()
    assert clip_factor(torch.tensor([3.0, 100.0]), None).tolist() == [1, 1]


@pytest.mark.parametrize("with_compiler", [True, False])
def test_large_rows_take_adams_step_and_have_their_norms(with_compiler, monkeypatch):
    if not with_compiler:
        monkeypatch.setattr(flat, "library", lambda: None)
    random = torch.Generator().manual_seed(0)
    weights = FlatWeights([{"a": torch.randn(5001, generator=random)} for _ in range(2)], torch.device("cpu"))
    parameter = torch.nn.Parameter(weights.tensors["a"].detach().clone())
    adams = Adam(weights, [1e-3] * 2, [1e-2] * 2), torch.optim.Adam([parameter], 1e-3, weight_decay=1e-2)
    for scale in (1.0, 1e-6, 30.0):
        gradient = torch.randn(2, 5001, generator=random) * scale
        weights.set_gradients([gradient])
        torch.testing.assert_close(weights.squared_norms(), gradient.square().sum(1), rtol=1e-5, atol=0)
        parameter.grad = gradient * 0.5
        adams[0].step(torch.full((2,), 0.5), [True, True])
        adams[1].step()
        torch.testing.assert_close(weights.tensors["a"].detach(), parameter.detach(), atol=1e-6, rtol=0)


def test_squared_norms_are_those_of_each_row():
    weights = FlatWeights([{"a": torch.ones(33)}, {"a": torch.ones(33)}], torch.device("cpu"))
    weights.set_gradients([torch.stack((torch.full((33,), 2.0), torch.full((33,), -3.0)))])
    assert weights.squared_norms().tolist() == [33 * 4, 33 * 9]


def test_a_gradient_written_in_place_is_that_of_the_backward_pass_bit_by_bit():
    random = torch.Generator().manual_seed(0)
    models = [
        {
            "weight": torch.randn(6, 5, generator=random),
            "bias": torch.randn(6, generator=random),
            "unused": torch.ones(3),
        }
        for _ in range(3)
    ]
    inputs = torch.randn(3, 4, 2, 5, generator=random)
    found = []
    for in_place in (False, True):
        weights = FlatWeights(models, torch.device("cpu"))
        weights.gradient_of["weight"].fill_(7)  # of the step before
        into = weights.gradient_of["weight"] if in_place else None
        outputs = linear(inputs, weights.tensors["weight"], weights.tensors["bias"], into)
        total = outputs.square().sum()
        weights.set_gradients(torch.autograd.grad(total, list(weights.tensors.values()), allow_unused=True))
        found.append({name: view.clone() for name, view in weights.gradient_of.items()})
    for name, gradient in found[0].items():
        assert torch.equal(gradient, found[1][name]), name
    weight = torch.stack([model["weight"] for model in models]).requires_grad_()
    bias = torch.stack([model["bias"] for model in models])
    (torch.einsum("mbfi,moi->mbfo", inputs, weight) + bias[:, None, None]).square().sum().backward()
    torch.testing.assert_close(found[1]["weight"], weight.grad)
