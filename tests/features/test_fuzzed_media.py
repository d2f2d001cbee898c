"""Damage by chance: every file gives a table or a named failure, in time, without ending the process."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.features.hard_media.reading import Found, Wanted, look
from tests.features.hard_media.signals import tones
from tests.features.hard_media.writing import Pictures, Sound, write
from tests.guarded import Guard

SEED = 20211
FILES = 500
SECONDS = 60.0
"""For one file, on a busy machine."""
MEMORY = 1 << 30
"""Bytes by which a process may grow with one small file."""
PARTS = ((300, 0.3), (700, 0.3))
COLOURS = "RGBYMC"


class Kind(NamedTuple):
    """A format: the name's end, the codec and rate of its sound, the codec of its pictures (none: empty)."""

    suffix: str
    sound: str
    rate: int
    pictures: str = ""


KINDS = (
    Kind("wav", "pcm_s16le", 16000),
    Kind("flac", "flac", 16000),
    Kind("mp3", "libmp3lame", 44100),
    Kind("ogg", "libopus", 48000),
    Kind("mp4", "aac", 44100, "libx264"),
    Kind("mkv", "libopus", 48000, "mpeg4"),
    Kind("avi", "adpcm_ms", 22050, "mpeg4"),
    Kind("ts", "mp2", 48000, "mpeg2video"),
)


def make(kind: Kind, path: Path) -> bytes:
    """Return a small good file of a format, two channels and pictures of 48 x 32."""
    sound = Sound(tones(*PARTS, rate=kind.rate, channels=2), kind.rate, kind.sound, bit_rate=64000)
    rate = Fraction(25 if kind.pictures == "mpeg2video" else 10)
    pictures = Pictures(COLOURS, kind.pictures, size=(48, 32), gop=3, rate=rate) if kind.pictures else None
    write(path, sound, *([pictures] if pictures else []))
    return path.read_bytes()


def damaged(whole: bytes, draw: np.random.Generator) -> bytes:
    """Return a file with one to four faults: bits turned, bytes at will, zeroed, cut out, doubled, moved."""
    data = np.frombuffer(whole, np.uint8)
    for _ in range(draw.integers(1, 5)):
        data = _fault(data, draw)
    return data.tobytes()


def _fault(data: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    data = data.copy()
    if len(data) < 2:
        return data
    # half of the faults hit the first bytes, where lengths and codecs stand
    reach = len(data) if draw.random() < 0.5 else min(len(data), 400)
    at = int(draw.integers(reach))
    end = min(len(data), at + int(draw.integers(1, 1 + max(2, len(data) // 8))))
    how = draw.integers(7)
    if how == 0:
        places = draw.integers(reach, size=draw.integers(1, 20))
        data[places] ^= (1 << draw.integers(8, size=len(places))).astype(np.uint8)
    elif how == 1:
        data[at : at + 4] = draw.choice(np.array([0, 1, 0x7F, 0x80, 0xFF], np.uint8), len(data[at : at + 4]))
    elif how == 2:
        data[at:end] = 0
    elif how == 3:
        data[at:end] = draw.integers(256, size=end - at, dtype=np.uint8)
    elif how == 4:
        data = np.delete(data, np.s_[at:end])
    elif how == 5:
        data = np.concatenate([data[:end], data[at:]])
    else:
        data = data[: max(1, at)]
    return data


@pytest.mark.slow
def test_damage_by_chance_gives_a_table_or_a_named_failure(tmp_path):
    draw = np.random.default_rng(SEED)
    whole = {kind: make(kind, tmp_path / f"whole.{kind.suffix}") for kind in KINDS}
    wanted = []
    for number in range(FILES):
        kind = KINDS[number % len(KINDS)]
        path = tmp_path / f"{number:03d}.{kind.suffix}"
        path.write_bytes(damaged(whole[kind], draw))
        wanted.append(Wanted(path, "audio"))
        if kind.pictures:
            wanted.append(Wanted(path, "video"))
    wrong, used, refused = {}, 0, 0
    with Guard(look, SECONDS) as guarded:
        outcomes = [guarded(each) for each in wanted]
    for (path, modality, _), (value, grown) in zip(wanted, outcomes, strict=True):
        if not isinstance(value, Found):
            wrong[path.name, modality] = value
        elif grown > MEMORY:
            wrong[path.name, modality] = f"{grown >> 20} MiB"
        elif value.refused is None:
            used += 1
            if modality == "audio" and not np.isfinite(value.waveform).all():
                wrong[path.name, modality] = "samples that are no numbers"
            if value.problems or value.checked != pytest.approx(value.length):
                wrong[path.name, modality] = f"check: {value.problems}, {value.checked} of {value.length} s"
        elif path.name not in value.refused:
            wrong[path.name, modality] = f"without its name: {value.refused}"
        elif not value.problems:
            wrong[path.name, modality] = f"check is silent: {value.refused}"
        else:
            refused += 1
    assert wrong == {}
    # the test is one of both: damage that is survived, and damage that is not
    assert min(used, refused) > len(wanted) / 10


def test_damage_is_the_same_each_time_and_of_all_kinds():
    whole = bytes(range(256)) * 20
    first = [damaged(whole, np.random.default_rng(seed)) for seed in range(40)]
    assert first == [damaged(whole, np.random.default_rng(seed)) for seed in range(40)]
    assert whole not in first
    lengths = {len(each) - len(whole) for each in first}
    assert min(lengths) < 0 < max(lengths)
    assert 0 in lengths
