"""What tests share: the project's parameters and the real clips, where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def params():
    from pipeline.params import load_params

    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def clips() -> Path:
    """Return the folder of real clips, which is not part of the product."""
    folder = ROOT.parent / "shared/media"
    if not folder.is_dir():
        pytest.skip(f"no real clips in {folder}")
    return folder
