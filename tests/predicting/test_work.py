"""What one process does with one file: states of it that change, parts of it at any rate."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from pipeline.predicting import work as module
from pipeline.predicting.medium import Failure, Medium, Part
from pipeline.predicting.parts import _within
from pipeline.predicting.side_by_side import Plan
from pipeline.predicting.work import Work, predict_medium, stamp_of
from pipeline.store.rows import Rows
from tests import tiny_recognisers as tiny

PLAN = Plan(("emotion",), (), ())


@pytest.fixture
def work(tiny_recognisers):
    return Work((tiny_recognisers / "audio+video.emotion",), PLAN)


@pytest.fixture
def speech(tiny_recognisers, tmp_path):
    return shutil.copy(tiny_recognisers.parent / "speech.wav", tmp_path / "speech.wav")


def test_a_file_that_is_written_on_while_it_is_read_has_failed(work, speech, monkeypatch):
    medium = Medium("speech.wav", speech)
    outcome = predict_medium(work, medium)
    assert outcome.blocks
    assert outcome.stamp == stamp_of(work, medium)

    def growing(work, medium):
        with speech.open("ab") as file:
            file.write(bytes(2))
        return outcome

    monkeypatch.setattr(module, "_predicted", growing)
    changed = predict_medium(work, medium)
    assert not changed.blocks
    assert changed.problems == (Failure("speech.wav", "was changed while it was read; predict it again"),)


def test_a_transcript_counts_for_recognisers_of_text_alone(work, speech):
    medium = Medium("speech.wav", speech)
    text = Work(work.folders, work.plan, text=True)
    before = stamp_of(work, medium), stamp_of(text, medium)
    speech.with_suffix(".txt").write_text("good morning")
    assert stamp_of(work, medium) == before[0]
    assert stamp_of(text, medium) != before[1]
    os.utime(speech, ns=(1, 1))
    assert stamp_of(work, medium) != before[0]


@pytest.mark.parametrize("rate", [6000, 8000, 44_100, 250_000])
def test_a_part_of_a_sound_of_any_rate_is_predicted_as_the_whole_is(work, tmp_path, rate):
    """Rates outside those that features are made of natively are resampled, and so are their parts."""
    path = tmp_path / "sound.wav"
    count = 2 * rate
    tone = np.interp(np.arange(count) / rate, np.arange(2 * 16_000) / 16_000, tiny.sound(3, 2.0))
    signal = tone.astype(np.int16)
    wavfile.write(path, rate, signal)
    whole = predict_medium(work, Medium("sound.wav", path))
    part = predict_medium(work, Medium("sound.wav", path, (Part(0.0, 2.0),)))
    assert not part.problems
    for name in ("emotion.anger", "emotion.joy"):
        found, expected = (own.blocks[0].columns[name].values for own in (part, whole))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_part_that_ends_beyond_its_file_is_predicted_to_the_end_and_that_is_said(work, tmp_path, caplog):
    path = tmp_path / "sound.wav"
    wavfile.write(path, 16_000, tiny.sound(3, 2.0).astype(np.int16))
    rounded = predict_medium(work, Medium("sound.wav", path, (Part(0.0, 2.04),)))
    assert caplog.messages == []
    beyond = predict_medium(work, Medium("sound.wav", path, (Part(0.0, 9.0),)))
    assert not beyond.problems
    for name in ("end", "emotion.joy"):
        np.testing.assert_array_equal(*(own.blocks[0].columns[name].values for own in (beyond, rounded)))
    assert caplog.messages == [
        f"{path}: the part from 0 s to 9 s ends beyond the file: predicted to its end at 2.00 s"
    ]


def test_frames_of_a_part_that_ends_beyond_its_file_say_so_but_for_a_frame(caplog):
    start = np.arange(5) * 0.4
    frames = Rows(start, start + 0.4, np.zeros((5, 1), np.float32), np.ones(5, bool), ("a",))
    assert len(_within(Path("a.mp4"), frames, Part(1.2, 2.3)).start) == 2
    assert caplog.messages == []
    assert len(_within(Path("a.mp4"), frames, Part(1.2, 2.5)).start) == 2
    assert caplog.messages == [
        "a.mp4: the part from 1.2 s to 2.5 s ends beyond the file: predicted to its end at 2.00 s"
    ]


def test_why_a_part_of_several_raters_failed_is_said_once(work, tmp_path):
    path = tmp_path / "sound.wav"
    wavfile.write(path, 16_000, tiny.sound(3, 2.0).astype(np.int16))
    parts = tuple(Part(5.0, 6.0, None, (rater,)) for rater in ("ann", "bob"))
    (problem,) = predict_medium(work, Medium("sound.wav", path, parts)).problems
    assert problem.reason == "from 5 s to 6 s: 2.00 s long, has nothing from 5 s on"
