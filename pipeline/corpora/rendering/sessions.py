"""Speakers -> `demo_sessions` on disk, in the layout of RECOLA for AVEC 2016.

    recordings_audio/{train,dev,test}_N.wav         recordings_video/{train,dev,test}_N.mp4
    ratings_individual/{arousal,valence}/*.csv      ratings_gold_standard/{arousal,valence}/*.arff
    truth/<recording>.csv                           truth/raters.csv

Each speaker has one recording. Unlike the real corpus, the test partition has labels, and `truth/`
holds what the media were drawn from: undelayed arousal and valence, and what each rater is like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.corpora.recording import PARTITIONS, Partition
from pipeline.corpora.rendering import media
from pipeline.corpora.rendering.emotion import Course, annotation_times, draw_course
from pipeline.corpora.rendering.expressions import frame_times, session_expression
from pipeline.corpora.rendering.faces import draw_frames
from pipeline.corpora.rendering.heads import draw_portrait
from pipeline.corpora.rendering.prosody import session_manner
from pipeline.corpora.rendering.randomness import generator
from pipeline.corpora.rendering.raters import RATERS, Rater, draw_raters, gold_standard, rate
from pipeline.corpora.rendering.voices import SAMPLING_RATE_HZ, draw_voice, speak
from pipeline.params import Demo

CORPUS = "demo_sessions"
FOLDERS = ("recordings_audio", "recordings_video", "ratings_individual", "ratings_gold_standard", "truth")
DIMENSIONS = ("arousal", "valence")


@dataclass(frozen=True)
class Session:
    """One recording to render: speaker number `speaker` (from 0) of `partition`."""

    partition: Partition
    speaker: int

    @property
    def name(self) -> str:
        """Return the recording's name, for example `train_1`."""
        return f"{self.partition}_{self.speaker + 1}"


def plan(demo: Demo) -> list[Session]:
    """List the recordings of the corpus."""
    counts = {part: getattr(demo.demo_sessions, part) for part in PARTITIONS}
    return [Session(part, speaker) for part in PARTITIONS for speaker in range(counts[part])]


def render_session(root: Path, session: Session, demo: Demo) -> None:
    """Write the media, ratings and truth of one recording; files that exist are kept."""
    section, name = demo.demo_sessions, session.name
    wav, mp4 = root / "recordings_audio" / f"{name}.wav", root / "recordings_video" / f"{name}.mp4"
    course = draw_course(_rng(demo, session, "emotion"), section.duration)
    if not (wav.exists() and mp4.exists()):
        rng = _rng(demo, session, "voice")
        voice = draw_voice(rng)
        waveform, mouth = speak(rng, voice, session_manner(rng, course, section.duration), section.duration)
        media.write_wav(wav, waveform, SAMPLING_RATE_HZ)
        rng = _rng(demo, session, "face")
        portrait = draw_portrait(rng)
        time = frame_times(section.duration, section.frame_rate_hz)
        expression = session_expression(rng, course, mouth, time)
        media.write_mp4(mp4, draw_frames(rng, portrait, expression), section.frame_rate_hz)
    _write_labels(root, session, course, demo)


def write_index(root: Path, demo: Demo) -> None:
    """Write truth/raters.csv: what each rater is like in each recording."""
    lines = ["recording,dimension,rater,lag,bias,scale,noise"]
    for session in plan(demo):
        for dimension, _, raters in _raters(session, demo):
            lines += [
                f"{session.name},{dimension},{r.name},{r.lag:.6f},{r.bias:.6f},{r.scale:.6f},{r.noise:.6f}"
                for r in raters
            ]
    media.write_text(root / "truth" / "raters.csv", "\n".join(lines) + "\n")


def _rng(demo: Demo, session: Session, purpose: str) -> np.random.Generator:
    return generator(demo.seed, CORPUS, session.partition, session.speaker, purpose)


def _raters(session: Session, demo: Demo) -> Iterator[tuple[str, np.random.Generator, tuple[Rater, ...]]]:
    """Yield each dimension with its raters and the generator that drew what is theirs today."""
    rng = _rng(demo, session, "raters")
    for index, dimension in enumerate(DIMENSIONS):
        own = rng.spawn(1)[0]
        yield dimension, own, draw_raters(demo.seed, CORPUS, index, demo.reaction_lag, own)


def _write_labels(root: Path, session: Session, course: Course, demo: Demo) -> None:
    name = session.name
    times = annotation_times(demo.demo_sessions.duration)
    for dimension, rng, raters in _raters(session, demo):
        traces = rate(raters, course.time, getattr(course, dimension), len(times), rng)
        # RECOLA's header has a blank after each rater's name.
        lines = ["time;" + ";".join(f"{rater} " for rater in RATERS)]
        for time, row in zip(times, traces.T, strict=True):
            lines.append(";".join([f"{time:g}", *(f"{value:g}" for value in row)]))
        media.write_text(root / "ratings_individual" / dimension / f"{name}.csv", "\n".join(lines) + "\n")
        arff = _arff(name, dimension, times, gold_standard(traces))
        media.write_text(root / "ratings_gold_standard" / dimension / f"{name}.arff", arff)
    arousal, valence = course.at(times)
    lines = ["time,arousal,valence"]
    lines += [f"{t:g},{a:.6f},{v:.6f}" for t, a, v in zip(times, arousal, valence, strict=True)]
    media.write_text(root / "truth" / f"{name}.csv", "\n".join(lines) + "\n")


def _arff(name: str, dimension: str, times: np.ndarray, gold: np.ndarray) -> str:
    """Return a gold standard as ARFF text with AVEC 2016's header and line ends (CRLF)."""
    lines = [
        f"@relation GOLDSTANDARD_{dimension.upper()}",
        "",
        "@attribute Instance_name string",
        "@attribute frameTime numeric",
        "@attribute GoldStandard numeric",
        "",
        "",
        "@data",
        "",
    ]
    lines += [f"{name},{t:g},{value:.8g}" for t, value in zip(times, gold, strict=True)]
    return "\r\n".join(lines) + "\r\n"
