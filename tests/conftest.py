"""What tests share: their parameters and the real clips, where they are."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from tests import parameters

pytest_plugins = ["tests.media_fixtures", "tests.recogniser_fixtures"]

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Begin with the files that hold slow tests: none is left to one process when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish():
    """Leave what all tests imported out of full collections: statsmodels asks for one at each correction."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session")
def tiny_recognisers(tmp_path_factory) -> Path:
    """Return a folder with two recognisers of sound, and a recording of six seconds, `speech.wav`."""
    import numpy as np

    from tests import tiny_recognisers as tiny

    folder = tmp_path_factory.mktemp("tiny") / "recognisers"
    tiny.arousal(folder / "audio+video.arousal")
    tiny.emotion(folder / "audio+video.emotion")
    tiny.write_wav(folder.parent / "speech.wav", tiny.sound(99, 6.0, np.linspace(0, 1, 9)))
    return folder
