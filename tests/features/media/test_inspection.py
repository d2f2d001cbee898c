"""One verdict on a file: what `emobed check` says of it is what the stages do with it."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.features.audio.functionals import extract
from pipeline.features.extraction.engine import ExtractionError
from pipeline.features.extraction.engine import extract as run_stage
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from pipeline.features.media.damage import require_whole
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.inspection import compare, inspect
from pipeline.features.media.opening import MediaError
from pipeline.running.workshop import Workshop
from pipeline.store.adopt import adopt
from pipeline.store.tables import FeatureTable
from pipeline.store.units import UnitStore
from tests.features.audio.test_sound import damage, tone, write
from tests.recordings import recording

RATE = 16000


@pytest.fixture(scope="module")
def corpus(params):
    return params.corpora["demo_clips"]


def verdict(path, corpus):
    """Return what extraction says of the sound of a file: None, or why it is left out."""
    try:
        rows = extract(path, corpus.audio, corpus.grid)
        require_whole(path, rows.damage, corpus.audio.max_damaged_share, "audio.max_damaged_share")
    except MediaError as error:
        return str(error).removeprefix(f"{path}: ")
    return None


def same_verdict(path, corpus):
    """Return the one verdict of check and of extraction on a file's sound."""
    (found,) = inspect(path, "audio", corpus).problems or [None]
    assert found == verdict(path, corpus)
    return found


def plain_wav(path, seconds, **header):
    """Write a wav file of 16 bit whose header states other lengths than it has."""
    data = np.round(tone(seconds, RATE) * 32767).astype("<i2").tobytes()
    riff, stated = header.get("riff", 36 + len(data)), header.get("data", len(data))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    path.write_bytes(
        struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form + struct.pack("<4sI", b"data", stated) + data
    )
    return path


@pytest.mark.parametrize(
    "stated", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF - 36, 0], ids=hex
)
def test_a_length_that_was_not_known_is_no_fault(tmp_path, corpus, stated):
    path = plain_wav(tmp_path / "a.wav", 2, riff=min(stated + 36, 0xFFFFFFFF), data=stated)
    assert same_verdict(path, corpus) is None
    assert inspect(path, "audio", corpus).duration == 2.0


def test_a_mean_rate_in_the_header_is_no_length(tmp_path, corpus):
    path = write(tmp_path / "a.wav", tone(2, RATE), RATE, "adpcm_ima_wav", "s16p")
    assert same_verdict(path, corpus) is None


def test_a_length_that_was_known_and_is_not_there_is_a_fault(tmp_path, corpus):
    path = plain_wav(tmp_path / "a.wav", 2, riff=36 + 6 * RATE, data=6 * RATE)
    assert same_verdict(path, corpus).startswith(
        "breaks off at 2.0 s of the 3.0 s that its header states (33"
    )
    whole = plain_wav(tmp_path / "b.wav", 2, riff=36 + 4 * RATE + 100, data=4 * RATE + 100)
    assert same_verdict(whole, corpus) is None


@pytest.mark.parametrize("milliseconds", [5, 10, 20, 30, 50, 60, 80])
def test_too_short_for_frames(tmp_path, corpus, milliseconds):
    path = plain_wav(tmp_path / "a.wav", milliseconds / 1000)
    assert same_verdict(path, corpus) == (
        f"{milliseconds / 1000:.3f} s long, too short for openSMILE's frames, expected 0.1 s at least"
    )


def test_what_is_long_enough_has_numbers(tmp_path, corpus):
    path = plain_wav(tmp_path / "a.wav", 0.1)
    assert same_verdict(path, corpus) is None
    assert extract(path, corpus.audio, corpus.grid).valid.all()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.flac", "a.avi", "a.flv"])
def test_a_file_that_breaks_off(tmp_path, corpus, name):
    codec, form = ("flac", "s16") if name == "a.flac" else ("aac", "fltp")
    options = {"options": {"movflags": "faststart"}} if name == "a.mp4" else {}
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 4 * 44100).astype(np.float32)
    path = write(tmp_path / name, noise, 44100, codec, form, **options)
    assert same_verdict(path, corpus) is None
    blob = path.read_bytes()
    path.write_bytes(blob[: len(blob) * 6 // 10])
    found = same_verdict(path, corpus)
    assert found.startswith("breaks off at ")
    assert 1.5 < float(found.split()[3]) < 2.8
    assert " s of the 4." in found
    path.write_bytes(blob[: len(blob) * 99 // 100])
    assert same_verdict(path, corpus) is None


def test_sound_that_is_shorter_than_the_video_is_not_broken_off(tmp_path, corpus):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        samples = np.round(tone(2, RATE)[None] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(sound.encode(frame) + sound.encode(None))
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    assert same_verdict(path, corpus) is None
    both = [inspect(path, modality, corpus) for modality in ("audio", "video")]
    assert both[1].duration == pytest.approx(5.0, abs=0.05)
    assert compare(*both) == ["the sound lasts 2.0 s, the video 5.0 s"]


def write_pictures(path, seconds=6.0):
    draw = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(round(seconds * 10)):
            image = draw.integers(0, 255, (64, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def without_packets(path, numbers):
    blob = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(container.streams.video[0]) if p.size]
    for number in numbers:
        place, size = packets[number]
        blob[place : place + size] = bytes(size)
    target = path.with_stem("damaged")
    target.write_bytes(blob)
    return target


def test_a_picture_that_cannot_be_decoded_is_the_one_before(tmp_path, corpus):
    path = without_packets(write_pictures(tmp_path / "a.mp4"), [25])
    video = FramesOnGrid(path, 10.0)
    ticks = {tick: frame for frame in video for tick in frame.ticks}
    assert ticks[25] is ticks[24]
    assert sorted(ticks) == list(range(60))
    assert video.duration == pytest.approx(6.0)
    assert video.damage.share == pytest.approx(0.1 / 6, abs=1e-4)
    seen = inspect(path, "video", corpus)
    assert seen.problems == []
    assert seen.notes == [video.damage.words]
    assert "1 pictures (0.10 s) cannot be decoded, first at 2.50 s" in video.damage.words


def test_many_pictures_that_cannot_be_decoded_are_a_failure(tmp_path, corpus):
    path = without_packets(write_pictures(tmp_path / "a.mp4"), range(20, 26))
    (found,) = inspect(path, "video", corpus).problems
    assert "(10.0% of it, allowed is 5.0%: video.faces.max_damaged_share)" in found


def test_several_streams_are_said(tmp_path, corpus):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(3)]
        streams[1].disposition = av.stream.Disposition.default
        for stream in streams:
            samples = np.round(tone(1, RATE)[None] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            container.mux(stream.encode(frame) + stream.encode(None))
    assert inspect(path, "audio", corpus).notes == ["has 3 sound streams: number 2 is read (its default)"]


def test_a_limit_is_held_wherever_the_rows_come_from(tmp_path, corpus):
    """Computed, from the store, from the table that was kept, and from one that was pulled."""
    path = damage(write(tmp_path / "a.mp4", tone(3, 44100), 44100, "aac"), 60)
    item = recording("a", "train", "s", path, None, "0" * 64)
    table = tmp_path / "table"

    def run(limit, store):
        audio = corpus.audio.model_copy(update={"max_damaged_share": limit})
        own = corpus.model_copy(update={"audio": audio, "extract": ("audio",), "root": tmp_path})
        chosen = extractor_of("extract_audio", own)
        stage = Stage("extract_audio", "audio", chosen, own.audio.max_failed_share)
        run_stage(stage, own, [item], table, Workshop(UnitStore(store)))
        return FeatureTable.open(table).recordings

    store = tmp_path / "store"
    assert run(0.05, store) == ["a"]
    with pytest.raises(ExtractionError, match=r"cannot be decoded, .*\(0\.8% of it, allowed is 0\.1%"):
        run(0.001, store)
    assert run(0.05, store) == ["a"]
    adopt(table, UnitStore(store), "audio")  # keeps the table
    with pytest.raises(ExtractionError, match=r"allowed is 0\.1%"):
        run(0.001, store)
    pulled = tmp_path / "pulled"
    assert adopt(table, UnitStore(pulled), "audio") == 1
    path.unlink()
    with pytest.raises(ExtractionError, match=r"allowed is 0\.1%"):
        run(0.001, pulled)
    assert run(0.05, pulled) == ["a"]
