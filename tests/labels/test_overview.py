"""Who is in which partition, and what somebody who knows the field would ask about it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.traces import trace_table
from pipeline.labels.overview import overview
from tests.recordings import recording


def recordings(*partitions):
    return [
        recording(f"r{place}", partition, f"s{place // 2}", *[Path(f"{place}.mp4")] * 2)
        for place, partition in enumerate(partitions)
    ]


def emotions(*names):
    """Return traces with one class per recording (None: no label) and the names of the codes."""
    classes = sorted({name for name in names if name})
    labelled = [(f"r{place}", classes.index(name)) for place, name in enumerate(names) if name]
    count = len(labelled)
    names_of, codes = zip(*labelled, strict=True)
    return trace_table(names_of, ["emotion"] * count, ["gold"] * count, np.zeros(count), codes), classes


@pytest.fixture
def seen(params):
    def seen(parts, names, **changes):
        corpus = params.corpus("demo_clips").model_copy(update=changes)
        traces, classes = emotions(*names)
        return overview(corpus, "own", recordings(*parts), traces, classes, {})

    return seen


def test_counts_of_classes_by_partition(seen):
    found = seen(
        ["train"] * 4 + ["dev"] * 2 + ["test"] * 4,
        ["glad", "glad", "low", "low", "glad", "low", "glad", "low", "low", None],
    )
    assert found.doubts == [
        "the 3 recordings of test with emotion are of 2 speakers: scores on so few say nothing of others; "
        "partitions.method: cross_validation tests everybody once"
    ]
    counts = {row.name: dict(row.by_partition) for row in found.rows}
    assert counts == {
        "recordings": {"train": 4, "dev": 2, "test": 4},
        "speakers": {"train": 2, "dev": 1, "test": 2},
        "glad": {"train": 2, "dev": 1, "test": 1},
        "low": {"train": 2, "dev": 1, "test": 2},
        "without a label": {"test": 1},
    }
    assert found.table()[2] == "speakers              2       1       2       5"


@pytest.mark.parametrize(
    ("names", "doubt"),
    [
        ("glad glad low lowly glad low glad low low", "class 'lowly' occurs once: mistyped?"),
        (
            "gladness gladnes low low low gladness low low gladness",
            "'gladnes' (1 recordings) and 'gladness' (3) differ",
        ),
        ("low low low low odd odd low odd odd", "class 'odd' occurs in dev and test and not in train"),
        (
            "odd odd low low low low low odd odd",
            "class 'odd' is missing in dev: its recall is not measured there",
        ),
    ],
)
def test_doubtful_classes(seen, names, doubt):
    found = seen(["train"] * 4 + ["dev"] * 2 + ["test"] * 3, names.split())
    assert any(doubt in sentence for sentence in found.doubts), found.doubts


def test_no_dev_and_a_small_test(seen):
    found = seen(["train"] * 4 + ["test"], ["glad", "low", "glad", "low", "low"])
    assert any(s.startswith("no recording of dev has emotion: nothing can be chosen") for s in found.doubts)
    assert any(s.startswith("test has 1 recording with emotion: scores on so few") for s in found.doubts)


def test_a_test_whose_labels_are_kept_secret_is_usual(seen):
    found = seen(
        ["train"] * 4 + ["dev"] * 2 + ["test"] * 2, ["glad", "low", "glad", "low", "glad", "low", None, None]
    )
    assert found.doubts == []


def test_folds_are_drawn_over_everybody(seen, params):
    drawn = params.corpus("demo_clips").partitions.model_copy(
        update={"method": "cross_validation", "folds": 3}
    )
    found = seen(["train"] * 6, ["glad", "low"] * 3, partitions=drawn)
    assert found.columns == ("all",)
    assert found.table()[1] == "recordings       6"
    with pytest.raises(ValueError, match="expected no more folds than speakers, of whom there are 3"):
        seen(["train"] * 6, ["glad", "low"] * 3, partitions=drawn.model_copy(update={"folds": 4}))


@pytest.mark.parametrize(
    ("delay", "doubt"),
    [
        (0.0, "annotation_delay is 0: raters of traces lag behind by some 2 to 4 s"),
        (3.0, "annotation_delay (3 s) is longer than 1 of 2 recordings (r0)"),
        (2.4, None),
        ("estimate", None),
    ],
)
def test_delay_against_the_recordings(params, delay, doubt):
    sessions = params.corpus("demo_sessions")
    labels = sessions.labels.model_copy(update={"annotation_delay": delay})
    corpus = sessions.model_copy(update={"labels": labels, "dimensions": ("arousal",)})
    traces = trace_table(
        ["r0", "r1", "r2", "r3", "r4", "r5"], ["arousal"] * 6, ["gold"] * 6, np.zeros(6), np.zeros(6)
    )
    everybody = recordings("train", "train", "dev", "test", "test", "test")
    found = overview(corpus, "own", everybody, traces, (), {"r0": 2.5, "r1": 9.0})
    of_delay = [s for s in found.doubts if "annotation_delay" in s]
    assert [doubt in s for s in of_delay] == ([True] if doubt else [])
    assert {row.name for row in found.rows} == {"recordings", "speakers", "with arousal"}


def test_features_only_need_no_labels(seen):
    found = seen(["train"] * 2, ["glad", None], scenarios=())
    assert found.doubts == []
    assert [row.name for row in found.rows] == ["recordings", "speakers"]


@pytest.mark.parametrize(
    ("parts", "names", "wrong"),
    [
        ("train train dev test", "glad glad glad glad", "all labels of emotion are the class 'glad'"),
        (
            "dev dev test test",
            "glad low glad low",
            "no recording of train has emotion: nothing can be learned",
        ),
    ],
)
def test_what_training_refuses(seen, parts, names, wrong):
    (sentence,) = seen(parts.split(), names.split()).wrong
    assert sentence.startswith(wrong)


def test_a_second_dimension_that_is_learned_must_be_there(params):
    corpus = params.corpus("demo_clips")
    asked = corpus.learning.model_copy(update={"systems": ("classic", "multi_task")})
    everybody = recordings("train", "train", "dev", "test")
    traces, classes = emotions("glad", "low", "glad", "low")
    sentence = (
        "multi_task under learning.systems learns arousal or valence beside the class, and no utterance"
    )

    def wrong(systems, who):
        beside = traces[traces["recording"].isin(who)].assign(dimension="valence")
        own = corpus.model_copy(update={"learning": systems})
        return overview(own, "own", everybody, pd.concat([traces, beside]), classes, {}).wrong

    assert not wrong(corpus.learning, [])
    assert [text.startswith(sentence) for text in wrong(asked, ["r2", "r3"])] == [True]
    assert not wrong(asked, ["r1"])


def test_speakers_are_looked_at(params):
    corpus = params.corpus("demo_clips")
    everybody = [recording("a", "train", "Anna", None, None), recording("b", "test", "anna", None, None)]
    traces, classes = emotions("glad", "low")
    found = overview(corpus, "own", everybody, traces, classes, {})
    assert any("the speakers 'Anna' and 'anna' differ in their writing only" in s for s in found.doubts)


def test_a_long_name_is_shortened(seen):
    table = seen(["train"] * 4, ["x" * 500, "low"] * 2).table()
    assert max(map(len, table)) < 100


def test_a_modality_that_nobody_has_is_named_before_training(params):
    clips = params.corpus("demo_clips")
    traces, classes = emotions("glad", "low")
    heard = [recording(f"r{place}", "train", f"s{place}", Path(f"{place}.wav"), None) for place in range(2)]
    found = overview(clips, "own", heard, traces, classes, {})
    (sentence,) = [text for text in found.wrong if "video" in text]
    assert sentence.startswith("no recording of train has video, which corpora.own.scenarios name")
    assert not any("audio, which" in text for text in found.wrong)
    given = clips.model_copy(update={"extract": ("audio",)})
    assert not any("video" in text for text in overview(given, "own", heard, traces, classes, {}).wrong)


def test_a_medium_in_two_partitions_is_doubtful(params):
    clips = params.corpus("demo_clips")
    traces, classes = emotions("glad", "low", "glad", "low")
    parts = ("train", "train", "dev", "test")
    media = (Path("a.wav"), Path("b.wav"), Path("c.wav"), Path("b.wav"))
    everybody = [
        recording(f"r{place}", part, f"s{place}", medium, medium)
        for place, (part, medium) in enumerate(zip(parts, media, strict=True))
    ]
    doubts = overview(clips, "own", everybody, traces, classes, {}).doubts
    assert any("1 media are in several partitions, the first: b.wav in test and train" in d for d in doubts)
    copied = [
        replace(item, media={"audio": replace(item.media["audio"], sha256="x")})
        for item in (everybody[0], everybody[2])
    ]
    doubts = overview(clips, "own", copied, traces, classes, {}).doubts
    assert any("the first: a.wav in dev and train" in doubt for doubt in doubts)


def test_several_labels_count_for_each_of_their_classes(params):
    corpus = params.corpus("own").model_copy(update={"task": "multilabel"})
    names = [f"r{place}" for place in range(6)]
    codes = [0.0, 1.0, 3.0, 2.0, 0.0, 1.0]  # over glad, low
    traces = trace_table(names, ["emotion"] * 6, ["gold"] * 6, np.zeros(6), codes)
    parts = ["train", "train", "train", "dev", "test", "test"]
    found = overview(corpus, "own", recordings(*parts), traces, ["glad", "low"], {})
    rows = {
        row.name: [row.by_partition.get(part, 0) for part in ("train", "dev", "test")] for row in found.rows
    }
    assert rows["glad"] == [2, 0, 1]
    assert rows["low"] == [1, 1, 0]
    assert rows["none of them"] == [1, 0, 1]
    assert "class 'glad' is missing in dev: its recall is not measured there" in found.doubts
    assert found.wrong == []


@pytest.mark.parametrize(
    ("codes", "classes", "sentence"),
    [
        ([0.0, 0.0], [], "emotion: no recording has any label, expected two or more labels"),
        ([1.0, 0.0], ["glad"], "emotion: the label 'glad' alone occurs, expected two or more labels"),
    ],
)
def test_fewer_than_two_labels_are_nothing_to_tell_apart(params, codes, classes, sentence):
    corpus = params.corpus("own").model_copy(update={"task": "multilabel"})
    traces = trace_table(["r0", "r1"], ["emotion"] * 2, ["gold"] * 2, np.zeros(2), codes)
    assert sentence in overview(corpus, "own", recordings("train", "dev"), traces, classes, {}).wrong


def test_who_is_in_several_partitions_is_one_speaker_in_all(seen):
    # two recordings of each speaker, one of them in train
    found = seen(["train", "test", "train", "dev"], ["glad", "low"] * 2)
    (speakers,) = [row for row in found.rows if row.name == "speakers"]
    assert (dict(speakers.by_partition), speakers.total) == ({"train": 2, "dev": 1, "test": 1}, 2)
