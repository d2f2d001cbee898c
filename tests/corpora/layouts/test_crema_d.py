from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import crema_d
from tests.corpora.named_layouts import CREMA_D_NAMES, write_crema_d

READER = crema_d.LAYOUT


@pytest.fixture
def root(tmp_path):
    return write_crema_d(tmp_path / "crema_d")


def test_clips_actors_and_classes(root):
    found = READER.read(root)
    assert found.problems == []
    assert [(item.recording, item.partition, item.speaker) for item in found.recordings] == [
        ("1001_DFA_ANG_XX", "train", "1001"),
        ("1001_IEO_HAP_HI", "train", "1001"),
        ("1002_TIE_SAD_LO", "train", "1002"),
        ("1040_ITH_SAD_X", "train", "1040"),
        ("1070_IEO_FEA_MD", "dev", "1070"),
        ("1091_WSI_NEU_XX", "test", "1091"),
    ]
    assert found.recordings[0].medium("audio") == Path("AudioWAV/1001_DFA_ANG_XX.wav")
    assert found.recordings[0].medium("video") == Path("VideoFlash/1001_DFA_ANG_XX.flv")
    words = [found.classes[int(code)] for code in found.traces["value"]]
    assert words == ["anger", "happy", "sad", "sad", "fear", "neutral"]
    assert list(found.traces["recording"]) == list(CREMA_D_NAMES)


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        (("AudioWAV",), "AudioMP3/1001_DFA_ANG_XX.mp3"),
        (("AudioWAV", "AudioMP3"), "VideoFlash/1001_DFA_ANG_XX.flv"),
    ],
)
def test_sound_is_taken_from_what_is_there(root, gone, expected):
    for folder in gone:
        (root / folder).rename(root / f"not_{folder}")
    assert READER.read(root).recordings[0].medium("audio") == Path(expected)


def test_clips_without_video_are_counted(root):
    (root / "VideoFlash/1001_IEO_HAP_HI.flv").unlink()
    found = READER.read(root)
    assert [problem.reason for problem in found.problems] == [
        "1 of 6 recordings have no video, such as 1001_IEO_HAP_HI"
    ]
    alone = READER.list_recordings(root, Wanted(extract=("video",)))
    assert [len(alone.recordings), alone.problems] == [5, []]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "1001_XYZ_ANG_XX",
            "found a name that is none of CREMA-D, expected <actor>_<sentence>_<emotion>_<level>",
        ),
        ("1001_DFA_ANG", "found a name that is none of CREMA-D"),
        ("1001_DFA_JOY_XX", "found emotion JOY, expected one of ANG anger, DIS disgust"),
    ],
)
def test_other_names_are_left_out(root, name, reason):
    (root / f"AudioWAV/{name}.wav").write_bytes(b"x")
    (root / f"VideoFlash/{name}.flv").write_bytes(b"x")
    found = READER.read(root)
    assert len(found.recordings) == 6
    (problem,) = found.problems
    assert problem.reason.startswith(reason)
    assert problem.reason.endswith("left out; 2 files like this")


def test_groups_from_the_table_of_actors_and_the_names(root):
    def by_actor(column):
        return {name[:4]: group for name, group in READER.read_groups(root, column).items()}

    assert by_actor("sex") == {
        "1001": "Male", "1002": "Female", "1040": "Female", "1070": "Male", "1091": "",
    }  # fmt: skip
    assert by_actor("age") == {
        "1001": "50 to 59", "1002": "20 to 29", "1040": "20 to 29", "1070": "40 to 49", "1091": "",
    }  # fmt: skip
    assert by_actor("ethnicity")["1070"] == "Hispanic"
    levels = READER.read_groups(root, "level")
    assert levels["1040_ITH_SAD_X"] == levels["1001_DFA_ANG_XX"] == "unspecified"
    assert READER.read_groups(root, "sentence")["1091_WSI_NEU_XX"] == "WSI"


def test_groups_that_are_not_there(root):
    with pytest.raises(KeyError, match="no group 'height', expected some of age, sex, race, ethnicity"):
        READER.read_groups(root, "height")
    (root / "VideoDemographics.csv").unlink()
    with pytest.raises(KeyError, match=r"VideoDemographics.csv is not there, expected .* for 'sex'"):
        READER.read_groups(root, "sex")
    assert READER.read(root).problems == []
