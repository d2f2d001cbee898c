from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import ravdess
from tests.corpora.named_layouts import RAVDESS_EMOTIONS, write_ravdess

READER = ravdess.LAYOUT


@pytest.fixture
def root(tmp_path):
    return write_ravdess(tmp_path / "ravdess")


def classes(found):
    names = found.traces["recording"], found.traces["value"]
    return {name: found.classes[int(code)] for name, code in zip(*names, strict=True)}


def test_the_three_modalities_of_a_performance_are_one_recording(root):
    found = READER.read(root)
    assert found.problems == []
    assert {(item.speaker, item.partition) for item in found.recordings} == {
        ("Actor_01", "train"),
        ("Actor_02", "train"),
        ("Actor_18", "dev"),
        ("Actor_24", "test"),
    }
    assert len(found.recordings) == 12
    first = found.recordings[0]
    assert first.recording == "01-01-01-01-01-01"
    assert first.medium("audio") == Path("Actor_01/03-01-01-01-01-01-01.wav")
    assert first.medium("video") == Path("Actor_01/01-01-01-01-01-01-01.mp4")


def test_classes_by_their_numbers(tmp_path):
    found = READER.read(write_ravdess(tmp_path, (3,), RAVDESS_EMOTIONS))
    words = ("neutral", "calm", "happy", "sad", "anger", "fear", "disgust", "surprise")
    assert list(classes(found).values()) == list(words)  # names count up


@pytest.mark.parametrize(
    ("gone", "extract", "audio", "video"),
    [
        ("03", ("audio", "video"), "01", "01"),
        ("01", ("audio", "video"), "03", "02"),
        ("02", ("video",), "03", "01"),
    ],
)
def test_what_a_modality_is_taken_from(root, gone, extract, audio, video):
    for path in root.glob(f"Actor_*/{gone}-*"):
        path.unlink()
    recordings = READER.list_recordings(root, Wanted(extract=extract)).recordings
    assert len(recordings) == 12
    assert {item.medium("audio").name[:2] for item in recordings} == {audio}
    assert {item.medium("video").name[:2] for item in recordings} == {video}


def test_archives_that_keep_their_folders(tmp_path):
    write_ravdess(tmp_path / "Video_Speech_Actor_05", (5,))
    for path in (tmp_path / "Video_Speech_Actor_05").glob("Actor_05/03-*"):
        target = tmp_path / "Audio_Speech_Actors_01-24/Actor_05" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    found = READER.read(tmp_path)
    assert len(found.recordings) == 3
    assert found.problems == []
    assert found.recordings[0].medium("audio").parts[0] == "Audio_Speech_Actors_01-24"


def test_what_is_left_out_is_counted_once_for_each_reason(root):
    folder = root / "Actor_01"
    for name in (
        "x.wav",
        "03-01-05-01-01-01-25.wav",
        "01-01-05-03-01-01-01.mp4",
        "._01-01-05-01-01-01-01.mp4",
    ):
        (folder / name).write_bytes(b"x")
    for name in ("03-01-09-01-01-01-01.wav", "03-01-00-01-01-01-01.wav"):
        (folder / name).write_bytes(b"x")
    found = READER.read(root)
    assert len(found.recordings) == 12
    reasons = sorted(problem.reason for problem in found.problems)
    assert [reason.split(",")[0] for reason in reasons] == [
        "found a name that is none of RAVDESS",
        "found emotion 00",
        "found emotion 09",
    ]
    assert reasons[0].endswith("as 01-01-06-01-02-01-12: left out; 3 files like this")
    assert "expected one of 01 neutral, 02 calm" in reasons[1]


def test_pointers_of_git_lfs_and_what_lacks_a_modality(root):
    for path in root.glob("Actor_02/0[12]-*"):
        path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    found = READER.read(root)
    assert len(found.recordings) == 12
    reasons = [problem.reason for problem in found.problems]
    assert len(reasons) == 2
    assert reasons[0].startswith("found a pointer of Git LFS")
    assert reasons[0].endswith("6 files like this")
    assert reasons[1] == "3 of 12 recordings have no video, such as 01-01-01-01-01-02"


def test_links_out_of_the_corpus_are_refused(root, tmp_path):
    outside = tmp_path / "outside.wav"
    outside.write_bytes(b"x")
    (root / "Actor_01/03-01-04-01-01-01-01.wav").symlink_to(outside)
    found = READER.read(root)
    assert len(found.recordings) == 12
    assert "outside the corpus" in found.problems[0].reason


def test_groups(root):
    sex = READER.read_groups(root, "sex")
    assert {name[-2:]: group for name, group in sex.items()} == {
        "01": "male",
        "02": "female",
        "18": "female",
        "24": "female",
    }
    assert set(READER.read_groups(root, "channel").values()) == {"speech"}
    assert set(READER.read_groups(root, "intensity").values()) == {"normal"}
    assert set(READER.read_groups(root, "statement").values()) == {"kids"}
    with pytest.raises(KeyError, match="no group 'age', expected some of sex, channel"):
        READER.read_groups(root, "age")


def test_another_folder_is_told_where_to_get_it(tmp_path):
    with pytest.raises(ValueError, match="expected the folders Actor_01 to Actor_24"):
        READER.read(tmp_path)
    assert "zenodo.1188976" in READER.not_there("c", tmp_path)
