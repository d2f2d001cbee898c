"""How fast `emobed predict` is: sound and video against real time, and the first row of a short file.

    python -m benchmarks.predict AUDIO_RECOGNISER VIDEO_RECOGNISER WAV VIDEO

Real time is the length of the medium. Sound and video are timed by the difference between a call for many
copies and one for a few, so that imports do not count; the first row is timed from the call on, with them.
The load of the machine is printed: beside other work figures are lower.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.features.media.opening import open_media

COPIES = 8


def main() -> None:
    """Print the table."""
    audio, video, wav, film = map(Path, sys.argv[1:5])
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'first row of a wav of ' + f'{_length(wav):.1f} s':44}{_first_row(audio, wav):8.2f} s")
        for name, recogniser, medium, workers in (("sound", audio, wav, 1), ("video", video, film, 2)):
            one, many = (
                _seconds(recogniser, medium, count, workers, Path(folder)) for count in (workers, COPIES)
            )
            rate = (COPIES - workers) * _length(medium) / max(many - one, 1e-9)
            print(f"{f'{name}, {workers} process(es), times real time':44}{rate:8.1f} x")


def _length(path: Path) -> float:
    with open_media(path) as container:
        return float(container.duration or 0) / 1e6


def _command(recogniser: Path, *inputs: Path, workers: int = 1) -> list[str]:
    words = map(str, (recogniser, *inputs, "--workers", workers))
    return [sys.executable, "-m", "stages.commands", "predict", *words]


def _first_row(recogniser: Path, wav: Path) -> float:
    """Return the seconds from the call to the first row of the table."""
    begun = time.perf_counter()
    with subprocess.Popen(
        _command(recogniser, wav), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as own:
        assert own.stdout is not None
        own.stdout.readline()  # the names of the columns
        row = own.stdout.readline()
        taken = time.perf_counter() - begun
        own.stdout.read()
    if not row:
        raise SystemExit(f"{wav}: nothing was predicted")
    return taken


def _seconds(recogniser: Path, medium: Path, count: int, workers: int, folder: Path) -> float:
    """Return the seconds that a call for some copies of a file takes."""
    copies = [folder / f"{number}{medium.suffix}" for number in range(count)]
    for copy in copies:
        shutil.copyfile(medium, copy)
    begun = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(_command(recogniser, *copies, workers=workers), check=True, **quiet)  # type: ignore[call-overload]
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
