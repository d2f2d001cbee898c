from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import iemocap
from pipeline.corpora.problems import NoLabel, NotOnDisk
from tests.corpora.iemocap_layout import write_iemocap

AUDIO = Wanted(extract=("audio",))


def reader(layout="iemocap4"):
    return iemocap.layout(SimpleNamespace(layout=layout), None, {})


@pytest.fixture
def root(tmp_path):
    return write_iemocap(tmp_path / "iemocap")


def classes(found):
    own = found.traces[(found.traces["dimension"] == "emotion") & (found.traces["rater"] == "gold")]
    return {name: found.classes[int(code)] for name, code in zip(own["recording"], own["value"], strict=True)}


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_utterances_sessions_and_speakers(root):
    found = reader().read(root, AUDIO)
    assert len(found.recordings) == 80
    assert Counter((item.speaker, item.partition) for item in found.recordings) == {
        (f"Ses0{number}_{sex}", {4: "dev", 5: "test"}.get(number, "train")): 8
        for number in range(1, 6)
        for sex in "FM"
    }
    first, last = found.recordings[0], found.recordings[-1]
    assert first.recording == "Ses01F_impro01_F000"
    assert first.medium("audio") == Path("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav")
    assert last.recording == "Ses05M_script01_1b_M007"
    # the wearer of the markers, before the dialog, is not who speaks
    assert {item.speaker for item in found.recordings if item.recording.startswith("Ses01M")} == {
        "Ses01_F",
        "Ses01_M",
    }


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("iemocap4", ["anger", "happy", "happy", "neutral", "sad"]),
        ("iemocap6", ["anger", "happy", "excited", "neutral", "sad", "frustrated"]),
    ],
)
def test_four_and_six_classes(root, layout, words):
    found = reader(layout).read(root, AUDIO)
    own = [word for name, word in sorted(classes(found).items()) if name.startswith("Ses01F")]
    expected = dict(zip(("F000", "M001", "F002", "M003", "F004", "M005"), words, strict=False))
    assert own == [word for _, word in sorted(expected.items())]
    (problem,) = found.problems
    assert isinstance(problem, NoLabel)
    fru = "fru (10), " if layout == "iemocap4" else ""
    assert problem.reason == f"no label of emotion where the code is {fru}sur (10), xxx (10)"
    assert len(found.no_label) == 80 - len(words) * 10


def test_a_change_of_classes_reads_traces_anew():
    assert reader("iemocap4").parameters != reader("iemocap6").parameters


def test_valence_and_arousal_are_the_means_of_raters(root):
    traces = reader().read(root, AUDIO).traces
    one = traces[traces["recording"] == "Ses01F_impro01_F002"].set_index("dimension")
    assert (one["value"]["valence"], one["value"]["arousal"]) == (2.0, 4.0)
    assert set(traces.loc[traces["dimension"] != "emotion", "rater"]) == {"gold"}


def test_votes_of_single_raters_on_the_classes(root):
    file = root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    votes = "C-E2:\tHappiness; Excited; Anger;\t()\nC-E3:\tSadness;\t(low)\nC-E4:\tFrustration;\t()\n"
    edit(file, "C-E2:\tNeutral;\t()\n", votes)
    for layout, expected in (
        ("iemocap4", [("E2", "anger"), ("E2", "happy"), ("E3", "sad")]),
        (
            "iemocap6",
            [("E2", "anger"), ("E2", "excited"), ("E2", "happy"), ("E3", "sad"), ("E4", "frustrated")],
        ),
    ):
        found = reader(layout).read(root, AUDIO)
        own = found.traces[(found.traces["dimension"] == "emotion") & (found.traces["rater"] != "gold")]
        first = own[own["recording"] == "Ses01F_impro01_F000"]
        words = [found.classes[int(code)] for code in first["value"]]
        assert sorted(zip(first["rater"], words, strict=True)) == expected
        # what the actor said of herself (C-F1) is no rater's
        rest = own[own["recording"] != "Ses01F_impro01_F000"]
        assert len(rest) == 79
        assert set(rest["rater"]) == {"E2"}
        assert {found.classes[int(code)] for code in rest["value"]} == {"neutral"}


def test_what_is_not_on_disk_is_counted(root):
    (root / "Session2/sentences/wav/Ses02F_impro01/Ses02F_impro01_F000.wav").unlink()
    found = reader().read(root, AUDIO)
    assert found.missing == ["Ses02F_impro01_F000"]
    path = "Session2/sentences/wav/Ses02F_impro01/Ses02F_impro01_F000.wav"
    assert NotOnDisk.at("Ses02F_impro01_F000", path) in found.problems
    assert ("", "sentences/wav", "1 of 80 utterances have no audio") in found.problems


def test_faces_that_the_user_cut(root):
    path = Path("Session1/sentences/video/Ses01F_impro01/Ses01F_impro01_F000.mp4")
    (root / path).parent.mkdir(parents=True)
    (root / path).write_bytes(b"face")
    listing = reader().list_recordings(root, Wanted(extract=("audio", "video")))
    assert len(listing.recordings) == 80
    assert listing.recordings[0].medium("video") == path
    reason = "79 of 80 utterances have no video; `emobed iemocap cut` makes what the films have"
    assert listing.problems == [("", "sentences/video", reason)]


@pytest.mark.parametrize(
    ("old", "new", "recordings", "reason"),
    [
        ("\tang\t", "\tfoo\t", 80, "line 3: found emotion 'foo', expected one of ang, dis, exc"),
        ("[1.5000, 4.0000,", "[1.5000, ", 79, "line 3: found '[0.2901 - 1.1357]\tSes01F_impro01_F000"),
        ("Ses01F_impro01_F000", "Ses09F_impro01_F000", 79, "line 3: found '[0.2901"),
        (
            "M001",
            "F000",
            79,
            "line 8: Ses01F_impro01_F000 is listed before in Session1/dialog/EmoEvaluation/",
        ),
    ],
)
def test_a_wrong_line_is_named(root, old, new, recordings, reason):
    edit(root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", old, new)
    found = reader().read(root, AUDIO)
    assert len(found.recordings) == recordings
    problems = [problem for problem in found.problems if problem.file.endswith("Ses01F_impro01.txt")]
    assert len(problems) == 1
    assert problems[0].reason.startswith(reason)
    assert len(classes(found)) == 49


def test_a_file_that_is_no_text_is_left_out(root):
    (root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt").write_bytes(b"[\xff")
    found = reader().read(root, AUDIO)
    assert len(found.recordings) == 72
    assert found.problems[0].reason.startswith("1: byte 0xff is not UTF-8")


def test_sessions_that_are_not_there_are_said(tmp_path):
    found = reader().read(write_iemocap(tmp_path / "two", (1, 4)), AUDIO)
    assert ("", "", "Session2, Session3, Session5 not there, expected five sessions") in found.problems
    with pytest.raises(ValueError, match="expected the folders Session1 to Session5 of IEMOCAP"):
        reader().read(tmp_path)


def test_groups(root):
    sex, kind = (reader().read_groups(root, column) for column in ("sex", "kind"))
    assert (sex["Ses01M_script01_1b_F000"], kind["Ses01M_script01_1b_F000"]) == ("female", "scripted")
    assert (sex["Ses01F_impro01_M001"], kind["Ses01F_impro01_M001"]) == ("male", "improvised")
    assert set(reader().read_groups(root, "session").values()) == {f"Ses0{k}" for k in range(1, 6)}
    with pytest.raises(KeyError, match="no group 'age', expected some of sex, kind, session"):
        reader().read_groups(root, "age")
