"""The command that predicts what comes, as a program of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.recogniser import Recogniser, RecogniserError
from stages.commands.app import app
from stages.commands.live import listen
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def folder(tiny_recognisers):
    return tiny_recognisers / "audio+video.arousal"


@pytest.fixture(scope="module")
def speech(tiny_recognisers):
    return tiny_recognisers.parent / "speech.wav"


def started(folder, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "stages.commands", "predict", str(folder), "-", *words], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ},
        start_new_session=True,  # Ctrl-C is for it alone
    )  # fmt: skip


def test_a_pipe_is_predicted_to_its_end(folder, speech):
    out, err = (process := started(folder)).communicate(speech.read_bytes(), timeout=240)
    assert process.returncode == 0, err.decode()
    rows = [json.loads(line) for line in out.splitlines()]
    expected = Recogniser.load(folder).predict(speech)["arousal"]
    assert [row["arousal"] for row in rows] == pytest.approx(list(expected), abs=2e-6)
    assert all(row["delay"] >= 0 and row["behind"] >= 0 for row in rows)


def test_a_full_disk_is_one_sentence(folder, speech):
    with Path("/dev/full").open("wb") as full, speech.open("rb") as sound:
        done = subprocess.run(
            [sys.executable, "-m", "stages.commands", "predict", str(folder), "-"], cwd=ROOT, stdin=sound,
            stdout=full, stderr=subprocess.PIPE, env={**os.environ}, timeout=240, check=False,
        )  # fmt: skip
    said = [row for row in done.stderr.splitlines() if not row.startswith(b"predict: falls behind")]
    assert said == [b"emobed: the rows cannot be printed (No space left on device)"]
    assert done.returncode == 1


def test_a_reader_that_goes_ends_it_quietly(folder, speech):
    process = started(folder, "--rate", "16000")
    sound = speech.read_bytes()
    process.stdin.write(sound)
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    with suppress(BrokenPipeError):
        for _ in range(100):
            process.stdin.write(sound)
            process.stdin.flush()
    assert process.wait(240) == 0
    # a busy machine may be late, and nothing else is said
    assert all(line.startswith(b"predict: falls behind") for line in process.stderr.read().splitlines())


def test_ctrl_c_is_a_sentence(folder, speech):
    process = started(folder, "--rate", "16000")
    process.stdin.write(speech.read_bytes())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["start"] == 0.0
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    assert process.wait(240) == 130
    assert process.stderr.read().splitlines()[-1] == b"predict: stopped by Ctrl-C"
    rest = process.stdout.read()
    assert all(json.loads(line) for line in rest.splitlines())  # no half lines
    process.stdin.close()


def test_what_gives_something_else_is_refused(folder):
    with pytest.raises(RecogniserError, match=r"predicts from audio, and what comes is pictures"):
        listen([folder], "camera")
    with pytest.raises(Exception, match="found telephone, expected microphone or camera"):
        listen([folder], "telephone")


def test_a_speaker_is_for_recognisers_that_ask_for_one(folder, speech):
    process = started(folder, "--speaker", "anna", "--rate", "16000")
    _, err = process.communicate(speech.read_bytes(), timeout=240)
    assert process.returncode == 1
    assert b"--enrol and --speaker are for recognisers that scale by speaker, and none of these does" in err


@pytest.mark.parametrize(
    "words",
    [
        ("--out", "rows.csv"),
        ("--resume",),
        ("--embeddings", "e.csv"),
        ("--plot", "pictures"),
        ("--root", "."),
        ("--workers", "2"),
        ("--max-failed-share", "0.5"),
    ],
)
def test_what_is_of_files_is_refused_and_not_passed_over(folder, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in (["-"], ["--live", "microphone"]):
        done = CliRunner().invoke(app, ["predict", str(folder), *source, *words])
        assert done.exit_code == 2, done.output
        assert "is of files" in done.stderr
        assert words[0] in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("--rate", "16000"), ("--channels", "2")])
def test_what_is_of_live_sound_is_refused_for_files(folder, speech, words):
    done = CliRunner().invoke(app, ["predict", str(folder), str(speech), *words])
    assert done.exit_code == 2, done.output
    assert "is of what comes live" in done.stderr
