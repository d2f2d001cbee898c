import numpy as np
import pandas as pd
import pytest

from pipeline.labels.coverage import label_problems


def traces(*rows):
    return pd.DataFrame(rows, columns=["recording", "dimension", "time"]).assign(rater="gold")


def every(step, start, stop):
    """Return times from start to stop."""
    return np.arange(round((stop - start) / step) + 1) * step + start


def of_one(times, rater="gold"):
    return pd.DataFrame({"recording": "a", "dimension": "arousal", "rater": rater, "time": times})


def said(traces, duration=6.0, **options):
    found = label_problems(traces, {"a": "train"}, ["arousal"], {"a": duration}, True, **options)
    return [reason for _, reason in found]


def test_missing_and_short_labels_are_named():
    table = pd.concat([of_one(every(0.5, 0.0, 9.5)), of_one(every(0.5, 0.0, 4.0)).assign(recording="b")])
    partitions = {"a": "train", "b": "dev", "c": "dev"}
    durations = {"a": 10.0, "b": 10.0, "c": 10.0}
    assert label_problems(table, partitions, ["arousal"], durations, continuous=True) == [
        ("b", "labels of arousal end at 4.0 s of 10.0 s"),
        ("c", "no labels of arousal"),
    ]
    assert label_problems(table, partitions, ["arousal"], durations, continuous=False) == [
        ("c", "no labels of arousal")
    ]


def test_a_test_partition_without_any_label_is_usual():
    table = traces(("a", "arousal", 0.0))
    partitions = {"a": "train", "t": "test"}
    assert label_problems(table, partitions, ["arousal"], {}, continuous=True) == []
    with_one = traces(("a", "arousal", 0.0), ("u", "arousal", 0.0))
    assert label_problems(with_one, partitions | {"u": "test"}, ["arousal"], {}, continuous=True) == [
        ("t", "no labels of arousal")
    ]


def test_a_dimension_that_nobody_rated():
    assert label_problems(traces(("a", "arousal", 0.0)), {"a": "train"}, ["valence"], {}, True) == [
        ("a", "no labels of valence")
    ]


@pytest.mark.parametrize(
    ("times", "sentences"),
    [
        (every(0.5, 0.0, 6.0), []),
        (every(0.5, 0.5, 5.5), []),
        (every(0.5, 0.0, 6.9), []),
        (every(0.5, 4.0, 6.0), ["labels of arousal begin at 4.0 s"]),
        (every(0.5, -3.0, 6.0), ["labels of arousal begin at -3.0 s, before the recording"]),
        (every(0.5, 0.0, 3.0), ["labels of arousal end at 3.0 s of 6.0 s"]),
        (every(0.5, 0.0, 8.0), ["labels of arousal end at 8.0 s of 6.0 s"]),
        (
            np.array([0.0, 0.25, 0.5, 5.5, 5.75, 6.0]),
            ["labels of arousal: none from 0.5 s to 5.5 s"],
        ),
        (
            every(500.0, 0.0, 6000.0),
            ["labels of arousal end at 6000 s of 6.0 s: the times look like milliseconds, expected seconds"],
        ),
        (
            every(1.0, 0.0, 150.0),
            ["labels of arousal end at 150.0 s of 6.0 s: the times look like numbers of frames, "
             "expected seconds"],
        ),
        (
            every(160.0, 0.0, 96_000.0),
            ["labels of arousal end at 96000 s of 6.0 s: the times look like numbers of samples, "
             "expected seconds"],
        ),
        (
            every(0.5, 0.0, 61.5),
            ["labels of arousal end at 61.5 s of 6.0 s: the times are those of another recording or unit, "
             "expected seconds"],
        ),
        (every(0.5, -9.0, -1.0), ["labels of arousal end at -1.0 s, before the recording begins"]),
    ],
)  # fmt: skip
def test_times_are_compared_with_the_medium(times, sentences):
    assert said(of_one(times)) == sentences


def test_holes_beyond_three_are_counted():
    times = np.concatenate([every(0.5, start, start + 2) for start in (0, 10, 20, 30, 40, 50)])
    assert said(of_one(times), 52.0) == [
        "labels of arousal: none from 2.0 s to 10.0 s, from 12.0 s to 20.0 s, from 22.0 s to 30.0 s "
        "and 2 times more"
    ]


def test_a_gap_counts_beyond_the_parameter_and_the_steps_of_the_trace():
    times = np.concatenate([every(0.5, 0.0, 2.0), every(0.5, 3.75, 6.0)])
    assert said(of_one(times)) == ["labels of arousal: none from 2.0 s to 3.8 s"]
    assert said(of_one(times), max_gap=2.0) == []
    # a rating every second: two that are missing are three of its own steps
    times = np.array([0.0, 1.0, 2.0, 5.0, 6.0])
    assert said(of_one(times)) == []
    assert said(of_one(np.array([0.0, 1.0, 2.0, 3.0, 7.0])), 7.0) == [
        "labels of arousal: none from 3.0 s to 7.0 s"
    ]


@pytest.mark.parametrize(
    ("times", "wrong"),
    [
        (every(40.0, 0.0, 6000.0), True),
        (every(40.0, 0.0, 300_000.0), True),
        (every(0.04, 0.0, 300.0), False),
        (every(1.5, 0.0, 5400.0), False),
    ],
)
def test_without_a_length_what_cannot_be_is_said(times, wrong):
    assert bool(said(of_one(times), None)) == wrong
    if wrong:
        assert "look like milliseconds or numbers of frames" in said(of_one(times), None)[0]


def test_raters_are_named_and_only_those_that_count_are_looked_at():
    both = pd.concat([of_one(every(0.5, 4.0, 6.0), "r1"), of_one(every(0.5, 0.0, 6.0), "r2")])
    assert said(both) == ["labels of arousal by r1 begin at 4.0 s"]
    with_gold = pd.concat([both, of_one(every(0.5, 0.0, 6.0))])
    assert said(with_gold, given=True) == []
    assert said(with_gold, given=False) == ["labels of arousal by r1 begin at 4.0 s"]


def test_raters_who_share_no_time_give_no_gold_standard():
    apart = pd.concat([of_one(every(0.5, 0.0, 2.0), "r1"), of_one(every(0.5, 4.0, 6.0), "r2")])
    assert said(apart)[-1] == (
        "labels of arousal: no time has values of all 2 raters (one begins at 4.0 s, one ends at 2.0 s)"
    )
    meeting = pd.concat([of_one(every(0.5, 0.0, 4.0), "r1"), of_one(every(0.5, 4.0, 6.0), "r2")])
    assert not any("no time" in sentence for sentence in said(meeting))
