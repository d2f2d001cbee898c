"""Late fusions of what is served, as `emobed predict` has them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.predicting.side_by_side import Facts
from pipeline.recogniser.prediction import Prediction
from pipeline.serving.fusions import together

CLASSES = ("anger", "joy")


def facts(name, modality, dimension="arousal", classes=(), hop=0.2):
    return Facts(name, "made_up", modality, dimension, classes, hop)


def prediction(values, valid, hop=0.2):
    start = np.arange(len(valid)) * hop
    return Prediction(start, start + hop, np.array(valid), np.array(values)[None])


def test_values_are_the_mean_of_what_is_valid():
    own = [facts("a", "audio"), facts("v", "video"), facts("b", "audio", "valence")]
    (fusion,) = together(own, ["a", "v", "b"])
    assert fusion.about.model_dump() == {
        "name": "late_fusion.arousal", "dimension": "arousal", "task": "regression", "classes": [],
        "needed": ["audio", "video"], "hop": 0.2, "members": ["a", "v"],
    }  # fmt: skip
    sound = prediction([0.2, 0.4, 0.6], [True, True, True])
    faces = prediction([0.8, 0.0], [True, False])
    said = fusion.of([sound, faces, None])
    assert said["rows"] == [
        {"start": 0.0, "end": 0.2, "arousal": 0.5, "valid": True},
        {"start": 0.2, "end": 0.4, "arousal": 0.4, "valid": True},  # no face: the voice alone
        {"start": 0.4, "end": pytest.approx(0.6), "arousal": None, "valid": None},  # the video is over
    ]
    assert fusion.of([sound, None, None]) is None


def test_probabilities_are_averaged():
    own = [facts(name, name, "emotion", CLASSES, None) for name in ("audio", "video")]
    (fusion,) = together(own, ["a", "v"])
    said = fusion.of([prediction([[0.9, 0.1]], [True]), prediction([[0.2, 0.8]], [True])])
    (row,) = said["rows"]
    assert (row["emotion"], row["emotion.anger"], row["emotion.joy"]) == ("anger", 0.55, 0.45)


def test_any_number_of_classes_is_named():
    own = [
        facts(name, name, "emotion", CLASSES, None)._replace(thresholds=(0.5, 0.1))
        for name in ("audio", "video")
    ]
    (fusion,) = together(own, ["a", "v"])
    assert fusion.about.task == "multilabel"
    heard, seen = (
        dataclasses.replace(prediction([[fear, joy]], [True]), several=True)
        for fear, joy in ((0.9, 0.1), (0.3, 0.3))
    )
    (row,) = fusion.of([heard, seen])["rows"]
    assert (row["emotion"], row["emotion.anger"], row["emotion.joy"]) == ("anger;joy", 0.6, 0.2)


def test_what_is_not_at_the_same_times_stands_alone():
    own = [facts("a", "audio"), facts("v", "video", hop=0.4), facts("c", "video", hop=None)]
    assert together(own, ["a", "v", "c"]) == ()
    twice = [
        facts("a", "audio"),
        facts("v", "video"),
        facts("a", "audio", hop=0.4),
        facts("v", "video", hop=0.4),
    ]
    assert [one.about.name for one in together(twice, list("abcd"))] == [
        "late_fusion.arousal (0.2 s)",
        "late_fusion.arousal (0.4 s)",
    ]


def test_the_times_are_in_a_name_only_beside_another_fusion_of_the_same():
    traces = [facts("a", "audio"), facts("v", "video")]
    classes = [facts(name, name, "emotion", CLASSES, None) for name in ("audio", "video")]
    assert [one.about.name for one in together([*traces, *classes], list("avcd"))] == [
        "late_fusion.arousal",
        "late_fusion.emotion",
    ]
    whole = [facts(name, name, hop=None) for name in ("audio", "video")]
    assert [one.about.name for one in together([*traces, *whole], list("avwx"))] == [
        "late_fusion.arousal (0.2 s)",
        "late_fusion.arousal (utterances)",
    ]
