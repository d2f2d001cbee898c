"""RECOLA as distributed for AVEC 2016 -> recordings and traces of arousal and valence.

    recordings_audio/{train,dev,test}_N.wav    ratings_gold_standard/{arousal,valence}/*.arff
    recordings_video/{train,dev,test}_N.mp4    ratings_individual/{arousal,valence}/*.csv

Each speaker has one recording, so its name is the speaker's. Ratings of test are not distributed:
a recording without ratings has no traces. Source: Valstar et al., "AVEC 2016", doi
10.1145/2988257.2988258, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pipeline.corpora.interface import GOLD, Annotations, CorpusLayout, Listing, Problem
from pipeline.corpora.recording import Recording, parse_partition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MEDIA = {"audio": ("recordings_audio", ".wav"), "video": ("recordings_video", ".mp4")}
RATINGS = {"ratings_gold_standard": ".arff", "ratings_individual": ".csv"}
DIMENSIONS = ("arousal", "valence")
NAME = re.compile(r"(train|dev|test)_\d+")
TIME_NAMES = frozenset({"frametime", "timestamp", "time"})


def found(root: Path) -> bool:
    """Say whether `root` has one of the folders of this layout."""
    return any((root / folder).is_dir() for folder in [*(folder for folder, _ in MEDIA.values()), *RATINGS])


def list_recordings(root: Path) -> Listing:
    """List the recordings with at least one medium on disk."""
    media: dict[str, dict[str, Path]] = {}
    problems = []
    for modality, (folder, suffix) in MEDIA.items():
        for path in _files(root / folder, suffix):
            relative = path.relative_to(root)
            if NAME.fullmatch(path.stem):
                media.setdefault(path.stem, {})[modality] = relative
            else:
                reason = f"found the name '{path.name}', expected train_N, dev_N or test_N{suffix}: left out"
                problems.append(Problem(path.stem, relative.as_posix(), reason))
    recordings = [
        Recording(
            name, parse_partition(name.split("_")[0], name), name, paths.get("audio"), paths.get("video")
        )
        for name, paths in sorted(media.items())
    ]
    return Listing(recordings, problems=problems)


def annotation_files(root: Path) -> list[Path]:
    """Return the gold-standard and individual rating files, sorted."""
    return [
        path
        for folder, suffix in RATINGS.items()
        for dimension in DIMENSIONS
        for path in _files(root / folder / dimension, suffix)
    ]


def read_traces(root: Path, recordings: Collection[str]) -> Annotations:
    """Read gold standard and individual ratings of the named recordings.

    A file that cannot be read whole is left out and listed with its line: half a trace would move
    the labels of a recording without anybody noticing.
    """
    import numpy as np

    from pipeline.corpora.traces import trace_table

    names: list[tuple[str, str, str]] = []
    times: list[NDArray[np.float64]] = []
    values: list[NDArray[np.float64]] = []
    problems = []
    for path in annotation_files(root):
        recording, dimension, file = path.stem, path.parent.name, path.relative_to(root).as_posix()
        if recording not in recordings:
            reason = "ratings of a recording that is neither on disk nor in the manifest: left out"
            problems.append(Problem(recording, file, reason))
            continue
        try:
            raters, time, ratings = (
                _read_gold_standard if path.suffix.lower() == ".arff" else _read_individual
            )(path)
        except (ValueError, OSError) as error:
            problems.append(Problem(recording, file, str(error)))
            continue
        names += [(recording, dimension, rater) for rater in raters]
        times += [time] * len(raters)
        values += list(ratings)
    lengths = [len(time) for time in times]
    recording_column, dimension_column, rater_column = (
        np.repeat(np.array([name[part] for name in names], dtype=object), lengths) for part in range(3)
    )
    time_column, value_column = (np.concatenate(parts or [np.zeros(0)]) for parts in (times, values))
    traces = trace_table(recording_column, dimension_column, rater_column, time_column, value_column)
    return Annotations(traces, problems)


Ratings = tuple[list[str], "NDArray[np.float64]", "NDArray[np.float64]"]


def _read_gold_standard(path: Path) -> Ratings:
    """Read an ARFF file: [`gold`], times (frames,), ratings (1, frames)."""
    lines = _lines(path)
    attributes = []
    header = next((number for number, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    if header is None:
        raise ValueError(f"line {len(lines)}: the file ends without @data, expected an ARFF header and rows")
    for line in lines[:header]:
        words = line.split()
        if words and words[0].lower() == "@attribute":
            attributes.append(words[1].strip("'\"").lower() if len(words) > 1 else "")
    time = next((place for place, name in enumerate(attributes) if name in TIME_NAMES), None)
    if time is None or len(attributes) < 2:
        raise ValueError(
            f"line {header + 1}: found the attributes {attributes}, expected frameTime, GoldStandard"
        )
    value = attributes.index("goldstandard") if "goldstandard" in attributes else len(attributes) - 1
    table = _numbers(lines, header + 1, ",", (time, value), len(attributes), skip="%")
    return [GOLD], table[:, 0], table[:, 1:].T


def _read_individual(path: Path) -> Ratings:
    """Read a table of raters: their names, times (frames,), ratings (raters, frames)."""
    lines = _lines(path)
    header = next((number for number, line in enumerate(lines) if line.strip()), None)
    if header is None:
        raise ValueError("line 1: the file is empty, expected 'time;' and one column per rater")
    names = [name.strip() for name in lines[header].rstrip(" ;").split(";")]
    if (
        len(names) < 2
        or names[0].lower() != "time"
        or len(set(names)) < len(names)
        or not all(names)
        or GOLD in names
    ):
        header_found = lines[header].strip()
        raise ValueError(
            f"line {header + 1}: found the header '{header_found}', expected 'time;' and one column per rater"
        )
    stripped = [line.rstrip(" ;") for line in lines]
    table = _numbers(stripped, header + 1, ";", tuple(range(len(names))), len(names))
    return names[1:], table[:, 0], table[:, 1:].T


def _numbers(
    lines: list[str], first: int, separator: str, columns: tuple[int, ...], width: int, skip: str = ""
) -> NDArray[np.float64]:
    """Return `columns` of the rows from line `first` (counted from 0) on: (frames, columns).

    Raises:
        ValueError: a row with another number of cells than `width`, or with a cell that is no
            finite number, no rows, or times that do not rise; the line is named.
    """
    import numpy as np

    places = [
        place
        for place in range(first, len(lines))
        if lines[place] and not lines[place].isspace() and not (skip and lines[place].startswith(skip))
    ]
    if not places:
        raise ValueError(f"line {len(lines)}: no rows, expected one per frame")
    rows = [lines[place].split(separator) for place in places]
    try:
        if any(len(row) != width for row in rows):
            raise ValueError
        table = np.array([[row[column] for column in columns] for row in rows], dtype=np.float64)
    except ValueError:
        table = np.full((len(rows), len(columns)), np.nan)
    if not np.isfinite(table).all():
        _raise_at(lines, places, rows, width, lambda row: [row[column] for column in columns])
    falls = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if len(falls):
        number = places[int(falls[0]) + 1]
        raise ValueError(
            f"line {number + 1}: found '{lines[number].strip()}', expected a later time than the row before"
        )
    return table


def _raise_at(
    lines: list[str],
    places: list[int],
    rows: list[list[str]],
    width: int,
    cells: Callable[[list[str]], list[str]],
) -> NoReturn:
    """Raise for the first row that is not numbers: only a broken file is searched cell by cell."""
    for place, row in zip(places, rows, strict=True):
        where = f"line {place + 1}: found '{lines[place].strip()}', expected "
        if len(row) != width:
            raise ValueError(f"{where}{width} cells")
        if not all(_is_finite(cell) for cell in cells(row)):
            raise ValueError(f"{where}finite numbers")
    raise ValueError(f"line {places[0] + 1}: found rows that are no numbers, expected finite numbers")


def _is_finite(cell: str) -> bool:
    try:
        return abs(float(cell)) < float("inf")
    except ValueError:
        return False


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; bytes that are no text become marks that no number contains."""
    return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()


def _files(folder: Path, suffix: str) -> list[Path]:
    """Return the files with `suffix`, sorted, without hidden ones (`._train_1.wav` of macOS)."""
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() == suffix and not path.name.startswith(".")
    )


LAYOUT = CorpusLayout(
    expected="the folders recordings_audio, recordings_video and ratings_gold_standard of AVEC 2016",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
)
