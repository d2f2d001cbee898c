"""A corpus of 5,300 utterances: what a run with nothing to do and one more recording cost, files, memory.

Run `python benchmarks/many_utterances.py`; some minutes on two cores. Media are placeholders of a
few bytes; their features are put into the store under the keys that the stages ask for, so that no
video need be decoded. The one recording that is added is rendered and really extracted. Nothing
here is asserted in tests.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.corpora.rendering import clips  # noqa: E402
from pipeline.features.audio import functionals as audio  # noqa: E402
from pipeline.features.audio.smile import feature_names  # noqa: E402
from pipeline.features.extractor import extractor_of  # noqa: E402
from pipeline.features.faces import detection as faces  # noqa: E402
from pipeline.features.faces.face_table import NAMES  # noqa: E402
from pipeline.features.pooling import pooling  # noqa: E402
from pipeline.params import Params, load_params  # noqa: E402
from pipeline.store.packing import Unit, spread  # noqa: E402
from pipeline.store.rows import Rows, to_bytes  # noqa: E402
from pipeline.store.units import UnitStore, unit_key  # noqa: E402
from tests.project import Project  # noqa: E402

CORPUS = "many"
FEATURE_STAGES = ("register", "extract_audio", "detect_faces", "embed_faces", "pool_video", "align_labels")
TICKS = 12
"""Faces looked at per utterance: about five seconds at 2.5 Hz."""


def only_many(params: dict[str, Any]) -> None:
    """Make `many` the only corpus: demo_clips' parameters with a table as its layout."""
    corpus = params["corpora"]["demo_clips"] | {"layout": "table", "root": f"data/raw/{CORPUS}"}
    params["run"]["corpora"] = [CORPUS]
    params["corpora"] = {CORPUS: corpus}
    params["demo"]["demo_clips"] |= {"train": 1, "dev": 1, "test": 1, "utterances": 7, "duration": 2.4}


def fill(project: Project, count: int) -> None:
    """Write `count` placeholder utterances with their labels, and their units into the store."""
    params = load_params(project.root / "params.yaml")
    root = project.root / params.corpus(CORPUS).root
    (root / "media").mkdir(parents=True, exist_ok=True)
    with (root / "recordings.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("recording", "partition", "speaker", "audio", "video", "emotion"))
        for number in range(count):
            name = f"utterance_{number:05d}"
            path = f"media/{name}.mp4"
            (root / path).write_text(f"placeholder {number}\n")
            partition = ("train", "train", "train", "dev", "test")[number // 20 % 5]
            rows.writerow((name, partition, f"speaker_{number // 20:04d}", path, path, str(number % 7)))
    keys = Keys(params)
    for number in range(count):
        keys.put(UnitStore(project.root / params.runtime.store), f"placeholder {number}\n".encode(), number)


class Keys:
    """Synthetic units under the keys that the stages of `params` ask for."""

    def __init__(self, params: Params) -> None:
        """Collect the fingerprints, as the stages do."""
        corpus = params.corpus(CORPUS)
        self.audio = audio.fingerprint(corpus.audio, corpus.grid)
        self.faces = faces.fingerprint(corpus.video.faces)
        self.embeddings = extractor_of("embed_faces", corpus).fingerprint()
        self.video = pooling.fingerprint(corpus.video.pooling, corpus.grid)
        self.pooling, self.grid = corpus.video.pooling, corpus.grid
        self.functionals = feature_names(corpus.audio.feature_set, corpus.audio.level)

    def put(self, store: UnitStore, medium: bytes, seed: int) -> None:
        """Put the four units of one utterance."""
        draw = np.random.default_rng(seed)
        digest = hashlib.sha256(medium).hexdigest()
        start = np.arange(TICKS) / 2.5
        one = np.ones(1, bool)
        sound = draw.standard_normal((1, 88)).astype(np.float32)
        boxes = draw.random((TICKS, len(NAMES))).astype(np.float32)
        vectors = draw.standard_normal((TICKS, 256)).astype(np.float32)
        names = tuple(f"onet_{i:03d}" for i in range(256))
        valid = np.ones(TICKS, bool)
        frames = Rows(start, start + 0.4, vectors, valid, names)
        found = unit_key(media=digest, **self.faces)
        embedded = unit_key(detections=found, **self.embeddings)
        for kind, key, rows in (
            (
                "audio",
                unit_key(media=digest, **self.audio),
                Rows(np.zeros(1), start[-1:], sound, one, self.functionals),
            ),
            ("faces", found, Rows(start, start + 0.4, boxes, valid, NAMES)),
            ("embeddings", embedded, frames),
            ("video", unit_key(frames=embedded, **self.video), pooling.pool(frames, self.pooling, self.grid)),
        ):
            store.put(kind, key, to_bytes(rows))


def add_one(project: Project) -> None:
    """Render one utterance and list it."""
    params = load_params(project.root / "params.yaml")
    root = project.root / params.corpus(CORPUS).root
    rendered = project.root / "rendered"
    clips.render_speaker(rendered, clips.plan(params.demo)[0], params.demo)
    clip = sorted(rendered.rglob("*.mp4"))[0]
    clip.rename(root / "media/added.mp4")
    with (root / "recordings.csv").open("a", newline="") as file:
        csv.writer(file).writerow(("added", "train", "somebody", "media/added.mp4", "media/added.mp4", "3"))


PEAK = """
import re, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    status = open("/proc/self/status").read()
    print("peak", int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1024)
"""
# VmHWM, since ru_maxrss of a child counts what its parent held when it was forked.


def run(project: Project, *command: str) -> str:
    """Run a command in the project; returns what it printed."""
    done = subprocess.run(command, cwd=project.root, env=project.environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def repro(project: Project, *stages: str) -> tuple[float, float]:
    """Run `dvc repro` up to stages; returns seconds by the clock and of the processor."""
    before, start = processor_seconds(), time.perf_counter()
    run(project, sys.executable, "-m", "dvc", "repro", *(f"{stage}@{CORPUS}" for stage in stages))
    return time.perf_counter() - start, processor_seconds() - before


def processor_seconds() -> float:
    """Return what ended children have used: unlike the clock, it does not depend on the machine's load."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peak_memory(project: Project, stage: str) -> float:
    """Run a stage's script and return its peak memory, MB."""
    return float(run(project, sys.executable, "-c", PEAK, f"stages.{stage}", CORPUS).split("peak ")[1])


def measure(folder: Path, count: int) -> dict[str, float]:
    """Build the features of `count` utterances and measure."""
    project = Project.create(folder / str(count), only_many)
    start = time.perf_counter()
    fill(project, count)
    found = {"filling the store, s": time.perf_counter() - start}

    def note(what: str, times: tuple[float, float]) -> None:
        found[f"{what}, s"], found[f"{what}, processor s"] = times

    note("features from the store", repro(project, "align_labels"))
    # DVC looks once at what it has just put into its cache
    repro(project, "align_labels")
    note("nothing to do", repro(project, "align_labels"))
    add_one(project)
    note("one more recording", repro(project, "extract_audio", "pool_video"))
    repro(project, "align_labels")
    data = project.root / "data"
    for out in sorted((data / "features" / CORPUS).iterdir()):
        found[f"files in {out.name}"] = len(list(out.iterdir()))
    for stage in FEATURE_STAGES:
        found[f"peak memory of {stage}, MB"] = peak_memory(project, stage)
    return found


def main() -> None:
    """Measure a small and a large corpus and print both with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=1000, help="utterances of the small corpus")
    parser.add_argument("--large", type=int, default=5300, help="utterances of the large corpus")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="emobed-many-") as folder:
        small = measure(Path(folder), options.small)
        large = measure(Path(folder), options.large)
    print(f"{'':44}{options.small:>10,}{options.large:>10,}{'ratio':>8}")
    for name, value in large.items():
        print(f"{name:44}{small[name]:10.1f}{value:10.1f}{value / small[name]:8.2f}")
    packed = spread([Unit(f"utterance_{number:06d}", "key") for number in range(100_000)])
    print(f"\nfiles per out at 100,000 utterances: {len(packed) + 2} (with index.json and failures.csv)")


if __name__ == "__main__":
    main()
