from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.features.embeddings import winograd
from pipeline.features.embeddings.winograd import Convolution
from pipeline.features.networks.session import open_session
from pipeline.onnx_graph import Graph


def random_layer(inputs, outputs):
    """Return kernels and biases of the size that networks have."""
    random = np.random.default_rng(inputs + outputs)
    weight = random.standard_normal((outputs, inputs, 3, 3)) * (2 / (9 * inputs)) ** 0.5
    return weight.astype(np.float32), random.standard_normal(outputs).astype(np.float32)


def session_of(side, layers):
    """Return a network of one face's maps; layers: weight, bias, halved, strips."""
    graph, given = Graph(), {}
    channels = layers[0][0].shape[1]
    graph.input("x", 1, [1, channels, side, side])
    maps = winograd.as_rows(graph, "x", side, channels)
    for number, (weight, bias, halved, strips) in enumerate(layers):
        outputs, inputs = weight.shape[:2]
        given |= {
            f"w{number}": winograd.kernels(weight),
            f"b{number}": winograd.bias_rows(bias, halved),
        }
        assert winograd.bias_shape(outputs, halved) == given[f"b{number}"].shape
        for name in (f"w{number}", f"b{number}"):
            graph.given(name, given[name].shape)
        own = Convolution(f"w{number}", f"b{number}", inputs, outputs, halved, strips)
        maps = winograd.convolved(graph, maps, own)
    assert maps.side == side // 2 ** sum(halved for _, _, halved, _ in layers)
    graph.output("y", winograd.as_vectors(graph, maps), [1, "values"])
    return open_session(graph.model({"": 17}, 8, {}, "layers"), iter(given.items()))


def reference(x, layers, dtype):
    """Return what PyTorch's convolutions give."""
    y = torch.from_numpy(x).to(dtype)
    for weight, bias, halved, _ in layers:
        y = functional.conv2d(y, *(torch.from_numpy(own).to(dtype) for own in (weight, bias)), padding=1)
        y = y.clamp(min=0)
        y = functional.max_pool2d(y, 2) if halved else y
    return y.reshape(len(x), -1).numpy()


@pytest.mark.parametrize("side", [2, 4, 6, 14, 17])
@pytest.mark.parametrize("strips", [1, 3])
def test_layers_are_convolutions(side, strips):
    layers = [(*random_layer(5, 7), False, strips), (*random_layer(7, 4), True, strips)]
    if side > 4:
        layers.append((*random_layer(4, 6), False, 1))
    x = np.random.default_rng(side).standard_normal((1, 5, side, side)).astype(np.float32)
    expected = reference(x, layers, torch.float64)
    (found,) = session_of(side, layers).run(None, {"x": x})
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_rounding_is_that_of_convolutions():
    layers = [(*random_layer(64, 64), False, 1) for _ in range(4)]
    x = np.maximum(np.random.default_rng(0).standard_normal((1, 64, 28, 28)), 0).astype(np.float32)
    expected = reference(x, layers, torch.float64)
    usual = np.abs(reference(x, layers, torch.float32) - expected).max()
    (found,) = session_of(28, layers).run(None, {"x": x})
    error = np.abs(found - expected).max()
    assert 0 < error < 10 * usual
    assert error < 5e-6 * np.abs(expected).max()


def test_kernels_are_sums_of_taps():
    weight, _ = random_layer(40, 3)
    # the paper's G, written out by what it does: values at the points 0, 1, -1, 2, -2 of a polynomial, scaled
    points = [(0, 1 / 4), (1, -1 / 6), (-1, -1 / 6), (2, 1 / 24), (-2, 1 / 24)]
    rows = [[scale * point**power for power in range(3)] for point, scale in points] + [[0, 0, 1]]
    found = winograd.kernels(weight)
    for place, (down, right) in enumerate(product(range(6), repeat=2)):
        expected = np.einsum("a,b,ocab->co", rows[down], rows[right], weight.astype(np.float64))
        np.testing.assert_allclose(found[place], expected, rtol=1e-6, atol=1e-7)
