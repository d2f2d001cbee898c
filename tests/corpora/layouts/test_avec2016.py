from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.layouts import avec2016
from tests.corpora.official_layouts import RATERS, STEP, gold, ratings, write_recola

READER = avec2016.LAYOUT


@pytest.fixture
def root(tmp_path):
    return write_recola(tmp_path / "recola")


def trace(traces, recording, dimension, rater):
    chosen = traces[
        (traces["recording"] == recording) & (traces["dimension"] == dimension) & (traces["rater"] == rater)
    ]
    return chosen["time"].to_numpy(), chosen["value"].to_numpy()


def test_recordings_have_partition_speaker_and_both_media(root):
    recordings = READER.read(root).recordings
    assert [item.recording for item in recordings] == [
        "dev_1",
        "dev_2",
        "test_1",
        "test_2",
        "train_1",
        "train_2",
    ]
    first = recordings[0]
    assert (first.partition, first.speaker) == ("dev", "dev_1")
    assert first.medium("audio") == Path("recordings_audio/dev_1.wav")
    assert first.medium("video") == Path("recordings_video/dev_1.mp4")
    assert first.sha256("audio") == ""


def test_gold_standard_and_raters_have_the_values_of_the_files(root):
    corpus = READER.read(root)
    time, value = trace(corpus.traces, "train_2", "valence", "gold")
    np.testing.assert_array_equal(value, gold("train_2", "valence"))
    np.testing.assert_allclose(time, np.arange(251) * STEP, atol=1e-9)
    for rater, expected in zip(RATERS, ratings("dev_1", "arousal"), strict=True):
        np.testing.assert_array_equal(trace(corpus.traces, "dev_1", "arousal", rater)[1], expected)
    assert corpus.problems == []


def test_recordings_without_ratings_have_no_traces(root):
    assert set(READER.read(root).traces["recording"]) == {"dev_1", "dev_2", "train_1", "train_2"}


def test_missing_medium_is_none(root):
    (root / "recordings_video" / "train_1.mp4").unlink()
    recordings = {item.recording: item for item in READER.read(root).recordings}
    assert recordings["train_1"].medium("video") is None
    assert recordings["train_1"].medium("audio") == Path("recordings_audio/train_1.wav")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.upper().replace("TRAIN_1", "train_1"),
        lambda text: text.replace("\r\n", "\n"),
        lambda text: "\r\n% a comment\r\n" + text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace("@data", "@Data  "),
        lambda text: text + "\r\n\r\n",
    ],
    ids=["upper case", "lf", "comment", "bom", "data with blanks", "blank end"],
)
def test_arff_header_variants_read_the_same(root, change):
    path = root / "ratings_gold_standard/arousal/train_1.arff"
    path.write_bytes(change(path.read_bytes().decode()).encode())
    corpus = READER.read(root)
    assert corpus.problems == []
    np.testing.assert_array_equal(
        trace(corpus.traces, "train_1", "arousal", "gold")[1], gold("train_1", "arousal")
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("train_1,0.4,", "train_1,0.4,x", "line 20: found GoldStandard 'x"),
        ("train_1,0.4,", "train_1,nan,", "line 20: found 'train_1,nan,"),
        ("train_1,0.4,", "train_1,", "line 20: found 2 cells ('train_1,"),
        ("train_1,0.4,", "train_1,0.2,", "line 20: found 'train_1,0.2,"),
        ("@data", "@dta", "found no line @data"),
        (
            "@attribute frameTime numeric",
            "",
            "line 8: found the attributes ['instance_name', 'goldstandard']",
        ),
    ],
    ids=["text", "nan", "cells", "time falls", "no data", "no time"],
)
def test_broken_arff_is_a_problem_that_names_file_and_line(root, old, new, reason):
    path = root / "ratings_gold_standard/arousal/train_1.arff"
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode(), 1))
    corpus = READER.read(root)
    (problem,) = corpus.problems
    assert problem.recording == "train_1"
    assert problem.file == "ratings_gold_standard/arousal/train_1.arff"
    assert reason in problem.reason
    assert len(trace(corpus.traces, "train_1", "arousal", "gold")[1]) == 0
    assert len(trace(corpus.traces, "train_1", "valence", "gold")[1]) == 251


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\xff\xfe\x00\x01"], ids=["empty", "blank", "binary"])
def test_empty_files_are_problems(root, data):
    (root / "ratings_gold_standard/arousal/train_1.arff").write_bytes(data)
    (root / "ratings_individual/arousal/train_1.csv").write_bytes(data)
    problems = READER.read(root).problems
    assert [problem.file for problem in problems] == [
        "ratings_gold_standard/arousal/train_1.arff",
        "ratings_individual/arousal/train_1.csv",
    ]


def test_non_numeric_rating_is_a_problem_with_its_line(root):
    path = root / "ratings_individual/valence/dev_2.csv"
    lines = path.read_text().splitlines()
    lines[9] = lines[9].rsplit(";", 1)[0] + ";high"
    path.write_text("\r\n".join(lines))
    (problem,) = READER.read(root).problems
    assert problem.recording == "dev_2"
    assert problem.reason.startswith("line 10: found '0.32;")
    assert problem.reason.endswith("expected finite numbers")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"0.04;", b"0.04\xfc;", "line 3: byte 0xfc is not UTF-8; save the table as 'CSV UTF-8'"),
        (b"FM1", b"=FM1()", "line 1: found '=FM1()', which a spreadsheet takes for a formula"),
        (b"FM1", b"FM1\x1b", "line 1: found the control character U+001B"),
    ],
)
def test_ratings_that_are_not_text_are_problems_with_their_line(root, old, new, reason):
    path = root / "ratings_individual/valence/dev_2.csv"
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    (problem,) = READER.read(root).problems
    assert problem.reason.startswith(reason)


def test_individual_ratings_with_crlf_bom_and_trailing_separator(root):
    path = root / "ratings_individual/valence/dev_2.csv"
    lines = [line + ";" for line in path.read_text().splitlines()]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    corpus = READER.read(root)
    assert corpus.problems == []
    np.testing.assert_array_equal(
        trace(corpus.traces, "dev_2", "valence", "FF3")[1], ratings("dev_2", "valence")[5]
    )


def test_misnamed_media_and_hidden_files(root):
    (root / "recordings_audio" / "speaker7.wav").write_bytes(b"x")
    (root / "recordings_audio" / "._train_1.wav").write_bytes(b"x")
    corpus = READER.read(root)
    assert len(corpus.recordings) == 6
    (problem,) = corpus.problems
    assert problem.file == "recordings_audio/speaker7.wav"
    assert "expected train_N" in problem.reason


def test_ratings_without_recording_are_a_problem(root):
    (root / "recordings_audio/dev_2.wav").unlink()
    (root / "recordings_video/dev_2.mp4").unlink()
    corpus = READER.read(root)
    assert {problem.recording for problem in corpus.problems} == {"dev_2"}
    assert len(corpus.problems) == 4


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected the folders recordings_audio"):
        READER.read(tmp_path)
