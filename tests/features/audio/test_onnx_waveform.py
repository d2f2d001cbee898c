"""The user's network hears each window or utterance, against the same written out in NumPy."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from pipeline.features.audio.onnx_waveform import OnnxWaveforms
from pipeline.features.audio.sound import read_sound
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import Given, NotReadyError
from pipeline.features.media.inspection import inspect
from pipeline.features.media.opening import MediaError
from pipeline.features.prerequisites import require_files
from pipeline.params import Audio, Grid
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop
from pipeline.store.tables import FeatureTable
from pipeline.store.units import UnitStore
from tests.features.networks.made_networks import (
    KERNEL,
    STRIDE,
    VALUES,
    frames_of,
    sound_network,
    sound_parameters,
)
from tests.recordings import recording

RATE = 8000
UTTERANCE = Grid(window=None, hop=None)
WINDOWS = Grid(window=0.5, hop=0.25)


@pytest.fixture
def wav(tmp_path) -> Path:
    """Return 2.1 s of noise whose level and offset change."""
    time = np.arange(round(2.1 * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.05 + 0.1 * time / 2, len(time)) + 0.1 * np.sin(time)
    wavfile.write(tmp_path / "a.wav", RATE, np.round(np.clip(noise, -1, 1) * 32767).astype(np.int16))
    return tmp_path / "a.wav"


def audio_of(onnx) -> Audio:
    return Audio(
        network="onnx", onnx=onnx, feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=RATE,
        max_failed_share=0.0,
    )  # fmt: skip


def rows_of(wav, grid, path, **changed):
    extractor = OnnxWaveforms(audio_of(sound_parameters(path, **changed)), grid)
    return extractor.extract(Given("a", wav), "cpu")


@pytest.mark.parametrize("shape", [("n",), (1, "n"), ("batch", "n"), (1, 1, "n")])
def test_an_utterance_is_the_mean_over_its_frames(wav, tmp_path, shape):
    path = sound_network(tmp_path / "a.onnx", shape)
    signal = read_sound(wav, RATE).signal
    expected = frames_of(signal).mean(axis=0)
    for output in ("frames", "vector"):
        rows = rows_of(wav, UTTERANCE, path, output=output)
        np.testing.assert_allclose(rows.values[0], expected, rtol=1e-4, atol=1e-6)
        assert (rows.start[0], rows.end[0], rows.names[-1]) == (
            0,
            len(signal) / RATE,
            f"onnx_{VALUES - 1:04d}",
        )


def test_each_window_is_heard_by_itself(wav, tmp_path):
    path = sound_network(tmp_path / "a.onnx")
    signal = read_sound(wav, RATE).signal
    rows = rows_of(wav, WINDOWS, path, standardise=True)
    assert len(rows) == 9
    for k in range(len(rows)):
        first = round(rows.start[k] * RATE)
        own = signal[first : first + RATE // 2].astype(float)
        own = (own - own.mean()) / own.std()
        np.testing.assert_allclose(rows.values[k], frames_of(own).mean(axis=0), rtol=1e-3, atol=1e-4)


def test_windows_of_no_whole_number_of_samples_are_all_as_long(wav, tmp_path):
    samples = 3333
    path = sound_network(tmp_path / "a.onnx", (1, samples))
    grid = Grid(window=2 * 0.20831, hop=0.20831)  # 3332.96 samples
    signal = read_sound(wav, RATE).signal
    rows = rows_of(wav, grid, path)
    expected = frames_of(signal[-samples:]).mean(axis=0)
    np.testing.assert_allclose(rows.values[-1], expected, rtol=1e-4, atol=1e-5)


def test_shared_pieces_give_the_frames_of_each_window(wav, tmp_path, monkeypatch):
    """In one piece: the frames of the recording whose middle lies in the window, both ends included."""
    monkeypatch.setattr("pipeline.features.audio.onnx_waveform.AT_ONCE", 2)
    path = sound_network(tmp_path / "a.onnx")
    frames = frames_of(read_sound(wav, RATE).signal)
    middle = (np.arange(len(frames)) + 0.5) * 2.1 / len(frames)
    rows = rows_of(wav, WINDOWS, path, windows="shared")
    for k in range(len(rows)):
        inside = (middle >= rows.start[k] - 1e-6) & (middle <= rows.end[k] + 1e-6)
        np.testing.assert_allclose(rows.values[k], frames[inside].mean(axis=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("windows", ["each", "shared"])
def test_what_is_longer_than_a_piece_is_heard_in_equal_pieces(wav, tmp_path, windows):
    path = sound_network(tmp_path / "a.onnx")
    signal = read_sound(wav, RATE).signal
    rows = rows_of(wav, UTTERANCE, path, windows=windows, piece=0.5)
    pieces = [frames_of(piece) for piece in np.array_split(signal, 5)]
    np.testing.assert_allclose(rows.values[0], np.concatenate(pieces).mean(axis=0), rtol=1e-4, atol=1e-6)
    # at most as long as asked for: what a recording needs does not grow with its length
    assert max(map(len, np.array_split(signal, 5))) <= RATE // 2


def test_workers_do_not_change_a_byte(wav, tmp_path, params):
    path = sound_network(tmp_path / "a.onnx")
    extractor = OnnxWaveforms(audio_of(sound_parameters(path)), WINDOWS)
    corpus = params.corpora["own"].model_copy(update={"root": tmp_path, "extract": ("audio",)})
    items = [recording(f"r{n}", "train", "s", wav, None, f"{n:064d}") for n in range(3)]
    made = []
    for workers in (1, 2):
        table, store = tmp_path / f"table{workers}", UnitStore(tmp_path / f"store{workers}")
        extract(Stage("extract_audio", "audio", extractor), corpus, items, table, Workshop(store, workers))
        made.append({path.name: path.read_bytes() for path in table.iterdir()})
    assert made[0] == made[1]
    assert FeatureTable.open(tmp_path / "table1").recordings == ["r0", "r1", "r2"]


def test_sound_that_is_too_short_for_the_network_is_a_failure_of_the_recording(tmp_path):
    wavfile.write(tmp_path / "a.wav", RATE, np.zeros(KERNEL - 1, np.int16))
    with pytest.raises(MediaError, match=r"a\.wav: \S+a\.onnx cannot be run on its sound: "):
        rows_of(tmp_path / "a.wav", UTTERANCE, sound_network(tmp_path / "a.onnx"))


def test_check_looks_at_the_sound_and_not_at_opensmiles_limits(wav, tmp_path, params):
    audio = audio_of(sound_parameters(sound_network(tmp_path / "a.onnx")))
    corpus = params.corpora["demo_clips"].model_copy(update={"audio": audio})
    assert inspect(wav, "audio", corpus).problems == []
    wavfile.write(tmp_path / "b.wav", RATE, np.full(RATE // 20, 99, np.int16))
    assert inspect(tmp_path / "b.wav", "audio", corpus).problems == []
    assert "too short" in inspect(tmp_path / "b.wav", "audio", params.corpora["demo_clips"]).problems[0]


REFUSED = {
    "face": ((1, 3, "h", "w"), UTTERANCE, {}, r"is 1 x 3 x any x any, expected a waveform: 1 x any or"),
    "stereo": ((1, 2, "n"), UTTERANCE, {}, r"is 1 x 2 x any, expected a waveform"),
    "fixed": ((1, 16000), WINDOWS, {}, r"takes 16000 samples, expected any number, or 4000 \(0\.5 s\)"),
    "fixed utterance": ((1, 16000), UTTERANCE, {}, r"takes 16000 samples, expected any number: export it"),
    "vector": ((1, "n"), WINDOWS, {"output": "vector", "windows": "shared"}, r"gives one vector for 20 s"),
    "short": ((1, "n"), WINDOWS, {"piece": 0.001}, r"cannot be run on 0\.001 s of noise"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_that_does_not_fit_is_refused_before_anything_is_done(tmp_path, params, name):
    shape, grid, changed, sentence = REFUSED[name]
    path = sound_network(tmp_path / "a.onnx", shape)
    audio = audio_of(sound_parameters("a.onnx", **changed))
    corpus = params.corpora["demo_clips"].model_copy(update={"audio": audio, "grid": grid})
    with pytest.raises(NotReadyError, match=rf"corpora\.own\.audio\.onnx\.file: {path}: .*{sentence}"):
        require_files(corpus, Paths("own", tmp_path))
    # whoever pulled a colleague's table needs no network
    pulled = Paths("own", tmp_path).audio
    pulled.mkdir(parents=True)
    (pulled / "index.json").write_text("{}")
    require_files(corpus, Paths("own", tmp_path))


def test_a_network_of_the_windows_own_length_fits(tmp_path):
    extractor = OnnxWaveforms(
        audio_of(sound_parameters(sound_network(tmp_path / "a.onnx", (1, RATE // 2)))), WINDOWS
    )
    extractor.require(Path("/"))
    assert STRIDE < RATE // 2
