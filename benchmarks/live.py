"""An hour of sound or pictures through a stream: memory, and time per hop against the hop.

    python -m benchmarks.live RECOGNISER [MEDIUM] [--minutes 60] [--window 3 --hop 1]

Sound is pushed in pieces of 0.1 s, pictures come at 25 a second, both as fast as they are taken, which is
the same for the stream as at its pace: it knows no clock. How far it would fall behind at its pace follows
from how long each piece took, by the clock, with all that the machine does besides, and in seconds of the
processor, which are the stream's own. Without a medium both are made up: a speaker of the demo, forwards and
backwards in turn.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.corpora.rendering.sessions import Session, render_session
from pipeline.features.audio.sound import read_sound
from pipeline.features.media.frames import FramesOnGrid
from pipeline.params import load_params
from pipeline.recogniser import Recogniser

RATE = 16_000
PIECE = 0.1
PICTURES_HZ = 25.0
LOOP = 30.0
"""Seconds of what is made up, or is taken of a medium, at most."""
MARKS = 1 / 60, 1 / 6, 1 / 2, 1
"""Shares of the whole at which memory is printed."""


def clocks() -> np.ndarray:
    """Return the time by the clock and that of the processor, seconds, (2,)."""
    return np.array([time.perf_counter(), time.process_time()])


def memory() -> float:
    """Return the memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def made_up(folder: Path) -> tuple[Path, Path]:
    """Render a speaker of the demo; return the sound and the video."""
    demo = load_params(Path("params.yaml")).demo
    sessions = demo.demo_sessions.model_copy(update={"duration": LOOP, "frame_rate_hz": PICTURES_HZ})
    render_session(folder, Session("test", 0), demo.model_copy(update={"demo_sessions": sessions}))
    return folder / "recordings_audio/test_1.wav", folder / "recordings_video/test_1.mp4"


def sound(medium: Path) -> list[np.ndarray]:
    """Return pieces of sound, (samples,) int16 at 16 kHz."""
    signal = np.round(read_sound(medium, RATE).signal[: round(LOOP * RATE)] * 32767).astype(np.int16)
    size = round(PIECE * RATE)
    return [signal[begin : begin + size] for begin in range(0, len(signal) - size + 1, size)]


def pictures(medium: Path) -> list[np.ndarray]:
    """Return pictures, (height, width, 3)."""
    return [frame.image for frame in islice(FramesOnGrid(medium, PICTURES_HZ), round(LOOP * PICTURES_HZ))]


def push_all(push: Callable[[Any, float], list[Any]], pieces: list[Any], step: float, minutes: float) -> None:
    """Push pieces in turn and print what it took.

    push: takes a piece and its time, returns rows. step: seconds of a piece.
    """
    count = round(minutes * 60 / step)
    marks = {max(1, round(share * count)): share * minutes for share in MARKS}
    rows, delays = 0, []
    # by the clock; of the processor
    longest, behind, furthest = np.zeros(2), np.zeros(2), np.zeros(2)
    began = clocks()
    for number in range(count):
        start = clocks()
        found = push(pieces[number % len(pieces)], number * step)
        took = clocks() - start
        # of what comes at its pace, the next piece waits until this one is done
        behind = np.maximum(0, behind + took - step)
        longest, furthest = np.maximum(longest, took), np.maximum(furthest, behind)
        rows += len(found)
        delays += [row.delay for row in found[-1:]] if rows > 100 else []
        if number + 1 in marks:
            print(f"{marks[number + 1]:5.1f} min: {memory():7.1f} MB", flush=True)
    whole = clocks() - began
    for what, took, worst, most in zip(
        ("by the clock", "of the processor"), whole, longest, furthest, strict=True
    ):
        print(
            f"{rows} rows in {took:.1f} s {what}: {minutes * 60 / took:.0f} times as fast as it comes; "
            f"a piece of {step:g} s took {worst:.3f} s at worst, at its pace it falls behind by {most:.3f} s"
        )
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        + (f"; rows come {np.median(delays):.2f} s after their time" if delays else "")
    )


def main() -> None:
    """Run the stream and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recogniser", type=Path)
    parser.add_argument("medium", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--window", type=float, help="seconds, of a recogniser of utterances")
    parser.add_argument("--hop", type=float, help="the same")
    given = parser.parse_args()
    recogniser = Recogniser.load(given.recogniser)
    heard = recogniser.modality == "audio"
    with tempfile.TemporaryDirectory() as folder:
        medium = given.medium or made_up(Path(folder))[not heard]
        pieces = sound(medium) if heard else pictures(medium)
    pieces += [piece[::-1] if heard else piece for piece in reversed(pieces)]
    times = {"window": given.window, "hop": given.hop}
    if recogniser.models.by_speaker:
        times["enrolment"] = []
    with recogniser.stream(RATE if heard else None, **times) as stream:
        if heard:
            push_all(lambda piece, _: stream.push(piece), pieces, PIECE, given.minutes)
        else:
            push_all(stream.push_frame, pieces, 1 / PICTURES_HZ, given.minutes)
        stream.finish()


if __name__ == "__main__":
    main()
