"""An hour of sound or pictures through a stream: memory, and time per hop against the hop.

    python -m benchmarks.live RECOGNISER [MEDIUM] [--minutes 60]

Sound is pushed in pieces of 0.1 s as fast as it is taken, which is the same for the stream as at its pace: it
knows no clock. Pictures come at 25 a second. Without a medium both are made up.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from pipeline.recogniser import Recogniser

RATE = 16_000
PIECE = 0.1
PICTURES_HZ = 25.0


def memory() -> float:
    """Return the memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def sound(medium: Path | None) -> np.ndarray:
    """Return a minute of sound, (samples,) int16 at 16 kHz."""
    if medium is not None:
        from pipeline.features.audio.sound import read_sound

        signal = np.resize(read_sound(medium, RATE).signal, 60 * RATE)
        return np.round(signal * 32767).astype(np.int16)
    at = np.arange(60 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 40 * np.sin(2 * np.pi * 0.3 * at)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at))
    noise = np.random.default_rng(0).normal(0, 0.003, len(at))
    return np.round((0.1 * voice + noise) * 32767).astype(np.int16)


def pictures(medium: Path | None) -> list[np.ndarray]:
    """Return some pictures, (height, width, 3)."""
    if medium is not None:
        from itertools import islice

        from pipeline.features.media.frames import FramesOnGrid

        return [frame.image for frame in islice(FramesOnGrid(medium, PICTURES_HZ), 50)]
    return [np.random.default_rng(k).integers(0, 255, (240, 320, 3), np.uint8) for k in range(8)]


def main() -> None:
    """Run the stream and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recogniser", type=Path)
    parser.add_argument("medium", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=60)
    given = parser.parse_args()
    recogniser = Recogniser.load(given.recogniser)
    hop = recogniser.corpus.grid.hop
    if hop is None:
        parser.error("the recogniser has no hop: it predicts utterances")
    heard = recogniser.modality == "audio"
    step = PIECE if heard else 1 / PICTURES_HZ
    minute = sound(given.medium) if heard else pictures(given.medium)
    size = round(PIECE * RATE)
    count = round(given.minutes * 60 / step)
    marks = {round(share * count): share * given.minutes for share in (1 / 60, 1 / 6, 1 / 2, 1)}
    rows, delays, of_hop, longest, began = 0, [], 0.0, 0.0, time.perf_counter()
    with recogniser.stream(RATE if heard else None) as stream:
        for number in range(count):
            start = time.perf_counter()
            if heard:
                begin = number * size % len(minute)
                found = stream.push(minute[begin : begin + size])
            else:
                found = stream.push_frame(minute[number % len(minute)], number * step)
            of_hop += time.perf_counter() - start
            # what came within one hop of the medium must be done within one hop of the clock
            if int((number + 1) * step / hop + 1e-9) > int(number * step / hop + 1e-9):
                longest, of_hop = max(longest, of_hop), 0.0
            rows += len(found)
            delays += [row.delay for row in found[-1:]] if rows > 100 else []
            if number + 1 in marks:
                print(f"{marks[number + 1]:5.1f} min: {memory():7.1f} MB", flush=True)
        rows += len(stream.finish())
    took = time.perf_counter() - began
    print(
        f"{rows} rows in {took:.1f} s: {given.minutes * 60 / took:.0f} times as fast as it comes; a hop of "
        f"{hop:g} s took {longest:.3f} s at worst; rows come {np.median(delays):.2f} s after their time "
        f"(at most {max(delays):.2f} s)"
    )


if __name__ == "__main__":
    main()
