from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.corpora.rendering.prosody import Manner, control_times, utterance_manner
from pipeline.corpora.rendering.voices import SAMPLING_RATE_HZ, Voice, draw_voice, speak

VOICE = Voice(pitch=120, tract=1.0, rate=1.0, gain=0, tilt=0, shimmer=0.05, breath=0.05, microphone=-60)
DURATION = 8.0


def plain_manner(arousal: float) -> Manner:
    """The manner of a constant arousal, without the noise of its own."""
    quiet = np.random.default_rng(0)
    frames = len(control_times(DURATION))
    draws = [utterance_manner(quiet, 4, arousal, 0.0, DURATION) for _ in range(40)]
    mean = {
        item.name: np.full(frames, np.mean([getattr(d, item.name) for d in draws])) for item in fields(Manner)
    }
    return Manner(**mean)


def level(waveform: np.ndarray) -> float:
    """RMS in dB of the louder half of 50 ms blocks."""
    blocks = waveform[: len(waveform) // 800 * 800].reshape(-1, 800)
    rms = np.sqrt((blocks**2).mean(axis=1))
    return 20 * np.log10(np.median(rms[rms > np.median(rms)]))


def f0(waveform: np.ndarray) -> float:
    """Median fundamental frequency in Hz by autocorrelation of 50 ms blocks."""
    found = []
    for start in range(0, len(waveform) - 800, 800):
        block = waveform[start : start + 800] - waveform[start : start + 800].mean()
        correlation = np.correlate(block, block, "full")[799:]
        shortest, longest = SAMPLING_RATE_HZ // 400, SAMPLING_RATE_HZ // 60
        best = shortest + int(np.argmax(correlation[shortest:longest]))
        if correlation[best] > 0.5 * correlation[0]:
            found.append(SAMPLING_RATE_HZ / best)
    return float(np.median(found))


def test_waveform_has_the_asked_length_and_no_clipping():
    waveform, mouth = speak(np.random.default_rng(1), VOICE, plain_manner(0.0), DURATION)
    assert waveform.shape == (int(DURATION * SAMPLING_RATE_HZ),)
    assert mouth.shape == control_times(DURATION).shape
    assert 0.1 < np.abs(waveform).max() < 1
    assert mouth.min() >= 0
    assert 0.3 < mouth.max() <= 1


def test_pitch_is_the_manners():
    flat = plain_manner(0.0)
    zero = np.zeros_like(flat.pitch)
    manner = replace(flat, pitch=zero, melody=zero, contour=zero)
    assert f0(speak(np.random.default_rng(1), VOICE, manner, DURATION)[0]) == pytest.approx(120, rel=0.03)
    octave = replace(manner, pitch=zero + 12)
    assert f0(speak(np.random.default_rng(1), VOICE, octave, DURATION)[0]) == pytest.approx(240, rel=0.03)


def test_loudness_is_the_manners():
    manner = plain_manner(0.0)
    louder = replace(manner, loudness=manner.loudness + 6)
    first, second = (speak(np.random.default_rng(1), VOICE, m, DURATION)[0] for m in (manner, louder))
    # Loud peaks saturate a little.
    assert level(second) - level(first) == pytest.approx(6, abs=0.5)


def test_arousal_raises_pitch_and_loudness_and_flattens_the_spectrum():
    calm, aroused = (
        speak(np.random.default_rng(1), VOICE, plain_manner(a), DURATION)[0] for a in (-0.5, 0.5)
    )
    assert f0(aroused) > f0(calm) * 2 ** (2 / 12)
    assert level(aroused) > level(calm) + 4

    def high_share(waveform: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(waveform)) ** 2
        hz = np.fft.rfftfreq(len(waveform), 1 / SAMPLING_RATE_HZ)
        return power[(hz > 1000) & (hz < 4000)].sum() / power[hz < 1000].sum()

    assert high_share(aroused) > 1.3 * high_share(calm)


def test_speakers_differ():
    voices = [draw_voice(np.random.default_rng(k)) for k in range(40)]
    pitches = np.array([voice.pitch for voice in voices])
    assert pitches.min() < 115
    assert pitches.max() > 190
    assert len(set(voices)) == 40
