"""What tests of this room share: two small corpora that went through the real stages once per session."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.paths import Paths
from tests.project import tiny_sessions
from tests.recogniser.finished import run_stages

ALONE = (
    "classic", "joint", "triplet", "emobed", "placebo", "same_modality", "random_forest", "support_vectors",
    "multi_task",
)  # fmt: skip
FUSIONS = ("early_fusion", "late_fusion", "model_fusion")


def small_sessions(params: dict[str, Any]) -> None:
    """Make the parameters those of a small demo_sessions with every system of the catalogue."""
    tiny_sessions(params)
    params["runtime"]["workers"] = 1
    learning = params["corpora"]["demo_sessions"]["learning"]
    learning["systems"] = [*ALONE, *FUSIONS]
    learning["random_forest"] = {"trees": 3, "depth": [3]}
    learning["support_vectors"] = {"C": [1e-3]}
    learning["multi_task"] = {"weight": [1.0]}
    learning["late_fusion"] = {"weight": [0.5]}
    params["corpora"]["demo_sessions"]["postprocessing"]["keep"] = "dev"


def small_clips(params: dict[str, Any]) -> None:
    """Make the parameters those of a small demo_clips with four systems."""
    params["run"]["corpora"] = ["demo_clips"]
    clips = params["corpora"]["demo_clips"]
    params["corpora"] = {"demo_clips": clips}
    params["demo"]["demo_clips"] = {
        "train": 2, "dev": 1, "test": 1, "utterances": 7, "duration": 1.2, "frame_rate_hz": 5.0,
    }  # fmt: skip
    clips["learning"]["network"]["hidden"] = 6
    clips["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}
    clips["learning"]["seeds"] = [1, 2]
    clips["learning"]["systems"] = ["classic", "emobed", "random_forest", "support_vectors", "early_fusion"]
    clips["learning"]["random_forest"] = {"trees": 3, "depth": [3]}
    params["runtime"]["workers"] = 1


@pytest.fixture(scope="session")
def sessions(tmp_path_factory) -> Paths:
    """Return the paths of small sessions whose recognisers were exported; tests change nothing of it."""
    return run_stages(tmp_path_factory.mktemp("sessions"), "demo_sessions", small_sessions)


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> Paths:
    """Return the paths of small clips whose recognisers were exported; tests change nothing of it."""
    return run_stages(tmp_path_factory.mktemp("clips"), "demo_clips", small_clips)


@pytest.fixture
def folder(sessions, tmp_path) -> Path:
    """Return a copy of a recogniser of arousal from audio, to be changed."""
    copy = tmp_path / "recogniser"
    shutil.copytree(sessions.recognisers / "audio+video.arousal", copy)
    return copy
