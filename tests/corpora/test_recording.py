from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.recording import MANIFEST_COLUMNS, Recording, format_manifest, read_manifest

HEADER = ",".join(MANIFEST_COLUMNS) + "\n"
DIGEST = "0123456789abcdef" * 4


def test_manifest_comes_back_sorted_and_equal(tmp_path):
    recordings = [
        Recording("video/utterance_2", "dev", "video", Path("a, b.mp4"), Path("a, b.mp4"), DIGEST, DIGEST),
        Recording("train_1", "train", "s", None, Path("/abs/x.mp4"), "", DIGEST),
        Recording("test_1", "test", "t", Path("x.wav"), None),
    ]
    path = tmp_path / "m.csv"
    path.write_bytes(format_manifest(recordings))
    assert read_manifest(path) == [recordings[2], recordings[1], recordings[0]]
    assert b"\r" not in path.read_bytes()
    assert path.read_text().splitlines()[1] == "test_1,test,t,x.wav,,,"


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
def test_crlf_blank_lines_and_bom_are_read(tmp_path, mark):
    path = tmp_path / "m.csv"
    text = mark + HEADER + "\n" + f"a,dev,s,x.wav,,{DIGEST},\n"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert read_manifest(path) == [Recording("a", "dev", "s", Path("x.wav"), None, DIGEST, "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.csv:1: found the header '', expected 'recording,partition"),
        (HEADER.replace("speaker,", ""), "m.csv:1: found the header 'recording,partition,audio"),
        (
            HEADER + "a,eval,s,x.wav,,,\n",
            "m.csv:2: unknown partition 'eval', expected one of train, dev, test",
        ),
        (HEADER + "a,dev,s,,,,\na,dev,s,,,,\n", "m.csv:3: recording 'a' occurs twice"),
        (HEADER + "a,dev,s,,,\n", r"m.csv:2: found 6 cells \('a,dev,s,,,'\), expected 7"),
        (HEADER + "<<<<<<< HEAD\n", "m.csv:2: found 1 cells"),
        (HEADER + ",dev,s,,,,\n", "m.csv:2: recording and speaker must not be empty"),
        (HEADER + "a,dev,,,,,\n", "m.csv:2: recording and speaker must not be empty"),
        (HEADER + "a,dev,s,x.wav,,1234,\n", "m.csv:2: found the sha256 '1234', expected 64 hexadecimal"),
    ],
)
def test_a_wrong_manifest_is_named_with_file_and_line(tmp_path, text, message):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_manifest(tmp_path / "m.csv")
