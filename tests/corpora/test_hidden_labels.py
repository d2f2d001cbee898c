"""Which labels are hidden: counts by hand, nested draws, and what the labels say does not matter."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.hidden_labels import hidden_recordings
from pipeline.params.label_draws import LabelDraw, label_draws
from tests.recordings import recording

SPEAKERS = [f"s{n}" for n in range(8)]
RECORDINGS = [
    recording(f"{speaker}_{n}", "train", speaker, Path(f"{speaker}_{n}.wav"), None)
    for speaker in SPEAKERS
    for n in range(3)
] + [recording(f"s0_{part}", part, "s0", Path(f"{part}.wav"), None) for part in ("dev", "test")]
LABELLED = {item.recording for item in RECORDINGS} - {"s7_0", "s7_1", "s7_2", "s6_1"}
"""s7 has no label at all, so there are seven speakers with some."""


def hidden(draw: LabelDraw, seed: int = 0, draws: int = 0) -> frozenset[str]:
    every = [draw._replace(draw=number) for number in range(1, max(draws, draw.draw) + 1)]
    return hidden_recordings(RECORDINGS, draw, every, seed, LABELLED)


def seen_speakers(names) -> set[str]:
    train = {item.recording: item.speaker for item in RECORDINGS if item.partition == "train"}
    return {train[name] for name in train.keys() & LABELLED - names}


@pytest.mark.parametrize(("share", "kept"), [(0.01, 1), (0.3, 2), (0.5, 4), (0.9, 6), (1.0, 7)])
def test_shares_are_of_the_labelled_speakers_of_train(share, kept):
    names = hidden(LabelDraw("x", 1, share=share))
    assert len(seen_speakers(names)) == kept
    assert names <= LABELLED  # what has no label has none to hide
    assert not {"s0_dev", "s0_test"} & names
    for speaker in SPEAKERS:  # whole speakers
        own = {name for name in LABELLED if name.startswith(speaker) and name[3:] in ("0", "1", "2")}
        assert own <= names or not own & names


def test_draws_are_nested_differ_and_follow_the_seed():
    for draw in (1, 2, 3):
        quarter, half = (hidden(LabelDraw("x", draw, share=share)) for share in (0.25, 0.5))
        assert half < quarter
    draws = [hidden(LabelDraw("x", draw, speakers=3)) for draw in range(1, 9)]
    assert len(set(draws)) == 8
    assert hidden(LabelDraw("x", 1, speakers=3)) == draws[0]
    assert len({hidden(LabelDraw("x", 1, speakers=3), seed) for seed in range(8)}) > 4
    one = LabelDraw("x", 1, speakers=3)
    shuffled = hidden_recordings(RECORDINGS[::-1], one, [one], 0, LABELLED)
    assert shuffled == draws[0]


def test_more_speakers_than_there_are_is_one_sentence():
    with pytest.raises(ValueError, match=r"labelled_speakers: found 8, expected at most the 7 speakers"):
        hidden(LabelDraw("", 1, speakers=8))


def test_a_recording_without_a_speaker_is_one_of_its_own():
    alone = [recording(f"r{n}", "train", "", Path(f"{n}.wav"), None) for n in range(4)]
    one = LabelDraw("x", 1, speakers=1)
    assert len(hidden_recordings(alone, one, [one], 0, {"r0", "r1", "r2"})) == 2


@pytest.mark.parametrize(("kept", "draws"), [(1, 7), (2, 21), (3, 35), (6, 7), (7, 1)])
@pytest.mark.parametrize("seed", [0, 1])
def test_as_many_draws_as_there_are_are_all_different(kept, draws, seed):
    found = {hidden(LabelDraw("x", draw, speakers=kept), seed, draws) for draw in range(1, draws + 1)}
    assert len(found) == draws == comb(7, kept)


@pytest.mark.parametrize("seed", range(6))
def test_draws_of_several_shares_differ_and_are_nested(seed):
    """With three shares of four speakers the last draw may have one choice left, or none at first."""
    speakers = [item for item in RECORDINGS if item.speaker in SPEAKERS[:4]]
    every = label_draws((0.25, 0.5, 0.75), None, 4)
    found = {draw: hidden_recordings(speakers, draw, every, seed, LABELLED) for draw in every}
    for share in (0.25, 0.5, 0.75):
        assert len({names for draw, names in found.items() if draw.share == share}) == 4
    for number in (1, 2, 3, 4):
        small, half, large = (names for draw, names in found.items() if draw.hides and draw.draw == number)
        assert large < half < small


def test_a_draw_that_does_not_repeat_is_that_of_its_number_alone():
    """So results of before stay what they were; the orders are numpy's, of seed and number."""
    for number in (1, 2, 3):
        order = np.random.default_rng([5, number]).permutation(SPEAKERS[:7]).tolist()
        assert seen_speakers(hidden(LabelDraw("x", number, speakers=3), 5, 3)) == set(order[:3])


@pytest.mark.parametrize(
    ("draw", "draws", "sentence"),
    [
        (
            LabelDraw("x", 1, speakers=6),
            8,
            "found 8, expected at most 7: partitions.labelled_speakers 6 keeps 6",
        ),
        (
            LabelDraw("x", 2, share=0.95),
            2,
            "found 2, expected at most 1: partitions.label_shares 0.95 keeps 7",
        ),
    ],
)
def test_more_draws_than_choices_is_one_sentence(draw, draws, sentence):
    with pytest.raises(ValueError, match=f"partitions.label_draws: {sentence} of the 7 speakers of train"):
        hidden(draw, 0, draws)


def test_names_of_draws():
    assert [draw.of_fold("") for draw in label_draws((), None, 3)] == [""]
    names = [draw.name for draw in label_draws((1.0, 0.125, 0.5), None, 2)]
    assert names == ["", "labels12.5-draw1", "labels12.5-draw2", "labels50-draw1", "labels50-draw2"]
    of_four = label_draws((), 4, 3)
    assert [draw.of_fold("fold1") for draw in of_four] == [
        "fold1", "fold1.speakers4-draw2", "fold1.speakers4-draw3",
    ]  # fmt: skip
    assert {draw.speakers for draw in of_four} == {4}
    assert all(draw.hides for draw in of_four)
