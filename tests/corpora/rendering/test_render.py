import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.corpora.rendering import render as rendering
from pipeline.corpora.rendering.render import drawn_as, ensure, ensure_for, receipt, render
from pipeline.paths import Paths
from tests.corpora.rendering.conftest import tiny_demo


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_same_parameters_same_bytes_in_two_processes(tmp_path, demo, sessions_root, clips_root):
    for corpus, first in (("demo_sessions", sessions_root), ("demo_clips", clips_root)):
        render(corpus, tmp_path / corpus, demo, 2)
        assert digests(tmp_path / corpus) == digests(first)


def test_changed_seed_changes_every_medium(tmp_path, sessions_root):
    render("demo_sessions", tmp_path, tiny_demo(seed=8), 1)
    before, after = digests(sessions_root), digests(tmp_path)
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)


def test_added_speaker_changes_no_other_recording(tmp_path, sessions_root):
    render("demo_sessions", tmp_path, tiny_demo(sessions_train=2), 1)
    before, after = digests(sessions_root), digests(tmp_path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"rendered.json", "truth/raters.csv"}
    assert len(after) == len(before) + 7


def test_ensure_draws_once_and_again_when_parameters_change(tmp_path, monkeypatch):
    demo = tiny_demo(clips_utterances=7)
    assert ensure("demo_clips", tmp_path, demo, 1) == receipt("demo_clips", demo)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "render", lambda *_: pytest.fail("rendered twice"))
        ensure("demo_clips", tmp_path, demo, 1)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    changed = tiny_demo(seed=9)
    ensure("demo_clips", tmp_path, changed, 1)
    assert json.loads((tmp_path / "rendered.json").read_text()) == receipt("demo_clips", changed)
    # Nothing of the older rendering is left: as many files as before.
    assert len(list(tmp_path.rglob("*.mp4"))) == 21


def test_interrupted_rendering_goes_on(tmp_path, demo, sessions_root):
    render("demo_sessions", tmp_path, demo, 1)
    # What a kill leaves: no receipt, the mark of the unfinished run, a half-written file, a missing one.
    (tmp_path / "rendered.json").unlink()
    mark = receipt("demo_sessions", demo) | {"cleared": True}
    (tmp_path / "rendering.json").write_text(json.dumps(mark))
    (tmp_path / "recordings_audio/.dev_1.99999.wav").write_bytes(b"half")
    (tmp_path / "recordings_video/dev_1.mp4").unlink()
    kept = (tmp_path / "recordings_video/train_1.mp4").stat().st_mtime_ns
    ensure("demo_sessions", tmp_path, demo, 1)
    assert digests(tmp_path) == digests(sessions_root)
    assert (tmp_path / "recordings_video/train_1.mp4").stat().st_mtime_ns == kept


def test_foreign_files_are_never_removed(tmp_path, demo):
    (tmp_path / "recordings_audio").mkdir()
    (tmp_path / "recordings_audio/train_1.wav").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="recordings_audio"):
        render("demo_sessions", tmp_path, demo, 1)
    assert (tmp_path / "recordings_audio/train_1.wav").read_bytes() == b"precious"


def test_a_corpus_with_the_root_of_a_demo_has_its_media_whichever_is_first(tmp_path, params, monkeypatch):
    """Another name and parameters of learning, the same clips: drawn once."""
    root = tmp_path / "clips"
    clips = params.corpus("demo_clips").model_copy(update={"root": root})
    own = params.corpus("demo_sessions").model_copy(update={"root": tmp_path / "own"})
    corpora = {"few": clips, "demo_clips": clips, "own": own}
    demo = tiny_demo(clips_utterances=7)
    changed = params.model_copy(update={"corpora": corpora, "demo": demo})
    assert [drawn_as(name, changed) for name in corpora] == ["demo_clips", "demo_clips", "own"]
    assert drawn_as("few", changed.model_copy(update={"corpora": {"few": clips}})) == "few"
    ensure_for("few", changed, Paths("few", tmp_path))
    assert not root.exists()  # a clone without media stays without
    assert ensure(drawn_as("few", changed), root, demo, 1) == receipt("demo_clips", demo)
    monkeypatch.setattr(rendering, "render", lambda *_: pytest.fail("rendered twice"))
    ensure(drawn_as("demo_clips", changed), root, demo, 1)
    ensure_for("few", changed, Paths("few", tmp_path))


def test_real_corpus_is_not_rendered(tmp_path, demo):
    assert receipt("recola", demo) == {"rendered": False}
    assert ensure("recola", tmp_path / "recola", demo, 1) == {"rendered": False}
    assert not (tmp_path / "recola").exists()


def test_receipt_depends_on_what_decides_the_bytes_only():
    base = receipt("demo_sessions", tiny_demo())
    assert base["recordings"] == 3
    assert base["seconds"] == 30.0
    assert receipt("demo_sessions", tiny_demo(clips_train=5)) == base
    for change in (
        {"seed": 8},
        {"reaction_lag": 1.0},
        {"sessions_duration": 12.0},
        {"sessions_frame_rate_hz": 4.0},
    ):
        assert receipt("demo_sessions", tiny_demo(**change))["fingerprint"] != base["fingerprint"]
    assert receipt("demo_clips", tiny_demo(reaction_lag=1.0)) == receipt("demo_clips", tiny_demo())


def test_too_long_a_lag_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"reaction_lag\n.*less than or equal to 5"):
        render("demo_sessions", tmp_path, tiny_demo(reaction_lag=9.0), 1)


def test_import_is_light():
    heavy = ("numpy", "cv2", "av", "scipy", "joblib")
    code = f"import sys, pipeline.corpora.rendering.render; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
