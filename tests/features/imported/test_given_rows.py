"""Rows of feature files on the grid, against naive loops."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.imported.given_rows import finite_rows, first_difference, on_grid
from pipeline.features.media.opening import MediaError
from pipeline.features.pooling.window_moments import finite_moments, members, moments
from pipeline.params import Grid
from pipeline.store.rows import Rows

FRAMES = Grid(window=2.0, hop=0.2)
UTTERANCE = Grid(window=None, hop=None)


def make(times, values=None, lengths=0.0) -> Rows:
    times = np.asarray(times, float)
    if values is None:
        values = np.arange(len(times) * 2).reshape(-1, 2)
    return finite_rows(
        "x.csv: a", times - lengths / 2, times + lengths / 2, np.asarray(values, np.float32), ("f", "g")
    )


@pytest.mark.parametrize("step", [0.2, 0.04, 0.5, 0.13, 1.0])
@pytest.mark.parametrize("lengths", [0.0, 0.6])
def test_nearest_row_against_a_loop(step, lengths):
    rows = make(np.arange(40) * step + lengths / 2, lengths=lengths)
    found = on_grid(rows, (), FRAMES, "x")
    middle = (rows.start + rows.end) / 2
    count = round(rows.end[-1] / 0.2) + 1
    assert len(found) == count
    for k in range(count):
        distances = [abs(m - k * 0.2) for m in middle]
        best = min(range(len(middle)), key=lambda i: round(distances[i], 5))
        np.testing.assert_array_equal(found.values[k], rows.values[best])
        assert found.start[k] == rows.start[best]
        assert found.end[k] == rows.end[best]
        assert found.valid[k] == (distances[best] <= max(0.2, step) / 2 + 1e-6)


def test_rows_on_the_grid_are_taken_as_they_are():
    rows = make([round(k * 0.04, 2) for k in range(7501)])
    found = on_grid(rows, (), Grid(window=8.0, hop=0.04), "x")
    assert found.sha256() == rows.sha256()
    assert found.valid.all()


def test_a_gap_is_held_and_not_valid():
    times = np.r_[np.arange(0, 2.01, 0.2), np.arange(4, 6.01, 0.2)]
    rows = make(times)
    found = on_grid(rows, (), FRAMES, "x")
    assert np.flatnonzero(~found.valid).tolist() == list(range(11, 20))
    np.testing.assert_array_equal(found.values[14], rows.values[10])
    np.testing.assert_array_equal(found.values[16], rows.values[11])
    assert found.start[14] == found.end[14] == pytest.approx(2.0)


def test_nan_stays_and_only_a_row_of_nothing_else_is_not_valid():
    values = np.ones((11, 2))
    values[3, 0] = np.nan
    values[4] = [np.nan, np.inf]
    found = on_grid(make(np.arange(11) * 0.2, values), (), FRAMES, "x")
    np.testing.assert_array_equal(found.values, values.astype(np.float32))
    assert np.flatnonzero(~found.valid).tolist() == [4]


@pytest.mark.parametrize("holes", [False, True])
def test_pooling_against_a_loop(holes):
    draw = np.random.default_rng(3)
    times = np.r_[np.sort(draw.uniform(0, 4, 60)), np.sort(draw.uniform(8, 10, 30))]
    values = draw.normal(100, 3, size=(90, 2)).astype(np.float32)
    if holes:
        values[draw.random(values.shape) < 0.3] = np.nan
        values[:5, 1] = np.nan
        values[20:24] = np.nan
    rows = make(times, values)
    found = on_grid(rows, ("std", "mean"), FRAMES, "x")
    assert found.names == ("f_std", "g_std", "f_mean", "g_mean")
    assert len(found) == round(times[-1] / 0.2) + 1
    for k, (start, end) in enumerate(zip(found.start, found.end, strict=True)):
        inside = values[(times >= start - 1e-6) & (times <= end + 1e-6)].astype(float)
        assert found.valid[k] == np.isfinite(inside).any()
        if not len(inside):
            inside = values[times < start][-1:].astype(float)
        for column in range(2):
            own = inside[np.isfinite(inside[:, column]), column]
            expected = [np.std(own), np.mean(own)] if len(own) else [np.nan, np.nan]
            np.testing.assert_allclose(found.values[k, [column, column + 2]], expected, rtol=1e-5, atol=1e-5)


def test_finite_moments_are_the_same_numbers_where_all_is_finite():
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    first, stop = members(np.arange(50) * 0.1, np.arange(0, 4, 0.2), np.arange(0, 4, 0.2) + 1)
    for one, other in zip(finite_moments(values, first, stop), moments(values, first, stop), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_utterance_has_one_row_or_its_rows_are_pooled():
    one, many = make([0.5], [[1, 2]]), make([0.0, 1.0, 2.0], [[1, 2], [3, 2], [8, 2]])
    assert on_grid(one, (), UTTERANCE, "x") is one
    with pytest.raises(
        MediaError, match=r"x: found 3 rows, expected one per utterance; `statistics: \[mean\]`"
    ):
        on_grid(many, (), UTTERANCE, "x")
    found = on_grid(many, ("mean", "std"), UTTERANCE, "x")
    np.testing.assert_allclose(found.values, [[4, 2, np.sqrt(26 / 3), 0]], rtol=1e-6)
    assert (found.start.tolist(), found.end.tolist(), found.valid.tolist()) == ([0], [2], [True])


def test_shorter_than_a_window():
    with pytest.raises(MediaError, match=r"x: 1\.00 s long, shorter than a window of 2 s"):
        on_grid(make([0.0, 1.0]), ("mean",), FRAMES, "x")
    assert len(on_grid(make([0.0, 1.0]), (), FRAMES, "x")) == 6


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ([0, 1, np.nan], [1, 2, 3], "x: row 3 has the times nan to 3 s, expected finite ones"),
        ([0, 2, 2], [1, 1, 3], "x: row 2 has the times 2 to 1 s"),
        ([0, 2, 1], [1, 3, 2], r"x: row 3 lies at 1\.5 s, the row before at 2\.5 s; expected rising times"),
    ],
)
def test_times_that_do_not_rise(start, end, reason):
    with pytest.raises(MediaError, match=reason):
        finite_rows("x", np.array(start, float), np.array(end, float), np.ones((3, 1), np.float32), ("f",))


def test_the_first_difference_is_named():
    assert first_difference("abc", "axc") == "feature 2 is 'b', there 'x'"
    assert first_difference("ab", "abc") == "it has 2 features, there are 3"


def test_rows_as_they_are_end_by_the_label_time_where_windows_only_look_back():
    start = np.arange(0.05, 3.0, 0.3)
    rows = finite_rows("x", start, start + 0.4, np.arange(len(start), dtype=np.float32)[:, None], ("a",))
    found = on_grid(rows, (), Grid(window=None, hop=0.2, alignment="end"), "x")
    for k, value in enumerate(found.values[:, 0]):
        ended = np.flatnonzero(rows.end <= k * 0.2 + 1e-6)
        assert value == (ended[-1] if len(ended) else 0)
        assert found.valid[k] == (len(ended) > 0 and k * 0.2 - rows.end[ended[-1]] <= 0.3 + 1e-6)


def test_pooled_rows_where_windows_only_look_back():
    time = np.arange(0, 6.0, 0.1)
    rows = finite_rows("x", time, time, np.arange(60, dtype=np.float32)[:, None], ("a",))
    found = on_grid(rows, ("mean",), Grid(window=2.0, hop=0.2, alignment="end"), "x")
    for k in range(10, 30):
        inside = (time >= k * 0.2 - 2.0 - 1e-6) & (time <= min(k * 0.2, 5.9) + 1e-6)
        if k < 29:
            assert found.values[k, 0] == pytest.approx(rows.values[inside, 0].mean())
