"""An application without recognisers: what it is sent is noted, what it says is made up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.serving.answers import About, Fusion, Predicted

AROUSAL = About(
    name="audio+video.arousal", dimension="arousal", task="regression", classes=[], modality="audio",
    needed=["audio"], hop=0.2, live=True,
)  # fmt: skip
EMOTION = About(
    name="video+audio.emotion", dimension="emotion", task="classification", classes=["anger", "joy"],
    modality="video", needed=["video"], hop=None, live=False,
)  # fmt: skip


def arousal_rows(first: int, last: int, rise: float = 0.0) -> Predicted:
    rows = [
        {"start": k * 0.2, "end": k * 0.2 + 0.2, "arousal": np.sin(k / 9) / 2 + rise,
         "arousal.low": np.sin(k / 9) / 2 - 0.2, "arousal.high": np.sin(k / 9) / 2 + 0.3, "valid": True}
        for k in range(first, last)
    ]  # fmt: skip
    return Predicted(recogniser=AROUSAL.name, rows=rows)


def live(found: Predicted) -> Predicted:
    """Return what is said of sound as it comes."""
    return found.model_copy(update={"rows": [row | {"delay": 0.4} for row in found.rows]})


@dataclass
class MadeUpStream:
    """A row per fifth of a second of sound."""

    rate_hz: int | None
    pictures: bool = False
    seen: list[tuple[NDArray[np.uint8], float]] = field(default_factory=list)
    heard: list[NDArray[np.float32]] = field(default_factory=list)
    said: int = 0
    closed: bool = False
    error: Exception | None = None

    def push(self, signal: NDArray[np.float32]) -> list[Predicted]:
        if self.error is not None:
            raise self.error
        self.heard.append(signal)
        known = int(sum(map(len, self.heard)) / self.rate_hz / 0.2)
        found = live(arousal_rows(self.said, known))
        self.said = known
        return [found]

    def push_frame(self, picture: NDArray[np.uint8], time: float) -> list[Predicted]:
        self.seen.append((picture, time))
        row = {"start": time, "end": time, "delay": 0.0, "emotion": "joy", "emotion.anger": 0.4,
               "emotion.joy": 0.6}  # fmt: skip
        return [Predicted(recogniser=EMOTION.name, rows=[row])]

    def finish(self) -> list[Predicted]:
        return [live(arousal_rows(self.said, self.said + 1))]

    def close(self) -> None:
        self.closed = True


@dataclass
class MadeUp:
    """What is served. error: raised by predictions, or by streams. wait: for which a prediction waits."""

    about: tuple[About, ...] = (AROUSAL, EMOTION)
    error: Exception | None = None
    wait: threading.Event | None = None
    seen: list[tuple[Path, bytes]] = field(default_factory=list)
    streams: list[MadeUpStream] = field(default_factory=list)
    fails: tuple[str, ...] = ()
    fusions: tuple[Fusion, ...] = ()
    pictures_hz: float = 5.0

    def predict(self, path: Path, limit: float) -> list[Predicted]:
        self.seen.append((path, path.read_bytes()))
        if self.wait is not None:
            assert self.wait.wait(30)
        if self.error is not None:
            raise self.error
        if self.fails:
            return [Predicted(recogniser=one.name, error=self.fails[0]) for one in self.about]
        emotion = {"start": 0.0, "end": 6.0, "emotion": "joy", "emotion.anger": 0.2, "emotion.joy": 0.8}
        return [
            arousal_rows(0, 31).model_copy(update={"out_of_domain": 0.034}),
            Predicted(recogniser=EMOTION.name, rows=[emotion | {"valid": True}]),
        ]

    def stream(self, rate_hz: int | None, pictures: bool = False) -> MadeUpStream:
        self.streams.append(MadeUpStream(rate_hz, pictures, error=self.error))
        return self.streams[-1]
