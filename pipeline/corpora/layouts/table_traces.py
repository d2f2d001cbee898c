"""traces.csv of an own corpus -> traces."""

from __future__ import annotations

from array import array
from collections.abc import Collection

import numpy as np

from pipeline.corpora.absent import Absent
from pipeline.corpora.cell_numbers import finite, no_number
from pipeline.corpora.interface import DIMENSIONS, GOLD, Annotations
from pipeline.corpora.problems import Problem
from pipeline.corpora.text_table import text_table
from pipeline.corpora.traces import trace_table
from pipeline.location import Location
from pipeline.params import ABSENT

TRACE_COLUMNS = ("recording", "dimension", "rater", "time", "value")


def read_traces_csv(
    path: Location, recordings: Collection[str], absent: Collection[str] = ABSENT
) -> Annotations:
    """Read the rows of the named recordings; others are problems.

    A row whose value is absent (`labels.absent`: NA and the like) is none: there is no rating at that time.

    Args:
        path: of traces.csv.
        recordings: names in recordings.csv.
        absent: what stands for no value; it is counted, and so are empty cells.

    Raises:
        ValueError: as `text_table`; a time or value that is no finite number, or an unknown dimension.
    """
    known, unknown = set(recordings), set()
    missing = Absent(absent, count_empty=True)
    # a session has 15,000 rows of the same words: numbers of words instead of words
    words: dict[str, int] = {}
    names, dimensions, raters = (array("q") for _ in range(3))
    times, values = array("d"), array("d")
    with text_table(path, TRACE_COLUMNS, names=("recording", "dimension", "rater")) as table:
        for line, cells in table:
            time, value = finite(cells["time"]), finite(cells["value"])
            # a number is a rating, and only of a class it may be absent
            none = (value is None or cells["dimension"] == "emotion") and missing(
                cells["value"], cells["dimension"], cells["recording"]
            )
            for column, number in (("time", time), ("value", value)):
                if number is None and not (none and column == "value"):
                    table.fault(line, f"found {column} {no_number(cells[column])}")
            if not cells["rater"]:
                table.fault(line, f"found no rater, expected a name, or {GOLD} for your own gold standard")
            if cells["dimension"] not in DIMENSIONS:
                table.fault(
                    line,
                    f"unknown dimension '{cells['dimension']}', expected one of {', '.join(DIMENSIONS)}",
                )
            if time is None or value is None or none:
                continue
            if cells["recording"] not in known:
                unknown.add(cells["recording"])
                continue
            for column, codes in (("recording", names), ("dimension", dimensions), ("rater", raters)):
                codes.append(words.setdefault(cells[column], len(words)))
            times.append(time)
            values.append(value)
    problems: list[Problem] = [
        Problem(name, path.name, "traces of a recording that is not in recordings.csv: left out")
        for name in sorted(unknown)
    ]
    problems += missing.problems(path.name)
    word = np.array(list(words), dtype=object)
    recording, dimension, rater = (word[np.array(codes)] for codes in (names, dimensions, raters))
    traces = trace_table(recording, dimension, rater, np.array(times), np.array(values))
    return Annotations(traces, problems, no_label=frozenset(missing.where))
