"""What one process does with one file: states of it that change, parts of it at any rate."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from scipy.io import wavfile

from pipeline.predicting import work as module
from pipeline.predicting.medium import Failure, Medium, Part
from pipeline.predicting.side_by_side import Plan
from pipeline.predicting.work import Work, predict_medium, stamp_of
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
