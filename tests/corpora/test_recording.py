from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.recording import Medium, Recording, format_manifest, read_manifest
from tests.recordings import recording

HEADER = "recording,partition,speaker,audio,video,audio_sha256,video_sha256\n"
DIGEST = "0123456789abcdef" * 4


def test_manifest_comes_back_sorted_and_equal(tmp_path):
    recordings = [
        recording("video/utterance_2", "dev", "video", Path("a, b.mp4"), Path("a, b.mp4"), DIGEST, DIGEST),
        recording("train_1", "train", "s", None, Path("/abs/x.mp4"), "", DIGEST),
        recording("test_1", "test", "t", Path("x.wav"), None),
    ]
    path = tmp_path / "m.csv"
    path.write_bytes(format_manifest(recordings))
    assert read_manifest(path) == [recordings[2], recordings[1], recordings[0]]
    assert b"\r" not in path.read_bytes()
    assert path.read_text().splitlines()[1] == "test_1,test,t,x.wav,,,"


def test_any_modality_is_a_column_beside_sound_and_pictures(tmp_path):
    path = tmp_path / "m.csv"
    cell = Medium(Path("words.tsv"), DIGEST, "transcript")
    recordings = [
        Recording("a", "train", "s", {"text": cell, "pulse": Medium(Path("a #1.csv"), DIGEST)}),
        Recording("b", "test", "s", {"text": Medium(Path("b.txt")), "audio": Medium(Path("b.wav"))}),
    ]
    path.write_bytes(format_manifest(recordings))
    assert path.read_text() == (
        "recording,partition,speaker,audio,video,pulse,text,"
        "audio_sha256,video_sha256,pulse_sha256,text_sha256\n"
        f"a,train,s,,,a #1.csv,words.tsv#transcript,,,{DIGEST},{DIGEST}\n"
        "b,test,s,b.wav,,,b.txt,,,,\n"
    )
    assert read_manifest(path) == recordings


@pytest.mark.parametrize(
    "text",
    [
        f'a,dev,s,x.wav,,{DIGEST},\nb,train,t,,"https://h/ä, b.mp4",,\n',
        "a,test,s,,,,\n",
    ],
)
def test_a_manifest_of_sound_and_pictures_is_written_as_it_was_read(tmp_path, text):
    path = tmp_path / "m.csv"
    path.write_bytes((HEADER + text).encode())
    assert format_manifest(read_manifest(path)) == path.read_bytes()


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
def test_crlf_blank_lines_and_bom_are_read(tmp_path, mark):
    path = tmp_path / "m.csv"
    text = mark + HEADER + "\n" + f"a,dev,s,x.wav,,{DIGEST},\n"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert read_manifest(path) == [recording("a", "dev", "s", Path("x.wav"), None, DIGEST, "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.csv:1: found the header '', expected 'recording,partition"),
        (HEADER.replace("speaker,", ""), "m.csv:1: found the header 'recording,partition,audio"),
        (
            "recording,partition,speaker,audio,text,audio_sha256\n",
            "m.csv:1: found .*, expected 'recording,partition,speaker,audio,text,audio_sha256,text_sha256'",
        ),
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
