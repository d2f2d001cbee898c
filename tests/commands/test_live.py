"""The command that predicts what comes, as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from stages.commands.live import listen
from tests.recogniser.test_stream import loaded, medium

RUN = "import sys; from pathlib import Path; from stages.commands.live import listen; " \
    "listen([Path(sys.argv[1])], sys.argv[2], rate=int(sys.argv[3]) or None)"  # fmt: skip


def started(paths, source="-", rate=0):
    folder = paths.recognisers / "audio+video.arousal"
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), source, str(rate)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ},
    )  # fmt: skip


def test_a_pipe_is_predicted_to_its_end(finished_sessions):
    path = medium(finished_sessions, "wav")
    process = started(finished_sessions)
    out, err = process.communicate(path.read_bytes(), timeout=120)
    assert process.returncode == 0, err.decode()
    rows = [json.loads(line) for line in out.splitlines()]
    expected = loaded(finished_sessions, "audio+video.arousal").predict(path)["arousal"]
    assert [row["arousal"] for row in rows] == pytest.approx(list(expected), abs=2e-6)
    assert all(row["delay"] >= 0 and row["behind"] >= 0 for row in rows)


def test_a_reader_that_goes_ends_it_quietly(finished_sessions):
    process = started(finished_sessions, rate=16000)
    sound = medium(finished_sessions, "wav").read_bytes()
    process.stdin.write(sound)
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    with suppress(BrokenPipeError):
        for _ in range(100):
            process.stdin.write(sound)
            process.stdin.flush()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""


def test_what_gives_something_else_is_refused(finished_sessions):
    from pipeline.recogniser import RecogniserError

    with pytest.raises(RecogniserError, match=r"predicts from video, and what comes is sound"):
        listen([finished_sessions.recognisers / "video+audio.arousal"], "microphone")
    with pytest.raises(Exception, match="found telephone, expected microphone or camera"):
        listen([finished_sessions.recognisers / "audio+video.arousal"], "telephone")
