from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import table
from pipeline.corpora.layouts.table_recordings import listed_columns
from pipeline.corpora.problems import NotOnDisk
from pipeline.corpora.recording import Medium

READER = table.LAYOUT
ROWS = """recording,partition,speaker,audio,video,emotion,arousal
one,train,anna,one.wav,one.mp4,happy,0.5
two,dev,ben,,two.mp4,,
three,test,cem,three.mp4,three.mp4,5,-0.25
"""
TRACES = """recording,dimension,rater,time,value
one,valence,r2,0.0,0.1
one,valence,r1,1.0,0.3
one,valence,r1,0.0,0.2
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "recordings.csv").write_text(ROWS)
    for name in ("one.wav", "one.mp4", "two.mp4", "three.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def test_recordings(root):
    recordings = {item.recording: item for item in READER.read(root).recordings}
    assert list(recordings) == ["one", "three", "two"]
    assert recordings["two"].medium("audio") is None
    assert recordings["three"].medium("audio") == recordings["three"].medium("video") == Path("three.mp4")
    assert recordings["one"].speaker == "anna"


def test_labels_by_name_and_code(root):
    corpus = READER.read(root)
    rows = corpus.traces[["recording", "dimension", "rater", "time", "value"]].astype({"recording": str})
    assert rows.to_numpy().tolist() == [
        ["one", "arousal", "gold", 0.0, 0.5],
        ["one", "emotion", "gold", 0.0, 0.0],
        ["three", "arousal", "gold", 0.0, -0.25],
        ["three", "emotion", "gold", 0.0, 1.0],
    ]
    assert corpus.classes == ("happy", "sad")
    assert corpus.problems == []


def test_own_classes_are_numbered_by_name(root):
    (root / "recordings.csv").write_text(ROWS.replace("happy", "joy").replace(",5,", ",calm,"))
    corpus = READER.read(root)
    assert corpus.classes == ("calm", "joy")
    emotion = corpus.traces[corpus.traces["dimension"] == "emotion"]
    assert dict(zip(emotion["recording"], emotion["value"], strict=True)) == {"one": 1.0, "three": 0.0}


def test_traces_csv_is_read_sorted(root):
    (root / "traces.csv").write_text(TRACES)
    traces = READER.read(root).traces
    valence = traces[traces["dimension"] == "valence"]
    assert list(valence["rater"]) == ["r1", "r1", "r2"]
    np.testing.assert_array_equal(valence["time"], [0, 1, 0])
    np.testing.assert_array_equal(valence["value"], [0.2, 0.3, 0.1])


@pytest.mark.parametrize("name", ["recordings.csv", "traces.csv"])
def test_crlf_bom_blank_lines_and_blanks_after_commas(root, name):
    (root / "traces.csv").write_text(TRACES)
    expected = READER.read(root)
    text = (root / name).read_text().replace(",", ", ").replace("\n", "\r\n") + "\r\n"
    (root / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    again = READER.read(root)
    assert again.recordings == expected.recordings
    assert again.traces.equals(expected.traces)


def test_absolute_paths_and_links_lead_to_media_folders_only(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "one.wav").write_bytes(b"x")
    (root / "link").symlink_to(elsewhere)
    (root / "link.wav").symlink_to(elsewhere / "one.wav")
    for written, what in (
        (f"{elsewhere}/one.wav", "is an absolute path"),
        ("link/one.wav", f"is a link to {elsewhere}/one.wav"),
        ("link.wav", f"is a link to {elsewhere}/one.wav"),
    ):
        (root / "recordings.csv").write_text(ROWS.replace("one.wav", written))
        with pytest.raises(ValueError, match="outside the corpus") as error:
            READER.read(root)
        assert str(error.value) == (
            f"{root}/recordings.csv:2: audio '{written}' {what}, outside the corpus; expected a path below "
            f"{root}, or `media_folders: [{elsewhere}]` among the parameters of the corpus"
        )
        corpus = READER.read(root, Wanted(media_folders=(elsewhere,)))
        assert corpus.problems == []
        assert corpus.recordings[0].medium("audio") == Path(written)
    (root / "recordings.csv").write_text(ROWS.replace("one.wav", f"{root}/one.wav"))
    assert READER.read(root).recordings[0].medium("audio") == root / "one.wav"


def test_a_corpus_behind_a_link_and_links_within_it_are_read(root, tmp_path):
    (root / "inner").mkdir()
    (root / "one.wav").rename(root / "inner/one.wav")
    (root / "one.wav").symlink_to("inner/one.wav")
    (tmp_path / "behind").symlink_to(root)
    corpus = READER.read(tmp_path / "behind")
    assert corpus.problems == []


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("../other/one.wav", "leads out of its folder by '..'"),
        ("clips/../../one.wav", "leads out of its folder by '..'"),
        ("..\\one.wav", "leads out of its folder by '..'"),
        ("/etc/passwd", "is an absolute path, outside the corpus"),
        ("C:\\media\\one.wav", "is a path of another machine"),
        ("file:///etc/passwd", "the protocol 'file' is not read, expected one of s3,"),
        ("local:///etc/passwd", "the protocol 'local' is not read"),
        ("memory://one.wav", "the protocol 'memory' is not read"),
        ("simplecache::file:///etc/passwd", "the protocol 'simplecache' is not read"),
        ("zip://one.wav::https://x.org/y.zip", "the protocol 'zip' is not read"),
        ("http://169.254.169.254/latest/meta-data", "an address of this machine or its network"),
        ("http://localhost:8080/x.wav", "an address of this machine or its network"),
        ("https://[::1]/x.wav", "an address of this machine or its network"),
        ("https://2130706433/x.wav", "an address of this machine or its network"),
        ("http://0.0.0.0/x.wav", "an address of this machine or its network"),
        ("http://10.1.2.3/x.wav", "an address of this machine or its network"),
        ("https://user@127.0.0.1/x.wav", "an address of this machine or its network"),
    ],
)
@pytest.mark.parametrize("column", ["audio", "video"])
def test_names_that_lead_out_of_the_corpus_are_refused(root, written, what, column):
    old = {"audio": "one.wav", "video": "one.mp4"}[column]
    (root / "recordings.csv").write_text(ROWS.replace(old, written))
    with pytest.raises(ValueError, match=r"recordings\.csv:2") as error:
        READER.read(root)
    assert str(error.value).startswith(f"{root}/recordings.csv:2: {column} ")
    assert what in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "=1+1", "+SUM(1)", "-1+cmd()", "@A1()", "a\x07", "\u202eb"]
)
@pytest.mark.parametrize("old", ["two", "ben", "happy"])
def test_names_that_would_harm_a_reader_of_lists_are_refused(root, name, old):
    text = ROWS.replace(old, f'"{name}"', 1)
    (root / "recordings.csv").write_text(text)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if name in row)
    with pytest.raises(
        ValueError, match=rf"recordings.csv:{line}: found .*expected (a name|text) in the column"
    ):
        READER.read(root)


def test_fifty_thousand_rows(tmp_path):
    lines = [f"r{k:06},train,s{k % 500},,,{k % 7}" for k in range(50_000)]
    header = "recording,partition,speaker,audio,video,emotion"
    (tmp_path / "recordings.csv").write_text("\n".join([header, *lines]))
    corpus = READER.read(tmp_path, Wanted(extract=(), features={"text": "text.csv"}))
    assert len(corpus.recordings) == len(corpus.traces) == 50_000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("partition,", "split,", r"recordings.csv:1: missing column partition in 'recording,split"),
        ("audio,video,", "audio,", r"recordings.csv:1: missing column video"),
        (
            "two,dev",
            "two,valid",
            r"recordings.csv:3: unknown partition 'valid', expected one of train, dev, test",
        ),
        ("two,dev", "one,dev", r"recordings.csv:3: recording 'one' occurs twice"),
        ("two,dev", ",dev", r"recordings.csv:3: recording and speaker must not be empty"),
        ("dev,ben", "dev,", r"recordings.csv:3: recording and speaker must not be empty"),
        ("two.mp4,,", "two.mp4", r"recordings.csv:3: found 5 cells \('two,dev,ben,,two.mp4'\), expected 7"),
        ("0.5", "high", r"recordings.csv:2: found arousal 'high', expected a finite number"),
        ("0.5", "inf", r"recordings.csv:2: found arousal 'inf', expected a finite number"),
        (
            ",5,",
            ",7,",
            r"recordings.csv:4: found emotion '7', expected a name or code out of 0 anger, 1 disgust",
        ),
        (ROWS, "", r"recordings.csv:1: missing column recording, partition"),
        (ROWS, ROWS.splitlines()[0] + "\n", r"recordings.csv: found no recordings"),
    ],
)
def test_a_wrong_recordings_csv_is_named_with_file_and_line(root, old, new, message):
    (root / "recordings.csv").write_text(ROWS.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        READER.read(root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rater,", "who,", r"traces.csv:1: missing column rater"),
        ("1.0,0.3", "1.0,much", r"traces.csv:3: found value 'much', expected a finite number"),
        ("1.0,0.3", "one,0.3", r"traces.csv:3: found time 'one', expected a finite number"),
        ("one,valence,r1,1.0", "\none,valence,r1,nan", r"traces.csv:4: found time 'nan'"),
        ("valence,r1,1.0", "joy,r1,1.0", r"traces.csv:3: unknown dimension 'joy', expected one of arousal"),
        ("r1,1.0", "r1,0.0", r"traces.csv: recording 'one' has two values of valence by 'r1' at 0.0 s"),
        (TRACES, "", r"traces.csv:1: missing column recording, dimension"),
    ],
)
def test_a_wrong_traces_csv_is_named_with_file_and_line(root, old, new, message):
    (root / "traces.csv").write_text(TRACES.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        READER.read(root)


COMPOSED, DECOMPOSED = "M\u00fcller/Jos\u00e9.wav", "Mu\u0308ller/Jose\u0301.wav"


@pytest.mark.parametrize(
    "written", [COMPOSED, DECOMPOSED, COMPOSED.replace("/", "\\"), "Müller/Jose\u0301.wav"]
)
@pytest.mark.parametrize("disk", [COMPOSED, DECOMPOSED, "Mu\u0308ller/Jos\u00e9.wav"])
def test_a_file_is_found_whatever_the_form_of_its_name(root, written, disk):
    (root / disk).parent.mkdir()
    (root / disk).write_bytes(b"x")
    (root / "recordings.csv").write_text(ROWS.replace("one.wav", written))
    corpus = READER.read(root)
    assert corpus.problems == []
    assert corpus.recordings[0].medium("audio") == Path(disk)


def test_windows_separators(root):
    (root / "clips").mkdir()
    (root / "one.wav").rename(root / "clips/one.wav")
    (root / "recordings.csv").write_text(
        ROWS.replace("one.wav", "clips\\one.wav").replace(",two", ",no\\two")
    )
    corpus = READER.read(root)
    assert corpus.recordings[0].medium("audio") == Path("clips/one.wav")
    assert corpus.problems == [("two", "no/two.mp4", NotOnDisk.REASON)]


def test_two_names_that_differ_in_unicode_form_only_are_one(root):
    lines = ["Jos\u00e9,train,anna,one.wav,,,", "Jose\u0301,train,anna,one.wav,,,"]
    (root / "recordings.csv").write_text("\n".join([ROWS.splitlines()[0], *lines]))
    with pytest.raises(ValueError, match=r"recordings.csv:3: recording 'José' occurs twice"):
        READER.read(root)
    (root / "recordings.csv").write_text(ROWS.replace("one,", "Jose\u0301,", 1))
    (root / "traces.csv").write_text(TRACES.replace("one,", "Jos\u00e9,"))
    corpus = READER.read(root)
    assert corpus.problems == []
    assert set(corpus.traces["recording"]) == {"Jos\u00e9", "three"}


def test_a_listing_that_is_not_utf8_is_refused_and_not_registered(root):
    (root / "recordings.csv").write_bytes(ROWS.replace("anna", "Bär").encode("cp1252"))
    with pytest.raises(
        ValueError, match=r"recordings.csv:2: byte 0xe4 is not UTF-8; save the table as 'CSV UTF"
    ):
        READER.read(root)


def test_everything_wrong_with_a_listing_is_said_at_once(root):
    text = (
        ROWS.replace("two,dev", "two,valid").replace("three,test,cem", "three,test,") + "one,train,a,,,,\n,\n"
    )
    (root / "recordings.csv").write_text(text + "four,dev\n")
    with pytest.raises(ValueError, match="valid") as error:
        READER.read(root)
    assert [line.rpartition("recordings.csv:")[2] for line in str(error.value).splitlines()] == [
        "3: unknown partition 'valid', expected one of train, dev, test",
        "4: recording and speaker must not be empty, found 'three', ''",
        "5: recording 'one' occurs twice, expected once",
        "6: found a line of separators only, expected such lines at the end alone",
        "7: found 2 cells ('four,dev'), expected 7",
    ]


def test_problems_that_do_not_stop(root):
    (root / "one.wav").unlink()
    (root / "recordings.csv").write_text(ROWS + "four,dev,anna,,,,\nfive,dev,anna,,two.mp4,,\n")
    (root / "traces.csv").write_text(TRACES + "nobody,valence,r1,0.0,0.2\n")
    corpus = READER.read(root)
    assert set(corpus.problems) == {
        ("one", "one.wav", NotOnDisk.REASON),
        ("four", "recordings.csv", "neither audio nor video is named: left out"),
        ("", "recordings.csv", "speaker 'anna' is in the partitions dev, train: expected one"),
        ("nobody", "traces.csv", "traces of a recording that is not in recordings.csv: left out"),
    }
    assert [item.recording for item in corpus.recordings] == ["five", "one", "three", "two"]


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"expected a file recordings\.csv with the columns recording, partition"
    ):
        READER.read(tmp_path)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_are_told_whatever_the_separator(tmp_path, separator):
    (tmp_path / "recordings.csv").write_text(
        separator.join(("recording", "partition", "speaker", "stimulus"))
    )
    assert listed_columns(tmp_path) == ("recording", "partition", "speaker", "stimulus")


@pytest.mark.parametrize(
    ("cells", "noted"),
    [
        (("1", "2.0", ""), "(1 disgust, 2 fear)"),
        (("1", "happy", ""), None),
        (("1", "9", ""), None),
        (("a", "b", ""), None),
    ],
)
def test_numbers_alone_are_said_to_be_codes_of_somebody_else(tmp_path, cells, noted):
    rows = [f"r{k},train,s{k},a.wav,a.wav,{cell}" for k, cell in enumerate(cells)]
    (tmp_path / "recordings.csv").write_text(
        "\n".join(("recording,partition,speaker,audio,video,emotion", *rows)) + "\n"
    )
    notes = READER.read(tmp_path).notes
    assert [noted in note for note in notes] == ([True] if noted else [])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("one,arousal,,0.0,0.1", "traces.csv:2: found no rater, expected a name, or gold"),
        (
            "one,arousal,r1,0.0,1e39",
            "traces.csv:2: found value '1e39', expected a finite number of at most 3.4e",
        ),
        ("one,arousal,r1,0.0,inf", "traces.csv:2: found value 'inf', expected a finite number$"),
    ],
)
def test_traces_that_nobody_can_use(root, row, sentence):
    (root / "traces.csv").write_text(f"recording,dimension,rater,time,value\n{row}\n")
    with pytest.raises(ValueError, match=sentence):
        READER.read(root)


def with_words(root, text):
    (root / "recordings.csv").write_text(text)
    return {item.recording: item for item in READER.list_recordings(root, Wanted(("text",))).recordings}


def test_transcripts_are_files_or_words_in_a_column(root):
    (root / "said").mkdir()
    (root / "said/one.txt").write_text("hello")
    rows = with_words(
        root,
        "recording,partition,speaker,text,transcript\n"
        "one,train,anna,said/one.txt,\n"
        'two,dev,ben,,"=1+1, he said: ""don\'t!"""\n'
        "three,test,cem,,\n",
    )
    assert rows["one"].media == {"text": Medium(Path("said/one.txt"))}
    words = '=1+1, he said: "don\'t!"'
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    assert rows["two"].media == {"text": Medium(Path("recordings.csv"), sha256, "transcript")}
    assert "three" not in rows  # nothing of it is named


def test_words_are_no_media_where_text_is_not_extracted(root):
    (root / "recordings.csv").write_text(
        "recording,partition,speaker,audio,video,text,transcript\none,train,anna,one.wav,,what I said,hello\n"
    )
    (one,) = READER.read(root).recordings
    assert one.media.keys() == {"audio"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "recording,partition,speaker\none,train,a\n",
            "csv:1: found neither the column text .* nor",
        ),
        (
            "recording,partition,speaker,text\none,train,a,what I said\n",
            "csv:2: found no name of a .txt file in the column text, .* words go into the column transcript",
        ),
        (
            "recording,partition,speaker,text,transcript\none,train,a,a.txt,hello\n",
            "csv:2: found both text and transcript, expected one of them",
        ),
        ("recording,partition,speaker,text\none,train,a,../a.txt\n", r"csv:2: text '\.\./a\.txt' leads out"),
    ],
)
def test_wrong_transcripts_are_named_and_their_words_are_not(root, text, message):
    with pytest.raises(ValueError, match=message) as error:
        with_words(root, text)
    assert "what I said" not in str(error.value)
    assert "hello" not in str(error.value)


def test_a_missing_transcript_is_a_problem(root):
    (root / "recordings.csv").write_text("recording,partition,speaker,text\none,train,a,a.txt\n")
    found = READER.list_recordings(root, Wanted(("text",)))
    assert found.problems == [("one", "a.txt", NotOnDisk.REASON)]
