import numpy as np
import pytest

from pipeline.corpora.rendering.emotion import STEP, annotation_times, draw_course
from pipeline.corpora.rendering.raters import RATERS, draw_raters, gold_standard, rate


def ccc(x: np.ndarray, y: np.ndarray) -> float:
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


def lag_of(trace: np.ndarray, truth: np.ndarray) -> float:
    """Delay in seconds at which `trace` fits `truth` best, up to 5 s."""
    steps = range(int(5 / STEP))
    fits = [np.corrcoef(trace[k:], truth[: len(truth) - k])[0, 1] for k in steps]
    return int(np.argmax(fits)) * STEP


@pytest.mark.parametrize("lag", [0.0, 0.3, 2.4])
def test_mean_lag_is_exact(lag):
    raters = draw_raters(3, "demo_sessions", 0, lag, np.random.default_rng(0))
    lags = [rater.lag for rater in raters]
    assert [rater.name for rater in raters] == list(RATERS)
    assert np.mean(lags) == pytest.approx(lag, abs=1e-12)
    assert np.std(lags) == pytest.approx(min(0.25, lag / 3))


def test_persons_keep_their_lag_over_recordings_and_differ_by_dimension():
    first, second = (draw_raters(3, "demo_sessions", 0, 2.4, np.random.default_rng(k)) for k in (0, 1))
    other = draw_raters(3, "demo_sessions", 1, 2.4, np.random.default_rng(0))
    assert [rater.lag for rater in first] == [rater.lag for rater in second]
    assert [rater.bias for rater in first] != [rater.bias for rater in second]
    assert [rater.lag for rater in first] != [rater.lag for rater in other]


def test_traces_follow_the_truth_late():
    rng = np.random.default_rng(5)
    course = draw_course(rng, 300.0)
    times = annotation_times(300.0)
    raters = draw_raters(3, "demo_sessions", 0, 2.4, np.random.default_rng(0))
    traces = rate(raters, course.time, course.arousal, len(times), rng)
    truth = course.at(times)[0]
    lags = [lag_of(trace, truth) for trace in traces]
    np.testing.assert_allclose(lags, [rater.lag for rater in raters], atol=0.4)
    assert np.mean(lags) == pytest.approx(2.4, abs=0.15)
    assert lag_of(gold_standard(traces), truth) == pytest.approx(2.4, abs=0.15)
    assert np.abs(traces).max() <= 1
    np.testing.assert_array_equal(traces, np.round(traces, 6))


def test_gold_standard_equals_the_naive_loop():
    rng = np.random.default_rng(2)
    common = rng.standard_normal(200)
    traces = np.array(
        [common * s + b + 0.3 * rng.standard_normal(200) for s, b in [(1, 0), (0.7, 0.2), (1.2, -0.1)]]
    )
    weights = [np.mean([ccc(traces[i], traces[j]) for j in range(3) if j != i]) for i in range(3)]
    expected = sum(w * trace for w, trace in zip(weights, traces, strict=True)) / sum(weights)
    np.testing.assert_allclose(gold_standard(traces), expected, rtol=1e-12)


def test_gold_standard_of_equal_raters_is_their_trace():
    trace = np.sin(np.arange(50) / 5)
    np.testing.assert_allclose(gold_standard(np.array([trace] * 6)), trace)
