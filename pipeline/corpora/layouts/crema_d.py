"""CREMA-D -> clips of 91 actors with one of six classes, which their names tell.

    AudioWAV/<actor>_<sentence>_<emotion>_<level>.wav    VideoFlash/<the same>.flv    AudioMP3/<the same>.mp3
    VideoDemographics.csv                                ActorID,Age,Sex,Race,Ethnicity
    processedResults/tabulatedVotes.csv                  what raters saw and heard

The class is the emotion that the actor was asked for; what raters saw and heard stands beside it. Source: Cao
et al., doi 10.1109/TAFFC.2014.2336244.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.corpora.absent import Absent
from pipeline.corpora.interface import ANY, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.crema_d_votes import VOTES, votes
from pipeline.corpora.layouts.named_files import NamedMedia, Wrong, files_in, named_media
from pipeline.corpora.recording import Partition
from pipeline.corpora.text_table import text_table
from pipeline.params import ABSENT, Corpus
from pipeline.paths import Paths

CODES = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
# the one clip of level X (1040_ITH_SAD_X) is distributed with one letter
NAME = re.compile(rf"(1\d\d\d)_({'|'.join(SENTENCES)})_([A-Z]{{3}})_(LO|MD|HI|XX?)")
VIDEO = "VideoFlash"
FOLDERS = {"audio": ("AudioWAV", "AudioMP3", VIDEO), "video": (VIDEO,)}
"""Where a modality is taken from: the first that has the clip."""
SUFFIXES = (".wav", ".mp3", ".flv", ".mp4", ".mkv", ".avi", ".webm")
"""Flash video first; what people have made of it as well."""
DEMOGRAPHICS = "VideoDemographics.csv"
COLUMNS = {"age": "Age", "sex": "Sex", "race": "Race", "ethnicity": "Ethnicity"}
EXPECTED = "<actor>_<sentence>_<emotion>_<level>, as 1001_DFA_ANG_XX"


def found(root: Path) -> bool:
    """Say whether `root` has one of the folders of media."""
    return any((root / folder).is_dir() for folder in FOLDERS["audio"])


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the clips; actors up to 1063 are train, to 1077 dev, the others test. No partition is official."""
    media = _media(root, wanted)
    return Listing(list(media.recordings(wanted, _partition_and_speaker)), problems=media.problems)


def read_traces(root: Path, recordings: Collection[str]) -> Annotations:
    """Read the classes, which are in the names, and what raters named, where that table is there.

    Raises:
        ValueError: as `text_table`, of the table of votes.
    """
    from pipeline.corpora.traces import trace_table

    classes = tuple(CODES.values())
    by_clip, problems = votes(root)
    # the clip of level X: two letters or one
    named = {clip.rstrip("X"): counts for clip, counts in by_clip.items()}
    rows: list[tuple[str, str, int]] = []
    for name in sorted(recordings):
        rows.append((name, GOLD, classes.index(CODES[name.split("_")[2]])))
        words = [word for word, count in named.get(name.rstrip("X"), {}).items() for _ in range(count)]
        rows += [(name, f"rater {number}", classes.index(word)) for number, word in enumerate(words, 1)]
    recording, rater, value = zip(*rows, strict=True) if rows else ((), (), ())
    every = len(rows)
    traces = trace_table(recording, ["emotion"] * every, rater, [0.0] * every, value)
    return Annotations(traces, problems, classes=classes)


def annotation_files(root: Path) -> list[Path]:
    """Return the table of votes, where it is there."""
    return [path for path in (root / VOTES,) if path.is_file()]


def read_groups(root: Path, column: str, absent: Collection[str] = ABSENT) -> dict[str, str]:
    """Read which group each recording is of: age (in tens of years), sex, race, ethnicity, sentence or level.

    absent: cells that say that it is not given.

    Raises:
        KeyError: there is no such group, or no VideoDemographics.csv.
        ValueError: as `text_table`.
    """
    names = _media(root, ANY).media
    if column in ("sentence", "level"):
        parts = {name: name.split("_") for name in names}
        return {
            name: LEVELS[own[3].ljust(2, "X")] if column == "level" else own[1] for name, own in parts.items()
        }
    if column not in COLUMNS:
        every = ", ".join((*COLUMNS, "sentence", "level"))
        raise KeyError(f"CREMA-D has no group '{column}', expected some of {every}")
    if not (root / DEMOGRAPHICS).is_file():
        raise KeyError(
            f"{root / DEMOGRAPHICS} is not there, expected CREMA-D's table of actors for '{column}'"
        )
    missing = Absent(absent)
    with text_table(root / DEMOGRAPHICS, ("ActorID", COLUMNS[column])) as table:
        cells = {line.cells["ActorID"]: line.cells[COLUMNS[column]] for line in table}
    cells = {actor: "" if missing(cell, "emotion", actor) else cell for actor, cell in cells.items()}
    if column == "age":
        cells = {actor: _decade(cell) for actor, cell in cells.items()}
    return {name: cells.get(name[:4], "") for name in names}


def _decade(age: str) -> str:
    """Return the ten years that an age lies in: ages themselves are too many for groups."""
    return f"{age[:-1]}0 to {age[:-1]}9" if age.isdigit() and len(age) > 1 else ""


def _media(root: Path, wanted: Wanted) -> NamedMedia:
    files = {
        modality: [path for folder in folders for path in files_in(root, folder, SUFFIXES)]
        for modality, folders in FOLDERS.items()
    }
    return named_media(root, files, _name, wanted)


def _name(path: Path) -> str | Wrong:
    parts = NAME.fullmatch(path.stem)
    if parts is None:
        return Wrong(f"found a name that is none of CREMA-D, expected {EXPECTED}")
    if parts[3] not in CODES:
        known = ", ".join(f"{code} {name}" for code, name in CODES.items())
        return Wrong(f"found emotion {parts[3]}, expected one of {known}")
    return path.stem


def _partition_and_speaker(name: str) -> tuple[Partition, str]:
    actor = int(name[:4])
    partition: Partition = "train" if actor <= 1063 else "dev" if actor <= 1077 else "test"
    return partition, name[:4]


LAYOUT = CorpusLayout(
    obtain=(
        "CREMA-D is at https://github.com/CheyneyComputerScience/CREMA-D, its media by Git LFS; "
        "docs/corpora.md says how it lies on disk."
    ),
    expected="the folders AudioWAV and VideoFlash of CREMA-D",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
    read_groups=read_groups,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, which is the same for every corpus."""
    return LAYOUT
