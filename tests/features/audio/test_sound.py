"""Sound on the file's clock: against signals made here, and openSMILE called directly."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import opensmile
import pytest

from pipeline.features.audio.functionals import extract
from pipeline.features.audio.sound import read_sound
from pipeline.features.audio.sound_in_pieces import LOUDEST
from pipeline.features.media.opening import MediaError
from pipeline.params import Audio, Grid

RATE = 16000


def tone(seconds, rate_hz, hertz=200.0, level=0.3):
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def write(path, signal, rate_hz, codec, form="fltp", move=lambda time: time, **options):
    """Encode a mono signal; `move` turns the time of a packet into the one it is said to have."""
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        size = stream.codec_context.frame_size or 1024
        packets = []
        for start in range(0, len(signal), size):
            block = signal[None, start : start + size]
            if form in ("s16", "s16p"):
                block = np.round(block * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), form, "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            packets += stream.encode(frame)
        for packet in packets + stream.encode(None):
            time = float(packet.pts * packet.time_base)
            packet.pts += round((move(time) - time) / packet.time_base)
            packet.dts = packet.pts
            container.mux(packet)
    return path


def pitch(signal, start, stop):
    """Return the strongest frequency between two times, Hz."""
    piece = signal[round(start * RATE) : round(stop * RATE)]
    return np.argmax(np.abs(np.fft.rfft(piece))) * RATE / len(piece)


def loud_from(signal, level=0.05):
    return np.flatnonzero(np.abs(signal) > level)[0] / RATE


def loud_voice(rate_hz):
    """Draw a harsh voice that reaches full scale in many places, as recordings of loud speakers do."""
    t = np.arange(3 * rate_hz) / rate_hz
    phase = np.cumsum(140 + 30 * np.sin(3.8 * t)) / rate_hz
    pulses = np.diff(np.floor(phase), prepend=0) + 0.01 * np.random.default_rng(0).normal(size=len(t))
    decay = np.exp(-np.arange(400) / rate_hz * 280) * np.sin(2 * np.pi * 700 * np.arange(400) / rate_hz)
    voice = np.convolve(pulses, decay)[: len(t)] * (0.5 + 0.5 * np.clip(np.sin(9.4 * t), -0.8, 1))
    return np.clip(3 * voice / np.abs(voice).max(), -1, 1) * 0.999


def test_loud_sound_has_the_features_of_the_clipped_signal(write_wav):
    path = write_wav(loud_voice(44100), 44100)
    audio = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=RATE, max_failed_share=0)
    rows = extract(path, audio, Grid(window=None, hop=None))
    # resampled by another library: only what wraps around moves these features
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    signal = np.clip(resample_poly(wavfile.read(path)[1] / 32768, 160, 441), -1, LOUDEST)
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    expected = smile.process_signal(signal.astype(np.float32), RATE)
    for name in (
        "F0semitoneFrom27.5Hz_sma3nz_amean",
        "HNRdBACF_sma3nz_amean",
        "loudness_sma3_amean",
        "F1frequency_sma3nz_amean",
    ):
        assert rows.column(name)[0] == pytest.approx(expected[name].iloc[0], rel=0.02), name


def test_clipped_samples_are_said(write_wav):
    sound = read_sound(write_wav(loud_voice(44100), 44100), RATE)
    assert (sound.signal.min(), sound.signal.max()) == (-1.0, np.float32(LOUDEST))
    (note,) = sound.notes
    assert "of its samples are at full scale or beyond: clipped" in note
    assert read_sound(write_wav(0.5 * loud_voice(44100), 44100, "soft.wav"), RATE).notes == ()


@pytest.mark.parametrize(
    ("count", "full", "notes"),
    [
        (5120, 32767, ("32.0 % of its samples are at full scale or beyond: clipped",)),
        (5120, -32768, ("32.0 % of its samples are at full scale or beyond: clipped",)),
        (16, 32767, ("0.1 % of its samples are at full scale or beyond: clipped",)),
        (15, 32767, ()),
        (5120, 32766, ()),
    ],
)
def test_samples_that_the_recorder_left_at_full_scale_are_clipped(tmp_path, count, full, notes):
    from scipy.io import wavfile

    stored = np.zeros(RATE, np.int16)
    stored[:count] = full
    wavfile.write(tmp_path / "full.wav", RATE, stored)
    sound = read_sound(tmp_path / "full.wav", RATE)  # not resampled: nothing overshoots
    assert sound.notes == notes
    np.testing.assert_array_equal(sound.signal, stored / np.float32(32768))


def test_a_single_overshoot_is_clipped_and_not_worth_a_note(tmp_path):
    signal = tone(1, RATE)
    signal[4000] = 1.5
    sound = read_sound(write_float_wav(tmp_path / "peak.wav", signal), RATE)
    assert (sound.notes, sound.signal[4000]) == ((), np.float32(LOUDEST))


def write_float_wav(path, signal):
    from scipy.io import wavfile

    wavfile.write(path, RATE, signal.astype(np.float32))
    return path


def test_floats_in_the_scale_of_integers_are_refused(tmp_path):
    path = write_float_wav(tmp_path / "int.wav", 32768 * tone(1, RATE))
    with pytest.raises(MediaError, match=r"int\.wav: samples up to 98\d\d\.\d+, expected within \[-1, 1\]"):
        read_sound(path, RATE)


@pytest.mark.parametrize("rate_hz", [RATE, 8000])
def test_samples_that_are_no_numbers_are_silence_and_named(tmp_path, rate_hz):
    signal = tone(1, RATE)
    signal[4000:4100] = np.nan
    signal[8000] = np.inf
    sound = read_sound(write_float_wav(tmp_path / "nan.wav", signal), rate_hz)
    assert np.isfinite(sound.signal).all()
    assert sound.damage.share == pytest.approx(101 / RATE, abs=1e-5)
    assert "101 samples are not finite numbers), first at 0.25 s" in sound.damage.words


def test_tags_in_another_encoding_are_no_fault(tmp_path):
    path = write(tmp_path / "a.mkv", tone(2, RATE), RATE, "pcm_s16le", "s16")
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.avi"), "w") as target:
        target.metadata["title"] = "Grxxe"
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    tagged = tmp_path / "tagged.avi"
    tagged.write_bytes((tmp_path / "b.avi").read_bytes().replace(b"Grxxe", b"Gr\xfc\xdfe"))
    assert read_sound(tagged, RATE).duration == pytest.approx(2.0, abs=0.001)


def test_rate_and_channels_that_change_in_the_stream(tmp_path):
    """Joined MPEG frames, as radio captures and joined mp3s have them: 1 s each of 200, 400 and 600 Hz."""
    blob = b""
    for number, rate_hz in enumerate((44100, 48000, 32000)):
        part = write(tmp_path / "p.mp2", tone(1, rate_hz, 200 * (number + 1)), rate_hz, "mp2", "s16")
        blob += part.read_bytes()
    (tmp_path / "joined.mp2").write_bytes(blob)
    sound = read_sound(tmp_path / "joined.mp2", RATE)
    assert sound.duration == pytest.approx(3.0, abs=0.15)  # a coded frame has up to 36 ms, the last is filled
    thirds = np.linspace(0, sound.duration, 4)
    for number in range(3):
        got = pitch(sound.signal, thirds[number] + 0.1, thirds[number + 1] - 0.1)
        assert got == pytest.approx(200 * (number + 1), abs=3)


@pytest.mark.parametrize(
    ("name", "codec", "form", "rate_hz"),
    [
        ("a.webm", "libopus", "s16", 48000),
        ("a.mkv", "aac", "fltp", 44100),
        ("a.mp4", "aac", "fltp", 48000),
        ("b.mkv", "pcm_s16le", "s16", 22050),
    ],
)
def test_a_hole_in_the_stamps_is_silence(tmp_path, name, codec, form, rate_hz):
    signal = np.concatenate([tone(2, rate_hz, 200), tone(2, rate_hz, 600)])
    path = write(tmp_path / name, signal, rate_hz, codec, form, lambda time: time + 3 * (time >= 2))
    sound = read_sound(path, RATE)
    assert sound.duration == pytest.approx(7.0, abs=0.06)
    assert pitch(sound.signal, 0.2, 1.9) == pytest.approx(200, abs=2)
    assert np.abs(sound.signal[round(2.1 * RATE) : round(4.9 * RATE)]).max() < 0.01
    assert loud_from(sound.signal[round(2.2 * RATE) :]) + 2.2 == pytest.approx(5.0, abs=0.05)
    assert pitch(sound.signal, 5.1, 6.8) == pytest.approx(600, abs=2)
    assert "1 holes, 3.0" in sound.notes[0]


def test_stamps_that_are_off_by_their_rounding_move_nothing(tmp_path):
    signal = tone(4, 44100, 333)
    plain = read_sound(write(tmp_path / "a.mkv", signal, 44100, "pcm_s16le", "s16"), RATE)
    draw = np.random.default_rng(1)
    path = write(
        tmp_path / "b.mkv", signal, 44100, "pcm_s16le", "s16",
        lambda time: max(0.0, time + draw.uniform(-0.008, 0.008)),
    )  # fmt: skip
    jittered = read_sound(path, RATE)
    assert jittered.notes == ()
    lag = len(jittered.signal) - len(plain.signal)
    assert abs(lag) <= 0.009 * RATE
    assert lag >= 0
    np.testing.assert_array_equal(jittered.signal[lag:], plain.signal)


@pytest.mark.parametrize(("name", "codec", "form"), [("p.ogg", "libopus", "s16"), ("p.ts", "aac", "fltp")])
def test_files_joined_end_to_end_run_on(tmp_path, name, codec, form):
    parts = [
        write(tmp_path / f"{hertz}{name}", tone(2, 48000, hertz), 48000, codec, form).read_bytes()
        for hertz in (300, 700)
    ]
    (tmp_path / name).write_bytes(b"".join(parts))
    sound = read_sound(tmp_path / name, RATE)
    assert sound.duration == pytest.approx(4.0, abs=0.1)
    assert pitch(sound.signal, 0.2, 1.8) == pytest.approx(300, abs=2)
    assert pitch(sound.signal, 2.2, 3.8) == pytest.approx(700, abs=2)


@pytest.mark.parametrize("back", [0.5, 1.5])
def test_parts_of_a_transport_stream_run_on_wherever_their_clocks_begin(tmp_path, back):
    """As FFmpeg does: what was recorded is kept, though its stamps were there before."""
    parts = [
        write(
            tmp_path / f"{number}.ts",
            tone(3, 48000, hertz),
            48000,
            "aac",
            "fltp",
            lambda time, o=offset: time + o,
        ).read_bytes()
        for number, (hertz, offset) in enumerate(((300, 0.0), (700, 3.0 - back)))
    ]
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    sound = read_sound(tmp_path / "both.ts", RATE)
    assert sound.duration == pytest.approx(6.0, abs=0.15)
    assert pitch(sound.signal, 3.2, 5.8) == pytest.approx(700, abs=2)


def test_an_overlap_is_dropped_and_said(tmp_path):
    """Stamps of a file with one clock that go back: what was laid first stays."""
    options = {"options": {"cluster_time_limit": "500"}}
    path = write(tmp_path / "a.mkv", tone(3, 48000, 300), 48000, "pcm_s16le", "s16", **options)
    blob = bytearray(path.read_bytes())
    # all clusters from 1.5 s on are said to begin half a second earlier
    for place in range(len(blob) - 4):
        if blob[place : place + 4] == b"\x1f\x43\xb6\x75":
            stamp = blob.index(b"\xe7", place + 5)
            first, size = stamp + 2, blob[stamp + 1] & 0x7F
            time = int.from_bytes(blob[first : first + size], "big")
            if time >= 1500:
                blob[first : first + size] = (time - 500).to_bytes(size, "big")
    path.write_bytes(blob)
    sound = read_sound(path, RATE)
    assert sound.duration == pytest.approx(2.5, abs=0.06)
    (note,) = sound.notes
    assert float(note.split()[0]) == pytest.approx(0.5, abs=0.05)
    assert note.endswith("s of its sound overlap by their time stamps: dropped")


def test_a_jump_of_hours_is_refused_and_one_wrong_stamp_is_not(tmp_path):
    signal = tone(4, 48000)
    path = write(
        tmp_path / "a.mkv", signal, 48000, "pcm_s16le", "s16", lambda time: time + 7200 * (time >= 2)
    )
    with pytest.raises(MediaError, match=r"a\.mkv: its time stamps jump ahead by 720\d s at 2\.0 s"):
        read_sound(path, RATE)
    last = write(
        tmp_path / "b.mkv", signal, 48000, "pcm_s16le", "s16", lambda time: time + 7200 * (time >= 3.97)
    )
    assert read_sound(last, RATE).duration == pytest.approx(4.0, abs=0.03)


def damage(path, number, filling=b"\0"):
    """Overwrite a packet of sound."""
    blob = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(container.streams.audio[0]) if p.size]
    place, size = packets[number]
    blob[place : place + size] = filling * size
    target = path.with_stem(f"{path.stem}_damaged")
    target.write_bytes(blob)
    return target


@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
def test_a_damaged_packet_is_silence(tmp_path, filling):
    path = write(tmp_path / "a.mp4", tone(6, 44100), 44100, "aac")
    whole, sound = read_sound(path, RATE), read_sound(damage(path, 60, filling), RATE)
    assert len(sound.signal) == pytest.approx(len(whole.signal), abs=2)
    assert 0 < sound.damage.share < 0.05 / 6
    assert "cannot be decoded, first at 1.37 s: silence there" in sound.damage.words
    np.testing.assert_array_equal(sound.signal[: round(1.3 * RATE)], whole.signal[: round(1.3 * RATE)])
    # behind it the same sound at the same place
    np.testing.assert_allclose(
        sound.signal[2 * RATE : 5 * RATE], whole.signal[2 * RATE : 5 * RATE], atol=0.02
    )


def test_the_default_stream_is_taken(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        streams[0].disposition = av.stream.Disposition.comment
        streams[1].disposition = av.stream.Disposition.default
        for stream, hertz in zip(streams, (200, 500), strict=True):
            samples = np.round(tone(1, RATE, hertz)[None] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            container.mux(stream.encode(frame) + stream.encode(None))
    assert pitch(read_sound(path, RATE).signal, 0.1, 0.9) == pytest.approx(500, abs=2)


@pytest.mark.parametrize(
    "error", [ValueError("odd"), IndexError("far"), UnicodeDecodeError("utf-8", b"\xfc", 0, 1, "bad")]
)
def test_whatever_a_decoder_throws_is_a_fault_of_that_file(tmp_path, monkeypatch, error):
    path = write(tmp_path / "a.mkv", tone(1, RATE), RATE, "pcm_s16le", "s16")

    def thrown(*_, **__):
        raise error

    monkeypatch.setattr("pipeline.features.media.opening.av.open", thrown)
    with pytest.raises(MediaError, match=rf"a\.mkv: cannot be decoded \({type(error).__name__}"):
        read_sound(path, RATE)
