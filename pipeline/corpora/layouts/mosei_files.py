"""Labels and folds of CMU-MOSEI as the CMU SDK has them -> its segments, and who is in which partition."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.csd import CsdError, opened
from pipeline.corpora.recording import Partition
from pipeline.corpora.text_table import text_of, text_table

LABELS = ("CMU_MOSEI_Labels.csd", "All Labels.csd", "CMU_MOSEI_Labels.csv")
"""Names of the file with the labels; of several the first counts."""
FOLDS = "cmu_mosei_std_folds.py"
NAMES: Mapping[str, Partition] = {
    "standard_train_fold": "train", "standard_valid_fold": "dev", "standard_test_fold": "test",
}  # fmt: skip
VALUES = ("sentiment", "happy", "sad", "anger", "surprise", "disgust", "fear")
"""Of each segment, in the order of the SDK: sentiment from -3 to 3, emotions from 0 to 3."""
EMOTIONS = VALUES[1:]
COLUMNS = ("file", "index", "start", "end", *EMOTIONS)
"""Of the labels as csv."""


class Segment(NamedTuple):
    """One labelled sentence of a video.

    place: among the sentences of its video. start, end: seconds in the video. intensities: of `EMOTIONS`; NaN
    where there is none.
    """

    video: str
    place: int
    start: float
    end: float
    intensities: tuple[float, ...]

    @property
    def name(self) -> str:
        """`<video>[<place>]`, as the SDK calls it, places from 0."""
        return f"{self.video}[{self.place}]"


def labels_file(root: Path) -> Path | None:
    """Return the file with the labels; None if there is none."""
    return next((root / name for name in LABELS if (root / name).is_file()), None)


def segments(root: Path) -> list[Segment]:
    """Return the segments in the order of their names.

    Raises:
        FileNotFoundError: there are no labels.
        ValueError: the file is not what it should be.
    """
    path = labels_file(root)
    if path is None:
        raise FileNotFoundError(f"{root}: found none of {', '.join(LABELS)}")
    found = sorted(_of_csv(path) if path.suffix == ".csv" else _of_csd(path))
    if not found:
        raise ValueError(f"{path}: found no segments")
    return found


def partitions(root: Path) -> dict[str, Partition]:
    """Return the partition of each video, by the lists in the SDK's file; nothing if it is not there.

    The file is Python and is not run: of its assignments only lists of text are read.

    Raises:
        ValueError: a list is missing, or a video is in two of them.
    """
    path = root / FOLDS
    if not path.is_file():
        return {}
    try:
        tree = ast.parse(text_of(path))
        lists = {
            target.id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id in NAMES
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path}: not lists of videos as the CMU SDK has them ({error})") from None
    found: dict[str, Partition] = {}
    for name, partition in NAMES.items():
        videos = lists.get(name)
        if not isinstance(videos, list) or not all(isinstance(video, str) for video in videos):
            raise ValueError(f"{path}: found no list {name}, expected the names of its videos")
        for video in videos:
            if found.setdefault(video, partition) != partition:
                raise ValueError(
                    f"{path}: video '{video}' is in {found[video]} and {partition}, expected one"
                )
    return found


def _of_csd(path: Path) -> Iterator[Segment]:
    with opened(path) as file:
        for entry in file.entries():
            video, _, rest = entry.partition("[")
            own = file.read(entry)
            if own.features.shape[1] != len(VALUES):
                raise CsdError(
                    f"{path}: {entry} has {own.features.shape[1]} values, expected {len(VALUES)} "
                    f"({', '.join(VALUES)})"
                )
            # after alignment an entry is a segment, else its rows are
            first = _index(rest.removesuffix("]"), path, entry) if rest else 0
            for k, (row, (start, end)) in enumerate(zip(own.features, own.intervals, strict=True)):
                values = tuple(np.asarray(row[1:], np.float64).tolist())
                yield Segment(video, first + k, float(start), float(end), values)


def _of_csv(path: Path) -> Iterator[Segment]:
    seen: set[tuple[str, int]] = set()
    with text_table(path, COLUMNS, names=("file",)) as table:
        for line, cells in table:
            numbers = {name: finite(cells[name]) for name in ("start", "end", *EMOTIONS)}
            wrong = [
                name for name in numbers if numbers[name] is None and (cells[name] or name not in EMOTIONS)
            ]
            if wrong or not cells["index"].isdigit():
                column = wrong[0] if wrong else "index"
                table.fault(line, f"found {column} '{cells[column]}', expected a number")
                continue
            key = cells["file"], int(cells["index"])
            if key in seen:
                table.fault(line, f"segment {key[0]}[{key[1]}] occurs twice, expected once")
                continue
            seen.add(key)
            values = [math.nan if (own := numbers[name]) is None else own for name in EMOTIONS]
            yield Segment(*key, float(numbers["start"] or 0), float(numbers["end"] or 0), tuple(values))


def _index(text: str, path: Path, entry: str) -> int:
    if not text.isdigit():
        raise CsdError(f"{path}: found the entry '{entry}', expected <video> or <video>[<index>]")
    return int(text)
