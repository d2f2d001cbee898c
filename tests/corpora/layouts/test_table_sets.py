from dataclasses import replace
from functools import partial

import pytest

from pipeline.corpora.layouts import table

READER = replace(table.LAYOUT, several=True, read_traces=partial(table.read_traces, several=True))
ROWS = """recording,partition,speaker,audio,video,emotion.sad,emotion.anger,emotion.fear,arousal
one,train,anna,one.wav,one.mp4,0,0.33,2,0.5
two,dev,ben,one.wav,one.mp4,0,0,0,
three,test,cem,one.wav,one.mp4,,,,-0.25
four,test,cem,one.wav,one.mp4,NA,NA,na,
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "recordings.csv").write_text(ROWS)
    for name in ("one.wav", "one.mp4"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def write(root, *changes):
    text = ROWS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (root / "recordings.csv").write_text(text)


def test_none_of_them_is_told_from_nothing_said(root):
    corpus = READER.read(root)
    assert corpus.classes == ("anger", "fear")  # in OMG-Emotion's order; nobody is sad
    emotion = corpus.traces[corpus.traces["dimension"] == "emotion"]
    assert dict(zip(emotion["recording"], emotion["value"], strict=True)) == {"one": 3.0, "two": 0.0}
    assert corpus.no_label == {("four", "emotion")}
    assert corpus.notes == ["recordings.csv: no recording has the label sad, so it is no class"]
    arousal = corpus.traces[corpus.traces["dimension"] == "arousal"]
    assert arousal["value"].tolist() == [0.5, -0.25]
    assert [problem.reason for problem in corpus.problems] == [
        "no label of emotion where the cell is NA (1): labels.absent"
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "0,0.33,2",
            "0,,2",
            r"csv:2: found '' in the column emotion\.anger and numbers in others, expected a ",
        ),
        ("0,0.33,2", "0,-0.5,2", r"csv:2: found emotion\.anger '-0\.5', expected 0 or more"),
        ("0,0.33,2", "0,yes,2", r"csv:2: found emotion\.anger 'yes', expected a finite number"),
        ("emotion.sad", "emotion.", r"csv:1: the column 'emotion\.' names no class"),
        ("emotion.sad", "Emotion.sad", r"found the column 'Emotion\.sad', expected 'emotion\.' in small"),
        ("emotion.sad", "emotion. anger", r"'emotion\. anger' and 'emotion\.anger' name one class"),
        ("emotion.sad", "emotion.None", r"names the class 'None', which stands for recordings without any"),
        ("emotion.sad", "emotion.sad;sorry", "names no class, expected a name without ';'"),
        (
            "emotion.sad",
            "emotion",
            r"found a column emotion, expected one column per class, emotion\.<class>",
        ),
    ],
)
def test_what_is_no_set_is_refused(root, old, new, sentence):
    write(root, (old, new))
    with pytest.raises(ValueError, match=sentence):
        READER.read(root)


def test_a_table_without_labels_is_refused(root):
    write(root, ("emotion.sad,emotion.anger,emotion.fear", "a,b,c"))
    with pytest.raises(ValueError, match="found no column of labels, expected one column per class"):
        READER.read(root)


def test_sets_of_labels_are_no_traces(root):
    (root / "traces.csv").write_text("recording,dimension,rater,time,value\none,emotion,gold,0,1\n")
    with pytest.raises(
        ValueError, match=r"traces\.csv: found values of emotion, expected none for task multil"
    ):
        READER.read(root)
