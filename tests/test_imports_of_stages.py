"""What a stage does not need it does not import: one more recording costs seconds, most of them imports."""

from __future__ import annotations

import sys

import pytest

from benchmarks.many_utterances import CORPUS, add_one, fill, only_many
from tests.project import Project

STAGES = ("register", "extract_audio", "detect_faces", "embed_faces", "pool_video")
HEAVY = {"torch", "torchvision", "facenet_pytorch", "opensmile", "pandas", "scipy", "joblib"}
PROBE = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
print("imported", *sys.modules)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """Return a project whose three utterances have finished units in the store."""
    project = Project.create(tmp_path_factory.mktemp("imports") / "project", only_many)
    fill(project, 3)
    imported(project, "register")  # annotations that changed are parsed, with pandas
    return project


def imported(project: Project, stage: str) -> set[str]:
    text = project.run(sys.executable, "-c", PROBE, f"stages.{stage}", CORPUS).stdout
    return set(text.partition("imported ")[2].split())


def test_with_nothing_to_compute_no_stage_imports_what_computes(project):
    for stage in STAGES:
        found = imported(project, stage)
        assert "pipeline.layout" in found
        assert not found & HEAVY, stage


def test_one_more_recording_needs_torch_for_its_detection_alone(project):
    add_one(project)
    found = {stage: imported(project, stage) & (HEAVY | {"torch._dynamo"}) for stage in STAGES}
    assert found == {
        "register": {"pandas"},
        "extract_audio": {"opensmile", "pandas"},
        "detect_faces": {"torch"},
        "embed_faces": set(),  # O-Net in NumPy
        "pool_video": set(),
    }
