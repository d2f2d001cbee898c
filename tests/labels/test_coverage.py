import pandas as pd

from pipeline.labels.coverage import label_problems


def traces(*rows):
    return pd.DataFrame(rows, columns=["recording", "dimension", "time"])


def test_missing_and_short_labels_are_named():
    table = traces(("a", "arousal", 0.0), ("a", "arousal", 9.5), ("b", "arousal", 4.0))
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
