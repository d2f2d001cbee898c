"""`emobed serve` with recognisers: real requests to a real process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from scipy.io import wavfile
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from typer.testing import CliRunner

from pipeline.recogniser import Recogniser, RecogniserError
from pipeline.serving import predictions
from pipeline.serving.answers import said_of
from pipeline.serving.app import application
from pipeline.serving.folders import Folders
from pipeline.serving.limits import Limits
from pipeline.serving.predictions import PredictionError
from pipeline.serving.streams import LiveTimes
from stages.commands.app import app
from tests.conftest import ROOT


@contextmanager
def serving(temporary: Path, *words: str) -> Iterator[tuple[str, list[str]]]:
    """Run the command; gives its address and the lines that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.commands", "serve", *words, "--port", "0"],
        cwd=ROOT, env=os.environ | {"TMPDIR": str(temporary)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    lines: list[str] = []
    try:
        for line in process.stderr:
            lines.append(line)
            if found := re.match(r"serve: (http://\S+/) ", line):
                break
        else:
            pytest.fail("".join(lines))
        reader = threading.Thread(target=lambda: lines.extend(process.stderr))
        reader.start()
        yield found.group(1), lines
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        reader.join(30)
    finally:
        process.kill()


def test_predictions_are_those_of_the_library_and_nothing_is_left(tiny_recognisers, tmp_path):
    folders = [tiny_recognisers / f"audio+video.{name}" for name in ("arousal", "emotion")]
    speech = tiny_recognisers.parent / "speech.wav"
    with serving(tmp_path, *map(str, folders), "--max-mb", "0.5") as (address, lines):
        about = httpx.get(f"{address}about").json()
        assert [one["name"] for one in about["recognisers"]] == ["audio+video.arousal", "audio+video.emotion"]
        assert [one["hop"] for one in about["recognisers"]] == [0.2, None]
        for _ in range(2):
            answer = httpx.post(f"{address}predict", files={"file": speech.open("rb")}, timeout=60)
            assert answer.status_code == 200, answer.text
            for folder, found in zip(folders, answer.json()["predictions"], strict=True):
                assert found["recogniser"] == folder.name
                assert found["rows"] == said_of(Recogniser.load(folder).predict(speech))["rows"]
        bad = httpx.post(f"{address}predict", files={"file": ("Anna.wav", b"RIFF no sound")}, timeout=60)
        assert bad.status_code == 422
        assert bad.json()["detail"].startswith("Anna.wav: ")
        assert str(tmp_path) not in bad.text
        large = httpx.post(f"{address}predict", files={"file": ("a.wav", bytes(600_000))}, timeout=60)
        assert large.status_code == 413
        assert not list(tmp_path.rglob("recording*"))  # what openSMILE is told lies there, too
    assert "warning" not in "".join(lines)
    assert "Anna" not in "".join(lines)
    assert len([line for line in lines if " file: " in line]) == 2 + 1


def test_a_recording_that_takes_too_long_or_ends_its_process_is_a_sentence(
    tiny_recognisers, tmp_path, monkeypatch
):
    served = Folders.read([tiny_recognisers / "audio+video.arousal"])
    with pytest.raises(PredictionError, match=r"took longer than 0\.001 s"):
        served.predict(tiny_recognisers.parent / "speech.wav", 0.001)
    monkeypatch.setattr("pipeline.serving.predictions.predict", _die)
    with pytest.raises(PredictionError, match="ended the process that read it"):
        served.predict(tmp_path / "a.wav", 30.0)


def test_sound_that_comes_is_predicted_as_in_a_file(tiny_recognisers):
    """A session, through the application, against `predict` on the whole and on windows."""
    folders = [tiny_recognisers / f"audio+video.{name}" for name in ("arousal", "emotion")]
    served = Folders.read(folders, times=LiveTimes(2.0, 1.5)).load(60.0)
    assert [(one.live, one.not_live) for one in served.about] == [(True, None)] * 2
    assert [(one.live_window, one.live_hop) for one in served.about] == [(None, None), (2.0, 1.5)]
    arousal, emotion = (Recogniser.load(folder) for folder in folders)
    path = tiny_recognisers.parent / "speech.wav"
    rate, samples = wavfile.read(path)
    found = heard(served, rate, samples)
    table = arousal.predict(path)
    rows = found["audio+video.arousal"]
    assert [row["start"] for row in rows] == pytest.approx(
        table.index.get_level_values("start").total_seconds()
    )
    assert [row["arousal"] for row in rows] == pytest.approx(list(table["arousal"]), abs=2e-6)
    assert {row["valid"] for row in rows} == {True}
    assert {row["arousal.low"] for row in rows} == {None}  # not a number is null
    assert min(row["delay"] for row in rows) >= 0
    rows = found["audio+video.emotion"]
    assert [(row["start"], row["end"]) for row in rows] == [(0.0, 2.0), (1.5, 3.5), (3.0, 5.0)]
    for row in rows:
        window = samples[int(row["start"] * rate) : int(row["end"] * rate)]
        expected = emotion.predict_signal(window, rate).iloc[0]
        assert row["emotion"] == expected["emotion"]
        for name in emotion.classes:
            assert row[f"emotion.{name}"] == pytest.approx(expected[f"emotion.{name}"], abs=1e-6)


def heard(served: Folders, rate: int, samples) -> dict[str, list[dict[str, object]]]:
    """Return the rows of a session that hears sound, by recogniser."""
    asked = TestClient(application(served, Limits(), "1"), base_url="http://127.0.0.1:8010")
    found: dict[str, list[dict[str, object]]] = {}
    with asked.websocket_connect(f"ws://127.0.0.1:8010/live?rate={rate}") as socket:
        for begin in range(0, len(samples), rate // 10):
            piece = samples[begin : begin + rate // 10] / 32768
            socket.send_bytes(piece.astype("<f4").tobytes())
        socket.send_text("end")
        with suppress(WebSocketDisconnect):
            while True:
                for said in socket.receive_json()["predictions"]:
                    assert said["error"] is None
                    found.setdefault(said["recogniser"], []).extend(said["rows"])
    return found


def test_what_is_too_short_or_cannot_be_live_is_said(tiny_recognisers):
    folders = [tiny_recognisers / f"audio+video.{name}" for name in ("arousal", "emotion")]
    served = Folders.read(folders).load(60.0)
    stream = served.stream(8000)
    assert stream.push(np.zeros(800, np.float32))[0].rows == []
    said = {one.recogniser: one.error for one in stream.finish()}
    assert "shorter than a window" in said["audio+video.arousal"]
    assert "0.10 s long, shorter than" in said["audio+video.emotion"]
    stream.close()
    with pytest.raises(RecogniserError, match="no recogniser here predicts from pictures as it comes"):
        served.stream(None, pictures=True)
    never = Folders.read(folders[1:], times=LiveTimes(0.1, -1.0)).load(60.0)
    assert never.about[0].not_live == "found window 0.1 s and hop -1 s, expected 0.001 to 86400 s"
    with pytest.raises(RecogniserError, match=r"/predict; audio\+video.emotion: found window"):
        never.stream(16_000)


@pytest.mark.parametrize(
    ("rate_hz", "window", "hop"), [(2.5, 3.2, 1.2), (25.0, 3.0, 1.0), (4.0, 3.0, 1.0), (0.2, 5.0, 5.0)]
)
def test_windows_of_pictures_are_whole_numbers_of_them(rate_hz, window, hop):
    own = LiveTimes().on_pictures(rate_hz)
    assert (own.window, own.hop) == pytest.approx((window, hop))
    assert own.on_pictures(rate_hz) == own
    assert LiveTimes(0.1, -1.0).on_pictures(2.5) == LiveTimes(0.4, -1.0)


def _die(*_: object) -> None:
    os._exit(3)


def test_what_is_wrong_with_a_file_is_said_without_the_name_that_it_has_here(tmp_path):
    path = tmp_path / "recording.mkv"
    for sentence in (f"{path}: 2.40 s long, too short", "recording.mkv: 2.40 s long, too short"):
        assert predictions._without(path, sentence) == "2.40 s long, too short"


def test_others_than_this_machine_are_warned_of(tiny_recognisers, tmp_path):
    folder = str(tiny_recognisers / "audio+video.emotion")
    with serving(tmp_path, folder, "--host", "0.0.0.0") as (address, lines):
        assert re.search("warning: 0.0.0.0 is reached from other machines", "".join(lines))
        here = address.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{here}about").status_code == 200
        assert httpx.get(f"{here}about", headers={"host": "example.com"}).status_code == 403


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["{folder}", "{folder}"], "audio+video.arousal is there 2 times"),
        (["{folder}", "--host", "203.0.113.7"], "--host 203.0.113.7 --port 8010: cannot be listened on"),
        (["{folder}", "--port", "70000"], "Invalid value for '--port'"),
        (["{folder}", "--sessions", "0"], "Invalid value for '--sessions'"),
        ([], "RECOGNISER"),
    ],
)
def test_what_cannot_be_served_is_said(tiny_recognisers, words, said):
    folder = tiny_recognisers / "audio+video.arousal"
    done = CliRunner().invoke(app, ["serve", *(word.format(folder=folder) for word in words)])
    assert done.exit_code in (1, 2)
    assert said in done.output
