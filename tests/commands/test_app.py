"""`emobed` itself: its version, and what it imports to say so."""

import subprocess
import sys
from importlib.metadata import version

from typer.testing import CliRunner

from stages.commands.app import app
from tests.conftest import ROOT


def test_version():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"emobed {version('emobed')}\n")


def test_help_imports_nothing_that_computes():
    code = (
        "import sys; from stages.commands.app import app; "
        "print([name for name in ('numpy', 'pandas', 'torch', 'av', 'joblib', 'pydantic', 'pyarrow') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
