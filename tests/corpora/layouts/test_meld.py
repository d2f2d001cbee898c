from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import meld
from pipeline.corpora.problems import NoLabel, NotOnDisk
from pipeline.features.text.transcript import read_transcript
from tests.corpora.meld_layout import ROWS, write_meld

READER = meld.LAYOUT


@pytest.fixture
def root(tmp_path):
    return write_meld(tmp_path / "meld")


def classes(found):
    names = found.traces["recording"], found.traces["value"]
    return {name: found.classes[int(code)] for name, code in zip(*names, strict=True)}


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("within", ["", "{}", "MELD.Raw"])
def test_utterances_speakers_and_classes(tmp_path, within):
    found = READER.read(write_meld(tmp_path, within=within))
    assert found.problems == []
    assert [(item.recording, item.partition, item.speaker) for item in found.recordings] == [
        ("dev/dia0_utt0", "dev", "Anna"),
        ("test/dia0_utt0", "test", "Dr. Carl"),
        ("test/dia0_utt1", "test", "All"),
        ("train/dia0_utt0", "train", "Anna"),
        ("train/dia0_utt1", "train", "Ben"),
        ("train/dia1_utt0", "train", "Ben"),
    ]
    clip = Path(within.format("dev")) / "dev_splits_complete/dia0_utt0.mp4"
    assert found.recordings[0].medium("audio") == found.recordings[0].medium("video") == clip
    assert classes(found) == {
        "dev/dia0_utt0": "sad",
        "test/dia0_utt0": "disgust",
        "test/dia0_utt1": "fear",
        "train/dia0_utt0": "neutral",
        "train/dia0_utt1": "surprise",
        "train/dia1_utt0": "happy",
    }


def test_words_are_those_of_the_table(root):
    wanted = Wanted(extract=("text",))
    for path in root.glob("*/*.mp4"):
        path.unlink()  # text needs no clips
    listing = READER.list_recordings(root, wanted)
    assert listing.problems == []
    media = {item.recording: item.media["text"] for item in listing.recordings}
    words = {name: read_transcript(root / medium.path, medium) for name, medium in media.items()}
    assert words == {
        "dev/dia0_utt0": "No \u2014 never.",
        "test/dia0_utt0": "Ugh.",
        "test/dia0_utt1": "Who\u2019s there?",
        "train/dia0_utt0": "It\u0092s late, isn\u0092t it?",
        "train/dia0_utt1": "So?",
        "train/dia1_utt0": '"Late," she says, late!',
    }
    assert str(media["dev/dia0_utt0"]) == "dev_sent_emo.csv#Utterance"


def test_a_table_that_is_no_utf8_says_where(root):
    path = root / "train_sent_emo.csv"
    path.write_bytes(path.read_bytes().replace("\u0092".encode(), b"\x92"))
    with pytest.raises(ValueError, match=r"train_sent_emo.csv:2: byte 0x92 is not UTF-8; save the table as"):
        READER.read(root)


def test_speakers_with_an_apostrophe_of_windows(tmp_path):
    rows = ROWS | {"dev": [("Yes.", "Anna\u0092s Friend", "joy", 0, 0)]}
    found = READER.read(write_meld(tmp_path, rows))
    assert found.problems == []
    assert found.recordings[0].speaker == "Anna\u2019s Friend"


def test_clips_that_are_not_there_and_clips_that_nobody_lists(root):
    (root / "dev_splits_complete/dia0_utt0.mp4").rename(root / "dev_splits_complete/dia9_utt9.mp4")
    for name in ("final_videos_testdia0_utt0.mp4", "final_videos_testdia3_utt1.mp4", "._dia0_utt0.mp4"):
        (root / "output_repeated_splits_test" / name).write_bytes(b"x")
    found = READER.read(root)
    assert found.missing == ["dev/dia0_utt0"]
    assert len(found.recordings) == 5
    assert found.problems == [
        NotOnDisk.at("dev/dia0_utt0", "dev_splits_complete/dia0_utt0.mp4"),
        ("", "dev_splits_complete/dia9_utt9.mp4", "found 1 clips that no row lists: left out"),
        (
            "",
            "output_repeated_splits_test/final_videos_testdia0_utt0.mp4",
            "found 2 names that are no dia<D>_utt<U>.mp4: left out",
        ),
    ]
    assert "dev/dia0_utt0" not in classes(found)


def test_a_table_that_is_not_there_is_said(root):
    (root / "dev_sent_emo.csv").unlink()
    found = READER.read(root)
    assert [problem.reason for problem in found.problems] == [
        "dev_sent_emo.csv is not there: the corpus has no partition dev",
        "found 1 clips that no row lists: left out",
    ]
    for path in root.glob("*.csv"):
        path.unlink()
    with pytest.raises(ValueError, match="expected the files train_sent_emo"):
        READER.read(root)


@pytest.mark.parametrize(
    ("old", "new", "recordings", "reason"),
    [
        (
            "Ben,joy",
            "Ben,bliss",
            6,
            "line 4: found Emotion 'bliss', expected one of anger, disgust, fear, happy",
        ),
        (",Ben,joy", ",,joy", 5, "line 4: found no Speaker, expected a name: left out"),
        (
            "neutral,1,0",
            "neutral,one,0",
            5,
            "line 4: found Dialogue_ID 'one', Utterance_ID '0', expected whole",
        ),
        ("neutral,1,0", "neutral,0,1", 5, "line 4: train/dia0_utt1 is listed before in line 3: left out"),
        ('3,"""Late,', "3,Late,", 5, "line 4: "),
    ],
)
def test_a_wrong_line_is_left_out(root, old, new, recordings, reason):
    edit(root / "train_sent_emo.csv", old, new)
    found = READER.read(root)
    assert len(found.recordings) == recordings
    assert len(found.traces) == 5
    assert found.problems[0].file == "train_sent_emo.csv"
    assert found.problems[0].reason.startswith(reason)


def test_numbers_as_a_spreadsheet_writes_them_and_no_label(root):
    edit(root / "train_sent_emo.csv", "neutral,1,0", "neutral,1.0,0.0")
    edit(root / "train_sent_emo.csv", "Ben,surprise", "Ben,")
    found = READER.read(root)
    assert len(found.recordings) == 6
    assert found.no_label == {("train/dia0_utt1", "emotion")}
    assert [type(problem) for problem in found.problems] == [NoLabel]


def test_a_missing_column_is_named(root):
    edit(root / "test_sent_emo.csv", "Dialogue_ID", "Dialogue")
    with pytest.raises(ValueError, match=r"test_sent_emo.csv:1: missing column Dialogue_ID"):
        READER.read(root)
