"""Sound in pieces against extraction from the file: the same rows."""

import gc
import threading

import numpy as np
import pytest

from pipeline.features.audio.functionals import OpenSmile, extract
from pipeline.features.audio.onnx_waveform import OnnxWaveforms
from pipeline.features.extractor import Given
from pipeline.features.media.opening import MediaError
from pipeline.features.streams.row_stream import NotStreamedError
from pipeline.features.streams.sound_rows import DescriptorRows, FunctionalRows, WaveformRows
from pipeline.features.streams.sound_stream import SoundStream
from pipeline.params import Grid
from tests.features.audio.test_functionals import AUDIO, voice
from tests.features.audio.test_onnx_waveform import RATE, audio_of
from tests.features.networks.made_networks import sound_network, sound_parameters

CENTRE = Grid(window=2.0, hop=0.2)
END = Grid(window=1.5, hop=0.25, alignment="end")


def recorded(seconds, rate_hz, channels=1, seed=0):
    """Return int16 samples, (channels, samples)."""
    random = np.random.default_rng(seed)
    own = np.interp(np.arange(int(seconds * rate_hz)) / rate_hz, np.arange(len(voice(seconds))) / 16000,
                    voice(seconds))  # fmt: skip
    parts = [own * share + random.normal(0, 0.002, len(own)) for share in np.linspace(1, 0.3, channels)]
    return np.round(np.clip(np.stack(parts), -1, 32767 / 32768) * 32767).astype(np.int16)


def streamed(rows, sound, samples, sizes):
    """Push samples in pieces; return all rows as one, and how many came before the end."""
    parts, begin, turn = [], 0, 0
    while begin < samples.shape[1]:
        size = sizes[turn % len(sizes)]
        parts.append(rows.push(sound.push(samples[:, begin : begin + size])))
        begin, turn = begin + size, turn + 1
    early = sum(len(part) for part in parts if part is not None)
    parts += [rows.push(sound.finish()), rows.finish()]
    known = [part for part in parts if part is not None]
    return {name: np.concatenate([getattr(part, name) for part in known])
            for name in ("start", "end", "values", "valid")}, early  # fmt: skip


CASES = [
    (16000, 1, CENTRE, "functionals", (1000,)),
    (16000, 1, END, "functionals", (10**9,)),
    (44100, 2, END, "functionals", (1, 4000)),
    (11025, 3, CENTRE, "functionals", (317,)),
    (16000, 1, END, "lld_statistics", (1,)),
    (48000, 2, CENTRE, "lld_statistics", (999, 1, 7000)),
]


@pytest.mark.parametrize(("rate_hz", "channels", "grid", "level", "sizes"), CASES)
def test_rows_are_those_of_the_file(write_wav, rate_hz, channels, grid, level, sizes):
    audio = AUDIO.model_copy(update={"level": level})
    samples = recorded(1.93 if sizes == (1,) else 6.13, rate_hz, channels)
    expected = extract(write_wav(samples / 32768, rate_hz), audio, grid)
    rows = (FunctionalRows if level == "functionals" else DescriptorRows)(OpenSmile(audio, grid), 16000)
    found, early = streamed(rows, SoundStream(rate_hz, 16000), samples, sizes)
    assert rows.names == expected.names
    np.testing.assert_allclose(found["start"], expected.start, atol=1e-9)
    np.testing.assert_array_equal(found["valid"], expected.valid)
    if level == "functionals":
        np.testing.assert_array_equal(found["values"], expected.values)
    else:  # sums over one window round otherwise than running sums over all
        np.testing.assert_allclose(found["values"], expected.values, rtol=1e-5, atol=1e-5)
    # what comes before the end is all but the windows that reach over it, and what pitch lags behind
    reach = 0 if grid.alignment == "end" else round(grid.window / 2 / grid.hop)
    assert early >= len(expected) - reach - 1 - round(0.6 / grid.hop)


def test_a_recording_as_long_as_a_window_is_that_window(write_wav):
    samples = recorded(2.0, 16000)
    expected = extract(write_wav(samples / 32768, 16000), AUDIO, CENTRE)
    found, early = streamed(FunctionalRows(OpenSmile(AUDIO, CENTRE), 16000), SoundStream(16000, 16000),
                            samples, (700,))  # fmt: skip
    assert (early, expected.valid.all()) == (0, True)
    np.testing.assert_array_equal(found["values"], expected.values)


@pytest.mark.parametrize("feature_set", ["GeMAPSv01b", "eGeMAPSv01b", "ComParE_2016"])
def test_other_sets(write_wav, feature_set):
    audio = AUDIO.model_copy(update={"feature_set": feature_set})
    samples = recorded(3.5, 16000)
    expected = extract(write_wav(samples / 32768, 16000), audio, END)
    rows = FunctionalRows(OpenSmile(audio, END), 16000)
    found, _ = streamed(rows, SoundStream(16000, 16000), samples, (1600,))
    np.testing.assert_array_equal(found["values"], expected.values)


@pytest.mark.parametrize("grid", [Grid(window=0.5, hop=0.25), Grid(window=0.75, hop=0.25, alignment="end")])
def test_a_network_of_the_users_hears_the_windows_of_the_file(write_wav, tmp_path, grid):
    path = sound_network(tmp_path / "a.onnx", (1, "n"))
    extractor = OnnxWaveforms(audio_of(sound_parameters(path, standardise=True)), grid)
    samples = recorded(6.1, 22050)
    expected = extractor.extract(Given("a", write_wav(samples / 32768, 22050)), "cpu")
    rows = WaveformRows(extractor, RATE)
    found, early = streamed(rows, SoundStream(22050, RATE), samples, (1000, 3, 40000))
    np.testing.assert_allclose(found["values"], expected.values, atol=1e-6)
    np.testing.assert_allclose(found["end"], expected.end, atol=1e-9)
    assert early >= len(expected) - 2
    assert len(rows.held) < 3 * RATE
    shared = OnnxWaveforms(audio_of(sound_parameters(path, windows="shared")), grid)
    with pytest.raises(NotStreamedError, match=r"windows is shared: .* expected each"):
        WaveformRows(shared, RATE)


def test_streams_side_by_side_do_not_disturb_each_other(write_wav):
    samples = [recorded(4.0, 16000, seed=seed) for seed in range(3)]
    expected = [
        extract(write_wav(own / 32768, 16000, f"{i}.wav"), AUDIO, END) for i, own in enumerate(samples)
    ]
    found = {}

    def run(place):
        rows = FunctionalRows(OpenSmile(AUDIO, END), 16000)
        found[place], _ = streamed(rows, SoundStream(16000, 16000), samples[place], (800,))

    threads = [threading.Thread(target=run, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, rows in enumerate(expected):
        np.testing.assert_array_equal(found[place]["values"], rows.values)


def test_memory_does_not_grow_with_the_stream():
    rows = FunctionalRows(OpenSmile(AUDIO, END), 16000)
    piece = recorded(5.0, 16000)[0] / np.float32(32768)
    for _ in range(6):
        rows.push(piece.astype(np.float32))
    assert len(rows.kept) <= 2
    rows.close()
    descriptors = DescriptorRows(OpenSmile(AUDIO.model_copy(update={"level": "lld_statistics"}), END), 16000)
    for _ in range(4):
        descriptors.push(piece.astype(np.float32))
    assert len(descriptors.moments.times) <= 100 * (END.window + END.hop) + 60
    descriptors.close()


def test_a_stream_that_is_dropped_ends_its_thread():
    before = threading.active_count()
    rows = FunctionalRows(OpenSmile(AUDIO, END), 16000)
    rows.push(np.zeros(1600, np.float32))
    assert threading.active_count() == before + 1
    del rows
    gc.collect()
    assert threading.active_count() == before


def test_shorter_than_a_window_is_refused_at_the_end():
    rows = FunctionalRows(OpenSmile(AUDIO, END), 16000)
    rows.push(np.zeros(1600, np.float32))
    with pytest.raises(MediaError, match=r"the stream: 0\.10 s long, shorter than a window of 1\.5 s"):
        rows.finish()


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (np.zeros((1000, 2, 2)), r"samples of shape \(1000, 2, 2\)"),
        (
            np.zeros((1000, 2)),
            r"shape \(1000, 2\), expected \(samples,\) or \(channels, samples\)",
        ),
        (np.zeros(10, np.uint8), "samples are uint8, expected floating-point, int16 or int32"),
        (np.full(10, 3000.0), "samples beyond 8, expected within"),
    ],
)
def test_what_is_no_sound_is_refused(samples, sentence):
    with pytest.raises(MediaError, match=sentence):
        SoundStream(16000, 16000).push(samples)


def test_channels_and_rates_that_cannot_be():
    sound = SoundStream(16000, 16000)
    sound.push(np.zeros((2, 10)))
    with pytest.raises(MediaError, match="1 channels after 2"):
        sound.push(np.zeros(10))
    with pytest.raises(MediaError, match="16 Hz, expected a whole number of 8000 to 192000"):
        SoundStream(16, 16000)


def test_floating_point_and_integers_are_the_same_sound():
    samples = recorded(1.0, 44100, 2)
    whole = SoundStream(44100, 16000)
    expected = np.concatenate([whole.push(samples), whole.finish()])
    for other in (samples / np.float32(32768), samples.astype(np.int32) * 65536):
        sound = SoundStream(44100, 16000)
        np.testing.assert_array_equal(np.concatenate([sound.push(other), sound.finish()]), expected)


def test_what_is_no_number_is_silence():
    samples = (recorded(1.0, 16000)[0] / np.float32(32768)).astype(np.float32)
    samples[5:9] = np.nan
    found = SoundStream(16000, 16000).push(samples)
    np.testing.assert_array_equal(found[5:9], 0)
