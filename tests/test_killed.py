"""A few kills of the benchmark: nothing finished is lost, and the outs end with the same bytes."""

import random

import pytest

from benchmarks import killed


@pytest.mark.slow
def test_killed_extraction_ends_with_the_same_bytes(tmp_path):
    kills = [("extract_audio", "group"), ("detect_faces", "dvc"), ("embed_faces", "script")]
    project, expected, seconds = killed.prepare(tmp_path, [stage for stage, _ in kills])
    assert len(expected) == 4 * 3  # of each table one data file, the index, the failures
    draw = random.Random(1)
    outcomes = [
        killed.trial(project, stage, target, draw.uniform(0.5, 0.95) * seconds[stage], expected)
        for stage, target in kills
    ]
    assert [outcome.wrong for outcome in outcomes] == [[], [], []]
    assert killed.wait_for_orphans(project) == 0
