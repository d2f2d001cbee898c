"""The public names: imported when they are asked for, and their examples."""

from __future__ import annotations

import doctest
import subprocess
import sys

import pytest

import emobed
from tests.conftest import ROOT


def test_import_waits_for_nothing():
    code = (
        "import sys, emobed; print(dir(emobed) == sorted({*vars(emobed), *emobed.__all__})); "
        "print(sorted(set(sys.modules) & {'numpy', 'pipeline', 'typer', 'importlib.metadata'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n[]\n"


def test_each_name_is_the_library_s():
    from pipeline import recogniser

    for name in emobed.__all__:
        assert getattr(emobed, name) is not None
    assert emobed.Recogniser is recogniser.Recogniser
    with pytest.raises(AttributeError, match="no attribute 'Recognizer'"):
        emobed.Recognizer  # noqa: B018


def test_examples(tiny_recognisers, monkeypatch):
    """The examples of the docstring run as they stand, with recognisers and a recording made for them."""
    monkeypatch.chdir(tiny_recognisers.parent)
    found = doctest.testmod(emobed, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 8
    assert found.failed == 0
