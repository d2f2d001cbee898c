"""Time stamps of sound and pictures that are not one row without gaps from zero on."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from tests.features.hard_media.bytes import matroska_clusters, matroska_length, media_edit
from tests.features.hard_media.case import Case, Heard, Seen, Told, Tone
from tests.features.hard_media.signals import FORTY, laid, tones
from tests.features.hard_media.writing import Move, Pictures, Sound, write

PARTS = ((300, 2.0), (700, 2.0))
MILLISECONDS = Fraction(1, 1000)


def later(seconds: float, since: float = -1.0) -> Move:
    """Return what moves packets from `since` on."""
    return lambda time: time + seconds if time >= since - 1e-6 else time


def lost(first: float, last: float) -> Move:
    """Return what leaves packets out."""
    return lambda time: None if first - 1e-6 <= time < last - 1e-6 else time


HOLED = laid((300, 2.0), (0, 3.0), (700, 2.0))
LOST = laid((300, 1.5), (0, 1.0), (700, 1.5))


def _hole(name: str, codec: str, rate: int, options=None) -> Case:
    def make(path: Path) -> None:
        sound = Sound(tones(*PARTS, rate=rate), rate, codec, move=later(3.0, since=2.0))
        write(path, sound, options=options)

    return Case(name, make, Heard(7.0, HOLED, within=0.08, margin=0.1, said="any"))


def _lost(name: str, codec: str, rate: int, options=None) -> Case:
    def make(path: Path) -> None:
        write(path, Sound(tones(*PARTS, rate=rate), rate, codec, move=lost(1.5, 2.5)), options=options)

    return Case(name, make, Heard(4.0, LOST, within=0.08, margin=0.1, said="any"))


def _many_holes(path: Path) -> None:
    """Every fifth packet of 20 ms is lost, as on a bad line."""
    sound = Sound(
        tones((500, 4.0), rate=48000),
        48000,
        "libopus",
        move=lambda time: None if round(time / 0.02) % 5 == 4 else time,
    )
    write(path, sound)


def _clip(
    sound_moves: Move | None, picture_moves: Move | None, sound: str = "aac", pictures: str = "libx264"
):
    def make(path: Path) -> None:
        write(
            path,
            Pictures(FORTY, pictures, move=picture_moves, time_base=MILLISECONDS, rate=Fraction(10)),
            Sound(tones(*PARTS, rate=48000), 48000, sound, move=sound_moves),
        )

    return make


def _overlap(path: Path) -> None:
    """Clusters of a Matroska file from 2 s on are stamped half a second early."""
    sound = Sound(tones(*PARTS, rate=48000), 48000, "pcm_s16le", move=None)
    write(path, sound, options={"cluster_time_limit": "900"})
    matroska_clusters(path, lambda time: time - 500 if time >= 2000 else time)
    matroska_length(path, 3500)


def _begun_anew(path: Path) -> None:
    """Clusters of a Matroska file from 2 s on are stamped from 0 again."""
    write(path, Sound(tones(*PARTS, rate=48000), 48000, "pcm_s16le"), options={"cluster_time_limit": "900"})
    matroska_clusters(path, lambda time: time - 2000 if time >= 2000 else time)
    matroska_length(path, 2000)


def _before_zero(path: Path) -> None:
    """The stamps of sound and pictures begin half a second before zero: an edit list leaves that out."""
    write(
        path,
        Pictures(FORTY, move=later(-0.5), gop=1),
        Sound(tones(*PARTS, rate=48000), 48000, "aac", move=later(-0.5)),
        options={"avoid_negative_ts": "disabled"},
    )


def _trimmed(path: Path) -> None:
    """An edit list leaves out the first second of sound and pictures, as phones' editors do."""
    write(
        path,
        Pictures(FORTY, time_base=MILLISECONDS, gop=1),
        Sound(tones(*PARTS, rate=48000), 48000, "pcm_s16le"),
    )
    media_edit(path, skip=1.0)


def _jitter(time: float) -> float:
    """Stamps that are off by up to 9 ms, as those of a capture are that takes them from the wall clock."""
    return max(0.0, time + 0.009 * math.sin(1000 * time))


FOUR = Heard(4.0, laid(*PARTS), within=0.08)
SHOWN = Seen(4.0, FORTY, 40)


def _raw(codec: str) -> Callable[[Path], None]:
    """Return what writes ten pictures a second without a container."""
    form = {"libx264": "h264", "libx265": "hevc"}[codec]
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}

    def make(path: Path) -> None:
        write(path, Pictures(FORTY, codec, options=options), container_format=form)

    return make


def _raw_put_in(path: Path) -> None:
    """A raw stream in a container whose stamps follow the order of packets, not that of being shown."""
    raw = path.with_suffix(".264")
    write(raw, Pictures(FORTY, "libx264", options={"bf": "2", "b_strategy": "0"}), container_format="h264")
    with av.open(str(raw)) as given, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(video=0)):
            if packet.size:
                packet.time_base = Fraction(1, 10)
                packet.pts = packet.dts = number
                packet.stream = stream
                container.mux(packet)
    raw.unlink()


CASES = [
    _hole("hole.webm", "libopus", 48000),
    _hole("hole_aac.mkv", "aac", 48000),
    _hole("hole_pcm.mkv", "pcm_s16le", 44100),
    _hole("hole_flac.mkv", "flac", 16000),
    _hole("hole.mp4", "aac", 48000),
    _hole("hole.ts", "mp2", 48000),
    _hole(
        "hole_in_fragments.mp4", "aac", 48000, {"movflags": "empty_moov+default_base_moof+frag_every_frame"}
    ),
    _hole("hole.flv", "libmp3lame", 44100),
    _lost("lost.mp4", "aac", 44100),
    _lost("lost.ogg", "libopus", 48000, options={"page_duration": "20000"}),
    _lost("lost_mp3.mkv", "libmp3lame", 48000),
    Case(
        "many_holes.webm",
        _many_holes,
        Heard(4.0, (Tone(0.0, 3.9, 500, 0.3 * (0.8 / 2) ** 0.5, 0.2),), within=0.08, margin=0.2, said="any"),
    ),
    Case(
        "late_sound.mp4",
        _clip(later(1.5), None),
        Heard(5.5, laid((0, 1.5), *PARTS), within=0.08, margin=0.1),
        Seen(4.0, FORTY, 40),
    ),
    Case(
        "late_sound.mkv",
        _clip(later(1.5), None, "libopus", "mpeg4"),
        Heard(5.5, laid((0, 1.5), *PARTS), within=0.08, margin=0.1),
        Seen(4.0, FORTY, 40),
    ),
    Case("late_pictures.mp4", _clip(None, later(1.5)), FOUR, Seen(5.5, "R" * 15 + FORTY, 40)),
    Case(
        "late_pictures.mkv", _clip(None, later(1.5), "flac", "mpeg4"), FOUR, Seen(5.5, "R" * 15 + FORTY, 40)
    ),
    Case("both_late.mkv", _clip(later(5.0), later(5.0), "flac"), FOUR, SHOWN),
    Case(
        "hour_of_day.mkv",
        _clip(later(36000.0), later(36000.5), "pcm_s16le"),
        FOUR,
        Seen(4.5, "R" * 5 + FORTY, 40),
    ),
    *[
        Case(
            f"hour_of_day.{suffix}",
            lambda path, codec=codec: write(
                path, Sound(tones(*PARTS, rate=48000), 48000, codec, move=later(36000.0))
            ),
            Heard(4.0, laid(*PARTS), within=0.08),
        )
        for suffix, codec in (("ogg", "libopus"), ("ts", "mp2"), ("webm", "libopus"), ("mka", "flac"))
    ],
    Case(
        "jump_of_a_day_pictures.mkv",
        lambda path: write(path, Pictures(FORTY, "mpeg4", move=later(86400.0, since=2.0))),
        seen=Told("hole|jump|stamp", Seen(4.0)),
    ),
    Case(
        "jitter.mkv",
        lambda path: write(path, Sound(tones(*PARTS, rate=48000), 48000, "aac", move=_jitter)),
        Heard(4.0, laid(*PARTS, within=0.02), within=0.08),
    ),
    Case(
        "drift.mkv",
        lambda path: write(
            path, Sound(tones((300, 30.0), (700, 30.0)), 16000, "flac", move=lambda time: 1.005 * time)
        ),
        Heard(
            60.3,
            (Tone(0, 30.15, 300, within=0.05), Tone(30.15, 60.3, 700, within=0.05)),
            within=0.1,
            margin=0.15,
            said="any",
        ),
    ),
    Case(
        "stuck.mkv",
        lambda path: write(path, Sound(tones(*PARTS, rate=48000), 48000, "flac", move=lambda time: 0.0)),
        Told("overlap|stamp|back|clock|too short", FOUR),
    ),
    Case(
        "first_key_picture_lost.mkv",
        _clip(None, lost(0.0, 0.25), "flac", "mpeg4"),
        FOUR,
        Seen(4.0, "." * 5 + FORTY[5:], within=0.3, said="any"),
    ),
    Case(
        "hole_in_both.mkv",
        _clip(later(3.0, since=2.0), later(3.0, since=2.0), "flac"),
        Heard(7.0, HOLED, within=0.08, margin=0.1, said="any"),
        Seen(7.0, FORTY[:20] + FORTY[19] * 30 + FORTY[20:], 40, said="any"),
    ),
    Case(
        "lost_pictures.mkv",
        _clip(None, lost(1.0, 2.0), "flac"),
        FOUR,
        Seen(4.0, FORTY[:10] + FORTY[9] * 10 + FORTY[20:], 30, said="any"),
    ),
    Case(
        "overlap.mkv",
        _overlap,
        Told(
            "overlap|back|anew|stamps|jump|earlier",
            Heard(3.75, (Tone(0, 1.4, 300), Tone(2.1, 3.4, 700)), within=0.3),
        ),
    ),
    Case(
        "begun_anew.mkv",
        _begun_anew,
        Heard(4.0, laid(*PARTS), within=0.2, margin=0.1, said="any"),
    ),
    Case(
        "jump_of_a_day.mkv",
        lambda path: write(path, Sound(tones(*PARTS), 16000, "flac", move=later(86400.0, since=2.0))),
        Told("hole|jump|stamp|silen|gap|missing|no sound", FOUR),
    ),
    Case(
        "wrapped.ts",
        _clip(later(95441.5), later(95441.5), "mp2", "mpeg4"),
        FOUR,
        Seen(4.0, FORTY, within=0.1),
    ),
    Case(
        "begins_before_zero.mp4",
        _before_zero,
        Heard(3.5, laid((300, 1.5), (700, 2.0)), within=0.08),
        Seen(3.5, FORTY[5:], within=0.11),
    ),
    Case(
        "trimmed.mov",
        _trimmed,
        Heard(3.0, laid((300, 1.0), (700, 2.0)), within=0.05),
        Seen(3.0, FORTY[10:], 30),
    ),
    # raw streams have no stamps: pictures follow each other at the rate that the stream states
    Case("raw.264", _raw("libx264"), seen=Seen(4.0, FORTY, 40, said="no time stamp")),
    Case("raw_put_in.mkv", _raw_put_in, seen=Seen(4.0, "." * 4 + FORTY[4:37], within=0.25, said="any")),
    Case("raw.265", _raw("libx265"), seen=Seen(4.0, FORTY, 40, said="no time stamp")),
]
