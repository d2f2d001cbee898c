"""How programs end: a sentence and an exit code, whatever is thrown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.params import ParamsError
from pipeline.store.units import StoreError
from stages.commands.app import app
from stages.ending import meant_for_users, one_sentence
from tests.deadly_tasks import alive, children, interruptible
from tests.parameters import write_parameters

ROOT = Path(__file__).parents[1]
STAGES = ("align_labels", "detect_faces", "evaluate", "extract_audio", "read_features", "register", "train")


def ended(error: BaseException, log: Path) -> tuple[int, list[str]]:
    said: list[str] = []
    with pytest.raises(SystemExit) as caught, one_sentence("s@c", log, said.append, "go on"):
        raise error
    return caught.value.code, said


def test_a_sentence_for_users_is_printed_as_it_is(tmp_path):
    log = tmp_path / "log/s.log"
    for error in (ParamsError("corpora.c: wrong"), StoreError(28, "no space left")):
        assert ended(error, log) == (1, [f"s@c: {error}"])
    assert not log.exists()


def test_what_nobody_expected_is_named_and_its_traceback_kept(tmp_path):
    log, said = tmp_path / "log/s.log", []
    with pytest.raises(SystemExit) as caught, one_sentence("s@c", log, said.append, "go on"):
        {}["date"]
    assert caught.value.code == 1
    assert said == [
        "s@c: KeyError: 'date'; EMOBED_DEBUG=1 shows the traceback",
        f"s@c: the tracebacks of what nobody expected are in {log}",
    ]
    assert '{}["date"]' in log.read_text()


@pytest.mark.parametrize("provoke", [lambda: int("x"), lambda: Path("/nowhere").read_text(), lambda: [][0]])
def test_what_a_conversion_or_a_library_throws_is_no_sentence(provoke):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        provoke()
    assert not meant_for_users(caught.value)


def test_recording_and_file_are_named_where_our_code_knows_them(tmp_path, monkeypatch):
    from pipeline.corpora import recording

    def broken(path):
        raise UnicodeDecodeError("utf-8", b"\xfc", 0, 1, "invalid start byte")

    said: list[str] = []
    monkeypatch.setattr(recording.csv, "reader", broken)
    monkeypatch.setattr(recording.csv, "DictReader", broken)
    (tmp_path / "m.csv").write_text("recording\n")
    with pytest.raises(SystemExit), one_sentence("s@c", tmp_path / "l", said.append, ""):
        recording.read_manifest(tmp_path / "m.csv")
    assert f"file {tmp_path}/m.csv" in said[0]


def test_debug_shows_the_way(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOBED_DEBUG", "1")
    with pytest.raises(KeyError), one_sentence("s@c", tmp_path / "l", pytest.fail, ""):
        {}["date"]


def test_ctrl_c_is_a_sentence_and_130(tmp_path):
    assert ended(KeyboardInterrupt(), tmp_path / "l") == (130, ["s@c: stopped by Ctrl-C; go on"])


def test_a_log_that_cannot_be_written_hides_no_sentence(tmp_path):
    (tmp_path / "log").write_text("a file")
    code, said = ended(KeyError("date"), tmp_path / "log/s.log")
    assert (code, len(said)) == (1, 1)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def checkout(tmp_path) -> Path:
    write_parameters(tmp_path)
    return tmp_path


@pytest.mark.parametrize("stage", STAGES)
def test_an_unknown_corpus_is_a_sentence_with_those_there_are(checkout, stage):
    command = [sys.executable, "-m", f"stages.{stage}", "nosuch"]
    done = subprocess.run(
        command, cwd=checkout, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Errno" not in done.stderr + done.stdout
    assert "nosuch" in done.stderr
    assert "demo_sessions" in done.stderr


def test_ctrl_c_in_a_stage_ends_its_processes_too(checkout):
    """The terminal sends it to all of them: one answers, the workers are ended, be they stuck in C."""
    code = (
        "import sys; from pathlib import Path; from pipeline.running.parallel import run_guarded\n"
        "from stages.running import run; from tests.deadly_tasks import do\n"
        "sys.argv = ['stages/made_up.py', 'demo_sessions']\n"
        "run(lambda context: list(run_guarded(do, (Path('at_work'),), ['sleeps', 'hangs'], workers=2)))"
    )
    (checkout / "at_work").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=interruptible,
    )
    deadline = time.monotonic() + 60
    while len(list((checkout / "at_work").iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said == (
        "ERROR made_up@demo_sessions: stopped by Ctrl-C; what is finished is kept: `dvc repro` goes on "
        "from there\n"
    )
    assert process.returncode == 130
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if alive(pid)]


def test_ctrl_c_in_a_command_of_emobed(checkout, monkeypatch):
    from stages.commands import check

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.chdir(checkout)
    monkeypatch.setattr(check, "parameters", interrupted)
    done = CliRunner().invoke(app, ["check"])
    assert (done.exit_code, done.output) == (130, "emobed: stopped by Ctrl-C; run it again\n")


def test_an_unexpected_exception_in_any_command_is_a_sentence(checkout, monkeypatch):
    from pipeline.tools.vgg_weights import convert

    monkeypatch.chdir(checkout)
    monkeypatch.setattr(convert, "convert", lambda *_: {}["tensor"])
    done = CliRunner().invoke(app, ["weights", "import", "x"])
    assert done.exit_code == 1
    assert done.output.startswith("emobed: KeyError: 'tensor'")
    assert "Traceback" in (checkout / ".emobed/log/emobed.log").read_text()


@pytest.mark.parametrize("module", ["stages.summary", "stages.commands"])
def test_a_reader_that_has_seen_enough_is_no_error(checkout, module):
    line = f"{sys.executable} -m {module} check | true; {sys.executable} -m {module} --help | true"
    for _ in range(2):
        done = subprocess.run(
            ["bash", "-c", line], cwd=checkout, env=environment(), capture_output=True, text=True, check=False
        )
        assert "BrokenPipe" not in done.stderr
        assert "Broken pipe" not in done.stderr
        assert "Traceback" not in done.stderr


def test_one_within_another_says_everything_once(tmp_path):
    log, said = tmp_path / "s.log", []
    within = one_sentence("s", log, said.append, "go on")
    with pytest.raises(SystemExit), one_sentence("s", log, said.append, "go on"), within:
        raise KeyError("date")
    assert len(said) == len(set(said)) == 2
    assert log.read_text().count("Traceback") == 1
