"""What feature tables that came with a corpus share, whatever their files: keys, refusals, one engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.features.extraction.absent import way_out
from pipeline.features.extraction.engine import ExtractionError, build_table
from pipeline.features.extraction.jobs import Job, Stage
from pipeline.features.extractor import Extractor, Reads
from pipeline.features.imported.given_rows import first_difference
from pipeline.features.imported.label_columns import refusal
from pipeline.features.imported.table_columns import Choice
from pipeline.location import Location
from pipeline.params import FeatureFiles, Grid
from pipeline.running.workshop import Workshop
from pipeline.store.packing import PackingError
from pipeline.store.rows import from_bytes
from pipeline.store.tables import Failure, FeatureTable
from pipeline.store.units import UnitStore

KIND = "given"
VERSION = 1
"""Raised whenever the readers, or the way onto the grid, give other numbers for the same file."""


@dataclass(frozen=True)
class GivenFeatures(Extractor):
    """Reads features that somebody else extracted: their files are no media."""

    entry: FeatureFiles
    grid: Grid

    reads = Reads()

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the file that the rows of a recording depend on."""
        return fingerprint(self.entry, self.grid)


def fingerprint(entry: FeatureFiles, grid: Grid) -> dict[str, Any]:
    """Return everything but the file that the rows of a recording depend on."""
    about = {"version": VERSION, "statistics": list(entry.statistics), "grid": grid.fingerprint()}
    # left out where there are none: units made before `exclude` was a key are the same
    return about | ({"exclude": sorted(entry.exclude)} if entry.exclude else {})


def stage_name(directory: Path) -> str:
    """Return how log and failure table call the making of a table."""
    return f"read_features {directory.name}"


def build(
    jobs: Sequence[Job],
    failed: Sequence[Failure],
    extractor: GivenFeatures,
    choice: Choice,
    about: Mapping[str, Any],
    directory: Path,
    shop: Workshop,
) -> None:
    """Write a feature table.

    failed: recordings that the files do not have, and why. choice: also of units that were made before labels
    among features were refused.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: too many recordings failed, recordings have different features, or one is named like
            a label.
        StoreError: the store cannot be written.
    """
    entry = extractor.entry
    stage = Stage(stage_name(directory), KIND, extractor, entry.max_failed_share)
    try:
        build_table(stage, jobs, directory, shop, about, failed)
    except PackingError:
        raise ExtractionError(f"{stage_name(directory)}: {_different(jobs, shop.store)}") from None
    names = FeatureTable.open(directory).names
    for statistic in entry.statistics:
        names = tuple(name.removesuffix(f"_{statistic}") for name in names)
    if refused := refusal(tuple(dict.fromkeys(names)), choice.entry, choice.described, choice.include):
        raise ExtractionError(f"{stage_name(directory)}: {refused}")


def not_here(directory: Path, what: str, path: Location) -> ExtractionError:
    """Return the refusal where files are on another machine. what: how many; path: the first of them."""
    otherwise = (
        f"Put the files where the table of feature files says (the first: {path}), or go back to the "
        "parameters that the shared features were made with: `git checkout params.yaml dvc.lock "
        "stages/dvc.lock && dvc checkout`"
    )
    return ExtractionError(
        f"{stage_name(directory)}: {what} not on this machine and there are no features of theirs with these "
        f"parameters. {way_out(path, otherwise)}"
    )


def _different(jobs: Sequence[Job], store: UnitStore) -> str:
    """Name the first two recordings whose features differ, and where."""
    first: tuple[Job, tuple[str, ...]] | None = None
    for job in sorted(jobs, key=lambda each: each.recording):
        payload = store.get(KIND, job.key)
        if payload is None:
            continue
        names = from_bytes(payload).names
        if first is None:
            first = (job, names)
        elif names != first[1]:
            return (
                f"{job.path} ({job.recording}) has other features than {first[0].path} "
                f"({first[0].recording}): {first_difference(names, first[1])}"
            )
    return "recordings have different features"
