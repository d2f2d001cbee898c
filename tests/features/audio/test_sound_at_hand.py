"""Samples in memory are those of a file, also where they are none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile

from pipeline.features.audio.sound import read_sound
from pipeline.features.audio.sound_at_hand import sound_of

RATE_HZ = 16_000


@pytest.mark.parametrize("to_hz", ["native", 8000])
def test_samples_that_are_no_numbers_are_silence_as_in_a_file(tmp_path, to_hz):
    signal = np.random.default_rng(0).uniform(-0.5, 0.5, RATE_HZ).astype(np.float32)
    signal[[100, 101, 9000]] = np.nan, np.inf, -np.inf
    wavfile.write(tmp_path / "a.wav", RATE_HZ, signal)
    expected, found = read_sound(tmp_path / "a.wav", to_hz), sound_of(signal, RATE_HZ, to_hz, "signal")
    assert np.isfinite(found.signal).all()
    np.testing.assert_array_equal(found.signal, expected.signal)
    assert found.damage == expected.damage
    assert "3 samples are not finite numbers" in str(found.damage)


def test_integers_of_64_bits_are_refused():
    signal = (1000 * np.sin(np.arange(RATE_HZ) / 20)).astype(np.int64)
    with pytest.raises(ValueError, match=r"an array of int64, expected a NumPy array .* int32"):
        sound_of(signal, RATE_HZ, "native", "signal")
    assert sound_of(signal.astype(np.int16), RATE_HZ, "native", "signal").signal.any()


def test_samples_before_channels_are_refused_with_what_would_be_right():
    signal = np.zeros((RATE_HZ, 2))
    with pytest.raises(ValueError, match=r"shape \(16000, 2\), expected .*; turn it: signal\.T"):
        sound_of(signal, RATE_HZ, "native", "signal")
    with pytest.raises(ValueError, match=r"shape \(16000, 100\), expected .* channels$"):
        sound_of(np.zeros((RATE_HZ, 100)), RATE_HZ, "native", "signal")


def test_a_rate_that_is_a_word_is_shown_as_one():
    with pytest.raises(ValueError, match="found a sampling rate of '16000', expected a whole number"):
        sound_of(np.zeros(RATE_HZ), "16000", "native", "signal")


def test_integers_of_32_bits_that_16_would_hold_are_doubted():
    faint = np.round(1000 * np.sin(np.arange(RATE_HZ) / 20)).astype(np.int32)
    (note,) = sound_of(faint, RATE_HZ, "native", "signal").notes
    assert "no sample of int32 is beyond 1000" in note
    assert "give signal.astype(numpy.int16)" in note
    assert sound_of(np.int32([0, -(2**15)] * RATE_HZ), RATE_HZ, "native", "signal").notes
    for plain in (faint * 2**16, faint.astype(np.int16), np.int32([0, -(2**15) - 1] * RATE_HZ), 0 * faint):
        assert not sound_of(plain, RATE_HZ, "native", "signal").notes
