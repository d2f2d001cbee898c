from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.recording import Medium, Recording
from pipeline.corpora.transcripts import cell
from pipeline.tools.checking_text import check_text
from tests.features.text.vectors import glove


@pytest.fixture
def corpus(params, tmp_path):
    text = params.corpora["demo_clips"].text.model_copy(update={"file": str(glove(tmp_path / "glove.txt"))})
    return params.corpora["demo_clips"].model_copy(update={"extract": ("audio", "text"), "text": text})


def recordings(root, *texts):
    """Write transcripts; None: the recording has none, bytes: what the file holds."""
    found = []
    for k, text in enumerate(texts):
        if isinstance(text, bytes):
            (root / f"{k}.txt").write_bytes(text)
        elif text is not None:
            (root / f"{k}.txt").write_text(text)
        media = {} if text is None else {"text": Medium(Path(f"{k}.txt"))}
        found.append(Recording(f"r{k}", "train", f"s{k}", media))
    return found


def test_transcripts_are_counted(corpus, tmp_path):
    found = check_text(corpus, recordings(tmp_path, "I am a zebra", None, "...", "zebra happy oh"), tmp_path)
    assert found.problems == []
    assert found.notes == [
        "1 of 4 recordings have no transcript",
        "1 of 4 recordings have a transcript without a word: not valid",
        "4 of 7 words (57.1 %) of the transcripts have no vector in text.file: "
        "'zebra' (2), 'a' (1), 'oh' (1)",
    ]


def test_what_cannot_be_read_is_a_problem(corpus, tmp_path):
    items = recordings(tmp_path, "I am", b"gl\xfccklich", "sad")
    (tmp_path / "2.txt").unlink()
    (tmp_path / "words.csv").write_text("recording,transcript\nr3,I am sad\n")
    items.append(Recording("r3", "train", "s3", {"text": cell(Path("words.csv"), "I was sad")}))
    found = check_text(corpus, items, tmp_path)
    assert [(problem.recording, problem.file) for problem in found.problems] == [
        ("r1", "1.txt"),
        ("r2", "2.txt"),
        ("r3", "words.csv"),
    ]
    assert found.problems[0].reason.startswith("line 1: byte 0xfc is not UTF-8")
    assert found.problems[1].reason == "no such file"
    assert found.notes == []


def test_vectors_that_cannot_be_read_are_somebody_else_s_finding(corpus, tmp_path):
    (tmp_path / "glove.txt").unlink()
    assert check_text(corpus, recordings(tmp_path, "..."), tmp_path).notes == [
        "1 of 1 recordings have a transcript without a word: not valid"
    ]


def test_nothing_is_said_where_text_is_not_extracted(corpus, tmp_path):
    other = corpus.model_copy(update={"extract": ("audio",)})
    assert check_text(other, recordings(tmp_path, None), tmp_path) == ([], [])
