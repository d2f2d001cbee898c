"""Golden numbers of what is kept of corpora: traces, the cache of hashes, the rendering of the demo.

Tolerances: traces are read, not computed; renderings are float64 until they become 16 or 8 bit.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from scipy.io import wavfile

from pipeline.corpora.hashes import hash_media, load_cache, save_cache
from pipeline.corpora.register import register
from pipeline.corpora.rendering import clips, sessions
from pipeline.corpora.rendering.emotion import annotation_times, draw_course
from pipeline.corpora.rendering.expressions import frame_times, session_expression
from pipeline.corpora.rendering.faces import draw_frames
from pipeline.corpora.rendering.heads import draw_portrait
from pipeline.corpora.traces import load_traces
from pipeline.params import Demo, DemoClips, DemoSessions
from pipeline.paths import Paths
from tests.corpora.official_layouts import write_omg, write_recola
from tests.corpora.register_corpus import Corpus
from tests.golden.comparison import Numbers

READ = 1e-9
RENDERED = 5e-3
OWN = """recording,partition,speaker,audio,video,emotion
a,train,x,a.wav,,happy
b,train,y,b.wav,,sad
c,dev,z,c.wav,,happy
"""
TRACES = """recording,dimension,rater,time,value
a,arousal,gold,0.0,0.5
a,arousal,gold,0.5,-0.25
b,valence,r1,0.0,1
b,valence,r2,0.1,-1
"""
DEMO = Demo(
    seed=7,
    reaction_lag=2.4,
    demo_sessions=DemoSessions(train=1, dev=1, test=1, duration=10.0, frame_rate_hz=1.0),
    demo_clips=DemoClips(train=1, dev=1, test=1, utterances=7, duration=1.0, frame_rate_hz=2.0),
)


def traces(folder: Path) -> dict[str, Numbers | str]:
    """Register a corpus of each layout with annotations of its own."""
    found: dict[str, Numbers | str] = {}
    for layout in ("avec2016", "omg", "table", "table traces"):
        checkout = folder / layout
        root = checkout / "data/raw/c"
        if layout == "avec2016":
            write_recola(root, per_partition=1, frames=26)
        elif layout == "omg":
            write_omg(root)
        else:
            root.mkdir(parents=True)
            for name in "abc":
                (root / f"{name}.wav").write_bytes(name.encode())
            (root / "recordings.csv").write_text(OWN if layout == "table" else OWN.replace(",emotion", ""))
            if layout == "table traces":
                lines = [line.rpartition(",")[0] for line in OWN.splitlines()]
                (root / "recordings.csv").write_text("\n".join(lines) + "\n")
                (root / "traces.csv").write_text(TRACES)
        own = Paths("c", checkout)
        register(Corpus(layout.split()[0], Path("data/raw/c")), own, checkout / "hashes.json")
        table = load_traces(own.traces / "traces.parquet")
        groups = [f"{r}/{d}/{by}" for r, d, by in zip(*(table[c] for c in table.columns[:3]), strict=True)]
        found[f"{layout}: of whom"] = " ".join(dict.fromkeys(groups))
        chosen = np.linspace(0, len(table) - 1, min(len(table), 40)).astype(int)
        found[f"{layout}: rows"] = Numbers([[len(table)]], READ)
        found[f"{layout}: times and values"] = Numbers(table[["time", "value"]].to_numpy()[chosen], READ)
        found[f"{layout}: classes"] = (own.traces / "classes.json").read_text().strip()
    return found


def hashes(folder: Path) -> dict[str, Numbers | str]:
    """What the cache file holds: a later version must not misread an earlier one's file."""
    (folder / "a.wav").write_bytes(b"sound")
    cache = load_cache(folder / "hashes.json", "corpus")
    hash_media([folder / "a.wav"], cache)
    cache.fingerprint, cache.written = "f", {"traces.parquet": "t"}
    save_cache(folder / "hashes.json", "corpus", cache)
    stat = (folder / "a.wav").stat()
    text = (folder / "hashes.json").read_text().replace(str(folder), "FOLDER")
    return {"file": text.replace(str(stat.st_mtime_ns), "TIME")}


def rendering(folder: Path) -> dict[str, Numbers | str]:
    """Render one session and one speaker's clips, before and after the encoders."""
    found: dict[str, Numbers | str] = {}
    session = sessions.plan(DEMO)[0]
    sessions.render_session(folder / "sessions", session, DEMO)
    sessions.write_index(folder / "sessions", DEMO)
    name = session.name
    _, sound = wavfile.read(folder / f"sessions/recordings_audio/{name}.wav")
    found["session: level each 0.5 s"] = Numbers(_levels(sound / 32768, 8000), RENDERED)
    found["session: video"] = Numbers(
        _fields(_read(folder / f"sessions/recordings_video/{name}.mp4")), RENDERED
    )
    drawn, eyes = _drawn()
    found["session: pictures drawn"] = Numbers(_fields(drawn), RENDERED)
    found["session: eyes"] = Numbers(eyes[:, None], 1e-5)
    for dimension in sessions.DIMENSIONS:
        text = (folder / f"sessions/ratings_gold_standard/{dimension}/{name}.arff").read_text()
        gold = [line.split(",")[1:] for line in text.splitlines() if line.startswith(f"{name},")]
        found[f"session: {dimension}"] = Numbers(np.array(gold, float)[::10], 1e-5)
        raters = (folder / f"sessions/ratings_individual/{dimension}/{name}.csv").read_text()
        rows = [line.split(";") for line in raters.splitlines()[1::25]]
        found[f"session: raters of {dimension}"] = Numbers(np.array(rows, float), 1e-4)
    found["session: label times"] = Numbers(annotation_times(10.0)[::50][:, None], 1e-9)
    speaker = clips.plan(DEMO)[0]
    clips.render_speaker(folder / "clips", speaker, DEMO)
    clips.write_index(folder / "clips", DEMO)
    found["clips: tables"] = (folder / "clips/omg_TrainVideos.csv").read_text()
    for clip in speaker.clips[:3]:
        path = folder / "clips" / speaker.name / f"utterance_{clip.number}.mp4"
        with av.open(str(path)) as container:
            sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
        found[f"clip {clip.number}: level each 0.2 s"] = Numbers(_levels(sound, 3200), RENDERED)
        found[f"clip {clip.number}: video"] = Numbers(_fields(_read(path)), RENDERED)
    return found


def _levels(sound: np.ndarray, length: int) -> np.ndarray:
    whole = sound[: len(sound) // length * length].reshape(-1, length).astype(float)
    return np.stack([np.sqrt((whole**2).mean(axis=1)), np.abs(np.diff(whole)).mean(axis=1)], axis=1)


def _drawn() -> tuple[np.ndarray, np.ndarray]:
    """Draw some pictures, which no encoder has seen; return with them how open the eyes are at 5 Hz."""
    random = np.random.default_rng(0)
    portrait = draw_portrait(random)
    course = draw_course(random, 10.0)
    expression = session_expression(random, course, np.linspace(0, 1, 1000), frame_times(10.0, 0.5))
    pictures = np.stack(list(draw_frames(random, portrait, expression)))
    eyes = session_expression(random, course, np.linspace(0, 1, 1000), frame_times(10.0, 5.0)).eyes
    return pictures.astype(float).mean(axis=3), eyes


def _read(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def _fields(grey: np.ndarray) -> np.ndarray:
    """Return the mean grey of 4 x 4 fields in the middle of each picture, and the roughness of the whole."""
    middle = grey[:, 30:210, 80:240].astype(float)
    means = middle.reshape(len(middle), 4, 45, 4, 40).mean(axis=(2, 4)).reshape(len(middle), 16)
    roughness = np.abs(np.diff(grey.astype(float), axis=2)).mean(axis=(1, 2))
    return np.column_stack([means, roughness])
