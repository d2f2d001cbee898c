"""Feature files that came with a corpus: which there are, and their table in git.

The table (`data/manifests/<corpus>.features.csv`) has the columns of `COLUMNS`. `dimension` and
`recording` are empty where a file is not of one dimension or recording. It is read and written without
pandas, because `register` runs at each `dvc repro`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.corpora.recording import require_sha256
from pipeline.corpora.text_table import text_table
from pipeline.location import Location

COLUMNS = ("features", "dimension", "recording", "file", "sha256")
TABLES = (".csv", ".parquet")


class FeatureFile(NamedTuple):
    """One feature file.

    features: the entry under `features` of params.yaml. dimension, recording: what it is of; empty: all.
    file: relative to the corpus root. sha256: empty until `register` has read the file.
    """

    features: str
    dimension: str
    recording: str
    file: str
    sha256: str = ""


def list_tables(root: Location, features: Mapping[str, str]) -> list[FeatureFile]:
    """List the csv and Parquet files of each entry, whose path is one file or a folder of files.

    features: path of each entry, relative to `root`.

    Raises:
        RemoteError: a URL whose server does not answer.
    """
    found = []
    for name, path in sorted(features.items()):
        if (root / path).is_file():
            found.append(FeatureFile(name, "", "", Path(path).as_posix()))
        else:
            found += [
                FeatureFile(name, "", "", f"{Path(path).as_posix()}/{file}")
                for suffix in TABLES
                for file in file_names(root / path, suffix)
            ]
    return sorted(found)


def file_names(folder: Any, suffix: str) -> list[str]:
    """Return the names of the files with `suffix`, sorted, without hidden ones (`._train_1.arff` of macOS).

    folder: a path or URL; without such a folder there are none.
    """
    if isinstance(folder, Path) and not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir())
    return sorted(name for name in names if name.lower().endswith(suffix) and not name.startswith("."))


def read_feature_files(path: Path) -> list[FeatureFile]:
    """Read a table of feature files; none if it is not there.

    Raises:
        ValueError: the header is not `COLUMNS`, a row has another number of cells, an empty name or
            file, or a sha256 that is not one (for example the marks of a git merge conflict).
    """
    if not path.is_file():
        return []
    found = []
    with text_table(path, names=(), as_written=("file",)) as table:
        if table.header != COLUMNS:
            raise ValueError(
                f"{path}:1: found the header '{','.join(table.header)}', expected '{','.join(COLUMNS)}'"
            )
        for line, cells in table:
            item = FeatureFile(**cells)
            if not item.features or not item.file:
                table.fault(
                    line, f"features and file must not be empty, found '{item.features}', '{item.file}'"
                )
            require_sha256(item.sha256, table.where(line))
            found.append(item)
    return found


def format_feature_files(files: Iterable[FeatureFile]) -> bytes:
    """Return the bytes of a table of feature files, sorted, lines ended by LF."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(sorted(files))
    return text.getvalue().encode()
