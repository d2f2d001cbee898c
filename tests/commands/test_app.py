"""`emobed` itself: its version, and what it imports to say so."""

import os
import subprocess
import sys
from importlib.metadata import version

from typer.testing import CliRunner

from stages.commands.app import app
from tests.conftest import ROOT
from tests.parameters import write_parameters

LOGGING = """
import logging
from stages.commands import app, predict

def sentences():
    logging.getLogger("pipeline.x").warning("%s: is %s", "a.mp4", "odd")
    logging.warning("predict: 1 of 2 files")
    raise SystemExit

predict.sentences = sentences
app.main()
"""


def test_what_is_logged_is_a_line_of_the_command_that_runs(tmp_path):
    """As what a command itself says; a line of progress begins with its name already."""
    done = subprocess.run(
        [sys.executable, "-c", LOGGING, "predict", "recogniser", "a.mp4"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "predict: a.mp4: is odd\npredict: 1 of 2 files\n"


def test_version():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"emobed {version('emobed')}\n")


def completed(words: str, folder) -> list[str]:
    """Return what the shell is told to complete the last of `words` with."""
    environment = {"_EMOBED_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    code = "import sys; sys.argv = ['emobed']; from stages.commands.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_the_shell_completes_commands_and_names_of_corpora(tmp_path):
    write_parameters(tmp_path)
    assert completed("emobed st", tmp_path) == ["store"]
    names = ["demo_sessions", "demo_clips"]
    assert completed("emobed check demo_", tmp_path) == names
    assert completed("emobed corpus show demo_", tmp_path) == names
    assert completed("emobed corpus add x --like demo_", tmp_path) == names
    (tmp_path / "params.yaml").write_text("corpora: [\n")  # being edited
    assert completed("emobed check d", tmp_path) == []
    (tmp_path / "params.yaml").unlink()
    assert completed("emobed check d", tmp_path) == []


def test_completion_can_be_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    # whichever shell runs the tests, if any
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    done = CliRunner().invoke(app, ["--install-completion", "bash"], prog_name="emobed")
    assert done.exit_code == 0
    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert "_EMOBED_COMPLETE=complete_bash" in script.read_text()


def test_help_imports_nothing_that_computes():
    code = (
        "import sys; from stages.commands.app import app; "
        "print([name for name in ('numpy', 'pandas', 'torch', 'av', 'joblib', 'pydantic', 'pyarrow') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
