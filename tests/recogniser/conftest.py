"""What tests of this room share: two small corpora that went through the real stages once per session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.paths import Paths


@pytest.fixture(scope="session")
def sessions(finished_sessions) -> Paths:
    """Return the paths of small sessions whose recognisers were exported; tests change nothing of it."""
    return finished_sessions


@pytest.fixture(scope="session")
def clips(finished_clips) -> Paths:
    """Return the paths of small clips whose recognisers were exported; tests change nothing of it."""
    return finished_clips


@pytest.fixture
def folder(sessions, tmp_path) -> Path:
    """Return a copy of a recogniser of arousal from audio, to be changed."""
    copy = tmp_path / "recogniser"
    shutil.copytree(sessions.recognisers / "audio+video.arousal", copy)
    return copy
