"""Two small corpora that went through the real stages once per session, and recognisers of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pipeline.paths import Paths

# a plugin of all tests: what it needs is imported where it is asked for


ALONE = (
    "classic", "joint", "triplet", "emobed", "placebo", "same_modality", "random_forest", "support_vectors",
    "multi_task",
)  # fmt: skip
FUSIONS = ("early_fusion", "late_fusion", "model_fusion")


def small_sessions(params: dict[str, Any]) -> None:
    """Make the parameters those of a small demo_sessions with every system of the catalogue."""
    from tests.project import tiny_sessions

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


def small_clips_by_speaker(params: dict[str, Any]) -> None:
    """Make the parameters those of small clips whose features are scaled by speaker."""
    small_clips(params)
    params["corpora"]["demo_clips"]["learning"]["scaling"] |= {
        "method": {"audio": "rank_gauss", "video": "standard"}, "speaker": "standardise",
        "enrolment": "varied",
    }  # fmt: skip


def exported(paths: Paths, system: str, out: Path) -> Path:
    """Export a system of a corpus that has run, into a directory of its own; return that."""
    from pipeline.params import Export, load_params
    from pipeline.recogniser.export import export_corpus

    elsewhere = replace(paths, root=out)
    (out / "data").mkdir()
    for name in ("raw", "manifests", "features", "labels", "models", "predictions", "reports"):
        (out / "data" / name).symlink_to(paths.root / "data" / name)
    corpus = load_params(paths.params).corpus(paths.corpus)
    export_corpus(elsewhere, corpus.model_copy(update={"export": Export(system=system)}))
    return elsewhere.recognisers


@pytest.fixture(scope="session")
def finished_sessions(tmp_path_factory) -> Paths:
    """Return the paths of small sessions whose recognisers were exported; tests change nothing of it."""
    from tests.recogniser.finished import run_stages

    return run_stages(tmp_path_factory.mktemp("sessions"), "demo_sessions", small_sessions)


@pytest.fixture(scope="session")
def finished_clips(tmp_path_factory) -> Paths:
    """Return the paths of small clips whose recognisers were exported; tests change nothing of it."""
    from tests.recogniser.finished import run_stages

    return run_stages(tmp_path_factory.mktemp("clips"), "demo_clips", small_clips)


@pytest.fixture(scope="session")
def finished_clips_by_speaker(finished_clips, tmp_path_factory) -> Paths:
    """Return the paths of the same clips, trained anew with features that are scaled by speaker."""
    from tests.recogniser.finished import run_stages

    root = tmp_path_factory.mktemp("clips_by_speaker")
    (root / "data").mkdir()
    for name in ("raw", "manifests", "features", "labels"):
        (root / "data" / name).symlink_to(finished_clips.root / "data" / name)
    return run_stages(root, "demo_clips", small_clips_by_speaker, first="train")


@pytest.fixture(scope="session")
def emobed_of_clips(finished_clips, tmp_path_factory) -> Path:
    """Return the directory of EmoBed's recognisers of the small clips, whose networks have embeddings."""
    return exported(finished_clips, "emobed", tmp_path_factory.mktemp("emobed_of_clips"))


@pytest.fixture(scope="session")
def emobed_of_sessions(finished_sessions, tmp_path_factory) -> Path:
    """Return the directory of EmoBed's recognisers of the small sessions."""
    return exported(finished_sessions, "emobed", tmp_path_factory.mktemp("emobed_of_sessions"))
