"""Scaling in onnxruntime against `Scaler.apply`, which is NumPy and SciPy."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from pipeline.learning.onnx_scaling import scale
from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import Values
from pipeline.onnx_graph import Graph

SCALES, MEANS = np.array([1, 1e3, 1e-4, 1, 1, 0, 1]), np.array([0, 1e4, 0, 0, 5, 3, 0])


def table(rows, seed, wider=1.0):
    """Return features of other ranges: ties, a constant one, one with holes."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 7)) * SCALES * wider + MEANS
    values[:, 3] = np.round(values[:, 3])
    values[:, 4] = np.round(values[:, 4] * 3) / 3
    if rows > 5:
        values[::3, 6] = np.nan
    return values.astype(np.float32)


@pytest.mark.parametrize(
    ("method", "rows", "clip"),
    [(method, rows, None) for method in ("standard", "rank_gauss") for rows in (1, 2, 3, 50, 4000)]
    + [("standard", 50, 1.5), ("rank_gauss", 50, 1.5)],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_scaling_in_a_graph_equals_that_of_training(method, rows, clip):
    train = table(rows, 0)
    scaler = Scaler.fit([Values(train, np.ones(rows, bool))], method, clip=clip)
    values = np.concatenate((train, table(200, 1), table(200, 2, wider=2.0)))
    values[-200::7, 3] += 0.3  # between and beyond what train has
    values[5::11, 0] = np.nan
    values[3::13, 1] = np.inf
    values[-3, 2] = -np.inf
    values[-2:] = 0
    valid = np.ones(len(values), bool)
    valid[[-1, -4]] = False
    graph = Graph()
    names = (
        graph.input("a", TensorProto.FLOAT, ["frames", 7]),
        graph.input("valid.a", TensorProto.BOOL, ["frames"]),
    )
    graph.output("scaled", scale(graph, scaler, *names), ["frames", 7])
    session = onnxruntime.InferenceSession(graph.model({"": 17}, 8, {}, "scaling"))
    for count in (1, len(values)):
        own = {"a": values[-count:], "valid.a": valid[-count:]}
        (found,) = session.run(None, own)
        expected = scaler.apply(Values(values[-count:], valid[-count:]))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)
    assert (found[-1] == 0).all()
    assert clip is None or np.abs(found).max() == clip


@pytest.mark.parametrize("clip", [None, 1.2])
@pytest.mark.parametrize("speaker", ["centre", "standardise"])
@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_what_is_known_of_a_speaker_is_an_input(method, speaker, clip):
    train = table(50, 0)
    items = [Values(train, np.ones(50, bool)), Values(table(50, 3) * 2 + 3, np.ones(50, bool))]
    scaler = Scaler.fit(items, method, speaker, [[items[0]], [items[1]]], clip)
    graph = Graph()
    names = (
        graph.input("a", TensorProto.FLOAT, ["frames", 7]),
        graph.input("valid.a", TensorProto.BOOL, ["frames"]),
        graph.input("speaker.a", TensorProto.DOUBLE, [3, 7]),
    )
    graph.output("scaled", scale(graph, scaler, *names), ["frames", 7])
    session = onnxruntime.InferenceSession(graph.model({"": 17}, 8, {}, "scaling"))
    known = scaler.statistics([items[1]])
    about = np.stack([known.recordings.astype(float), known.mean, known.deviation])
    own = {"a": items[1].values, "valid.a": items[1].valid}
    (enrolled,) = session.run(None, own | {"speaker.a": about})
    np.testing.assert_allclose(enrolled, scaler.apply(items[1], [items[1]]), atol=1e-6, rtol=0)
    (stranger,) = session.run(None, own | {"speaker.a": np.zeros((3, 7))})
    np.testing.assert_allclose(stranger, scaler.apply(items[1]), atol=1e-6, rtol=0)
    assert np.abs(enrolled - stranger).max() > 0.1
