"""A fitted scaling -> nodes of an ONNX graph that do as `Scaler.apply` does, in float64.

ONNX has no normal quantile. `ndtri(p) = sqrt(2) x P(w)` with `x = 2 p - 1` and `w = -log(1 - x^2)`, where P
is smooth (Giles, Approximating the erfinv function, GPU Computing Gems 2, 2011), so a polynomial is fitted to
it between the lowest and the highest level of the quantiles.
"""

from __future__ import annotations

import numpy as np
import scipy.special
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray
from onnx import TensorProto

from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import PRIOR
from pipeline.onnx_graph import Graph

DEGREE = 22
"""Of the polynomial: with 1,000 levels its relative error is below 1e-12."""


def scale(graph: Graph, scaler: Scaler, features: str, valid: str, speaker: str = "") -> str:
    """Add a scaling and return its output, float32 (frames, features).

    features: float32 (frames, features). valid: bool (frames,). speaker: what is known of the speaker,
    float64 (3, features): `recordings`, `mean` and `deviation` of `SpeakerStatistics`, zeros for a stranger;
    empty where features are scaled without regard to speakers.
    """
    rows = graph.add("Cast", features, to=TensorProto.DOUBLE)
    arrays = scaler.arrays
    if scaler.speaker == "centre":
        share, mean, _ = _known(graph, speaker)
        moved = graph.add("Sub", mean, graph.constant(arrays["centre"]))
        rows = graph.add("Sub", rows, graph.add("Mul", moved, share))
    if scaler.method == "standard":
        scaled = graph.add("Sub", rows, graph.constant(arrays["mean"]))
        scaled = graph.add("Mul", scaled, graph.constant(arrays["factor"]))
    else:
        scaled = _rank_gauss(graph, rows, arrays["quantiles"])
    if scaler.speaker == "standardise":
        scaled = _standardised(graph, scaler, scaled, speaker)
    zero = graph.constant(np.zeros((), np.float64))
    finite = graph.add("Not", graph.add("Or", graph.add("IsNaN", scaled), graph.add("IsInf", scaled)))
    scaled = graph.add("Where", finite, scaled, zero)
    scaled = graph.add("Where", _filled_with_zeros(graph, features, valid), zero, scaled)
    if scaler.clip is not None:
        lowest, highest = (graph.constant(end, np.float64) for end in (-scaler.clip, scaler.clip))
        scaled = graph.add("Min", graph.add("Max", scaled, lowest), highest)
    return graph.add("Cast", scaled, to=TensorProto.FLOAT)


def _known(graph: Graph, speaker: str) -> tuple[str, str, str]:
    """Return the share that the speaker's own statistics count, their mean and their deviation."""
    recordings, mean, deviation = graph.add_several("Split", 3, speaker, axis=0)  # (1, features) each
    more = graph.add("Add", recordings, graph.constant(PRIOR, np.float64))
    return graph.add("Div", recordings, more), mean, deviation


def _standardised(graph: Graph, scaler: Scaler, scaled: str, speaker: str) -> str:
    """Add what `speaker: standardise` does after scaling: mean and deviation of the speaker to train's."""
    share, mean, deviation = _known(graph, speaker)
    rest = graph.add("Sub", graph.constant(1, np.float64), share)
    of_train = scaler.arrays["scaled_mean"], scaler.arrays["scaled_deviation"]
    mean_of_train = graph.constant(of_train[0])
    shrunk = [graph.add("Mul", share, mean), graph.add("Mul", rest, mean_of_train)]
    squares = [
        graph.add("Mul", share, graph.add("Mul", deviation, deviation)),
        graph.add("Mul", rest, graph.constant(of_train[1] ** 2)),
    ]
    spread = graph.add("Sqrt", graph.add("Add", *squares))
    one = graph.constant(1, np.float64)
    known = graph.add("Greater", spread, graph.constant(0, np.float64))
    factor = graph.add("Div", graph.constant(of_train[1]), graph.add("Where", known, spread, one))
    moved = graph.add("Mul", graph.add("Sub", scaled, graph.add("Add", *shrunk)), factor)
    return graph.add("Add", moved, mean_of_train)


def _filled_with_zeros(graph: Graph, features: str, valid: str) -> str:
    """Return which rows are not valid and all 0, bool (frames, 1)."""
    zero = graph.add("Equal", features, graph.constant(np.zeros((), np.float32)))
    every = graph.add("ReduceMin", graph.add("Cast", zero, to=TensorProto.INT32), axes=[1], keepdims=1)
    absent = graph.add("Not", graph.add("Unsqueeze", valid, graph.constant([1], np.int64)))
    return graph.add("And", absent, graph.add("Cast", every, to=TensorProto.BOOL))


def _rank_gauss(graph: Graph, rows: str, quantiles: NDArray[np.float64]) -> str:
    """Add rank and normal quantile, float64 (frames, features); NaN where a feature is."""
    levels = len(quantiles)
    lowest, highest = graph.constant(quantiles[0]), graph.constant(quantiles[-1])
    missing = graph.add("IsNaN", rows)
    rows = graph.add("Where", missing, lowest, rows)
    inside = graph.add("Min", graph.add("Max", rows, lowest), highest)
    none = graph.add("Cast", graph.add("Sub", inside, inside), to=TensorProto.INT64)
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    all_levels, last = graph.constant(levels, np.int64), graph.constant(levels - 1, np.int64)
    below = _count(graph, none, rows, quantiles, "Less")
    up_to = graph.add("Min", _count(graph, none, rows, quantiles, "LessOrEqual"), all_levels)
    # between two quantiles the rank is interpolated, on one or on several equal ones it is their mean
    known = graph.constant(quantiles)
    before = graph.add("Max", graph.add("Sub", below, one), zero)
    low = graph.add("GatherElements", known, before, axis=0)
    high = graph.add("GatherElements", known, graph.add("Min", below, last), axis=0)
    width = graph.add("Sub", high, low)
    nothing = graph.add("Equal", width, graph.constant(0, np.float64))
    part = graph.add("Div", graph.add("Sub", inside, low),
                     graph.add("Where", nothing, graph.constant(1, np.float64), width))  # fmt: skip
    half = graph.constant(0.5, np.float64)
    floating = [graph.add("Cast", own, to=TensorProto.DOUBLE) for own in (below, up_to)]
    mean = graph.add("Mul", graph.add("Add", *floating), half)
    between = graph.add("Add", graph.add("Sub", floating[0], half), part)
    # beyond the ends it is that of the end, even where several quantiles are the end
    between = graph.add("Min", graph.add("Max", between, half), graph.constant(levels - 0.5, np.float64))
    rank = graph.add("Where", graph.add("Less", below, up_to), mean, between)
    share = graph.add("Div", rank, graph.constant(levels, np.float64))
    constant = graph.constant(quantiles[0] == quantiles[-1])
    share = graph.add("Where", constant, half, share)
    unknown = graph.constant(np.where(quantiles[0] == quantiles[-1], 0.0, np.nan))
    return graph.add("Where", missing, unknown, _normal_quantile(graph, share, levels))


def _count(graph: Graph, none: str, rows: str, quantiles: NDArray[np.float64], relation: str) -> str:
    """Return how many quantiles of its feature are less than a value (or equal), int64 (frames, features).

    none: zeros of that shape. By bisection: all features at once, and no array of frames x features x levels.
    """
    steps = len(quantiles).bit_length()
    beyond = np.full((2**steps - len(quantiles), quantiles.shape[1]), np.inf)
    known = graph.constant(np.concatenate((quantiles, beyond)))
    one, zero = graph.constant(1, np.int64), graph.constant(0, np.int64)
    found = none
    for step in reversed(range(steps)):
        jump = graph.constant(2**step, np.int64)
        place = graph.add("Sub", graph.add("Add", found, jump), one)
        here = graph.add(relation, graph.add("GatherElements", known, place, axis=0), rows)
        found = graph.add("Add", found, graph.add("Where", here, jump, zero))
    return found


def _normal_quantile(graph: Graph, share: str, levels: int) -> str:
    """Return the normal quantile of shares between .5 / levels and 1 - .5 / levels."""
    x = graph.add(
        "Sub", graph.add("Mul", share, graph.constant(2, np.float64)), graph.constant(1, np.float64)
    )
    # 1 - x^2 = 4 p (1 - p) without cancellation
    rest = graph.add("Mul", share, graph.add("Sub", graph.constant(1, np.float64), share))
    w = graph.add("Neg", graph.add("Log", graph.add("Mul", rest, graph.constant(4, np.float64))))
    fitted = _fit(levels)
    offset, slope = fitted.mapparms()
    u = graph.add("Add", graph.add("Mul", w, graph.constant(slope, np.float64)),
                  graph.constant(offset, np.float64))  # fmt: skip
    coefficients = np.polynomial.chebyshev.cheb2poly(fitted.coef)
    value = graph.constant(coefficients[-1], np.float64)
    for coefficient in coefficients[-2::-1]:
        value = graph.add("Add", graph.add("Mul", value, u), graph.constant(coefficient, np.float64))
    return graph.add("Mul", x, value)


def _fit(levels: int) -> Chebyshev:
    """Return the polynomial in w whose product with 2 p - 1 is the normal quantile."""
    share = 0.5 / levels
    most = max(-np.log(4 * share * (1 - share)), 0.1)
    return Chebyshev.interpolate(_ratio, DEGREE, (0.0, float(most)))


def _ratio(w: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.sqrt(-np.expm1(-w))
    safe = np.where(x == 0, 1.0, x)
    at_zero = np.sqrt(np.pi / 2)  # the slope of the normal quantile in 2 p - 1 at the median
    return np.where(x == 0, at_zero, np.sqrt(2) * scipy.special.erfinv(x) / safe)
