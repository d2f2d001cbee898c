from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import crema_d
from pipeline.labels.votes import votes_of_utterances
from tests.corpora.named_layouts import CREMA_D_NAMES, VOTES, write_crema_d, write_votes

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


def by_raters(found) -> dict[str, list[str]]:
    own = found.traces[found.traces["rater"] != "gold"]
    words = [found.classes[int(code)] for code in own["value"]]
    table: dict[str, list[str]] = {}
    for name, word in zip(own["recording"], words, strict=True):
        table.setdefault(str(name), []).append(word)
    return table


def test_raters_who_saw_and_heard_a_clip_have_votes_beside_its_class(root):
    alone = READER.read(root)
    write_votes(root)
    found = READER.read(root)
    assert found.problems == []
    assert by_raters(found) == {
        "1001_IEO_HAP_HI": ["fear", "happy", "happy", "neutral"],
        "1040_ITH_SAD_X": ["anger"] * 3 + ["neutral"] * 3,
    }
    gold = found.traces[found.traces["rater"] == "gold"].reset_index(drop=True)
    assert gold["value"].tolist() == alone.traces["value"].tolist()
    assert not found.traces.duplicated(["recording", "rater"]).any()
    assert READER.annotation_files(root) == [root / "processedResults/tabulatedVotes.csv"]
    # as shares of the classes, which graded triplets and the table of votes have
    votes = votes_of_utterances(found.traces, ["1001_IEO_HAP_HI", "1001_DFA_ANG_XX"])
    shares = {
        found.classes[code]: own for code, own in zip(votes["triplet_class"], votes["share"], strict=True)
    }
    assert shares == {"fear": 0.25, "happy": 0.5, "neutral": 0.25}


def test_the_level_x_is_one_letter_or_two(root):
    write_votes(root, VOTES.replace("1040_ITH_SAD_X", "1040_ITH_SAD_XX"))
    assert len(by_raters(READER.read(root))["1040_ITH_SAD_X"]) == 6


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"300002",3,', '"300002",-3,', "line 5: found A '-3', expected a count of raters or a row's name"),
        ('"300002",3,', '"300002",3000,', "line 5: found A '3000', expected a count of raters"),
        ('"300002"', '"x"', "line 5: found row name 'x', expected a count"),
        (
            "1040_ITH_SAD_X",
            "1001_IEO_HAP_HI",
            "line 5: clip 1001_IEO_HAP_HI occurs twice with face",
        ),
        (',"A:N",NA', "", "line 5: found 10 cells"),
    ],
)
def test_lines_that_are_no_votes_are_named_and_left_out(root, old, new, reason):
    write_votes(root, VOTES.replace(old, new))
    found = READER.read(root)
    (problem,) = found.problems
    assert problem.file == "processedResults/tabulatedVotes.csv"
    assert problem.reason.startswith(reason)
    assert problem.reason.endswith("left out")
    assert by_raters(found)["1001_IEO_HAP_HI"] == ["fear", "happy", "happy", "neutral"]


def test_another_table_is_refused(root):
    write_votes(root, "clip,votes\n1,2\n")
    with pytest.raises(ValueError, match=r"tabulatedVotes.csv:1: missing column row name, A, D"):
        READER.read(root)
