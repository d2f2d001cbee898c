"""Recordings that come in pieces against `predict` on the whole file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import soundfile

from pipeline.features.audio.functionals import extract
from pipeline.features.audio.sound import read_sound
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import MediaError
from pipeline.params import Grid
from pipeline.recogniser import Recogniser, RecogniserError
from pipeline.recogniser.description import FittedChain
from pipeline.recogniser.live import line
from tests import tiny_recognisers as tiny
from tests.recogniser_fixtures import exported

PICTURES = 2e-6
"""Networks that go on from row to row round otherwise than over the whole; faces are described alike."""


def medium(paths, kind):
    found = (paths.root / "data/raw").glob(f"**/*.{kind}")
    return sorted(path for path in found if "test" in str(path).lower())[0]


def loaded(paths, name):
    return Recogniser.load(paths.recognisers / name)


def samples_of(path):
    """Return int16 samples, (channels, samples), and their rate."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return samples.T, rate


def pieces(samples, sizes):
    begin, turn = 0, 0
    while begin < samples.shape[1]:
        yield samples[:, begin : begin + sizes[turn % len(sizes)]]
        begin, turn = begin + sizes[turn % len(sizes)], turn + 1


def require_equal(rows, table, dimension, atol):
    """Hold rows against a table of `predict`."""
    assert len(rows) == len(table)
    start = table.index.get_level_values("start").total_seconds()
    np.testing.assert_allclose([row.start for row in rows], start, atol=1e-6)
    for column in (dimension, f"{dimension}.seed_spread"):
        np.testing.assert_allclose([row.columns[column] for row in rows], table[column], atol=atol)
    assert list(rows[0].columns) == list(table.columns)


def hear(stream, samples, sizes):
    return [row for piece in pieces(samples, sizes) for row in stream.push(piece)]


@pytest.mark.parametrize("sizes", [(1000,), (10**9,), (1, 7777)])
def test_sound_is_predicted_as_the_file_is(sessions, sizes):
    recogniser = loaded(sessions, "audio+video.arousal")
    path = medium(sessions, "wav")
    samples, rate = samples_of(path)
    with recogniser.stream(rate) as stream:
        early = hear(stream, samples, sizes)
        rows = early + stream.finish()
    require_equal(rows, recogniser.predict(path), "arousal", 1e-6)
    assert min(row.delay for row in rows) >= 0
    if sizes == (1000,):
        grid = recogniser.corpus.grid
        late = [row.delay for row in early if row.start >= grid.window]
        # half a window less what raters lag behind, what openSMILE and a filter wait for
        assert max(late) <= grid.window / 2 + 1.0 + 2 * grid.hop


def test_what_is_limited_is_so_in_a_stream_as_in_a_file(tmp_path):
    sound = tiny.sound(3, 8.0, np.sin(np.linspace(0, 9, 50)) / 2 + 0.5)
    folder = tiny.arousal(tmp_path / "limited", clip=0.7)
    limited, free = Recogniser.load(folder), Recogniser.load(folder)
    scalers = free.models.scalers
    scalers |= {view: dataclasses.replace(own, clip=None) for view, own in scalers.items()}
    expected = limited.predict(tiny.write_wav(tmp_path / "a.wav", sound))
    with limited.stream(tiny.RATE_HZ) as stream:
        rows = hear(stream, sound[None], (3000,)) + stream.finish()
    require_equal(rows, expected, "arousal", 1e-6)
    assert (free.predict(tmp_path / "a.wav")["arousal"] - expected["arousal"]).abs().max() > 1e-3


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (8000, 1), (22050, 3)])
def test_any_rate_and_channels(sessions, tmp_path, rate, channels):
    recogniser = loaded(sessions, "audio+video.valence")
    own, old = samples_of(medium(sessions, "wav"))
    signal = np.interp(np.arange(8 * rate) / rate, np.arange(own.shape[1]) / old, own[0])
    samples = np.stack([signal / (1 + place) for place in range(channels)]).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples.T, rate, subtype="PCM_16")
    with recogniser.stream(rate) as stream:
        rows = hear(stream, samples, (1013,)) + stream.finish()
    require_equal(rows, recogniser.predict(tmp_path / "a.wav"), "valence", 1e-6)
    with recogniser.stream(rate) as stream:  # floating point is the same sound
        again = hear(stream, samples / np.float32(32768), (5000,)) + stream.finish()
    np.testing.assert_allclose([r.columns["valence"] for r in again], [r.columns["valence"] for r in rows])


CHAINS = {
    "none": None,
    "filter and shift": FittedChain(median=5, shift=1, gain=1.3, offset=0.1),
    "filter": FittedChain(median=9),
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("delay", [0, 3])
def test_windows_that_only_look_back_with_delay_and_post_processing(sessions, monkeypatch, chain, delay):
    recogniser = loaded(sessions, "audio+video.arousal")
    grid = Grid(window=2.0, hop=0.2, alignment="end")
    seeds = len(recogniser.description.seeds)
    chains = None if CHAINS[chain] is None else (CHAINS[chain],) * seeds
    recogniser = dataclasses.replace(
        recogniser,
        corpus=recogniser.corpus.model_copy(update={"grid": grid}),
        description=recogniser.description.model_copy(update={"chains": chains}),
        models=dataclasses.replace(
            recogniser.models, about={**recogniser.models.about, "delay_frames": delay}
        ),
    )
    monkeypatch.setattr(Recogniser, "require_made", lambda *_: None)  # it learnt from other windows
    path = medium(sessions, "wav")
    expected = recogniser.predict_rows(extract(path, recogniser.corpus.audio, grid))
    samples, rate = samples_of(path)
    with recogniser.stream(rate) as stream:
        early = hear(stream, samples, (800,))
        rows = early + stream.finish()
    np.testing.assert_allclose([row.columns["arousal"] for row in rows], expected.values, atol=1e-6)
    # windows look back: a row waits for openSMILE's own lag and the filter alone, less the delay
    wait = 1.0 + (0 if chains is None else chains[0].median // 2 * 0.2)
    assert max(row.delay for row in early if row.start > 2.5) <= wait


def see(stream, path):
    found = []
    for frame in FramesOnGrid(path, 1000.0):
        found += stream.push_frame(frame.image, frame.time)
    return found


def test_pictures_are_predicted_as_the_file_is(sessions):
    recogniser = loaded(sessions, "video+audio.valence")
    path = medium(sessions, "mp4")
    with recogniser.stream() as stream:
        rows = see(stream, path) + stream.finish()
    require_equal(rows, recogniser.predict(path), "valence", PICTURES)


def test_a_fusion_takes_sound_and_pictures(sessions, tmp_path):
    recogniser = Recogniser.load(exported(sessions, "early_fusion", tmp_path) / "audio+video.arousal")
    sound, video = medium(sessions, "wav"), medium(sessions, "mp4")
    samples, rate = samples_of(sound)
    expected = recogniser.predict_rows({"audio": recogniser.features(sound, "audio"),
                                        "video": recogniser.features(video, "video")})  # fmt: skip
    with recogniser.stream(rate) as stream:
        rows, begin = [], 0
        for frame in FramesOnGrid(video, 1000.0):
            stop = round(frame.time * rate)
            rows += stream.push(samples[:, begin:stop]) + stream.push_frame(frame.image, frame.time)
            begin = stop
        rows += stream.push(samples[:, begin:]) + stream.finish()
    np.testing.assert_allclose([row.columns["arousal"] for row in rows], expected.values, atol=PICTURES)


def test_each_window_is_an_utterance_of_its_own(clips):
    recogniser = loaded(clips, "audio+video.emotion")
    sound = read_sound(medium(clips, "mp4"), 16000)
    samples, rate = np.round(sound.signal[None] * 32768).astype(np.int16), sound.rate_hz
    samples = np.concatenate([samples, samples[:, ::-1]], axis=1)
    with recogniser.stream(rate, window=0.8, hop=0.3) as stream:
        rows = hear(stream, samples, (777,)) + stream.finish()
    assert len(rows) == int((samples.shape[1] / rate - 0.8) / 0.3 + 1e-9) + 1
    for number, row in enumerate(rows):
        begin = round(number * 0.3 * rate)
        expected = recogniser.predict_signal(samples[:, begin : begin + round(0.8 * rate)], rate).iloc[0]
        assert row.columns["emotion"] == expected["emotion"]
        for name in recogniser.classes:
            assert row.columns[f"emotion.{name}"] == pytest.approx(expected[f"emotion.{name}"], abs=1e-9)
        assert (row.start, row.end) == pytest.approx((number * 0.3, number * 0.3 + 0.8))
        assert 0 <= row.delay <= 777 / rate + 1e-9


def test_what_is_said_of_each_window_is_said_once(clips, caplog):
    recogniser = loaded(clips, "audio+video.emotion")
    noise = np.random.default_rng(0).uniform(-1, 1, 48_000)
    loud = np.clip(noise * np.linspace(1.5, 3, len(noise)), -1, 1)  # another share of it in each window
    with recogniser.stream(16_000, window=1.0, hop=0.5) as stream:
        rows = stream.push(loud) + stream.finish()
    assert len(rows) == 5
    assert sum("at full scale" in message for message in caplog.messages) == 1


def test_a_window_of_pictures_is_that_of_a_file_with_them_alone(clips):
    recogniser = loaded(clips, "video+audio.emotion")
    path = medium(clips, "mp4")
    frames = list(FramesOnGrid(path, 1000.0))
    length = round(recogniser.features(path).end[0], 6)
    expected = recogniser.predict(path).iloc[0]
    with recogniser.stream(window=length, hop=0.4) as stream:
        rows = [row for turn in range(2) for frame in frames
                for row in stream.push_frame(frame.image, frame.time + turn * length)]  # fmt: skip
        rows += stream.finish()
    assert [row.start for row in rows] == pytest.approx(np.arange(len(rows)) * 0.4)
    again = [row for row in rows if abs(row.start / length - round(row.start / length)) < 1e-6]
    assert len(again) == 2  # the clip, and once more
    for row in again:
        for name in recogniser.classes:
            assert row.columns[f"emotion.{name}"] == pytest.approx(expected[f"emotion.{name}"], abs=1e-5)


def empty_like(frame):
    return np.zeros_like(frame.image)


def test_a_window_with_too_few_faces_says_what_a_file_says(clips, write_video):
    """The first 0.8 s show a face, then nobody is there: windows are refused, the stream goes on."""
    recogniser = loaded(clips, "video+audio.emotion")
    hz = recogniser.corpus.video.faces.frame_rate_hz
    frames = list(FramesOnGrid(medium(clips, "mp4"), hz))[: round(0.8 * hz)]
    shown = [frame.image for frame in frames] + [empty_like(frame) for frame in frames] * 2
    with recogniser.stream(window=0.8, hop=0.4) as stream:
        rows = [row for tick, image in enumerate(shown) for row in stream.push_frame(image, tick / hz)]
        rows += stream.finish()
    assert [row.start for row in rows] == pytest.approx([0.0, 0.4, 0.8, 1.2, 1.6])
    ticks = round(0.8 * hz)
    assert [row.columns.get("refused") for row in rows] == [None, None] + 3 * [
        f"a face was found in 0 of {ticks} frames (0%), wanted at least 50%"
    ]
    assert [row.columns["valid"] for row in rows] == [True, True, False, False, False]
    assert rows[-1].columns["emotion"] is None
    assert json.loads(line("r", rows[-1], 0.0)) | {"start": 0, "end": 0} == {
        "recogniser": "r", "start": 0, "end": 0, "delay": pytest.approx(0, abs=1 / hz + 1e-6), "behind": 0.0,
        "emotion": None, **{f"emotion.{name}": None for name in recogniser.classes}, "valid": False,
        "refused": rows[-1].columns["refused"],
    }  # fmt: skip
    empty = write_video([0] * 10 * ticks, np.arange(10 * ticks) / (10 * hz))
    with pytest.raises(MediaError) as error:
        recogniser.predict(empty)
    assert str(error.value).endswith(rows[-1].columns["refused"])


def test_a_stream_of_traces_says_at_its_end_that_a_file_like_it_is_refused(sessions, caplog):
    recogniser = loaded(sessions, "video+audio.valence")
    hz = recogniser.corpus.video.faces.frame_rate_hz
    frames = list(FramesOnGrid(medium(sessions, "mp4"), hz))
    few = round(0.3 * len(frames))
    with recogniser.stream() as stream:
        for tick, frame in enumerate(frames):
            stream.push_frame(frame.image if tick < few else empty_like(frame), tick / hz)
        assert not caplog.messages
        stream.finish()
    (said,) = caplog.messages
    assert said.startswith(f"the stream: a face was found in {few} of {len(frames)} frames (")
    assert said.endswith("wanted at least 50%: a file like it is refused")


def test_memory_does_not_grow(sessions):
    recogniser = loaded(sessions, "audio+video.arousal")
    samples, rate = samples_of(medium(sessions, "wav"))
    with recogniser.stream(rate) as stream:
        for _ in range(4):
            hear(stream, samples, (rate // 2,))
        assert len(stream.valid) < 50
        assert stream.outputs._kept.shape[1] < 80
        assert len(stream.sources["audio"].rows.kept) < 3


def test_what_does_not_fit_is_said_in_one_sentence(sessions, clips):
    sound, video = loaded(sessions, "audio+video.arousal"), loaded(sessions, "video+audio.arousal")
    emotion = loaded(clips, "audio+video.emotion")
    with sound.stream(16000) as stream:
        with pytest.raises(RecogniserError, match=r"predicts from audio and sees no pictures; .* \(`push`\)"):
            stream.push_frame(np.zeros((4, 4, 3), np.uint8), 0.0)
        stream.push(np.zeros(1600))
        with pytest.raises(MediaError, match=r"the stream: 0\.10 s long, shorter than a window"):
            stream.finish()
    with video.stream() as stream, pytest.raises(RecogniserError, match="from video and hears no sound"):
        stream.push(np.zeros(100))
    for make, sentence in (
        (lambda: sound.stream(), "hears sound, expected its rate"),
        (
            lambda: sound.stream(16000, window=9.0),
            "found window 9 s, expected [0-9.]+ s, which it was trained with",
        ),
        (lambda: emotion.stream(16000), "predicts utterances; expected `window` and `hop`"),
        (lambda: emotion.stream(16000, window=1.0, hop=0.0), "hop 0 s, expected 0.001 to 86400 s"),
        (
            lambda: loaded(clips, "video+audio.emotion").stream(window=1.03, hop=0.2),
            r"window 1\.03 s, expected a whole number of pictures, .* such as 1(\.\d)? s",
        ),
    ):
        with pytest.raises(RecogniserError, match=sentence):
            make()
    with pytest.raises(MediaError, match="100 Hz, expected a whole number of 8000 to 192000"):
        sound.stream(100)
    with pytest.raises(MediaError, match=r"16000.5 Hz, expected a whole number"):
        sound.stream(16000.5)


@pytest.mark.parametrize(
    "times", [(float("inf"), 1.0), (1.0, float("inf")), (float("nan"), 1.0), (1.0, 1e-7)]
)
def test_windows_that_no_recording_has_are_refused(clips, times):
    window, hop = times
    with pytest.raises(RecogniserError, match=r"expected 0.001 to 86400 s"):
        loaded(clips, "audio+video.emotion").stream(16000, window=window, hop=hop)


def test_a_stream_that_has_ended_takes_nothing_any_more(sessions, clips):
    def streams():
        yield loaded(sessions, "audio+video.arousal").stream(16000)
        yield loaded(clips, "audio+video.emotion").stream(16000, window=1.0, hop=1.0)

    for stream in streams():
        stream.push(np.zeros(16000 * 5))
        stream.finish()
        for ask in (lambda s: s.push(np.zeros(100)), lambda s: s.finish()):
            with pytest.raises(RecogniserError, match="the stream is finished and takes nothing any more"):
                ask(stream)
        stream.close()
    for stream in streams():
        stream.close()
        with pytest.raises(RecogniserError, match="the stream is closed and takes nothing any more"):
            stream.push(np.zeros(100))
