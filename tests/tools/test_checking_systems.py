"""What `emobed check` says of systems that have nothing to learn from, against corpora made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.traces import trace_table
from pipeline.tools.checking_systems import check_systems
from tests.recordings import recording

TAUGHT = ("classic", "taught", "taught_same", "teacher")
CLASSES = ["anger", "fear", "happy"]
WORDS = ("classic", "emotion_words", "emotion_words_random", "emotion_words_all")


def everybody(video=lambda speaker: True):
    """Return 4 speakers of train, 1 of dev and of test, 3 recordings each; video: of whom there are films."""
    parts = [("train", f"s{n}") for n in range(4)] + [("dev", "d"), ("test", "t")]
    return [
        recording(
            f"{who}_{n}", part, who, Path(f"{who}{n}.wav"), Path(f"{who}{n}.mp4") if video(who) else None
        )
        for part, who in parts
        for n in range(3)
    ]


def labels(recordings, unlabelled=(), rater="gold", code=lambda name: int(name[-1])):
    names = [item.recording for item in recordings if item.speaker not in unlabelled]
    count = len(names)
    return trace_table(
        names, ["emotion"] * count, [rater] * count, np.zeros(count), [code(name) for name in names]
    )


@pytest.fixture
def said(params):
    def said(systems, recordings, traces, partitions=None, task="classification", **learning):
        corpus = params.corpus("demo_clips")
        own = type(corpus.learning).model_validate(
            corpus.learning.model_dump() | {"systems": list(systems)} | learning
        )
        made = corpus.model_copy(
            update={
                "learning": own,
                "task": task,
                "partitions": corpus.partitions.model_copy(update=partitions or {}),
            }
        )
        return check_systems(made, recordings, traces, CLASSES)

    return said


def test_without_unlabelled_recordings_nobody_is_taught(said):
    everyone = everybody()
    (sentence,) = said(TAUGHT, everyone, labels(everyone)).doubts
    assert sentence == (
        "taught and taught_same will be left out: every recording of train has a label of emotion; "
        "partitions.labelled_speakers and label_shares hide labels, docs/labels.md"
    )
    assert said(["classic"], everyone, labels(everyone)) == ([], [])
    assert said(TAUGHT, everyone, labels(everyone, ["s1"])) == ([], [])
    assert said(TAUGHT, everyone, labels(everyone), {"labelled_speakers": 2, "label_draws": 1}) == ([], [])


def test_the_result_is_not_taught_where_labels_are_hidden_beside_it(said):
    everyone = everybody()
    shares = {"label_shares": (0.5,), "label_draws": 2}
    (sentence,) = said(TAUGHT, everyone, labels(everyone), shares).doubts
    assert sentence.startswith(
        "taught and taught_same will be left out of 2 of 6 trainings (the first: audio+video.emotion): every "
    )


def test_unlabelled_recordings_of_one_modality_teach_nothing(said):
    heard = everybody(video=lambda speaker: speaker != "s1")
    assert said(TAUGHT, heard, labels(heard, ["s1"])).doubts == [
        "taught and taught_same will be left out: of the 3 recordings of train without a label of emotion "
        "none has all of audio and video"
    ]
    assert said(TAUGHT, heard, labels(heard, ["s1", "s2"])) == ([], [])


def test_too_few_pairs_are_not_matched(said):
    systems = ["classic", "matched", "matched_apart", "matched_all"]
    one = everybody(video=lambda speaker: speaker in "s1 d t")
    assert said(systems, one, labels(one)).doubts == [
        "matched, matched_apart and matched_all will be left out: fewer than 4 recordings of train have all "
        "of audio and video"
    ]
    assert said(systems, everybody(), labels(everybody())) == ([], [])


def test_without_raters_a_graded_triplet_is_a_literal_one(said):
    everyone = everybody()
    systems = ["classic", "triplet", "graded_triplet"]
    gold = labels(everyone)
    (sentence,) = said(systems, everyone, gold).doubts
    assert sentence.startswith("graded_triplet will be triplet once more: of emotion no single rater of a ")
    of_test = labels([item for item in everyone if item.partition == "test"], rater="r1")
    assert len(said(systems, everyone, pd.concat((gold, of_test))).doubts) == 1
    assert said(systems, everyone, pd.concat((gold, labels(everyone, rater="r1")))) == ([], [])
    own = {
        "triplet": {"form": "literal", "margin": 1.0, "reduction": "mean", "frames": 2, "distance": "label"}
    }
    (sentence,) = said(["classic", "triplet"], everyone, gold, **own).doubts
    assert sentence.startswith("learning.triplet.distance: label changes nothing: of emotion no single rater")


def test_zero_shot_that_leaves_one_class_to_train_is_wrong(said):
    everyone = everybody()
    # fear is on dev and test alone
    gold = labels(everyone, code=lambda name: int(name[-1]) if name[0] in "dt" else 2 * (int(name[-1]) % 2))
    own = {"vectors": "pad", "zero_shot": ["happy"]}
    found = said(WORDS, everyone, gold, emotion_words=own)
    assert found.doubts == []
    assert found.wrong == [
        "learning.emotion_words: zero_shot ['happy'] and few_shot {} leave 8 recordings of train, which "
        "carry ['anger'] of the classes ['anger', 'fear', 'happy']; expected two or more"
    ]
    assert said(WORDS, everyone, labels(everyone), emotion_words=own) == ([], [])


def test_where_labels_are_hidden_the_classes_of_those_that_are_seen_count(said):
    everyone = everybody()
    gold = labels(everyone, code=lambda name: int(name[1]) % 3 if name[0] == "s" else int(name[-1]))
    shares = {"label_shares": (0.25,), "label_draws": 1}
    _, sentence = said(WORDS, everyone, gold, shares, emotion_words={"vectors": "pad"}).wrong
    assert "leave 3 recordings of train, which carry" in sentence


def test_without_a_class_of_dev_nothing_stops_the_training_by_words(said):
    everyone = everybody()
    gold = labels(everyone, code=lambda name: 1 if name[0] == "d" else int(name[-1]))
    own = {"vectors": "pad", "zero_shot": ["fear"]}
    assert said(WORDS, everyone, gold, emotion_words=own).doubts == [
        "emotion_words, emotion_words_random and emotion_words_all will be left out: their training is "
        "stopped by the score on dev, which has no labelled recording that they may look at"
    ]


def test_a_draw_whose_speakers_have_one_label_is_wrong_before_it_is_trained(said):
    everyone = everybody()
    gold = labels(everyone, code=lambda name: int(name[1]) % 3 if name[0] == "s" else int(name[-1]))
    found = said(["classic"], everyone, gold, {"label_shares": (0.25, 0.75), "label_draws": 2})
    wanted = (
        "the labels of train that are seen (speakers: 1) are all one class, expected two or more; take a "
    )
    assert [sentence.partition(wanted)[0] for sentence in found.wrong] == [
        "labels25-draw1: ", "labels25-draw2: ",
    ]  # fmt: skip
    assert said(["classic"], everyone, labels(everyone), {"label_shares": (0.25,)}) == ([], [])


def test_draws_that_cannot_be_made_are_refused(said):
    everyone = everybody()
    with pytest.raises(ValueError, match=r"partitions\.label_draws: found 5, expected at most 4: part"):
        said(TAUGHT, everyone, labels(everyone), {"labelled_speakers": 3, "label_draws": 5})


def test_several_labels_that_carry_an_unseen_class_are_none_to_train(said):
    everyone = everybody()
    # all of train carry fear beside another class, as the code of a set
    gold = labels(
        everyone, code=lambda name: 0b010 | 1 << (int(name[-1]) % 2 * 2) if name[0] == "s" else 0b101
    )
    own = {"vectors": "pad", "zero_shot": ["fear"]}
    found = said(WORDS, everyone, gold, task="multilabel", loss="binary_cross_entropy", emotion_words=own)
    assert "leave 0 recordings of train, which carry [] of the classes" in found.wrong[0]
