"""What a stage does not need it does not import: one more recording costs seconds, most of them imports."""

from __future__ import annotations

import sys

import pytest

from benchmarks.many_utterances import CORPUS, add_one, fill, only_many
from tests.project import Project

STAGES = ("register", "extract_audio", "detect_faces", "embed_faces", "pool_video")
HEAVY = {
    "torch", "torchvision", "facenet_pytorch", "onnx", "onnxruntime", "opensmile", "pandas", "scipy",
    "joblib",
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """Return a project whose three utterances have finished units in the store."""
    project = Project.create(tmp_path_factory.mktemp("imports") / "project", only_many)
    fill(project, 3)
    imported(project, "register")  # annotations that changed are parsed, with pandas
    return project


def imported(project: Project, stage: str) -> set[str]:
    """Return what the stage imports, and the processes that it starts."""
    python = ("env", "PYTHONPROFILEIMPORTTIME=1", sys.executable)
    text = project.run(*python, "-m", f"stages.{stage}", CORPUS).stderr
    return {line.rpartition("|")[2].strip() for line in text.splitlines() if line.startswith("import time:")}


def test_with_nothing_to_compute_no_stage_imports_what_computes(project):
    for stage in STAGES:
        found = imported(project, stage)
        assert "pipeline.paths" in found
        assert not found & HEAVY, stage
    # it runs at each `dvc repro`, for each corpus
    assert not imported(project, "register") & {"numpy", "av", "pyarrow"}


def test_one_more_recording_needs_torch_in_no_stage(project):
    add_one(project)
    found = {stage: imported(project, stage) & (HEAVY | {"torch._dynamo"}) for stage in STAGES}
    assert found == {
        "register": {"pandas"},
        "extract_audio": {"joblib", "opensmile", "pandas"},  # joblib starts the process that reads the medium
        "detect_faces": {"joblib", "onnx", "onnxruntime"},
        "embed_faces": set(),  # done with the detection, while the pictures were at hand
        "pool_video": set(),
    }
