"""Kill extraction at random moments, run it to its end: is anything lost, is a byte different?

Run `python benchmarks/killed.py --kills 50 --seed 0`; about twenty seconds per kill. Each time the
units of one extraction stage and of those after it are removed, the stage is started through DVC and
killed with SIGKILL: the whole process group, only `dvc`, or only the stage's script. Then
`dvc repro` runs to the end. Units that were finished at the kill must be untouched, and every file
under data/features the same as in an undisturbed run. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.project import Project, tiny_sessions  # noqa: E402

CORPUS = "demo_sessions"
STAGES = {
    "extract_audio": "audio",
    "detect_faces": "faces",
    "embed_faces": "embeddings",
    "pool_video": "video",
}
ALL = (f"extract_audio@{CORPUS}", f"pool_video@{CORPUS}")
TARGETS = ("group", "dvc", "script")
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass
class Outcome:
    """What happened after one kill: what, when (seconds), units kept, what was wrong, in words."""

    stage: str
    target: str
    moment: float
    kept: int = 0
    wrong: list[str] = field(default_factory=list)


def prepare(folder: Path, stages: Iterable[str] = STAGES) -> tuple[Project, dict[str, str], dict[str, float]]:
    """Render, run undisturbed; returns the project, the hashes of its files, seconds of each of `stages`."""
    project = Project.create(folder / "project", tiny_sessions)
    project.repro(*ALL)
    expected = files(project)
    seconds = {}
    for stage in stages:
        forget(project, stage)
        start = time.perf_counter()
        project.repro("--single-item", "--force", f"{stage}@{CORPUS}")
        seconds[stage] = time.perf_counter() - start
    project.repro(*ALL)
    assert files(project) == expected, "two undisturbed runs differ"
    return project, expected, seconds


def files(project: Project) -> dict[str, str]:
    """Return the sha256 of every file under data/features."""
    folder = project.root / "data/features"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def forget(project: Project, stage: str) -> None:
    """Remove the units of a stage and of those that build on it, and DVC's memory of runs."""
    kinds = ["audio"] if stage == "extract_audio" else list(STAGES.values())[list(STAGES).index(stage) :]
    for kind in kinds:
        shutil.rmtree(project.root / ".emobed/store" / kind, ignore_errors=True)
    shutil.rmtree(project.root / ".emobed/store/.tables", ignore_errors=True)
    shutil.rmtree(project.root / ".dvc/cache/runs", ignore_errors=True)


def processes(project: Project) -> Iterator[tuple[int, str]]:
    """Give the processes that work in the project, with their command lines."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").resolve() == project.root.resolve():
                yield int(path.name), (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended meanwhile
            continue


def kill(project: Project, stage: str, target: str, moment: float) -> Outcome:
    """Start a stage, kill it after `moment` seconds, and wait for `dvc` to be gone."""
    outcome = Outcome(stage, target, moment)
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", f"{stage}@{CORPUS}"]
    process = subprocess.Popen(
        command, cwd=project.root, env=project.environment, start_new_session=True, **QUIET
    )  # fmt: skip
    time.sleep(moment)
    if target == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif target == "dvc":
        process.kill()
    else:
        scripts = [
            pid for pid, line in processes(project) if line.rstrip().endswith(f"stages.{stage} {CORPUS}")
        ]
        for pid in scripts:
            os.kill(pid, signal.SIGKILL)
    process.wait()  # where the script was killed, dvc ends by itself
    return outcome


def trial(project: Project, stage: str, target: str, moment: float, expected: dict[str, str]) -> Outcome:
    """Kill once, run to the end, and say what was wrong."""
    forget(project, stage)
    outcome = kill(project, stage, target, moment)
    kind = STAGES[stage]
    finished = project.units(kind)
    outcome.kept = len(finished)
    done = project.run(sys.executable, "-m", "dvc", "repro", *ALL, check=False)
    if done.returncode:
        outcome.wrong.append(f"the next run fails: {done.stderr[-600:]}")
    after = project.units(kind)
    if lost := [key for key, when in finished.items() if after.get(key) != when]:
        outcome.wrong.append(f"{len(lost)} finished units were written again or lost")
    if (now := files(project)) != expected:
        differing = sorted(name for name in now.keys() | expected if now.get(name) != expected.get(name))
        outcome.wrong.append(f"files differ: {', '.join(differing)}")
    return outcome


def wait_for_orphans(project: Project, seconds: float = 20.0) -> int:
    """Wait until nothing works in the project any more; returns what is still there, and ends it."""
    deadline = time.monotonic() + seconds
    while (left := list(processes(project))) and time.monotonic() < deadline:
        time.sleep(0.5)
    for pid, _ in left:
        os.kill(pid, signal.SIGKILL)
    return len(left)


def main() -> None:
    """Kill as often as asked and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="emobed-killed-") as folder:
        project, expected, seconds = prepare(Path(folder))
        print(
            "undisturbed, s: " + ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items()),
            flush=True,
        )
        outcomes = []
        for number in range(options.kills):
            stage = list(STAGES)[number % len(STAGES)]
            outcome = trial(
                project, stage, draw.choice(TARGETS), draw.uniform(0.2, 1.0) * seconds[stage], expected
            )
            outcomes.append(outcome)
            print(
                f"{number + 1:3} {stage:14} {outcome.target:7} at {outcome.moment:5.1f} s, "
                f"{outcome.kept} units kept: {'; '.join(outcome.wrong) or 'same bytes'}",
                flush=True,
            )
        orphans = wait_for_orphans(project)
        leftovers = [p for p in (project.root / ".emobed/store").glob("*/*/.*") if p.is_file()]
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    targets = Counter(outcome.target for outcome in outcomes)
    print(f"{len(outcomes)} kills ({dict(targets)}), {sum(o.kept for o in outcomes)} finished units kept")
    print(f"{len(leftovers)} half-written temporary files, {orphans} processes left over")
    print(f"{wrong} runs with something wrong")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
