"""Time openSMILE's features: windows against descriptors alone, two processes against one.

    python -m benchmarks.sound [minutes of sound] [turns]

All sides take turns within one run; seconds are of the processor, the best turn counts, so that other work on
the machine makes figures worse but ratios little. "Package" is openSMILE by its own Python interface. The
ratio of two processes is by the clock; beside it stands that of two openSMILE processes that share nothing,
which is the machine's own. Nothing here is asserted in tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import opensmile

from benchmarks.workers import AUDIO, GRID, RATE, write_voices
from pipeline.features.audio.functionals import extract
from pipeline.features.audio.smile import hear, open_core
from pipeline.features.audio.sound import read_sound
from pipeline.params import Grid

SET = "eGeMAPSv02"
SHORT = 20
"""Windows that are extracted one call each, of which the time of all is told."""


def main(minutes: float, turns: int) -> None:
    """Print the tables."""
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores; {minutes:g} minutes of sound, {turns} turns")
    with tempfile.TemporaryDirectory() as folder:
        write_voices(Path(folder), 2, minutes)
        paths = sorted(Path(folder).glob("*.wav"))
        _one(paths[0], turns)
        _two(paths, turns)


def _one(path: Path, turns: int) -> None:
    signal = read_sound(path, RATE).signal
    length = len(signal) / RATE
    descriptors, functionals = (
        opensmile.Smile(opensmile.FeatureSet[SET], level)
        for level in (opensmile.FeatureLevel.LowLevelDescriptors, opensmile.FeatureLevel.Functionals)
    )
    assert GRID.window is not None
    assert GRID.hop is not None
    windows = (length - GRID.window) / GRID.hop
    piece = signal[: round(GRID.window * RATE)]
    sides: dict[str, Callable[[], object]] = {
        "descriptors alone, package": lambda: descriptors.process_signal(signal, RATE),
        "descriptors alone, here": lambda: hear(open_core(SET, "lld_statistics", RATE), [signal], RATE),
        "all windows of 8 s every .04 s, here": lambda: extract(path, AUDIO, GRID),
        "all windows of 4 s every .2 s, here": lambda: extract(path, AUDIO, Grid(window=4.0, hop=0.2)),
        "decoding alone": lambda: read_sound(path, RATE),
        "a window of 8 s, package": lambda: [functionals.process_signal(piece, RATE) for _ in range(SHORT)],
    }
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(turns):
        for name, side in sides.items():
            begun = time.process_time()
            side()
            best[name] = min(best[name], time.process_time() - begun)
    each = "a call of the package for each window of 8 s, every .04 s"
    best[each] = best.pop("a window of 8 s, package") / SHORT * windows
    base = best["descriptors alone, package"]
    print(f"\n{'one process':62}{'seconds':>10}{'ratio':>8}{'x real time':>13}")
    for name, seconds in best.items():
        print(f"{name:62}{seconds:10.2f}{seconds / base:8.2f}{length / seconds:13.1f}")


def _two(paths: list[Path], turns: int) -> None:
    """Compare two processes, each with its recording, with one that takes both after each other."""
    print(f"\n{'two processes against one, by the clock':62}{'ratio':>10}")
    for name in ("descriptors alone, package", "all windows of 8 s every .04 s, here"):
        one = two = float("inf")
        for _ in range(turns):
            one = min(one, sum(_clock([path], name) for path in paths))
            two = min(two, _clock(paths, name))
        print(f"{name:62}{one / two:10.2f}")


def _clock(paths: list[Path], name: str) -> float:
    """Return the seconds from when all processes are ready to when the last has done its recording."""
    command = [sys.executable, "-m", "benchmarks.sound", "--process", name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    running = [subprocess.Popen([*command, path], **pipes) for path in paths]  # type: ignore[call-overload]
    for process in running:
        process.stdout.readline()
    begun = time.perf_counter()
    for process in running:
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in running:
        process.stdout.readline()
    taken = time.perf_counter() - begun
    for process in running:
        process.communicate()
    return taken


def _process(name: str, path: Path) -> None:
    """Say when ready, wait for a line, extract, and say so."""
    signal = read_sound(path, RATE).signal
    smile = opensmile.Smile(opensmile.FeatureSet[SET], opensmile.FeatureLevel.LowLevelDescriptors)
    print("ready", flush=True)
    sys.stdin.readline()
    if name.endswith("package"):
        smile.process_signal(signal, RATE)
    else:
        extract(path, AUDIO, GRID)
    print("done", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--process"]:
        _process(sys.argv[2], Path(sys.argv[3]))
    else:
        main(
            float(sys.argv[1]) if len(sys.argv) > 1 else 5.0,
            int(sys.argv[2]) if len(sys.argv) > 2 else 3,
        )
