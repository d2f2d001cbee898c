"""Own media, listed in a table -> recordings, classes and traces.

    <root>/recordings.csv    recording, partition, speaker, audio, video[, text or transcript]
                             [, emotion (task multilabel: emotion.<class>, ...)][, arousal][, valence]
    <root>/traces.csv        recording, dimension, rater, time, value (optional)

`audio` and `video` are paths below the root or in one of the corpus' `media_folders`, or URLs, may be the
same file or empty; the root itself may be a URL. `text` names a file of what was said, `transcript` holds the
words; both are read where text is extracted. Beside feature tables that came with the corpus, a column
of media that are not extracted may be missing, and so may `partition` where folds are drawn. The csv is
the list: a recording that is not in it is not in the corpus. Since the user wrote these files, a wrong cell
is an error that names it rather than a row left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.interface import DIMENSIONS, GOLD, Annotations, CorpusLayout
from pipeline.corpora.layouts.table_classes import classes_named, code_of, note_on_codes, wrong_label
from pipeline.corpora.layouts.table_recordings import (
    COLUMNS,
    RECORDINGS,
    found,
    list_recordings,
    listed_columns,
    open_recordings,
)
from pipeline.corpora.problems import Problem
from pipeline.corpora.text_table import text_table
from pipeline.location import Location
from pipeline.params import ABSENT, Corpus
from pipeline.paths import Paths

TRACES = "traces.csv"


def annotation_files(root: Location) -> list[Location]:
    """Return recordings.csv, and traces.csv if there is one."""
    return [path for path in (root / RECORDINGS, root / TRACES) if path.is_file()]


def read_traces(
    root: Location, recordings: Collection[str], absent: Collection[str] = ABSENT, several: bool = False
) -> Annotations:
    """Read the label columns of recordings.csv and the rows of traces.csv.

    If every class is one of OMG-Emotion's names or codes, codes are OMG-Emotion's; otherwise the
    classes are the names found, in alphabetical order. absent: what stands for no label; it is counted.
    several: a recording may have several classes, a column for each (`table_sets.py`).

    Raises:
        ValueError: a rating or time that is no finite number, an unknown dimension, an unknown
            class code, a missing column, or two values of one rater for the same time.
    """
    from pipeline.corpora.layouts.table_sets import PREFIX, read_sets
    from pipeline.corpora.layouts.table_traces import read_traces_csv
    from pipeline.corpora.traces import join_traces, trace_table

    names, dimensions, values = [], [], []
    of_sets = None
    missing = Absent(absent)
    with open_recordings(root, ("recording",)) as table:
        rows = [row for row in table if row.cells["recording"] in recordings]
        read: tuple[str, ...] = DIMENSIONS
        if several:
            of_sets = read_sets(table, rows, RECORDINGS, absent)
            read = tuple(name for name in DIMENSIONS if name != "emotion")
        labels = [
            (line, cells["recording"], dimension, plain(cells.get(dimension, "")))
            for line, cells in rows
            for dimension in read
            if not missing(cells.get(dimension, ""), dimension, cells["recording"])
        ]
        classes = classes_named([cell for _, _, dimension, cell in labels if dimension == "emotion"])
        notes = note_on_codes({cell for _, _, dimension, cell in labels if dimension == "emotion"}, classes)
        for line, recording, dimension, cell in labels:
            value = code_of(cell, classes) if dimension == "emotion" else finite(cell)
            if value is None:
                table.fault(line, wrong_label(cell, dimension, classes))
                continue
            names.append(recording)
            dimensions.append(dimension)
            values.append(value)
    of_recordings = trace_table(names, dimensions, [GOLD] * len(names), [0.0] * len(names), values)
    problems: list[Problem] = [*missing.problems(RECORDINGS)]
    no_label = frozenset(missing.where)
    if of_sets is not None:
        of_recordings = join_traces([of_recordings, of_sets.traces])
        problems += of_sets.problems
        classes, notes, no_label = of_sets.classes, of_sets.notes, no_label | of_sets.no_label
    if not (root / TRACES).is_file():
        return Annotations(of_recordings, problems, classes, notes, no_label)
    of_traces = read_traces_csv(root / TRACES, recordings, absent)
    traces = of_traces.traces
    problems += of_traces.problems
    if several and (traces["dimension"] == "emotion").any():
        raise ValueError(
            f"{root / TRACES}: found values of emotion, expected none for task multilabel: labels of "
            f"recordings are columns {PREFIX}<class> of {RECORDINGS}"
        )
    for code in traces.loc[traces["dimension"] == "emotion", "value"].unique():
        if code not in range(len(classes)):
            raise ValueError(f"{root / TRACES}: {wrong_label(f'{code:g}', 'emotion', classes)}")
    both = join_traces([of_recordings, traces])
    twice = both.duplicated(["recording", "dimension", "rater", "time"])
    if twice.any():
        row = both[twice].iloc[0]
        raise ValueError(
            f"{root / TRACES}: recording '{row['recording']}' has two values of {row['dimension']} by "
            f"'{row['rater']}' at {row['time']} s, expected one"
        )
    return Annotations(both, problems, classes, notes, no_label | of_traces.no_label)


def read_groups(root: Location, column: str, absent: Collection[str] = ABSENT) -> dict[str, str]:
    """Read which group each recording is of, from a column of recordings.csv; empty: not given.

    absent: what stands for not given, too.

    Raises:
        KeyError: there is no such column.
        ValueError: as `text_table`.
    """
    known = [name for name in listed_columns(root) if name and name != "recording"]
    if column not in known:
        raise KeyError(f"{root / RECORDINGS} has no column '{column}', expected some of {', '.join(known)}")
    missing = Absent(absent)
    with text_table(root / RECORDINGS, ("recording", column)) as table:
        return {
            cells["recording"]: ""
            if missing(cells[column], "emotion", cells["recording"])
            else plain(cells[column])
            for _, cells in table
        }


LAYOUT = CorpusLayout(
    expected=f"a file {RECORDINGS} with the columns {', '.join(COLUMNS)}",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
    csv_is_the_list=True,
    read_groups=read_groups,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, with the corpus' words for no label; where a recording may have several, of sets."""
    own = LAYOUT
    if TASKS[corpus.task].several:
        own = replace(
            LAYOUT, several=True, read_traces=partial(read_traces, several=True), parameters=("several",)
        )
    return own.with_absent(corpus.labels.absent)
