"""What tests share: their parameters and the real clips, where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import parameters

pytest_plugins = ["tests.media_fixtures"]

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def params():
    from pipeline.params import load_params

    return load_params(parameters.PATH)


@pytest.fixture(scope="session")
def clips() -> Path:
    """Return the folder of real clips, which is not part of the product."""
    folder = ROOT.parent / "shared/media"
    if not folder.is_dir():
        pytest.skip(f"no real clips in {folder}")
    return folder
