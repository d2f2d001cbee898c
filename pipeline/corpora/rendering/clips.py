"""Speakers -> `demo_clips` on disk, in the layout of OMG-Emotion.

    omg_{Train,Validation,Test}Videos.csv     link,start,end,video,utterance,arousal,valence,EmotionMaxVote
    {Train,Validation,Test}/<video>/<utterance>.mp4
    truth/clips.csv

Folders are named as the csv files name the partitions. Each `video` is one speaker. As in OMG, arousal
lies in 0..1 and valence in -1..1, and the numbering of utterances has gaps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.corpora.recording import PARTITIONS, Partition
from pipeline.corpora.rendering import media
from pipeline.corpora.rendering.emotion import CLASSES, draw_prototype
from pipeline.corpora.rendering.expressions import frame_times, utterance_expression
from pipeline.corpora.rendering.faces import draw_frames
from pipeline.corpora.rendering.heads import draw_portrait
from pipeline.corpora.rendering.prosody import utterance_manner
from pipeline.corpora.rendering.randomness import generator
from pipeline.corpora.rendering.voices import SAMPLING_RATE_HZ, draw_voice, speak
from pipeline.params import Demo

CORPUS = "demo_clips"
PARTITION_NAMES: dict[Partition, str] = {"train": "Train", "dev": "Validation", "test": "Test"}
FOLDERS = (
    *PARTITION_NAMES.values(),
    *(f"omg_{name}Videos.csv" for name in PARTITION_NAMES.values()),
    "truth",
)
HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"


@dataclass(frozen=True)
class Clip:
    """One utterance: `number` in its video (with gaps), `start` and `end` in seconds, class `code`."""

    number: int
    start: float
    end: float
    code: int
    arousal: float
    valence: float


@dataclass(frozen=True)
class Speaker:
    """One speaker to render: number `speaker` (from 0) of `partition`, with `clips` of one `video`."""

    partition: Partition
    speaker: int
    video: str
    clips: tuple[Clip, ...]

    @property
    def name(self) -> str:
        """Return the folder of the speaker's clips relative to the corpus root."""
        return f"{PARTITION_NAMES[self.partition]}/{self.video}"


def plan(demo: Demo) -> list[Speaker]:
    """List the speakers of the corpus with their clips."""
    counts = {part: getattr(demo.demo_clips, part) for part in PARTITIONS}
    return [_plan_speaker(demo, part, speaker) for part in PARTITIONS for speaker in range(counts[part])]


def _plan_speaker(demo: Demo, partition: Partition, speaker: int) -> Speaker:
    rng = generator(demo.seed, CORPUS, partition, speaker, "plan")
    video = hashlib.sha256(f"{demo.seed} {partition} {speaker}".encode()).hexdigest()[:9]
    clips: list[Clip] = []
    number, now = 0, float(rng.uniform(0, 10))
    while len(clips) < demo.demo_clips.utterances:
        for code in rng.permutation(len(CLASSES)):
            number += 1 + int(rng.random() < 0.15)
            length = demo.demo_clips.duration * rng.uniform(0.75, 1.25)
            start, end = round(now, 2), round(now + length, 2)
            clips.append(Clip(number, start, end, int(code), *draw_prototype(rng, int(code))))
            now = end + float(rng.exponential(2.0))
    return Speaker(partition, speaker, video, tuple(clips[: demo.demo_clips.utterances]))


def render_speaker(root: Path, speaker: Speaker, demo: Demo) -> None:
    """Write all clips of one speaker; files that exist are kept."""
    voice = draw_voice(generator(demo.seed, CORPUS, speaker.partition, speaker.speaker, "voice"))
    portrait = draw_portrait(generator(demo.seed, CORPUS, speaker.partition, speaker.speaker, "face"))
    for clip in speaker.clips:
        path = root / speaker.name / f"utterance_{clip.number}.mp4"
        if path.exists():
            continue
        voice_rng, face_rng = (
            generator(demo.seed, CORPUS, speaker.partition, speaker.speaker, purpose, clip.number)
            for purpose in ("voice", "face")
        )
        length = clip.end - clip.start
        manner = utterance_manner(voice_rng, clip.code, clip.arousal, clip.valence, length)
        waveform, mouth = speak(voice_rng, voice, manner, length)
        time = frame_times(length, demo.demo_clips.frame_rate_hz)
        expression = utterance_expression(face_rng, clip.code, (clip.arousal, clip.valence), mouth, time)
        frames = draw_frames(face_rng, portrait, expression)
        media.write_mp4(path, frames, demo.demo_clips.frame_rate_hz, waveform, SAMPLING_RATE_HZ)


def write_index(root: Path, demo: Demo) -> None:
    """Write the three csv files of the corpus and truth/clips.csv."""
    tables: dict[Partition, list[str]] = {part: [HEADER] for part in PARTITIONS}
    truth = ["partition,speaker,video,utterance,emotion,arousal,valence"]
    for speaker in plan(demo):
        for clip in speaker.clips:
            # Arousal as OMG has it, from 0 (calm) to 1.
            calm = (clip.arousal + 1) / 2
            tables[speaker.partition].append(
                f"https://example.org/watch?v={speaker.video},{clip.start:g},{clip.end:g},{speaker.video},"
                f"utterance_{clip.number}.mp4,{calm:.3f},{clip.valence:.3f},{clip.code}"
            )
            truth.append(
                f"{speaker.partition},{speaker.speaker + 1},{speaker.video},utterance_{clip.number}.mp4,"
                f"{CLASSES[clip.code]},{clip.arousal:.6f},{clip.valence:.6f}"
            )
    for partition, lines in tables.items():
        table = root / f"omg_{PARTITION_NAMES[partition]}Videos.csv"
        media.write_text(table, "\n".join(lines) + "\n")
    media.write_text(root / "truth" / "clips.csv", "\n".join(truth) + "\n")
