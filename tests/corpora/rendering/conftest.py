"""One tiny rendering of each demo corpus, shared by the tests of this folder."""

from pathlib import Path

import pytest

from pipeline.corpora.rendering.render import render
from pipeline.params import Demo


def tiny_demo(**changes) -> Demo:
    """Parameters of a demo that renders in a second; `sessions_train=2` changes demo_sessions.train."""
    values = {
        "seed": 7,
        "reaction_lag": 2.4,
        "demo_sessions": {"train": 1, "dev": 1, "test": 1, "duration": 10.0, "frame_rate_hz": 2.0},
        "demo_clips": {
            "train": 1, "dev": 1, "test": 1, "utterances": 7, "duration": 1.0, "frame_rate_hz": 2.0,
        },
    }  # fmt: skip
    for name, value in changes.items():
        group, _, key = name.partition("_")
        if group in ("sessions", "clips"):
            values[f"demo_{group}"][key] = value
        else:
            values[name] = value
    return Demo.model_validate(values)


@pytest.fixture(scope="session")
def demo() -> Demo:
    return tiny_demo()


@pytest.fixture(scope="session")
def sessions_root(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    root = tmp_path_factory.mktemp("sessions")
    render("demo_sessions", root, demo, 1)
    return root


@pytest.fixture(scope="session")
def clips_root(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Path:
    root = tmp_path_factory.mktemp("clips")
    render("demo_clips", root, demo, 1)
    return root
