"""Columns `emotion.<class>` of an own corpus -> the set of labels of each recording.

    recording, partition, speaker, ..., emotion.anger, emotion.fear, emotion.happy

Each cell is a number: above 0 the recording has the label (so intensities may stand as they are), 0 it has
not. 0 in all of them says that it shows none of the classes; all of them empty (or a word of
`labels.absent`), that nobody has said. Some of each is an error, since what is not said of a class is not 0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

import numpy as np

from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.cell_numbers import finite, no_number
from pipeline.corpora.interface import GOLD, Annotations
from pipeline.corpora.label_sets import NONE, SEPARATOR, codes_of, require_few
from pipeline.corpora.problems import Problem
from pipeline.corpora.text_table import Line, TableError, TextTable
from pipeline.corpora.traces import trace_table

PREFIX = "emotion."
"""Of the columns, one per class."""


def set_columns(table: TextTable) -> dict[str, str]:
    """Return the class of each column of labels, in the order of the table.

    Raises:
        TableError: there is none, a column names no class, one that cannot be told from others or from the
        empty set, or one with a separator in it, or there are too many.
    """
    columns = {name: name.removeprefix(PREFIX).strip() for name in table.header if name.startswith(PREFIX)}
    if not columns or "emotion" in table.header:
        found = "a column emotion" if "emotion" in table.header else "no column of labels"
        raise TableError(
            f"{table.where(1)}: found {found}, expected one column per class, {PREFIX}<class>, since task is "
            "multilabel: a number above 0 where the recording has the label, 0 where not"
        )
    wrong = [column for column, name in columns.items() if not name or SEPARATOR in name]
    if wrong:
        raise TableError(
            f"{table.where(1)}: the column '{wrong[0]}' names no class, expected a name without '{SEPARATOR}'"
        )
    for column in table.header:
        if column.casefold().startswith(PREFIX) and column not in columns:
            raise TableError(
                f"{table.where(1)}: found the column '{column}', expected '{PREFIX}' in small letters"
            )
    of_class: dict[str, str] = {}
    for column, name in columns.items():
        if name.casefold() == NONE:
            raise TableError(
                f"{table.where(1)}: the column '{column}' names the class '{name}', which stands for "
                "recordings without any label: they have 0 in all columns"
            )
        other = of_class.setdefault(unicodedata.normalize("NFC", name), column)
        if other != column:
            raise TableError(
                f"{table.where(1)}: the columns '{other}' and '{column}' name one class, expected one "
                "column for each"
            )
    try:
        require_few(len(columns))
    except ValueError as error:
        raise TableError(f"{table.where(1)}: {error}") from None
    return columns


def read_sets(table: TextTable, rows: Iterable[Line], file: str, absent: Collection[str]) -> Annotations:
    """Read the sets of some rows; faults are noted in the table.

    file: name of the table, for what is counted. absent: what stands for no label; it is counted.

    Raises:
        TableError: as `set_columns`.
    """
    columns = set_columns(table)
    missing = Absent(absent)
    names, members = [], []
    for line, cells in rows:
        recording = cells["recording"]
        said = {column: plain(cells[column]) for column in columns if cells[column].strip()}
        unsaid = [column for column in columns if missing.is_absent(cells[column])]
        if len(unsaid) == len(columns):
            missing(next(iter(said.values()), ""), "emotion", recording)
            continue
        if unsaid:
            table.fault(
                line,
                f"found '{cells[unsaid[0]]}' in the column {unsaid[0]} and numbers in others, expected a "
                f"number in each {PREFIX}<class> (0: it has not this label), or none in any",
            )
            continue
        values = {column: finite(cell) for column, cell in said.items()}
        wrong = [column for column, value in values.items() if value is None or value < 0]
        for column in wrong:
            what = (
                no_number(said[column]) if values[column] is None else f"'{said[column]}', expected 0 or more"
            )
            table.fault(line, f"found {column} {what}")
        if not wrong:
            names.append(recording)
            members.append([float(value or 0.0) > 0 for value in values.values()])
    codes = codes_of(np.reshape(members, (len(members), len(columns))))
    traces = trace_table(names, ["emotion"] * len(names), [GOLD] * len(names), [0.0] * len(names), codes)
    classes = tuple(columns.values())
    never = [name for place, name in enumerate(classes) if not any(own[place] for own in members)]
    notes = [f"{file}: no recording has the label {', '.join(never)}, so it is no class"] if never else []
    problems: list[Problem] = [*missing.problems(file)]
    return Annotations(traces, problems, classes, notes, frozenset(missing.where))
