"""Long recordings: what memory their features take at most, and whether time grows with length alone.

    python -m benchmarks.long_media --minutes 10 20 60 --hours 1 3 10 [--look-hz 0.1] [--folder FOLDER]

A speaker of the demo is rendered for half a minute and repeated until a video, or a wav, is as long as
wanted; nothing is encoded anew. Each length is done in a process of its own, whose largest memory is that of
the whole way: imports, networks, decoding, features. Nothing here is asserted in tests.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import soundfile

from pipeline.corpora.rendering.sessions import Session, render_session
from pipeline.features.extractor import Given, MediumExtractor, extractor_of
from pipeline.params import load_params

CORPUS = "demo_sessions"
LOOP = 30.0
"""Seconds that are rendered."""
FRAME_RATE_HZ = 5.0


def render(folder: Path) -> tuple[Path, Path]:
    """Render half a minute; return the sound and the video."""
    demo = load_params(Path("params.yaml")).demo
    sessions = demo.demo_sessions.model_copy(update={"duration": LOOP, "frame_rate_hz": FRAME_RATE_HZ})
    render_session(folder, Session("test", 0), demo.model_copy(update={"demo_sessions": sessions}))
    return folder / "recordings_audio/test_1.wav", folder / "recordings_video/test_1.mp4"


def longer_video(short: Path, path: Path, minutes: float) -> None:
    """Repeat the packets of a video until it is as long."""
    with av.open(str(short)) as source:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.size]
        length = round(LOOP / stream.time_base)
        stamps = [(packet.pts, packet.dts) for packet in packets]
        with av.open(str(path), "w") as target:
            copy = target.add_stream_from_template(stream)
            for turn in range(round(minutes * 60 / LOOP)):
                for packet, (pts, dts) in zip(packets, stamps, strict=True):
                    packet.stream = copy
                    packet.time_base = stream.time_base
                    packet.pts, packet.dts = pts + turn * length, dts + turn * length
                    target.mux(packet)


def longer_wav(short: Path, path: Path, hours: float) -> None:
    """Repeat a sound until it is as long."""
    signal, rate_hz = soundfile.read(short, dtype="int16")
    with soundfile.SoundFile(path, "w", rate_hz, 1) as file:
        for _ in range(round(hours * 3600 / LOOP)):
            file.write(signal[: round(LOOP * rate_hz)])


def measure(stage: str, path: Path, look_hz: float) -> None:
    """Compute the features of one medium in this process and print what they took."""
    corpus = load_params(Path("params.yaml")).corpus(CORPUS)
    faces = corpus.video.faces.model_copy(update={"frame_rate_hz": look_hz, "min_found_share": 0.0})
    corpus = corpus.model_copy(update={"video": corpus.video.model_copy(update={"faces": faces})})
    extractor = extractor_of(stage, corpus)
    begun = time.process_time()
    assert isinstance(extractor, MediumExtractor)
    rows = extractor.extract(Given(path.stem, path), "cpu")
    seconds = time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": len(rows.start), "seconds": seconds, "memory": memory}))


def figures(folder: Path, minutes: list[float], hours: list[float], look_hz: float) -> Iterator[str]:
    """Give a line of the table for each medium."""
    sound, video = render(folder)
    media = [("extract_audio", hour, folder / f"{hour:g}h.wav") for hour in hours]
    media += [("detect_faces", minute / 60, folder / f"{minute:g}min.mp4") for minute in minutes]
    for stage, length, path in media:
        if stage == "extract_audio":
            longer_wav(sound, path, length)
        else:
            longer_video(video, path, length * 60)
        command = [sys.executable, "-m", "benchmarks.long_media", "--measure", stage, str(path)]
        done = subprocess.run(
            [*command, "--look-hz", str(look_hz)], check=True, stdout=subprocess.PIPE, text=True
        )
        found = json.loads(done.stdout)
        per_hour = found["seconds"] / length
        yield (
            f"| {stage} | {length:.2f} | {found['rows']:,} | {found['memory']:.0f} | {found['seconds']:.1f} "
            f"| {per_hour:.1f} |"
        )
        path.unlink()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, nargs="*", default=[10, 20, 60], help="lengths of videos")
    parser.add_argument("--hours", type=float, nargs="*", default=[1, 3, 10], help="lengths of wav files")
    parser.add_argument("--look-hz", type=float, default=0.1, help="pictures looked at per second")
    parser.add_argument("--folder", type=Path, help="for the media; some 1.2 GB for ten hours of sound")
    parser.add_argument("--measure", nargs=2, metavar=("STAGE", "MEDIUM"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure[0], Path(given.measure[1]), given.look_hz)
        return
    print("| stage | hours | rows | most memory, MB | seconds of the processor | of these per hour |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="emobed-", dir=given.folder) as folder:
        for line in figures(Path(folder), given.minutes, given.hours, given.look_hz):
            print(line, flush=True)


if __name__ == "__main__":
    main()
