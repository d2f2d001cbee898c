import tracemalloc

import numpy as np
import pytest

from pipeline.features.audio.functionals import extract
from pipeline.features.audio.sound import Sound, read_sound
from pipeline.features.audio.sound_in_pieces import LOUDEST, Waveform, open_sound
from pipeline.features.media.opening import MediaError
from pipeline.params import Audio, Grid

RATE = 16_000
AUDIO = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=RATE, max_failed_share=0)


def test_pieces_are_what_is_read_at_once_and_silence_takes_no_memory():
    waveform = Waveform()
    waveform.take(0, np.array([[0.5, 2.0], [0.5, 1.0]], np.float32))
    waveform.take(10**9, np.array([[-3.0]], np.float32))
    waveform.silence_to(10**9 + 4)
    first, hole, second, last = waveform.ready()
    np.testing.assert_array_equal(first, np.float32([0.5, LOUDEST]))
    assert (len(hole), len(last), second.tolist()) == (10**9 - 2, 3, [-1.0])
    assert (waveform.peak, waveform.loudest, waveform.place, waveform.ready()) == (3.0, 2, 10**9 + 4, [])


@pytest.mark.parametrize("clip", ["talking_face.mp4", "face_noface.mov"])
def test_what_is_said_of_pieces_is_what_is_said_of_the_whole(clips, clip):
    whole = read_sound(clips / clip, RATE)
    with open_sound(clips / clip, RATE) as pieces:
        samples = np.concatenate(list(pieces))
    np.testing.assert_array_equal(samples, whole.signal)
    assert pieces.duration == whole.duration == len(samples) / RATE
    assert (pieces.damage, pieces.notes) == (whole.damage, whole.notes)


def test_sound_in_the_scale_of_integers_is_refused_with_its_peak(write_wav, tmp_path):
    from scipy.io import wavfile

    wavfile.write(tmp_path / "loud.wav", RATE, np.linspace(0, 20_000, RATE, dtype=np.float32))
    with pytest.raises(MediaError, match="samples up to 20000, expected within"):
        extract(tmp_path / "loud.wav", AUDIO, Grid(window=None, hop=None))


def test_memory_does_not_grow_with_a_file_and_its_rows_are_those_of_a_sound_at_hand(write_wav):
    grid = Grid(window=2.0, hop=1.0)
    rng = np.random.default_rng(0)
    peaks = []
    for seconds in (20, 80):
        path = write_wav(0.1 * rng.normal(size=seconds * RATE), RATE, f"{seconds}.wav")
        if not peaks:  # imports
            extract(path, AUDIO, grid)
        tracemalloc.start()
        rows = extract(path, AUDIO, grid)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    signal = read_sound(path, RATE).signal
    np.testing.assert_array_equal(extract("x", AUDIO, grid, Sound(signal, RATE)).values, rows.values)
    assert peaks[1] - peaks[0] < 0.1 * 60 * RATE * 4  # a minute of samples
