"""`emobed` itself."""

from importlib.metadata import version

from typer.testing import CliRunner

from stages.commands.app import app


def test_version():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"emobed {version('emobed')}\n")
