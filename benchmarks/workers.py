"""Time the extraction of audio: one worker against two, on this machine and on a Dask cluster on it.

Run `python -m benchmarks.workers [minutes of sound per recording] [recordings]`; a few minutes on two
cores. Figures are ratios within one run: single times depend on what else the machine does. Two ratios are
given: over everything, starting the processes included, and over the extraction alone, timed in processes
that have been started before. Nothing here is asserted in tests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from pipeline.features.audio import functionals as audio
from pipeline.features.extraction.engine import build_table
from pipeline.features.extraction.jobs import Job, Stage
from pipeline.params import Audio, Grid
from pipeline.running.workshop import Workshop
from pipeline.store.units import UnitStore

AUDIO = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=16000, max_failed_share=0.0)
GRID = Grid(window=8.0, hop=0.04)
RATE = 16000


def write_voices(folder: Path, recordings: int, minutes: float) -> list[Job]:
    """Write recordings of a buzzing, pausing voice; their jobs."""
    jobs = []
    for number in range(recordings):
        rng = np.random.default_rng(number)
        time_ = np.arange(round(minutes * 60 * RATE)) / RATE
        pitch = 120 + 30 * np.sin(2 * np.pi * time_ / 3) + 10 * number
        buzz = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch) / RATE) / k for k in range(1, 9))
        signal = (np.sin(2 * np.pi * time_ / 4) > -0.5) * buzz + 0.02 * rng.normal(size=len(time_))
        path = folder / f"r{number:02d}.wav"
        wavfile.write(path, RATE, np.round(signal / 4 * 32767).clip(-32768, 32767).astype(np.int16))
        jobs.append(Job(path.stem, f"{number:064d}", path))
    return jobs


def seconds(folder: Path, jobs: list[Job], workers: int, scheduler: str | None = None) -> float:
    """Return how long the stage takes with an empty store, seconds."""
    where = Path(tempfile.mkdtemp(dir=folder))
    start = time.perf_counter()
    build_table(
        Stage("extract_audio", "audio", audio.OpenSmile(AUDIO, GRID)),
        jobs,
        where / "table",
        Workshop(UnitStore(where / "store"), workers, scheduler),
        {},
    )
    return time.perf_counter() - start


@contextmanager
def dask_workers(folder: Path, count: int):
    """Start a scheduler and workers by their command lines; gives the address."""
    from distributed import Client

    file = folder / f"scheduler-{count}.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    running = [
        subprocess.Popen(
            [*dask, "scheduler", "--port", "0", "--scheduler-file", file, "--no-dashboard"], **quiet
        )
    ]
    for number in range(count):
        local = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", folder / str(number)]
        running.append(subprocess.Popen([*dask, "worker", "--scheduler-file", file, *local], **quiet))
    try:
        with Client(scheduler_file=str(file), timeout=30, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)
            yield client.scheduler.address
    finally:
        for process in running:
            process.kill()
            process.wait()


def main(minutes: float, recordings: int) -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = write_voices(folder, recordings, minutes)
        print(f"{recordings} recordings of {minutes:g} min, windows of 8 s every 0.04 s")
        seconds(folder, jobs[:1], 1)  # openSMILE's own start
        one = seconds(folder, jobs, 1)
        cold = seconds(folder, jobs, 2)
        warm = seconds(folder, jobs, 2)  # joblib keeps its processes for some minutes
        print(f"here, 1 worker:           {one:6.1f} s")
        print(f"here, 2 workers, started: {cold:6.1f} s, x{one / cold:.2f}")
        print(f"here, 2 workers, warm:    {warm:6.1f} s, x{one / warm:.2f}")
        times = {}
        for count in (1, 2):
            with dask_workers(folder, count) as address:
                first = seconds(folder, jobs, 0, address)
                times[count] = first, seconds(folder, jobs, 0, address)
        for place, when in enumerate(("started", "warm   ")):
            print(
                f"Dask, {when}: 1 worker {times[1][place]:.1f} s, 2 workers {times[2][place]:.1f} s, "
                f"x{times[1][place] / times[2][place]:.2f}"
            )


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 5.0,
        int(sys.argv[2]) if len(sys.argv) > 2 else 12,
    )
