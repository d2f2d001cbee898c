"""Hard media, made here: extraction gives what was put in, or says why not, and `check` says the same.

Every file of `hard_media` is read in a process of its own, so that one that ends the process fails alone.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop
from pipeline.store.tables import FeatureTable
from pipeline.store.units import UnitStore
from pipeline.tools.checking import check
from tests.features.hard_media.case import Heard, Refused, Seen, Told
from tests.features.hard_media.cases import BY_NAME
from tests.features.hard_media.judging import unlike_heard, unlike_seen
from tests.features.hard_media.reading import RATE, Found, Wanted, corpus, look
from tests.guarded import Guard, Outcome
from tests.recordings import recording

SECONDS = 60.0
"""For one file, on a busy machine."""
MEMORY = 1 << 30
"""Bytes by which the process may grow with one of these small files."""
LENGTHS = 0.001
"""Seconds by which the length that `check` finds may differ from that of the extraction."""

AWAITED: dict[tuple[str, str, str], str] = {}
"""What is still wrong and why, by test, file and modality."""
REAL = [
    # seconds of sound and of pictures, by the ffmpeg program
    ("talking_face.mp4", 19.69, 19.685),
    ("single_face.mp4", 2.419, 2.4),
    ("no_face.mp4", 3.95, 3.945),
    ("face_noface.mov", 6.41, 6.4),
    ("noface_face.mov", 3.95, 6.38),
    ("several_faces.mp4", 4.2127, 4.2),
    ("no_audio_stream.mp4", None, 4.6),
    ("surround_audio.mp4", 5.312, 5.28),
    ("test.wav", 5.2477, None),
]
KINDS = {"audio": "heard", "video": "seen"}
ASKED = [
    (name, modality)
    for name, case in BY_NAME.items()
    for modality, kind in KINDS.items()
    if getattr(case, kind) is not None
]


def asked(test):
    """Return the parameters of a test, those that still fail marked."""
    return [
        pytest.param(*each, marks=pytest.mark.xfail(reason=AWAITED[test, *each], strict=True))
        if (test, *each) in AWAITED
        else each
        for each in ASKED
    ]


def sha256(path) -> str:
    """Return the hash of a file as `register` does: empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def harmless(outcome) -> bool:
    return isinstance(outcome.value, Found) and outcome.grown < MEMORY


def expected(name, modality) -> Heard | Seen | Refused | Told:
    return getattr(BY_NAME[name], KINDS[modality])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hard")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guard]:
    with Guard(look, SECONDS) as guarded:
        yield guarded


@pytest.fixture(scope="module")
def looked(folder, guarded):
    """Return a function that makes a hard file and says what is found in it; once for all tests."""

    @cache
    def make(name: str) -> Path:
        BY_NAME[name].make(folder / name)
        return folder / name

    @cache
    def look_at(name: str, modality: str) -> Outcome:
        return guarded(Wanted(make(name), modality))

    return look_at


@pytest.mark.parametrize(("name", "modality"), asked("extraction"))
def test_what_is_extracted_is_what_was_put_in(looked, name, modality):
    found, wanted = looked(name, modality).value, expected(name, modality)
    assert isinstance(found, Found), found
    assert looked(name, modality).grown < MEMORY
    if found.refused is not None:
        assert isinstance(wanted, Refused | Told), found.refused
        assert re.search(wanted.words, found.refused.removeprefix(name), re.IGNORECASE), found.refused
        return
    assert not isinstance(wanted, Refused), f"used, {found.length} s long, said: {found.said}"
    used = wanted.used if isinstance(wanted, Told) else wanted
    if modality == "audio":
        assert unlike_heard(found.waveform, RATE, used) == []
        assert found.length == pytest.approx(len(found.waveform) / RATE, abs=1e-3)
    else:
        assert unlike_seen(found.pictures, found.length, used) == []


@pytest.mark.parametrize(("name", "modality"), asked("verdict"))
def test_check_and_extraction_come_to_one_verdict(looked, name, modality):
    found, wanted = looked(name, modality).value, expected(name, modality)
    assert isinstance(found, Found), found
    words = wanted.words if isinstance(wanted, Refused | Told) else wanted.said
    if found.refused is not None:
        assert any(re.search(words or ".", problem, re.IGNORECASE) for problem in found.problems), (
            f"extraction: {found.refused}; check: {found.problems}"
        )
        return
    assert found.problems == []
    assert found.checked == pytest.approx(found.length, abs=LENGTHS)
    without_path = [text.partition(f"{name}: ")[2] or text for text in found.said]
    assert without_path == found.notes
    if not words:
        assert found.notes == []
    elif words != "any":
        assert any(re.search(words, text, re.IGNORECASE) for text in found.notes), found.notes


@pytest.mark.parametrize(("name", "sound", "pictures"), REAL)
def test_real_clips(clips, guarded, name, sound, pictures):
    for modality, length in (("audio", sound), ("video", pictures)):
        found = guarded(Wanted(clips / name, modality, keep=False)).value
        assert isinstance(found, Found), found
        if length is None:
            assert "stream" in found.refused
            assert "stream" in found.problems[0]
            continue
        assert found.refused is None
        assert found.length == pytest.approx(length, abs=0.08)
        assert found.checked == pytest.approx(length, abs=0.08)
        assert (found.said, found.problems, found.notes) == ([], [], [])


def test_a_corpus_of_nothing_but_hard_media(folder, looked, tmp_path):
    """What can be used is rows, what cannot is in the list of failures; `check` names the same."""
    # what ends its process, or asks for gigabytes, fails above and must not end this one
    names = [name for name, modality in ASKED if modality == "audio" and harmless(looked(name, modality))]
    hard = corpus().model_copy(update={"root": folder, "extract": ("audio",), "layout": "table"})
    recordings = [
        recording(name, "train", f"s_{name}", Path(name), None, audio_sha256=sha256(folder / name))
        for name in names
    ]
    with (folder / "recordings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["recording", "partition", "speaker", "audio", "video", "emotion"])
        writer.writerows([name, "train", f"s_{name}", name, "", "happy"] for name in names)

    chosen = extractor_of("extract_audio", hard)
    stage = Stage("extract_audio", "audio", chosen, hard.audio.max_failed_share)
    shop = Workshop(UnitStore(tmp_path / "store"), workers=2)
    extract(stage, hard, recordings, tmp_path / "table", shop)
    table = FeatureTable.open(tmp_path / "table")
    failed = {failure.recording: failure.reason for failure in table.failures()}
    assert sorted([*table.recordings, *failed]) == sorted(names)
    refused = {name for name in names if looked(name, "audio").value.refused is not None}
    assert set(failed) == refused
    assert all(str(folder / name) in reason for name, reason in failed.items())

    found = check(hard, Paths("own", tmp_path), workers=2)
    assert found.recordings == len(names)
    assert {item.recording for item in found.findings if item.recording} >= refused
    assert {item.recording for item in found.findings if item.recording} == {
        name for name in names if looked(name, "audio").value.problems
    }
