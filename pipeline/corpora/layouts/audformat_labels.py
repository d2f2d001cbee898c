"""Label columns of an audformat database -> traces and classes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd

from pipeline.corpora.absent import Absent
from pipeline.corpora.class_names import EMOTIONS
from pipeline.corpora.interface import GOLD, Annotations
from pipeline.corpora.layouts.audformat_files import HEADER, recording_of
from pipeline.corpora.layouts.audformat_tables import AudformatDatabase
from pipeline.corpora.problems import Problem
from pipeline.corpora.traces import trace_table
from pipeline.names import composed, refusal
from pipeline.params import ABSENT

TOLERANCE = 0.1
"""Seconds by which a segment of a whole file may miss the file's length: encoders pad."""


def read_labels(
    database: AudformatDatabase, recordings: Collection[str], absent: Collection[str] = ABSENT
) -> Annotations:
    """Read the labels of the named recordings, as `audformat_layout` says.

    absent: names of classes that stand for no label; they are counted.

    Raises:
        ValueError: a class of a part of a file, a segment without end, a value of the wrong kind, or two
            values for one time.
    """
    parts = []
    missing = Absent(absent)
    for dimension, columns in database.columns.items():
        for table, column in columns.items():
            frame = database.frame(table)
            frame["recording"] = [recording_of(str(file)) for file in frame["file"]]
            frame = frame[frame["recording"].isin(list(recordings)) & frame[column].notna()]
            if dimension == "emotion":
                called = _names(database, table, column, frame[column])
                absent_here = [
                    missing(*both)
                    for both in zip(called, [dimension] * len(called), frame["recording"], strict=True)
                ]
                known = ~np.array(absent_here, dtype=bool)
                frame, value = frame[known], np.array(called, dtype=object)[known]
                _require_whole(database, table, frame)
                time = np.zeros(len(frame))
            else:
                time = _middles(database, table, frame)
                value = _numbers(database, table, column, frame[column])
            parts.append(
                pd.DataFrame(
                    {
                        "recording": frame["recording"].to_numpy(),
                        "dimension": dimension,
                        "time": time,
                        "value": value,
                    }
                ).astype({"value": object})
            )
    labels = pd.concat(parts, ignore_index=True).drop_duplicates() if parts else pd.DataFrame()
    problems: list[Problem] = [*missing.problems(HEADER)]
    no_label = frozenset(missing.where)
    if not len(labels):
        return Annotations(trace_table([], [], [], [], []), problems, no_label=no_label)
    twice = labels[labels.duplicated(["recording", "dimension", "time"])]
    if len(twice):
        row = twice.iloc[0]
        raise ValueError(
            f"{database.root}: {row['recording']} has two values of {row['dimension']} at {row['time']} s in "
            f"the tables {', '.join(database.columns[row['dimension']])}; name the one that counts in "
            f"corpora.{database.name}.audformat.tables"
        )
    emotion = (labels["dimension"] == "emotion").to_numpy()
    classes, code = _codes(set(labels.loc[emotion, "value"]))
    values = [
        code[value] if coded else float(value) for value, coded in zip(labels["value"], emotion, strict=True)
    ]
    names, dimensions, times = (labels[column] for column in ("recording", "dimension", "time"))
    traces = trace_table(names, dimensions, [GOLD] * len(labels), times, values)
    return Annotations(traces, problems, classes, no_label=no_label)


def _codes(names: set[str]) -> tuple[tuple[str, ...], dict[str, float]]:
    """Return the classes and the code of each name: OMG-Emotion's if all are, else by the alphabet."""
    for name in sorted(names):
        if refused := refusal(name):
            raise ValueError(f"the labels of emotion: {refused} of a class")
    if {name.lower() for name in names} <= set(EMOTIONS):
        return EMOTIONS, {name: float(EMOTIONS.index(name.lower())) for name in names}
    classes = tuple(sorted(names))
    return classes, {name: float(code) for code, name in enumerate(classes)}


def _names(database: AudformatDatabase, table: str, column: str, values: pd.Series) -> list[str]:
    """Return the class names of label values: the label, or what the scheme calls a label that is a number.

    Raises:
        ValueError: values that are no labels.
    """
    if pd.api.types.is_float_dtype(values.dtype) and len(values):
        raise ValueError(
            f"{database.root}: column {column} of table {table} holds numbers such as {values.iloc[0]}, "
            "expected classes for the dimension emotion"
        )
    scheme = database.header.tables[table].columns[column].scheme_id
    labels: Any = None if scheme is None else database.header.schemes[scheme].labels
    called = labels if isinstance(labels, dict) else {}
    return [
        composed(
            str(called[value])
            if not isinstance(value, str) and isinstance(called.get(value), str)
            else str(value)
        )
        for value in values
    ]


def _numbers(database: AudformatDatabase, table: str, column: str, values: pd.Series) -> Any:
    numbers = pd.to_numeric(values.astype(object), errors="coerce").astype(float)
    wrong = values[~np.isfinite(numbers)]
    if len(wrong):
        raise ValueError(
            f"{database.root}: column {column} of table {table} holds '{wrong.iloc[0]}', "
            "expected finite numbers"
        )
    return numbers.to_numpy()


def _middles(database: AudformatDatabase, table: str, frame: pd.DataFrame) -> Any:
    """Return the middle of each segment, seconds; 0.0 for a whole file without times."""
    start, end = (frame[name].dt.total_seconds().to_numpy() for name in ("start", "end"))
    whole = (start == 0) & np.isnan(end)
    open_end = np.isnan(end) & (~whole | frame["recording"].duplicated(keep=False).to_numpy())
    if open_end.any():
        name = frame["recording"].to_numpy()[open_end][0]
        raise ValueError(
            f"{database.root}: table {table} has a segment of {name} without end among others, "
            "expected start and end"
        )
    return np.where(whole, 0.0, (start + end) / 2)


def _require_whole(database: AudformatDatabase, table: str, frame: pd.DataFrame) -> None:
    """Refuse classes of parts of files: one recording has one class.

    A file that is not here cannot be measured; its one segment counts as the whole of it.
    """
    for file, rows in frame.groupby("file", observed=True):
        start, end = rows["start"].iloc[0].total_seconds(), rows["end"].iloc[0].total_seconds()
        length = None if np.isnan(end) else _length(database.root / str(file))
        if len(rows) == 1 and start == 0 and (length is None or abs(end - length) <= TOLERANCE):
            continue
        raise ValueError(
            f"{database.root}: table {table} has a class for a part of {file} (from {start} s to "
            f"{'its end' if np.isnan(end) else f'{end} s'}); a recording has one class: "
            "cut the clips, one file each"
        )


def _length(path: Path) -> float | None:
    """Return the length of a media file, seconds; None if it is not here or cannot be told."""
    if not path.is_file():
        return None
    try:
        with av.open(str(path)) as container:
            return None if container.duration is None else container.duration / av.time_base
    except av.FFmpegError:
        return None
