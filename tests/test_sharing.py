"""Two colleagues and a remote: features travel, recordings never do."""

from __future__ import annotations

import csv
import hashlib
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.rendering.media import write_wav
from pipeline.corpora.rendering.render import ensure
from pipeline.features.audio.sound import read_sound
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from tests import parameters
from tests.project import Project
from tests.s3 import objects, s3_server

pytestmark = pytest.mark.slow

EXTRACTION = {"read_features", "extract_audio", "extract_text", "detect_faces", "embed_faces", "pool_video"}
LEARNING = {"train", "postprocess", "evaluate", "certainty", "export", "report"}
"""What an edit of `learning` runs."""
KINDS = ("audio", "faces", "embeddings", "video")
CORPUS = "corpora/team"
"""Folder of the corpus: recordings.csv is in git, media are not."""
OF_A, OF_B = 9, 2
"""Recordings of which A, later B, holds the media."""


def one_own_corpus(params: dict[str, Any]) -> None:
    """Make `team` the only corpus: own clips listed in a table, small networks."""
    team = params["corpora"]["demo_clips"] | {"layout": "table", "root": CORPUS, "scenarios": ["audio+video"]}
    params["run"]["corpora"] = ["team"]
    params["corpora"] = {"team": team}
    team["video"]["faces"]["frame_rate_hz"] = 2.0
    team["learning"]["network"]["hidden"] = 6
    team["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}
    team["learning"]["seeds"] = [1]
    team["report"] |= {"tsne_points": 50, "recordings": 1}
    params["runtime"]["workers"] = 1


def learning(**values: Any):
    def change(params):
        params["corpora"]["team"]["learning"].update(values)

    return change


def add_recordings(project: Project, clips: list[dict[str, str]], source: Path) -> None:
    """Put clips into the corpus, the sound of each as wav beside its mp4, and list them."""
    root = project.root / CORPUS
    root.mkdir(parents=True, exist_ok=True)
    listing = root / "recordings.csv"
    if not listing.exists():
        listing.write_text("recording,partition,speaker,audio,video,emotion\n")
    with listing.open("a") as file:
        for clip in clips:
            name, path = clip["recording"], source / clip["path"]
            shutil.copy(path, root / f"{name}.mp4")
            write_wav(root / f"{name}.wav", read_sound(path, 16000).signal, 16000)
            file.write(
                f"{name},{clip['partition']},{clip['speaker']},{name}.wav,{name}.mp4,{clip['emotion']}\n"
            )


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> tuple[Path, list[dict[str, str]]]:
    """Return a folder of rendered clips and what is in them, the speakers' in turn."""
    folder = tmp_path_factory.mktemp("clips")
    demo = load_params(parameters.PATH).demo.model_copy()
    speakers = {"train": 1, "dev": 1, "test": 1, "utterances": 7, "duration": 1.0, "frame_rate_hz": 5.0}
    demo = demo.model_copy(update={"demo_clips": demo.demo_clips.model_copy(update=speakers)})
    ensure("demo_clips", folder, demo, 1)
    with (folder / "truth/clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for number, row in enumerate(rows):
        path = next(folder.glob(f"*/{row['video']}/{row['utterance']}"))
        facts = {
            "recording": f"r{number:02d}",
            "speaker": row["video"],
            "path": str(path.relative_to(folder)),
        }
        found.append(facts | {"partition": row["partition"].lower(), "emotion": row["emotion"]})
    found.sort(key=lambda clip: (int(clip["recording"][1:]) % 7, clip["recording"]))
    return folder, found[: OF_A + OF_B]


@pytest.fixture(scope="module")
def sender(clips, tmp_path_factory) -> Project:
    """Return A's project, pushed to `remote` beside it: an older commit with one seed, then two."""
    project = Project.create(tmp_path_factory.mktemp("a") / "project", one_own_corpus)
    with (project.root / ".gitignore").open("a") as file:
        file.write(f"/{CORPUS}/*\n!/{CORPUS}/recordings.csv\n")
    # before the first results: a commit is pushed to the remote that its own .dvc/config names
    project.dvc("remote", "add", "--default", "team", str(project.root.parent / "remote"))
    project.dvc("remote", "modify", "team", "verify", "true")
    add_recordings(project, clips[1][:OF_A], clips[0])
    ran = project.repro("train@team")
    assert ran == {"render_demo", "register", "align_labels", "train"} | EXTRACTION
    project.commit("one seed")
    project.edit(learning(seeds=[1, 2]))
    assert project.repro() == {"register"} | LEARNING
    project.commit("two seeds")
    project.dvc("push", "--run-cache", "--all-commits")
    return project


def clone(project: Project, folder: Path, *pull: str) -> Project:
    project.git("clone", "-q", ".", str(folder))
    cloned = Project(folder)
    cloned.dvc("pull", *pull)
    assert sorted(p.name for p in (folder / CORPUS).iterdir()) == ["recordings.csv"]
    return cloned


def assert_no_media(stored: dict[str, bytes], project: Project) -> None:
    """Hold every object of a remote against every medium, whole and in parts, and by name."""
    media = [p.read_bytes() for p in (project.root / CORPUS).iterdir() if p.suffix in (".wav", ".mp4")]
    assert len(media) == 2 * OF_A
    assert len(stored) > 20
    hashes = {f(m).hexdigest() for m in media for f in (hashlib.md5, hashlib.sha1, hashlib.sha256)}
    for name, content in stored.items():
        assert not hashes & {f(content).hexdigest() for f in (hashlib.md5, hashlib.sha256)}, name
        assert Path(name).parent.name + Path(name).name not in hashes, name
        for medium in media:
            middle = len(medium) // 2
            assert medium[middle : middle + 48] not in content, name
            assert medium[-48:] not in content, name


def test_a_colleague_without_media_trains_adds_and_is_refused(sender, clips, tmp_path):
    b = clone(sender, tmp_path / "b", "--run-cache")
    assert b.repro() == {"register"}
    units = {kind: b.units(kind) for kind in KINDS}
    assert {kind: len(found) for kind, found in units.items()} == dict.fromkeys(KINDS, OF_A)

    # another training: nothing is extracted
    b.edit(learning(alpha=[0.0, 0.5]))
    assert b.repro() == {"register"} | LEARNING
    assert {kind: b.units(kind) for kind in KINDS} == units
    models = b.units("models")
    # the setting of A's older commit: trained by A, restored from the run-cache
    b.edit(learning(alpha=[0.0, 0.3], seeds=[1]))
    assert b.repro("--pull", "train@team") == {"register"}
    assert b.units("models") == models, "nothing was trained here for it"
    b.git("checkout", "params.yaml", "dvc.lock", "stages/dvc.lock")
    b.dvc("checkout")

    # own recordings: only those are extracted
    add_recordings(b, clips[1][OF_A:], clips[0])
    assert b.repro("train@team") == {"register", "align_labels", "train"} | EXTRACTION
    for kind in KINDS:
        after = b.units(kind)
        assert len(after) == OF_A + OF_B
        assert {key: after[key] for key in units[kind]} == units[kind]
    table = FeatureTable.open(Paths("team", b.root).audio)
    assert len(table.recordings) == OF_A + OF_B
    b.commit("own recordings")
    lock = b.hashes()

    # another feature: refused, with the way back
    b.edit(lambda p: p["corpora"]["team"]["audio"].update(sampling_rate_hz=8000))
    text = b.dvc("repro", check=False)
    assert f"extract_audio: the media of {OF_A} of {OF_A + OF_B} recordings are not on this machine" in text
    assert f"(the first: {CORPUS}/r00.wav)" in text
    (way_back,) = set(re.findall(r"`(git checkout [^`]+)`", text))
    b.run("bash", "-c", way_back)
    assert b.repro("train@team") == {"register"}
    assert b.hashes() == lock

    remote = sender.root.parent / "remote"
    stored = {str(p.relative_to(remote)): p.read_bytes() for p in remote.rglob("*") if p.is_file()}
    assert_no_media(stored, sender)


def test_a_damaged_feature_file_is_named_and_fetched_again(sender, tmp_path):
    b = clone(sender, tmp_path / "b")
    directory = b.root / "data/features/team/audio"
    (name,) = (p.name for p in directory.glob("*.parquet"))
    good = (directory / name).read_bytes()
    bad = good[:-9] + bytes([good[-9] ^ 255]) + good[-8:]
    md5 = hashlib.md5(good).hexdigest()
    cached = b.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]

    def damage(path: Path) -> None:
        path.chmod(0o644)
        path.write_bytes(bad)
        path.chmod(0o444)

    def fetch_again_as_told() -> str:
        text = b.dvc("repro", check=False)
        assert f"data/features/team/audio/{name}: damaged" in text
        (command,) = set(re.findall(r"`(emobed store repull [^`]+)`", text))
        told = b.run(*shlex.split(command)).stdout
        assert (directory / name).read_bytes() == good
        return told

    damage(directory / name)
    assert md5[2:] not in fetch_again_as_told(), "the object in the cache is whole"

    damage(cached)
    shutil.rmtree(directory)
    b.dvc("checkout")
    assert (directory / name).read_bytes() == bad, "DVC believes a read-only object"
    assert re.search(rf"removed \S*{md5[2:]}\n", fetch_again_as_told())
    assert hashlib.md5(cached.read_bytes()).hexdigest() == md5

    assert b.repro() == {"register"}


def test_sharing_over_s3(sender, tmp_path):
    shutil.copytree(sender.root, tmp_path / "a", symlinks=True)
    a = Project(tmp_path / "a")
    with s3_server("team") as url:
        a.dvc("remote", "add", "--default", "bucket", "s3://team/features")
        for name, value in (("endpointurl", url), ("verify", "true")):
            a.dvc("remote", "modify", "bucket", name, value)
        a.commit("remote")
        a.dvc("push", "--run-cache")
        b = clone(a, tmp_path / "b", "--run-cache")
        assert b.hashes() == a.hashes()
        b.edit(learning(alpha=[0.0, 0.5]))
        assert b.repro("train@team") == {"register", "train"}
        assert {kind: len(b.units(kind)) for kind in KINDS} == dict.fromkeys(KINDS, OF_A)
        b.dvc("push")
        stored = objects("team")
        assert len([name for name in stored if name.startswith("features/runs/")]) >= 10
        assert_no_media(stored, a)
