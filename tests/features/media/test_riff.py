"""Longer packets of wav files: the same samples, and nothing else is read otherwise."""

import struct

import av
import numpy as np
import pytest
import soundfile

from pipeline.features.audio.sound import read_sound
from pipeline.features.media import opening
from pipeline.features.media.riff import LONGEST, packet_options

RATE = 16_000


def written(path, subtype, channels=1, seconds=5.3):
    signal = np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * RATE), channels))
    soundfile.write(path, signal, RATE, subtype)
    return path


@pytest.mark.parametrize(
    ("subtype", "channels", "frame"),
    [
        ("PCM_16", 1, 2),
        ("PCM_24", 7, 21),
        ("DOUBLE", 2, 16),
        ("FLOAT", 1, 4),
        ("ALAW", 1, 1),
        ("PCM_U8", 2, 2),
    ],
)
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_plain_samples_come_in_packets_of_a_second(subtype, channels, frame, kind, tmp_path):
    path = tmp_path / "a.wav"
    signal = np.random.default_rng(0).uniform(-0.5, 0.5, (5 * RATE, channels))
    soundfile.write(path, signal, RATE, subtype, format=kind)
    assert packet_options(path)["max_size"] == str(RATE * frame)
    with opening.open_media(path) as container:
        packets = [packet.size for packet in container.demux(audio=0) if packet.size]
    assert packets == [RATE * frame] * 5


@pytest.mark.parametrize("cut", [0, 1, 1001, 41_000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_what_is_heard_is_the_same(subtype, cut, tmp_path, monkeypatch):
    path = written(tmp_path / "a.wav", subtype)
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    longer = read_sound(path, RATE)
    lower = read_sound(path, 11_025)
    monkeypatch.setattr(opening, "packet_options", lambda path: {})
    for expected, found in ((read_sound(path, RATE), longer), (read_sound(path, 11_025), lower)):
        np.testing.assert_array_equal(found.signal, expected.signal)
        assert (found.damage, found.notes) == (expected.damage, expected.notes)


def test_packets_of_other_formats_stay_as_they_are(tmp_path):
    assert packet_options(written(tmp_path / "a.wav", "MS_ADPCM")) == {}
    assert packet_options(written(tmp_path / "a.flac", "PCM_16")) == {}
    (tmp_path / "short.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00")
    assert packet_options(tmp_path / "short.wav") == {}


@pytest.mark.parametrize(("stated", "said"), [(0.5, True), (0.995, False), (1.0, False), (2.0, False)])
def test_sound_behind_what_the_header_states_is_named(stated, said, tmp_path):
    path = written(tmp_path / "a.wav", "PCM_16")
    whole = path.read_bytes()
    place = whole.index(b"data") + 4
    size = 2 * round(stated * (len(whole) - place - 4) / 2)
    path.write_bytes(whole[:place] + struct.pack("<I", size) + whole[place + 4 :])
    sentence = f"{len(whole) - place - 4 - size} bytes lie behind the sound that its header states"
    assert any(note.startswith(sentence) for note in read_sound(path, RATE).notes) == said


def test_a_chunk_behind_the_samples_is_no_sound(tmp_path):
    path = written(tmp_path / "a.wav", "PCM_16")
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 50_000) + bytes(50_000))
    assert read_sound(path, RATE).notes == ()


def test_a_header_that_lies_of_its_rate_makes_no_packet_of_gigabytes(tmp_path):
    path = written(tmp_path / "a.wav", "PCM_16")
    whole = path.read_bytes()
    place = whole.index(b"fmt ") + 16
    path.write_bytes(whole[:place] + struct.pack("<I", 0xFFFF_FFFF) + whole[place + 4 :])
    assert packet_options(path)["max_size"] == str(LONGEST)
    assert len(read_sound(path, RATE).signal) == round(5.3 * RATE)


def test_a_compressed_stream_behind_a_head_of_plain_samples_is_still_found(tmp_path):
    rate = 48_000
    with av.open(str(tmp_path / "a.ac3"), "w", format="ac3") as out:
        stream = out.add_stream("ac3", rate, layout="stereo")
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 4 * rate)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(noise, "fltp", "stereo")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    data = (tmp_path / "a.ac3").read_bytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 2, rate, 4 * rate, 4, 16
    )
    (tmp_path / "a.wav").write_bytes(head + struct.pack("<4sI", b"data", len(data)) + data)
    for options in ({}, packet_options(tmp_path / "a.wav")):
        with av.open(str(tmp_path / "a.wav"), options=options) as container:
            assert container.streams.audio[0].codec_context.name == "ac3"
