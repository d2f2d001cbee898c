"""Golden numbers of pipeline/features/audio/functionals.py.

Tolerance: openSMILE rounds the signal to 16 bit, so that another processor's resampler moves single samples
by a step. Formants in noise, jitter, differences of frames and the spread of MFCCs hang on single frames and
then move by up to a half; they are left out. What is shown moves by less than 1e-3 when a step is added to
every 50th sample.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pipeline.features.audio.functionals import extract
from pipeline.features.audio.sound import read_sound
from pipeline.params import Audio, Grid
from pipeline.store.rows import Rows
from tests.golden.comparison import Numbers
from tests.golden.inputs import RATE_HZ, voice, write_late_sound, write_wav

TOLERANCE = 2e-3
WAVEFORM_TOLERANCE = 1e-3
UTTERANCE = Grid(window=None, hop=None)
WINDOWS = Grid(window=1.0, hop=0.5)
SETS = (
    ("eGeMAPSv02", "functionals", WINDOWS),
    ("eGeMAPSv02", "functionals", UTTERANCE),
    ("GeMAPSv01a", "functionals", WINDOWS),
    ("emobase", "functionals", UTTERANCE),
    ("ComParE_2016", "functionals", UTTERANCE),
    ("eGeMAPSv01b", "lld_statistics", WINDOWS),
    ("eGeMAPSv02", "lld_statistics", UTTERANCE),
    ("ComParE_2016", "lld_statistics", WINDOWS),
)
SHOWN = 16
"""Features of each set at most, evenly over the steady ones: what is ours concerns all of them alike."""
STEADY = re.compile(
    r"(?!.*(_de_|urtosis))(loudness|spectralFlux|F0semi|F0final|F0_|HNR|alphaRatioV|hammarbergIndexV|slopeV|pcm_|voiceProb)"
    r".*(mean|std|stddevNorm|percentile\d+\.0|quartile\d|max|PerSec)$"
)


def numbers(folder: Path) -> dict[str, Numbers | str]:
    sound = voice(2.3)
    stereo = write_wav(folder / "stereo.wav", np.stack([sound, 0.4 * voice(2.3, seed=1)]))
    # peaks cut off by the recorder: resampling overshoots full scale
    loud = write_wav(folder / "loud.wav", np.clip(4 * sound, -1, 32767 / 32768))
    late = write_late_sound(folder / "late.mkv", sound[: RATE_HZ // 2], 0.3)
    found: dict[str, Numbers | str] = {}
    for feature_set, level, grid in SETS:
        audio = Audio(feature_set=feature_set, level=level, sampling_rate_hz=16000, max_failed_share=0.0)
        rows = extract(stereo, audio, grid)
        name = f"{feature_set} {level} {'utterance' if grid.utterances else 'windows'}"
        shown = _shown(rows)
        found[name] = Numbers(rows.values[:, shown], TOLERANCE)
        found[f"{name}: names"] = f"{len(rows.names)}: " + " ".join(rows.names[place] for place in shown)
        found[f"{name}: start, end, valid"] = Numbers(np.stack([rows.start, rows.end, rows.valid], 1), 1e-6)
    audio = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=16000, max_failed_share=0.0)
    rows = extract(loud, audio, UTTERANCE)
    found["clipped peaks"] = Numbers(rows.values[:, _shown(rows)], TOLERANCE)
    for path in (stereo, late):
        signal = read_sound(path, 16000).signal
        found[f"level of {path.name}, each 0.1 s"] = Numbers(_levels(signal), WAVEFORM_TOLERANCE)
    return found


def _shown(rows: Rows) -> list[int]:
    steady = [place for place, name in enumerate(rows.names) if STEADY.match(name)]
    return [steady[k] for k in np.linspace(0, len(steady) - 1, min(SHOWN, len(steady))).astype(int)]


def _levels(signal: np.ndarray) -> np.ndarray:
    whole = signal[: len(signal) // 1600 * 1600].reshape(-1, 1600)
    return np.stack([np.sqrt((whole.astype(float) ** 2).mean(axis=1)), whole.max(axis=1)], axis=1)
