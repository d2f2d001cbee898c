"""OMG-Emotion -> utterances with one of seven classes, arousal and valence.

    omg_{Train,Validation,Test}Videos.csv    link,start,end,video,utterance[,arousal,valence,EmotionMaxVote]
    <partition>/<video>/<utterance>          the utterance already ends in .mp4
    omg_{Train,Validation}Transcripts.csv, omg_TestTranscripts.tsv    link,video,utterance,transcript

An utterance is named `<video>/<utterance without .mp4>`. Its speaker is its link, written as the first of
the link's `video` ids: one YouTube video may have several (`07ab3c980_1`). About half of the links are
dead, so clips that are listed and not on disk are counted, not refused; where nothing is extracted from
clips (feature tables came with the corpus) none is needed. Source: Barros et al., "The OMG-Emotion
Behavior Dataset", doi 10.1109/IJCNN.2018.8489099.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.class_names import EMOTIONS
from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import ANY, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.omg_tables import (
    LABELS,
    OFFICIAL_NAMES,
    Row,
    official_tables,
    read_rows,
    read_transcripts,
    speaker_of_video,
)
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import Medium, Partition, Recording
from pipeline.corpora.transcripts import TEXT
from pipeline.params import ABSENT, Corpus
from pipeline.paths import Paths


def found(root: Path) -> bool:
    """Say whether `root` has one of the official csv files."""
    return root.is_dir() and bool(official_tables(root))


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the utterances whose clip is on disk; the others are `missing`, or listed if no clip is wanted.

    Raises:
        ValueError: a csv lacks one of the columns `link, start, end, video, utterance`.
    """
    table = read_rows(root)
    folders = _partition_folders(root)
    recordings, missing, problems = [], [], list(table.problems)
    words = read_transcripts(root, problems.append) if TEXT in wanted.extract else {}
    clips_wanted = not {"audio", "video"}.isdisjoint(wanted.extract)
    speakers = speaker_of_video(table.rows)
    inside = Inside(root, wanted.media_folders)
    for row in table.rows:
        path = next(
            (
                f"{folder}/{row.clip}"
                for folder in folders[row.partition]
                if (root / folder / row.clip).is_file()
            ),
            None,
        )
        media = {TEXT: words[row.recording]} if row.recording in words else {}
        if path is None and not clips_wanted:
            recordings.append(Recording(row.recording, row.partition, speakers[row.video], media))
        elif path is None:
            missing.append(row.recording)
            problems.append(NotOnDisk.at(row.recording, f"{OFFICIAL_NAMES[row.partition]}/{row.clip}"))
        elif refused := inside.refusal(Path(path)):
            problems.append(Problem(row.recording, path, f"{refused}: left out"))
        else:
            media |= dict.fromkeys(("audio", "video"), Medium(Path(path)))
            recordings.append(Recording(row.recording, row.partition, speakers[row.video], media))
    problems += _shared_links(table.rows)
    return Listing(sorted(recordings, key=lambda item: item.recording), sorted(missing), problems)


def annotation_files(root: Path) -> list[Path]:
    """Return the official csv files."""
    return list(official_tables(root).values())


def read_traces(root: Path, recordings: Collection[str], absent: Collection[str] = ABSENT) -> Annotations:
    """Read class, arousal and valence of the named utterances, each as a trace with time 0.0.

    absent: what stands for no label; it is counted per file.

    Raises:
        ValueError: as `list_recordings`.
    """
    from pipeline.corpora.traces import trace_table

    names, dimensions, values, problems = [], [], [], []
    missing: dict[str, Absent] = {}
    for row in read_rows(root).rows:
        if row.recording not in recordings:
            continue
        for dimension, cell in row.labels.items():
            if cell and missing.setdefault(row.file, Absent(absent))(cell, dimension, row.recording):
                continue
            value, expected = (_code if dimension == "emotion" else _rating)(cell)
            if value is None:
                column = LABELS[dimension] if dimension != "emotion" else "EmotionMaxVote"
                reason = f"line {row.line}: found {column} '{cell}', expected {expected}: left out"
                problems.append(Problem(row.recording, row.file, reason))
                continue
            names.append(row.recording)
            dimensions.append(dimension)
            values.append(value)
    problems += [problem for file, counted in missing.items() for problem in counted.problems(file)]
    return Annotations(
        trace_table(names, dimensions, [GOLD] * len(names), [0.0] * len(names), values),
        problems,
        no_label=frozenset().union(*(counted.where for counted in missing.values())),
    )


def _rating(cell: str) -> tuple[float | None, str]:
    return finite(cell), "a finite number"


def _code(cell: str) -> tuple[float | None, str]:
    code = plain(cell)
    valid = code.isascii() and code.isdigit() and int(code) < len(EMOTIONS)
    return (float(code) if valid else None), f"a code from 0 ({EMOTIONS[0]}) to 6 ({EMOTIONS[-1]})"


def _partition_folders(root: Path) -> dict[Partition, list[str]]:
    """Return the folders that hold clips of each partition, whatever their case and naming."""
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    return {
        partition: [
            name
            for name in folders
            if name.lower()
            in (official.lower(), partition, f"omg_{official.lower()}videos", f"{official.lower()}videos")
        ]
        for partition, official in OFFICIAL_NAMES.items()
    }


def _shared_links(rows: list[Row]) -> list[Problem]:
    """Note links that occur in more than one partition: the same video, so the same speaker."""
    partitions: dict[str, set[Partition]] = {}
    for row in rows:
        if row.link:
            partitions.setdefault(row.link, set()).add(row.partition)
    shared = {link for link, where in partitions.items() if len(where) > 1}
    if not shared:
        return []
    count = sum(row.link in shared for row in rows)
    reason = (
        f"{len(shared)} of {len(partitions)} links, with {count} utterances, occur in more than one "
        "partition: the official partition is not independent of the speaker; partitions.method "
        "speaker_disjoint in params.yaml moves each whole to one"
    )
    return [Problem("", "omg_*Videos.csv", reason)]


LAYOUT = CorpusLayout(
    obtain=(
        "OMG-Emotion's csv files, with links to the videos, are at "
        "https://github.com/knowledgetechnologyuhh/OMGEmotionChallenge; `emobed omg cut` cuts the clips "
        "(docs/omg-emotion.md)."
    ),
    expected="the files omg_TrainVideos.csv, omg_ValidationVideos.csv and omg_TestVideos.csv of OMG-Emotion",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, with the corpus' words for no label."""
    return LAYOUT.with_absent(corpus.labels.absent)
