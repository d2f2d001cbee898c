"""Devices and pipes that predict as they come, with made-up devices."""

from __future__ import annotations

import io
import json
import struct
import sys
import threading
import time
import types

import numpy as np
import pytest

from pipeline.recogniser import Recogniser
from pipeline.recogniser.live import InputError, Listener, Piece, line, predict_live
from pipeline.recogniser.live_inputs import CameraInput, MicrophoneInput, PipeInput
from pipeline.recogniser.stream import Stream, StreamRow
from tests.recogniser.test_stream import samples_of


class Counting(Stream):
    """A stream that gives a row for each piece."""

    def __init__(self, pause=0.0):
        self.samples, self.pictures, self.pause, self.closed = [], [], pause, False

    def _row(self):
        time.sleep(self.pause)
        number = float(len(self.samples) + len(self.pictures))
        return [
            StreamRow(number, number + 1, 0.5, {"arousal": np.float64(0.25), "arousal.seed_spread": np.nan})
        ]

    def push(self, samples):
        self.samples.append(samples)
        return self._row()

    def push_frame(self, picture, time):
        self.pictures.append((picture, time))
        return self._row()

    def finish(self):
        return [StreamRow(99.0, 100.0, 0.0, {"arousal": 1.0, "valid": np.True_})]

    def close(self):
        self.closed = True


def header(rate, channels, bits=16, form=1, size=0xFFFFFFFF, extra=b""):
    fmt = struct.pack(
        "<HHIIHH", form, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )
    return (b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + extra + b"fmt " + struct.pack("<I", 16) + fmt
            + b"data" + struct.pack("<I", size))  # fmt: skip


class Slow(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data, at_once):
        self.data, self.at_once = data, at_once

    def read(self, size=-1):
        size = len(self.data) if size < 0 else size
        found, self.data = self.data[:size], self.data[size:]
        return found

    def read1(self, size):
        return self.read(min(size, self.at_once))


def heard(source):
    return np.concatenate([piece.samples for piece in source.pieces()], axis=1)


@pytest.mark.parametrize("at_once", [1, 3, 7, 10_000])
def test_samples_of_a_pipe_are_those_that_went_in(at_once):
    samples = np.random.default_rng(0).integers(-30000, 30000, (2, 501)).astype(np.int16)
    raw = samples.T.tobytes()
    np.testing.assert_array_equal(heard(PipeInput(Slow(raw, at_once), 16000, 2)), samples)
    for extra in (b"", b"LIST" + struct.pack("<I", 3) + b"abc\0"):
        source = PipeInput(Slow(header(44100, 2, extra=extra) + raw, at_once), None)
        assert source.rate == 44100
        np.testing.assert_array_equal(heard(source), samples)
    # a header that knows its length: what stands behind the samples is none
    source = PipeInput(Slow(header(8000, 2, size=len(raw)) + raw + b"LIST????", at_once), None)
    np.testing.assert_array_equal(heard(source), samples)
    floats = (samples / 32768).astype(np.float32)
    source = PipeInput(Slow(header(8000, 2, 32, 3) + floats.T.tobytes(), at_once), None)
    np.testing.assert_array_equal(heard(source), floats)


@pytest.mark.parametrize(
    ("data", "rate", "sentence"),
    [
        (b"", 16000, "standard input is empty"),
        (b"\0" * 40, None, "no WAV header; expected one, or --rate"),
        (header(16000, 1)[:30], None, "ends within its WAV header"),
        (header(16000, 1, 24), None, "announces format 1, 24 bits and 1 channels, expected PCM"),
        (header(16000, 0), None, "16 bits and 0 channels"),
        (header(16000, 1)[:12] + b"data" + struct.pack("<I", 8), None, "no part `fmt `"),
        (header(16000, 1)[:12] + b"junk" + struct.pack("<I", 2**31), None, "a part of 2147483648 bytes"),
    ],
)
def test_a_pipe_that_is_no_sound_is_refused(data, rate, sentence):
    with pytest.raises(InputError, match=sentence):
        PipeInput(io.BytesIO(data), rate)


def test_each_row_is_a_line_that_is_out_at_once():
    class Out(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    out, stream = Out(), Counting()
    count = predict_live({"a": stream}, PipeInput(Slow(b"\1\0" * 500, 250), 16000), out, pytest.fail, 1.0)
    lines = [json.loads(text) for text in out.getvalue().splitlines()]
    assert count == len(lines)
    assert out.flushed >= len(lines)
    assert lines[0] | {"behind": 0} == {
        "recogniser": "a", "start": 1.0, "end": 2.0, "delay": 0.5, "behind": 0, "arousal": 0.25,
        "arousal.seed_spread": None,
    }  # fmt: skip
    assert 0 <= lines[0]["behind"] < 5
    assert lines[-1]["valid"] is True
    assert stream.closed


def test_lines_are_json_without_words_for_numbers():
    row = StreamRow(0.0, 1.0, 0.1, {"x": float("inf"), "y": np.float32(0.5), "z": "joy"})
    assert json.loads(line("a", row, 0.0)) == {
        "recogniser": "a", "start": 0.0, "end": 1.0, "delay": 0.1, "behind": 0.0, "x": None, "y": 0.5,
        "z": "joy",
    }  # fmt: skip


class Device:
    """A device that gives as many pieces as asked for without waiting."""

    waits = False

    def __init__(self, pieces, rate=None):
        self.given, self.rate, self.done, self.held = pieces, rate, threading.Event(), False
        self.over = threading.Event()

    def pieces(self):
        yield from self.given
        self.done.set()
        if self.held:
            self.over.wait(10)

    def close(self):
        self.over.set()


def test_sound_that_is_lost_is_silence_and_is_said():
    pieces = [Piece(time.monotonic(), samples=np.full((1, 100), k + 1, np.int16)) for k in range(200)]
    source = Device(pieces, rate=1000)
    source.held = True
    listener = Listener(source)
    assert source.done.wait(5)
    time.sleep(0.05)
    waiting = listener._queue.qsize()
    assert waiting == 64  # bounded
    assert listener.lost == pytest.approx((200 - 64) * 0.1)
    first = next(listener.pieces())
    listener._put(Piece(time.monotonic(), samples=np.full((1, 100), 7, np.int16)))
    rest = [listener._queue.get() for _ in range(64)]
    whole = np.concatenate([first.samples, *(piece.samples for piece in rest)], axis=1)
    assert whole.shape[1] == 201 * 100  # times stay right
    np.testing.assert_array_equal(whole[0, 6400:-100], 0)
    np.testing.assert_array_equal(whole[0, -100:], 7)
    listener.close()


def test_falling_behind_is_said_and_pictures_are_left_out():
    picture = np.zeros((2, 2, 3), np.uint8)
    pieces = [Piece(time.monotonic() - 3, picture=picture, time=k / 25) for k in range(100)]
    said = []
    predict_live({"a": Counting(pause=0.002)}, Device(pieces), io.StringIO(), said.append, 0.2)
    assert len(said) == 1  # not again and again
    assert "falls behind by 3." in said[0]
    assert "too slow" in said[0]


def test_a_pipe_that_gives_more_than_its_time_makes_nobody_late():
    said = []
    quick = Slow(b"\1\0" * 16_000 * 60, 32_000)  # a minute, at once; each second takes a fiftieth of one
    predict_live({"a": Counting(pause=0.02)}, PipeInput(quick, 16000), io.StringIO(), said.append, 0.01)
    assert said == []
    slow = Slow(b"\1\0" * 160 * 30, 320)  # a hundredth of a second takes five of them
    predict_live({"a": Counting(pause=0.05)}, PipeInput(slow, 16000), io.StringIO(), said.append, 0.01)
    assert len(said) == 1
    assert "falls behind" in said[0]


def test_a_reader_that_has_gone_ends_it():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    stream = Counting()
    with pytest.raises(BrokenPipeError):
        predict_live({"a": stream}, PipeInput(Slow(b"\0" * 4000, 100), 16000), Gone(), print, 1.0)
    assert stream.closed


class PortAudioError(Exception):
    """As sounddevice's own."""


def sounds(monkeypatch, pieces):
    """Put a made-up sounddevice in place."""

    class InputStream:
        def __init__(self, *, samplerate, device, channels, dtype, callback, blocksize):
            if device == "none":
                raise PortAudioError("no such device")
            self.callback, self.channels, self.blocksize = callback, channels, blocksize

        def start(self):
            for piece in pieces:
                self.callback(piece, len(piece), None, None)
            self.callback(np.zeros((0, 1), np.int16), 0, None, None)

        def close(self):
            pass

    module = types.SimpleNamespace(
        InputStream=InputStream, PortAudioError=PortAudioError,
        query_devices=lambda device, kind: {"default_samplerate": 44100.0},
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def test_a_microphone(monkeypatch):
    pieces = [np.full((50, 1), k, np.int16) for k in range(5)]
    sounds(monkeypatch, pieces)
    source = MicrophoneInput("1", None)
    assert source.rate == 44100
    source.close()
    np.testing.assert_array_equal(heard(source), np.concatenate(pieces).T)
    with pytest.raises(InputError, match=r"no microphone can be opened \('none': no such device\)"):
        MicrophoneInput("none", 16000)


def test_without_sounddevice_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InputError, match=r"sounddevice: pip install 'emobed\[live\]'"):
        MicrophoneInput(None, 16000)


def test_a_camera_gives_pictures_in_rgb(monkeypatch):
    class VideoCapture:
        def __init__(self, chosen):
            self.chosen, self.left = chosen, 3

        def isOpened(self):  # noqa: N802
            return self.chosen != 7

        def read(self):
            self.left -= 1
            return self.left >= 0, np.full((4, 6, 3), (9, 0, 1), np.uint8)

        def release(self):
            pass

    monkeypatch.setattr("cv2.VideoCapture", VideoCapture)
    found = list(CameraInput("1").pieces())
    assert len(found) == 3
    np.testing.assert_array_equal(found[0].picture[0, 0], (1, 0, 9))
    assert found[0].time == 0.0
    assert found[0].time <= found[1].time <= found[2].time
    with pytest.raises(InputError, match=r"no camera can be opened \(7\)"):
        CameraInput("7")


def test_lines_of_a_pipe_are_the_predictions_of_the_file(tiny_recognisers):
    recogniser = Recogniser.load(tiny_recognisers / "audio+video.arousal")
    path = tiny_recognisers.parent / "speech.wav"
    samples, rate = samples_of(path)
    out = io.StringIO()
    source = PipeInput(io.BytesIO(header(rate, len(samples)) + samples.T.tobytes()), None)
    predict_live({"own": recogniser.stream(rate)}, source, out, print, 0.4)
    found = [json.loads(text)["arousal"] for text in out.getvalue().splitlines()]
    np.testing.assert_allclose(found, recogniser.predict(path)["arousal"], atol=2e-6)


def test_a_rate_that_contradicts_the_header_is_refused():
    with pytest.raises(InputError, match="the WAV header says 8000 Hz and --rate 16000, expected the same"):
        PipeInput(io.BytesIO(header(8000, 1)), 16000)
    assert PipeInput(io.BytesIO(header(8000, 1)), 8000).rate == 8000
