"""Files that are not what their name says, or not media at all."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from pathlib import Path

import numpy as np
import soundfile

from tests.features.hard_media.bytes import patch
from tests.features.hard_media.case import Case, Refused
from tests.features.hard_media.film import NOT_MEDIA, SECONDS, WHOLE_SOUND, sound
from tests.features.hard_media.signals import tones
from tests.features.hard_media.writing import Pictures, write


def _wrong_name(name: str, inner: str, codec: str, rate: int) -> Case:
    def make(path: Path) -> None:
        write(path, sound(rate, codec), container_format=inner)

    return Case(name, make, WHOLE_SOUND)


def _named(name: str) -> Case:
    """A good file whose name means something to a shell, to FFmpeg or to a csv file."""
    return Case(name, lambda path: soundfile.write(path, tones(*SECONDS)[0], 16000), WHOLE_SOUND)


def _vast(name: str, codec: str, pix_fmt: str, mark: bytes, kind: str, letters: str = "G") -> Case:
    """A small picture whose header states thousands of millions of pixels. mark: stands before its size."""

    def make(path: Path) -> None:
        write(path, Pictures(letters, codec, pix_fmt=pix_fmt))
        patch(path, path.read_bytes().index(mark) + len(mark), struct.pack(kind, 30000, 30000))

    return Case(name, make, seen=Refused("."))


def _content(name: str, content: bytes, words: str = NOT_MEDIA) -> Case:
    return Case(name, lambda path: path.write_bytes(content) and None, Refused(words), Refused(words))


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("clip.mp4", b"\0" * 5000)
    return target.getvalue()


def _header_only(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))


def _field(name: str, at: int, kind: str, value: int) -> Case:
    """A wav with one wrong number in its description of the sound."""

    def make(path: Path) -> None:
        soundfile.write(path, tones((300, 1.0))[0], 16000)
        patch(path, at, struct.pack(kind, value))

    return Case(name, make, Refused("."))


CASES = [
    _wrong_name("really_mp3.wav", "mp3", "libmp3lame", 44100),
    _wrong_name("really_wav.mp3", "wav", "pcm_s16le", 16000),
    _wrong_name("really_webm.mp4", "webm", "libopus", 48000),
    _wrong_name("really_mp4.avi", "mp4", "aac", 48000),
    Case(
        "no_name",
        lambda path: write(path, sound(16000, "flac"), container_format="flac"),
        WHOLE_SOUND,
    ),
    *map(
        _named,
        ("50% louder %d.wav", "Grüße – 1.wav", "concat:a|b.wav", "a'b, c;d [1]*?.wav", "take 1 = 1+1.wav"),
    ),
    _content("text.mp4", b"this is no video at all\n" * 200),
    _content("page.mp4", b"<!DOCTYPE html>\n<html><body>404 not found</body></html>\n" * 20),
    _content("archive.mp4", _zip()),
    _content("table.wav", b"time,value\n0.0,1.0\n" * 100),
    _content("zeros.mp4", bytes(20000)),
    _content("noise.mp4", np.random.default_rng(3).integers(0, 255, 30000, np.uint8).tobytes()),
    _content(
        "pointer.mp4",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1234\n",
    ),
    _content("empty.mp4", b"", "empty"),
    _content("one_byte.wav", b"R", NOT_MEDIA),
    Case(
        "folder.wav",
        lambda path: path.mkdir(),
        Refused("folder|directory|no such file"),
        Refused("folder|directory|no such file"),
    ),
    Case("dangling.wav", lambda path: path.symlink_to("nowhere.wav"), Refused("no such file")),
    Case("missing.wav", lambda path: None, Refused("no such file"), Refused("no such file")),
    Case("header_only.wav", _header_only, Refused("no sound|holds no|empty|too short")),
    _vast("vast.png", "png", "rgb24", b"IHDR", ">II"),
    _vast("vast.gif", "gif", "rgb8", b"GIF89a", "<HH", "GR"),
    _vast("vast.jpg", "mjpeg", "yuvj420p", b"\xff\xc0\x00\x11\x08", ">HH"),
    _vast("vast.avi", "mjpeg", "yuvj420p", b"\xff\xc0\x00\x11\x08", ">HH", "GRB"),
    _field("huge_rate.wav", 24, "<I", 0xFFFFFFFF),
    _field("no_rate.wav", 24, "<I", 0),
    _field("one_hertz.wav", 24, "<I", 1),
    _field("no_channels.wav", 22, "<H", 0),
    _field("many_channels.wav", 22, "<H", 60000),
]
