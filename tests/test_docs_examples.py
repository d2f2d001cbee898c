"""The examples of the pages on using recognisers run: commands, programs, and what is said of their output.

What cannot run here is named with the reason. Some 60 s.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.recogniser import Recogniser
from stages.commands.app import app
from tests import tiny_recognisers as tiny
from tests.conftest import ROOT
from tests.test_docs import BLOCK

NOT_RUN = {
    "source .venv/bin/activate": "prepares a shell",
    "emobed evaluate data/recognisers/demo_sessions": "needs a registered corpus; tests/test_used_corpora.py",
    "git tag -a": "needs a remote of DVC",
    "dvc artifacts get": "needs a remote of DVC",
    "emobed predict data/recognisers/demo_sessions/audio+video.arousal --live microphone": "no microphone",
    "emobed predict data/recognisers/demo_sessions/video+audio.valence --live camera:0": "no camera",
    "pip install": "installs",
    "import json, pathlib, sys, wave": "tests/recogniser/test_onnx_file.py runs it",
    "server {": "a file of nginx",
}
"""How a block, or a line of commands, begins -> why it is not run here."""
PAGES = ("use.md", "live.md", "serve.md", "onnx.md")
FOLDER = "data/recognisers/demo_clips/audio+video.emotion"
PIPED = {"ffmpeg": "speech.wav", "arecord": None}
"""Programs in front of a pipe -> the file that they would write; None: samples without a header."""


def blocks(page: str) -> list[tuple[str, str]]:
    return [tuple(found) for found in BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))]


def why_not(text: str) -> str | None:
    return next((why for start, why in NOT_RUN.items() if text.startswith(start)), None)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def recognisers(tmp_path_factory) -> Path:
    """Return a folder with a recogniser of traces, and one of classes that scales by speaker."""
    folder = tmp_path_factory.mktemp("examples")
    tiny.arousal(folder / "audio+video.arousal")
    tiny.emotion(folder / "audio+video.emotion", speaker="centre")
    return folder


@pytest.fixture
def place(recognisers, tmp_path, monkeypatch) -> Path:
    """Return the working directory: recognisers and files where the pages have them."""
    own = {"arousal": recognisers / "audio+video.arousal", "emotion": recognisers / "audio+video.emotion"}
    for name, made in (
        ("demo_sessions/audio+video.arousal", own["arousal"]),
        ("demo_sessions/video+audio.valence", own["emotion"]),
        ("demo_clips/audio+video.emotion", own["emotion"]),
    ):
        target = tmp_path / "data/recognisers" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made, target)
    recordings = ["interview.wav", "new.wav", "speech.wav", "clips/a.wav", "clips/ann/b.wav"]
    recordings.append("data/raw/demo_sessions/recordings_audio/test_1.wav")
    for number, name in enumerate(recordings):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tiny.write_wav(path, tiny.sound(number, 6.0, np.linspace(0, 1, 5)))
    (tmp_path / "list.csv").write_text("file,note\nclips/a.wav,x\n")
    monkeypatch.setenv("EMOBED_SPEAKERS", str(tmp_path / "speakers"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(line: str, recogniser: str = FOLDER) -> tuple[list[str], bytes]:
    """Return the words of a call and what comes through its pipe."""
    given = b""
    if " | " in line:
        program, line = line.split(" | ")
        file = PIPED[program.split()[0]]
        given = Path(file or "speech.wav").read_bytes()
        if file is None:
            with wave.open(io.BytesIO(given)) as sound:
                given = sound.readframes(-1)
        recogniser = "data/recognisers/demo_sessions/audio+video.arousal"
    line = line.replace("RECOGNISER...", recogniser).replace("RECOGNISER", recogniser)
    words = shlex.split(line, comments=True)
    assert words[0] == "emobed", line
    found = [sorted(map(str, Path().glob(word))) if "*" in word else [word] for word in words[1:]]
    return [word for own in found for word in own], given


def called(line: str) -> str:
    words, given = command(line)
    done = CliRunner().invoke(app, words, input=given)
    assert done.exit_code == 0, (line, done.output, done.exception)
    return done.output


def run_page(page: str) -> Iterator[tuple[str, str]]:
    """Run the commands of a page in order; give each with what it printed."""
    for language, text in blocks(page):
        for line in lines(text) if language == "sh" else ():
            if why_not(line) is None and not line.startswith(("emobed serve", "curl")):
                yield line, called(line)


def test_the_commands_of_use_run_and_print_what_is_said(place):
    printed = dict(run_page("use.md"))
    assert len(printed) >= 8
    (shown,) = [lines(text) for language, text in blocks("use.md") if language == "text"]
    said = [line for line in shown if line.startswith("predict: ")]
    head, row = (line for line in shown if line not in said)
    printed_as_shown = printed["emobed predict data/recognisers/demo_clips/audio+video.emotion interview.wav"]
    found = [line for line in lines(printed_as_shown) if line not in said]
    assert [line for line in said if "unlike" not in line and line not in lines(printed_as_shown)] == []
    shown = [name for name in head.split(",") if name != "..." and not re.fullmatch(r"emotion\.\w+", name)]
    assert [name for name in found[0].split(",") if name in shown] == shown
    assert len(row.split(",")) == len(head.split(","))
    assert found[1].startswith("interview.wav,0 days 00:00:00")
    assert Path("predictions.csv").is_file()
    assert Path("predictions.parquet").is_file()
    assert len(list(Path("pictures").iterdir())) == 1
    assert list(Path("speakers").iterdir()) == []  # ann was removed again


def test_the_programs_of_use_run(place):
    called("emobed enrol ann clips/ann/*.wav --recogniser " + FOLDER)
    for language, text in blocks("use.md"):
        if language == "python":
            names: dict[str, object] = {}
            exec(text, names)
            assert isinstance(names["recogniser"], Recogniser)


def test_every_call_that_use_lists_is_one(place):
    """The table of calls: each is tried on the recogniser of arousal, with what it takes."""
    recogniser = Recogniser.load("data/recognisers/demo_sessions/audio+video.arousal")
    table = (ROOT / "docs/use.md").read_text(encoding="utf-8").split("| call | what it returns |")[1]
    calls = re.findall(r"^\| `(\w+)\(", table.split("\n\n")[0], re.MULTILINE)
    assert [own for own in calls if not callable(getattr(recogniser, own, None))] == []
    rows = recogniser.features("speech.wav")
    assert len(recogniser.predict_rows(rows)) == len(recogniser.embed("speech.wav")) == len(rows)


def test_the_commands_and_the_program_of_live_run_and_lines_are_as_shown(place):
    printed = dict(run_page("live.md"))
    assert len(printed) == 2
    (shown,) = [json.loads(text) for language, text in blocks("live.md") if language == "json"]
    for text in printed.values():
        rows = [json.loads(line) for line in lines(text)]
        assert len(rows) > 5
        assert list(shown) == [name for name in rows[0] if name in shown]
    with wave.open("speech.wav") as file:
        signal = np.frombuffer(file.readframes(-1), np.int16)
    recogniser = Recogniser.load("data/recognisers/demo_sessions/audio+video.arousal")
    (text,) = [text for language, text in blocks("live.md") if language == "python"]
    names = {"recogniser": recogniser, "source": np.array_split(signal, 7)}
    exec(text, names)
    assert names["rest"]


def test_the_server_of_the_page_answers_what_the_page_says(place):
    serve = [line for language, text in blocks("serve.md") for line in lines(text)
             if language == "sh" and line.startswith("emobed serve")]  # fmt: skip
    assert len(serve) == 2
    (shown,) = [json.loads(text) for language, text in blocks("serve.md") if language == "json"]
    (curl,) = [
        line for language, text in blocks("serve.md") for line in lines(text) if line.startswith("curl")
    ]
    field, file = re.search(r"-F (\w+)=@(\S+)", curl).groups()
    for line in serve:
        words, _ = command(line)
        process = subprocess.Popen(
            [sys.executable, "-m", "stages.commands", *words, "--port", "0"], stderr=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        )  # fmt: skip
        try:
            said = iter(process.stderr.readline, "")
            address = next(re.search(r"http://\S+/", own) for own in said if "http://" in own).group()
            form = (
                f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{file}"\r\n\r\n'.encode()
                + Path(file).read_bytes() + b"\r\n--x--\r\n"
            )  # fmt: skip
            asked = urllib.request.Request(
                f"{address}{curl.rsplit('/', 1)[1]}", form,
                {"Content-Type": "multipart/form-data; boundary=x"},
            )  # fmt: skip
            with closing(urllib.request.urlopen(asked, timeout=120)) as answer:
                found = json.load(answer)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            process.stderr.close()
        assert set(shown) == set(found)
        first = shown["predictions"][0]
        answers = {own["recogniser"]: own for own in found["predictions"]}
        assert len(answers) == len(words) - words.index("serve") - 1 - 2 * words.count("--name")
        if line == serve[0]:
            own = answers[first["recogniser"]]
            assert set(first) <= set(own)
            assert list(first["rows"][0]) == list(own["rows"][0])


def test_the_commands_of_onnx_run(place):
    printed = dict(run_page("onnx.md"))
    assert len(printed) == 2
    assert Path("arousal.onnx").is_file()
    assert Path("arousal.step.onnx").is_file()


def test_nothing_is_left_out_without_a_reason_and_no_reason_is_left_over():
    used = set()
    for page in PAGES:
        for language, text in blocks(page):
            assert language in ("sh", "python", "text", "json", "nginx"), (page, text)
            for part in lines(text) if language == "sh" else [text]:
                if (found := next((own for own in NOT_RUN if part.startswith(own)), None)) is not None:
                    used.add(found)
                elif language == "sh":
                    program = part.split(" | ")[-1].split()[0]
                    assert program in ("emobed", "curl"), part
    assert used == set(NOT_RUN)
