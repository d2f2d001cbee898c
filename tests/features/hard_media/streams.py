"""Several streams, other streams, no streams; and tags of all ages."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import av
import soundfile

from tests.features.hard_media.case import Case, Heard, Refused, Seen
from tests.features.hard_media.signals import laid, solid, tones
from tests.features.hard_media.writing import Pictures, Sound, write

WANTED, OTHER = ((600, 2.0),), ((250, 3.0),)
HEARD = Heard(2.0, laid(*WANTED), within=0.08)
GREEN = Seen(2.0, "G" * 20, 20)
CHOSEN, CHOSEN_GREEN = replace(HEARD, said="streams"), replace(GREEN, said="streams")
"""Of several streams one is taken, and that is said."""
NO_SOUND, NO_PICTURES = Refused("no sound stream"), Refused("no video stream|no pictures")


def _sound(parts, rate: int = 48000, codec: str = "aac", **more) -> Sound:
    return Sound(tones(*parts, rate=rate), rate, codec, **more)


def _second_sound_is_default(path: Path) -> None:
    write(path, _sound(OTHER, default=False), _sound(WANTED, default=True))


def _two_pictures(path: Path) -> None:
    write(
        path,
        Pictures("R" * 30, "mpeg4", default=False),
        Pictures("G" * 20, "mpeg4", size=(128, 96), default=True),
        _sound(WANTED),
    )


def jpeg(letter: str = "B", size: tuple[int, int] = (320, 320)) -> bytes:
    """Return a picture as the bytes of a JPEG file."""
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = *size, "yuvj420p"
    context.framerate = 25
    frame = av.VideoFrame.from_ndarray(solid(letter, size), format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def _id3(*frames: tuple[bytes, bytes]) -> bytes:
    """Return an ID3v2.3 tag."""
    body = b"".join(name + struct.pack(">IH", len(content), 0) + content for name, content in frames)
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body


def _mp3(path: Path) -> bytes:
    write(path, _sound(WANTED, 44100, "libmp3lame"), options={"id3v2_version": "0"})
    return path.read_bytes()


def _tagged_mp3(name: str, *frames: tuple[bytes, bytes], seen=None) -> Case:
    return Case(name, lambda path: path.write_bytes(_id3(*frames) + _mp3(path)), HEARD, seen)


COVER = (b"APIC", b"\0image/jpeg\0\3\0" + jpeg())


def _cover_in_mp4(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        sound = _sound(WANTED)
        stream, cover = sound.add(container), container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 320, 320, "yuvj420p"
        cover.disposition = cover.disposition.__class__.attached_pic
        frame = av.VideoFrame.from_ndarray(solid("B", (320, 320)), format="rgb24").reformat(format="yuvj420p")
        frame.pts = 0
        for packet in [*cover.encode(frame), *cover.encode(None), *sound.packets(stream)]:
            container.mux(packet)


def _cover_before_video(path: Path) -> None:
    """A thumbnail as the first picture stream, the video as the second."""
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 320, 320, "yuvj420p"
        cover.disposition = cover.disposition.__class__.attached_pic
        pictures = Pictures("G" * 20)
        stream = pictures.add(container)
        frame = av.VideoFrame.from_ndarray(solid("B", (320, 320)), format="rgb24").reformat(format="yuvj420p")
        frame.pts = 0
        for packet in [*cover.encode(frame), *cover.encode(None), *pictures.packets(stream)]:
            container.mux(packet)


def _subtitles_and_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        words = container.add_mux_stream("subrip")
        pictures, sound = Pictures("G" * 20), _sound(WANTED, codec="libopus")
        streams = pictures.add(container), sound.add(container)
        container.start_encoding()
        ready = pictures.packets(streams[0]) + sound.packets(streams[1])
        for number in range(2):
            packet = av.Packet(f"word {number}".encode())
            packet.stream, packet.time_base = words, streams[0].time_base
            packet.pts = packet.dts = round(number / streams[0].time_base)
            packet.duration = round(
                60 / streams[0].time_base
            )  # a caption that stays after all else has ended
            ready.append(packet)
        for packet in sorted(ready, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)


def _latin_tags_in_avi(path: Path) -> None:
    write(path, Pictures("G" * 20, "mjpeg", pix_fmt="yuvj420p"), _sound(WANTED, 16000, "pcm_s16le"),
          metadata={"title": "Grxxe", "artist": "Bjxrk"})  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"Grxxe", b"Gr\xfc\xdfe").replace(b"Bjxrk", b"Bj\xf6rk"))


def _latin_tags(name: str, codec: str, rate: int) -> Case:
    def make(path: Path) -> None:
        write(path, _sound(WANTED, rate, codec), metadata={"title": "Stück"}, encoding="latin-1")
        assert b"St\xfcck" in path.read_bytes()

    return Case(name, make, HEARD)


def _latin_tags_in_wav(path: Path) -> None:
    soundfile.write(path, tones(*WANTED)[0], 16000)
    tags = b"LIST" + struct.pack("<I", 18) + b"INFOINAM\x06\0\0\0M\xfcll\xe9\0"
    whole = path.read_bytes() + tags
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])


def _latin_stream_tags(path: Path) -> None:
    """The handler of a track, whose name is a tag of the stream and not of the file."""
    write(path, Pictures("G" * 20), _sound(WANTED))
    whole = path.read_bytes()
    assert b"SoundHandler" in whole
    path.write_bytes(whole.replace(b"SoundHandler", b"S\xf6undH\xe4ndle\xff"))


CASES = [
    Case("second_sound.mkv", _second_sound_is_default, CHOSEN),
    Case("second_sound.mp4", _second_sound_is_default, CHOSEN),
    Case("first_of_two_sounds.mkv", lambda path: write(path, _sound(WANTED), _sound(OTHER)), CHOSEN),
    Case(
        "two_sounds_of_different_rates.mov",
        lambda path: write(path, _sound(WANTED, 44100, "pcm_s16le"), _sound(OTHER, 8000, "pcm_alaw")),
        CHOSEN,
    ),
    Case("two_pictures.mkv", _two_pictures, HEARD, CHOSEN_GREEN),
    Case("cover.m4a", _cover_in_mp4, HEARD, NO_PICTURES),
    Case("cover_before_video.mp4", _cover_before_video, NO_SOUND, GREEN),
    _tagged_mp3("cover.mp3", COVER, seen=NO_PICTURES),
    Case(
        "timecode.mov",
        lambda path: write(path, Pictures("G" * 20), _sound(WANTED), metadata={"timecode": "01:00:00:00"}),
        HEARD,
        GREEN,
    ),
    Case("subtitles.mkv", _subtitles_and_sound, HEARD, GREEN),
    Case("no_sound.mp4", lambda path: write(path, Pictures("G" * 20)), NO_SOUND, GREEN),
    Case("no_pictures.mp4", lambda path: write(path, _sound(WANTED)), HEARD, NO_PICTURES),
    Case(
        "sound_shorter_than_pictures.mp4",
        lambda path: write(path, Pictures("G" * 50), _sound(WANTED)),
        HEARD,
        Seen(5.0, "G" * 50, 50),
    ),
    Case("latin_tags.avi", _latin_tags_in_avi, HEARD, GREEN),
    _latin_tags("latin_tags.mp4", "aac", 44100),
    _latin_tags("latin_tags.mkv", "flac", 16000),
    _latin_tags("latin_tags.ogg", "libopus", 48000),
    _latin_tags("latin_tags.flac", "flac", 16000),
    Case("latin_tags.wav", _latin_tags_in_wav, HEARD),
    Case("latin_handler.mp4", _latin_stream_tags, HEARD, GREEN),
    _tagged_mp3(
        "utf_16.mp3", (b"TIT2", b"\1" + "Grüße 🎤".encode("utf-16")), (b"TPE1", b"\1\xff\xfe\x00\xd8\x00\xd8")
    ),
    _tagged_mp3("huge_tag.mp3", (b"TIT2", b"\0" + b"x" * 3_000_000), COVER),
    _tagged_mp3(
        "undecodable_tag.mp3", (b"TIT2", b"\3\xff\xfe\xfa\xe9"), (b"COMM", b"\3\xfc\xfc\xfc\xe9\0\xe9\xe8")
    ),
]
