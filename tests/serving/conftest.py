"""What tests of the server share."""

from __future__ import annotations

import tempfile

import pytest


@pytest.fixture
def nothing_left(tmp_path, monkeypatch):
    """Keep temporary files in a folder that is looked into at the end: nothing is left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []
