"""Selected systems -> csv files of what could be drawn of them.

`scores/curves/<experiment>.csv`: epoch, then the dev score of each system (mean over seeds).
`scores/traces/<experiment>.csv`: time, gold, then each system's post-processed prediction (mean over
seeds), for the first recording of test (regression). `scores/confusion/<experiment>.csv`: system, gold,
prediction, one row per utterance of test, first seed (classification; template `confusion`).

With a cross-validation curves are means over folds and seeds, each fold at its own points; the trace is the
first fold's; confusions have the utterances of all folds.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Task
from pipeline.paths import Paths
from pipeline.scoring.selection import Point, of_point


def write_plot_sources(
    paths: Paths, experiment: str, points: Mapping[str, Sequence[Point]], task: Task
) -> None:
    """Write the plot sources of one experiment for its selected points.

    points: name of the experiment's files -> points; one entry, or one per fold. Learning curves are left
    out where the train stage wrote none.
    """
    curves = {name: paths.models / name / "curves.parquet" for name in points}
    if all(path.is_file() for path in curves.values()):
        tables = [(pd.read_parquet(path), points[name]) for name, path in curves.items()]
        _write(paths.scores / "curves" / f"{experiment}.csv", _curves(tables))
    if not TASKS[task].classes:
        first = next(iter(points))
        _write(paths.scores / "traces" / f"{experiment}.csv", _traces(_rows(paths, first, points[first])))
    elif TASKS[task].several:  # an utterance has no one class to be taken for another
        shutil.rmtree(paths.scores / "confusion", ignore_errors=True)
    else:
        parts = [_confusion(_rows(paths, name, own)) for name, own in points.items()]
        _write(paths.scores / "confusion" / f"{experiment}.csv", pd.concat(parts))


def _rows(paths: Paths, name: str, points: Sequence[Point]) -> dict[str, pd.DataFrame]:
    """Return the post-processed predictions of each system's point."""
    found = read_points(paths.predictions / f"{name}.parquet", points)
    return {point.system: rows for point, rows in found.items()}


def read_point(path: Path, point: Point) -> pd.DataFrame:
    """Read the predictions of one point, all seeds, sorted by seed, partition, recording and time."""
    return read_points(path, [point])[point]


def read_points(path: Path, points: Sequence[Point]) -> dict[Point, pd.DataFrame]:
    """Read the predictions of several points like `read_point`; the file is read once."""
    if not points:
        return {}
    wanted = [[("system", "==", point.system), ("setting", "==", point.setting)] for point in points]
    table = pq.read_table(path, filters=wanted)
    found = {}
    for point in points:
        own = (pc.field("system") == point.system) & (pc.field("setting") == point.setting)
        rows = table.filter(own).to_pandas()
        by = ["seed", "partition", "recording", "time"]
        found[point] = rows.sort_values(by, kind="stable", ignore_index=True)
    return found


def _curves(tables: Sequence[tuple[pd.DataFrame, Sequence[Point]]]) -> pd.DataFrame:
    """Return the dev score of each system by epoch, mean over seeds and folds; tables: curves and points."""
    columns: dict[str, list[pd.DataFrame]] = {}
    for curves, points in tables:
        for point in points:
            columns.setdefault(point.system, []).append(of_point(curves, point))
    curves_of = {system: pd.concat(parts) for system, parts in columns.items()}
    means = {
        system: own.groupby("epoch")["dev_score"].mean()
        for system, own in curves_of.items()
        if len(own)  # none where a system is not trained in epochs
    }
    return pd.DataFrame(means).rename_axis("epoch").reset_index()


def _traces(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the traces of the first recording of test, of dev where there is no test."""
    first = next(iter(rows.values()))
    partition = "test" if (first["partition"] == "test").any() else "dev"
    recording = first.loc[first["partition"] == partition, "recording"].min()
    columns = {}
    for system, table in rows.items():
        here = table[(table["partition"] == partition) & (table["recording"] == recording)].groupby("time")
        columns["gold"] = here["gold"].first()
        columns[system] = here["prediction"].mean()
    return pd.DataFrame(columns).rename_axis("time").reset_index()


def _confusion(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    parts = []
    for system, table in rows.items():
        here = table[(table["partition"] == "test") & (table["seed"] == table["seed"].min())].dropna(
            subset=["gold"]
        )
        parts.append(here[["gold", "prediction"]].astype(int).assign(system=system))
    return pd.concat(parts)[["system", "gold", "prediction"]]


def _write(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
