"""Raters' traces and classes -> votes: by hand, and against a loop over raters and frames."""

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.interface import GOLD
from pipeline.corpora.traces import trace_table
from pipeline.labels.votes import SCHEMA, votes_of_traces, votes_of_utterances, write_votes
from pipeline.paths import Paths


def of_utterances(*rows: tuple[str, str, float]) -> pd.DataFrame:
    recordings, raters, values = zip(*rows, strict=True)
    return trace_table(recordings, ["emotion"] * len(rows), raters, [0.0] * len(rows), values)


def shares(votes: pd.DataFrame) -> dict[tuple[str, int, int], float]:
    keys = zip(votes["recording"], votes["frame"], votes["triplet_class"], strict=True)
    return dict(zip(keys, votes["share"], strict=True))


def test_each_rater_has_one_vote_and_the_gold_standard_none():
    traces = of_utterances(
        ("a", GOLD, 1), ("a", "r1", 1), ("a", "r2", 1), ("a", "r3", 0), ("a", "r3", 2), ("a", "r4", 2),
        ("b", "r1", 3), ("c", GOLD, 0), ("d", "r1", 0),
    )  # fmt: skip
    votes = votes_of_utterances(traces, ["a", "b", "c"])
    assert votes.columns.tolist() == SCHEMA.names
    assert shares(votes) == {
        ("a", 0, 0): pytest.approx(0.125), ("a", 0, 1): 0.5, ("a", 0, 2): pytest.approx(0.375),
        ("b", 0, 3): 1.0,
    }  # fmt: skip
    assert votes_of_utterances(traces, ["c"]).empty


def test_traces_vote_as_a_loop_over_raters_and_frames_says():
    random, frames, delay, thresholds = np.random.default_rng(1), 30, 4, (-0.1, 0.2)
    values = {f"r{n}": random.normal(0, 0.3, frames) for n in range(3)} | {GOLD: np.zeros(frames)}
    times = np.arange(frames) * 0.2
    rows = [(rater, t, v) for rater, own in values.items() for t, v in zip(times, own, strict=True)]
    # r2 says nothing from 2 s to 4 s, which is a hole
    rows = [row for row in rows if row[0] != "r2" or not 2.0 <= row[1] <= 4.0]
    raters, time, value = zip(*rows, strict=True)
    traces = trace_table(["a"] * len(rows), ["arousal"] * len(rows), raters, time, value)
    label = np.zeros(28)
    label[20:23] = np.nan
    found = shares(votes_of_traces(traces, "arousal", {"a": label}, thresholds, 0.2, delay, 1.0))
    expected: dict[tuple[str, int, int], float] = {}
    for frame in range(28):
        source = min(frame + delay, frames - 1)
        said = [
            sum(values[rater][source] >= threshold for threshold in thresholds)
            for rater in ("r0", "r1", "r2")
            if rater != "r2" or not 2.0 <= times[source] <= 4.0
        ]
        if not 20 <= frame < 23:
            expected |= {("a", frame, kind): said.count(kind) / len(said) for kind in set(said)}
    assert found == pytest.approx(expected)
    assert {0.5, 1.0} <= set(expected.values())


def test_a_trace_that_cannot_be_read_takes_no_vote_from_the_others(caplog):
    rows = [("r1", 0.0, 1.0), ("r1", 0.2, -1.0), ("r2", -2.0, 1.0), ("r2", -1.0, 1.0)]
    raters, time, value = zip(*rows, strict=True)
    traces = trace_table(["a"] * 4, ["valence"] * 4, raters, time, value)
    found = votes_of_traces(traces, "valence", {"a": np.zeros(2)}, (0.0,), 0.2, 0, 1.0)
    assert shares(found) == {("a", 0, 1): 1.0, ("a", 1, 0): 1.0}
    assert "a: valence of rater r2 has no votes" in caplog.text


def test_where_there_are_no_votes_there_is_no_file(tmp_path):
    paths = Paths("c", tmp_path)
    paths.labels.mkdir(parents=True)
    traces = of_utterances(("a", GOLD, 0), ("a", "r1", 1))
    write_votes(paths, votes_of_utterances(traces, ["a"]))
    assert pd.read_parquet(paths.vote_table)["triplet_class"].tolist() == [1]
    write_votes(paths, votes_of_utterances(traces, []))
    assert not paths.vote_table.exists()
