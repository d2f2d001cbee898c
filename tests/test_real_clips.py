"""Real clips, listed in a table, through one `dvc repro`: what is bad is listed, the rest goes on."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from tests.project import Project

pytestmark = pytest.mark.slow

CLIPS = (
    "talking_face.mp4", "single_face.mp4", "no_face.mp4", "face_noface.mov", "noface_face.mov",
    "several_faces.mp4", "no_audio_stream.mp4", "surround_audio.mp4",
)  # fmt: skip


@pytest.fixture(scope="module")
def real(tmp_path_factory, clips) -> Paths:
    """Return a project in which the clips went through every stage, without labels or training."""

    def edit(params):
        own = params["corpora"]["demo_sessions"] | {
            "layout": "table",
            "root": "data/raw/own",
            "scenarios": [],
            "media_folders": [str(clips.resolve())],
        }
        params["runtime"]["workers"] = 1
        own["grid"] = {"window": 2.0, "hop": 0.2}
        own["audio"]["max_failed_share"] = own["video"]["faces"]["max_failed_share"] = 0.75
        params["corpora"] = {"own": own}
        params["run"]["corpora"] = ["own"]

    project = Project.create(tmp_path_factory.mktemp("real") / "project", edit)
    rows = ["recording,partition,speaker,audio,video"]
    for name in CLIPS:
        stem = name.partition(".")[0]
        rows.append(f"{stem},test,{stem},{clips / name},{clips / name}")
    rows.append(f"sound_only,test,sound_only,{clips / 'test.wav'},")
    rows.append("cut_off,test,cut_off,cut.wav,")
    folder = project.root / "data/raw/own"
    folder.mkdir(parents=True)
    (folder / "recordings.csv").write_text("\n".join(rows) + "\n")
    (folder / "cut.wav").write_bytes((clips / "test.wav").read_bytes()[:30])
    project.repro()
    return Paths("own", project.root)


def test_sound_of_every_clip_that_has_some(real):
    table = FeatureTable.open(real.audio)
    # rows: label times every 0.2 s, both ends; the sound of face_noface starts 2.43 s late and is 6.4 s long
    rows = {name: len(table.read(name)) for name in table.recordings}
    assert rows == {
        "talking_face": 99, "single_face": 13, "no_face": 21, "face_noface": 33, "noface_face": 21,
        "several_faces": 22, "surround_audio": 28, "sound_only": 27,
    }  # fmt: skip
    reasons = {failure.recording: failure.reason for failure in table.failures()}
    assert set(reasons) == {"no_audio_stream", "cut_off"}
    assert reasons["no_audio_stream"].endswith("has no sound stream")
    for name in table.recordings:
        assert np.isfinite(table.read(name).values).all()


def test_faces_are_found_as_the_folders_readme_says(real):
    table = FeatureTable.open(real.faces)
    assert table.recordings == ["no_audio_stream", "several_faces", "single_face", "talking_face"]
    assert all(table.read(name).valid.all() for name in table.recordings)
    reasons = {failure.recording: failure.reason for failure in table.failures()}
    assert set(reasons) == {"no_face", "face_noface", "noface_face", "surround_audio"}
    assert "a face was found in 0 of " in reasons["no_face"]
    pooled = FeatureTable.open(real.video)
    assert pooled.recordings == table.recordings
    assert pooled.read("talking_face").values.shape == (99, 512)


def test_the_report_lists_what_failed_and_says_that_nothing_was_trained(real):
    page = real.report.read_text()
    assert "the features were extracted and nothing was trained" in page
    for name in ("no_audio_stream", "cut_off", "no_face", "surround_audio"):
        assert name in page
    assert real.results.read_text().startswith("target,auxiliary,dimension,system")
