"""Sound at the edges of its scale: clipped, too loud, constant, silent, no numbers at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.features.hard_media.case import Case, Heard, Refused, Told, Tone
from tests.features.hard_media.signals import laid, tones
from tests.features.hard_media.writing import Sound, write

ONE = ((400, 2.0),)
SQUARE_RMS = 1.0


def _clipped_rms(gain: float) -> float:
    """Return the level of a sine of this peak after it was clipped to [-1, 1]."""
    return float(np.sqrt(np.mean(np.clip(gain * np.sin(2 * np.pi * np.arange(10000) / 10000), -1, 1) ** 2)))


def _wav(name: str, signal, heard, rate: int = 16000, subtype: str = "FLOAT") -> Case:
    return Case(name, lambda path: soundfile.write(path, np.asarray(signal).T, rate, subtype), heard)


def _clipped_mp3(path: Path) -> None:
    signal = np.clip(tones(*ONE, rate=44100, peak=6.0), -1, 1)
    write(path, Sound(signal, 44100, "libmp3lame", bit_rate=64000))


def _broken(value: float, share: bool):
    """Return two seconds of a tone in which a tenth of a second, or one sample, is no number."""
    signal = tones(*ONE)[0]
    signal[16000 : 17600 if share else 16001] = value
    return signal


STILL_THERE = (Tone(0.0, 1.0, 400), Tone(1.1, 2.0, 400))
NO_NUMBER = "no number|not a number|not a finite number|not finite|NaN|nan|inf"
SCALE = r"\[-1, 1\]|scale|full|16.bit|loud|beyond|outside"

CASES = [
    _wav(
        "clipped.wav",
        np.clip(tones(*ONE, rate=44100, peak=6.0), -1, 1),
        rate=44100,
        subtype="PCM_16",
        heard=Heard(2.0, laid(*ONE, rms=_clipped_rms(6.0), within=0.05), within=0.002, said="at full scale"),
    ),
    Case(
        "clipped.mp3",
        _clipped_mp3,
        Heard(2.0, laid(*ONE, rms=_clipped_rms(6.0), within=0.08), within=0.08, said="at full scale"),
    ),
    _wav(
        "a_little_beyond.wav",
        tones(*ONE, peak=1.2),
        Heard(2.0, laid(*ONE, rms=_clipped_rms(1.2), within=0.03), within=0.002, said="at full scale"),
    ),
    _wav(
        "scale_of_16_bits.wav",
        tones(*ONE, peak=9000.0),
        Told(SCALE, Heard(2.0, laid(*ONE, rms=1.0, within=0.75), within=0.002)),
    ),
    _wav(
        "scale_of_16_bits_double.wav",
        tones(*ONE, peak=30000.0),
        subtype="DOUBLE",
        heard=Told(SCALE, Heard(2.0, laid(*ONE, rms=1.0, within=0.75), within=0.002)),
    ),
    _wav("constant.wav", tones(*ONE) + 0.4, Heard(2.0, laid(*ONE), within=0.002, mean=0.4), subtype="PCM_16"),
    _wav(
        "silence.wav", np.zeros(32000), Heard(2.0, laid((0, 2.0)), within=0.002, said="any"), subtype="PCM_16"
    ),
    _wav(
        "very_soft.wav",
        tones(*ONE, peak=2e-4),
        Heard(2.0, laid(*ONE, rms=2e-4 / 2**0.5, within=0.1), within=0.002),
        subtype="PCM_24",
    ),
    _wav("one_nan.wav", _broken(np.nan, share=False), Told(NO_NUMBER, Heard(2.0, STILL_THERE, within=0.002))),
    _wav("nans.wav", _broken(np.nan, share=True), Told(NO_NUMBER, Heard(2.0, STILL_THERE, within=0.002))),
    _wav(
        "infinite.wav",
        _broken(np.inf, share=True),
        Told(NO_NUMBER + "|" + SCALE, Heard(2.0, STILL_THERE, within=0.002)),
    ),
    _wav("nothing_but_nan.wav", np.full(32000, np.nan), Refused(NO_NUMBER + "|no sound")),
]
