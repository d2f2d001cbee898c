"""The files of an audformat database, and what a medium of its tables is called as a recording."""

from __future__ import annotations

from pathlib import Path

from pipeline.names import composed

HEADER = "db.yaml"


def annotation_files(root: Path) -> list[Path]:
    """Return the header and the files of all tables."""
    return [root / HEADER, *sorted((*root.glob("db.*.parquet"), *root.glob("db.*.csv")))]


def recording_of(file: str) -> str:
    """Return the name of the recording that a file of the tables is: its path without suffix, composed."""
    return composed(Path(file).with_suffix("").as_posix())
