"""Voice identity and manner of speaking -> waveform, by source and filter.

A train of glottal pulses (jitter, shimmer) of variable spectral tilt, with some breath noise, goes
through a cascade of formant resonators; consonant noise and the microphone's noise are added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from pipeline.corpora.rendering.articulation import Articulation, articulate
from pipeline.corpora.rendering.prosody import CONTROL_HZ, Manner

SAMPLING_RATE_HZ = 16000
BLOCK = int(SAMPLING_RATE_HZ / CONTROL_HZ)  # samples per control frame
RING = 4 * BLOCK  # samples of a filtered window: 20 ms of window and 20 ms to ring out
BANDWIDTHS = np.array([90.0, 110.0, 160.0, 260.0])  # Hz
LEVEL = 0.045  # RMS of a vowel at 0 dB, full scale 1


@dataclass(frozen=True)
class Voice:
    """A speaker's voice, none of which depends on the emotion.

    `pitch` Hz; `tract` factor on the formants; `rate` factor; `gain` dB; `tilt` added to the
    effort; `shimmer` relative; `breath` added to the share of noise; `microphone` noise, dB full scale.
    """

    pitch: float
    tract: float
    rate: float
    gain: float
    tilt: float
    shimmer: float
    breath: float
    microphone: float


def draw_voice(rng: np.random.Generator) -> Voice:
    """Draw a speaker's voice: low and long-tract or high and short-tract, with much overlap."""
    high = rng.random() < 0.5
    return Voice(
        pitch=(195.0 if high else 118.0) * 2 ** (rng.normal(0, 2.0) / 12),
        tract=(1.12 if high else 0.98) * rng.uniform(0.95, 1.05),
        rate=rng.uniform(0.88, 1.12),
        gain=rng.uniform(-3.5, 3.5),
        tilt=rng.uniform(-0.12, 0.12),
        shimmer=rng.uniform(0.03, 0.10),
        breath=rng.uniform(0.0, 0.10),
        microphone=rng.uniform(-66, -54),
    )


def speak(
    rng: np.random.Generator, voice: Voice, manner: Manner, duration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Synthesise `duration` seconds of speech.

    Returns:
        waveform at `SAMPLING_RATE_HZ` of shape (samples,), float64 in -1..1, and the opening of the
        mouth at `CONTROL_HZ` of shape (control frames,), 0..1
    """
    samples = round(duration * SAMPLING_RATE_HZ)
    sounds = articulate(rng, manner, voice.rate)
    level = 10 ** ((manner.loudness + voice.gain) / 20)
    source = _source(rng, voice, manner, sounds, samples)
    speech = _resonate(source, sounds.formants * (voice.tract * manner.smile)[:, None], 3600 * voice.tract)
    hiss = lfilter([1, -0.95], [1, 0.45], rng.standard_normal(samples))
    speech = speech / 0.30 + 0.22 * hiss * _per_sample(sounds.noisy, samples)
    waveform = LEVEL * speech * _per_sample(level, samples)
    waveform += 10 ** (voice.microphone / 20) * rng.standard_normal(samples)
    mouth = sounds.opening * np.clip(0.55 + 0.045 * manner.loudness, 0.25, 1.0)
    # Loud moments saturate softly, as in a recorder.
    return np.tanh(waveform), mouth


def _source(
    rng: np.random.Generator, voice: Voice, manner: Manner, sounds: Articulation, samples: int
) -> np.ndarray:
    """Return the glottal source of shape (samples,)."""
    frames = len(manner.pitch)
    tremor = manner.tremor * np.sin(2 * np.pi * 6.0 * np.arange(frames) / CONTROL_HZ)
    f0 = voice.pitch * 2 ** ((manner.pitch + sounds.intonation + tremor) / 12)
    phase = np.cumsum(_per_sample(f0, samples)) / SAMPLING_RATE_HZ
    cycles = np.arange(1, int(phase[-1]) + 1)
    moments = np.interp(cycles, phase, np.arange(samples))
    block = np.minimum(moments / BLOCK, frames - 1).astype(int)
    period = SAMPLING_RATE_HZ / f0[block]
    moments += manner.jitter[block] * period * rng.standard_normal(len(cycles))
    moments = np.clip(moments, 0, samples - 2)
    # Equal energy per second whatever the pitch: a pulse weighs the root of its period.
    weight = np.sqrt(period) * (1 + voice.shimmer * rng.standard_normal(len(cycles)))
    whole = moments.astype(int)
    share = moments - whole
    # A pulse between two samples is split over both, or the pitch would jump in steps.
    pulses = np.bincount(whole, weight * (1 - share), samples)
    pulses += np.bincount(whole + 1, weight * share, samples)
    soft = lfilter([0.10], np.convolve([1, -0.96], [1, -0.90]), pulses)
    hard = lfilter([0.62], [1, -0.72], pulses)
    effort = _per_sample(np.clip(manner.effort + voice.tilt, 0, 1), samples)
    breath = _per_sample(np.clip(manner.breath + voice.breath, 0, 0.8), samples)
    tone = (1 - effort) * soft + effort * hard
    noise = 0.5 * rng.standard_normal(samples)
    mixed = (1 - breath) * tone + breath * noise
    radiated = lfilter([1, -0.97], [1], mixed)
    return radiated * _per_sample(sounds.voiced, samples)


def _resonate(source: np.ndarray, formants: np.ndarray, fourth: float) -> np.ndarray:
    """Filter `source` (samples,) by resonators that move with `formants` (control frames, 3) Hz.

    Overlapping Hann windows, one around each control frame, are filtered by that frame's resonators
    and added up: the formants glide, and all frames are filtered at once.
    """
    frames = len(formants)
    padded = np.zeros((frames + 1) * BLOCK)
    padded[BLOCK : BLOCK + len(source)] = source
    # (frames, 2 BLOCK): window k is centred on control frame k
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * BLOCK)[::BLOCK]
    hann = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * BLOCK) / BLOCK)  # neighbours add up to 1
    spectra = np.fft.rfft(windows * hann, RING)
    centres = np.column_stack([formants, np.full(frames, fourth)])
    spectra *= _response(centres, spectra.shape[1])
    rung = np.fft.irfft(spectra, RING)
    out = np.zeros((frames + RING // BLOCK) * BLOCK)
    blocks = out.reshape(-1, BLOCK)
    for part in range(RING // BLOCK):
        blocks[part : part + frames] += rung[:, part * BLOCK : (part + 1) * BLOCK]
    return out[BLOCK : BLOCK + len(source)]


def _response(centres: np.ndarray, bins: int) -> np.ndarray:
    """Return the complex response of resonators in series at `centres` (frames, 4) Hz, (frames, bins)."""
    radius = np.exp(-np.pi * BANDWIDTHS / SAMPLING_RATE_HZ)
    first = -2 * radius * np.cos(2 * np.pi * np.minimum(centres, 7200) / SAMPLING_RATE_HZ)
    second = np.broadcast_to(radius**2, first.shape)
    delay = np.exp(-1j * np.pi * np.arange(bins) / (bins - 1))
    product = np.ones((len(centres), bins), complex)
    for a, b in zip(first.T, second.T, strict=True):
        # 1 at 0 Hz, so that a formant does not change the level below it
        product *= (1 + a[:, None] * delay + b[:, None] * delay**2) / (1 + a + b)[:, None]
    return 1 / product


def _per_sample(values: np.ndarray, samples: int) -> np.ndarray:
    """Interpolate control frames (control frames,) onto samples (samples,)."""
    return np.interp(np.arange(samples) / BLOCK, np.arange(len(values)), values)
