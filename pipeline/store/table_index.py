"""`index.json` of a feature table, read as something that a stranger may have written. Needs no pyarrow.

Tables come from colleagues. What an index names is used as a path (its files, the keys of its units), so it
is held against the form that `write_table` gives it before anything is done with it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FILE = re.compile(r"part-\d{3}-of-\d{3}\.parquet")
SHA256 = re.compile(r"[0-9a-f]{64}")
KEY = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]*")
"""Of a unit: a name of a file, never a path."""
EMOTION_TRAINED = "emotion_trained"
"""What `about` of an index says, if so: labels of emotions took part in the making of the features."""


class TableError(ValueError):
    """Report a feature table that cannot be read: which file, what was found, what to do."""


def read_index(directory: Path) -> dict[str, Any]:
    """Return the index of the table in a directory.

    Raises:
        TableError: there is none, or it is not one that `write_table` wrote.
    """
    path = directory / "index.json"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TableError(f"{directory}: no index.json; run `dvc repro` or `dvc pull`") from None
    except (ValueError, RecursionError):
        raise TableError(f"{path}: damaged (no JSON); {again(directory)}") from None
    try:
        wrong = _fault(index)
    except (LookupError, TypeError, AttributeError) as error:
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        raise TableError(f"{path}: damaged or edited ({wrong}); {again(directory)}")
    return dict(index)


def again(directory: Path) -> str:
    """Say how a table is fetched again."""
    return (
        f"fetch it again with `emobed store repull {directory}`, which also removes damaged objects "
        "from DVC's cache, then run `dvc repro`"
    )


def _fault(index: dict[str, Any]) -> str:
    """Say what is wrong with an index, or nothing."""
    files, recordings = dict(index["files"]), dict(index["recordings"])
    for name, sha256 in files.items():
        if not FILE.fullmatch(name) or not SHA256.fullmatch(sha256):
            return f"file {name!r} with sha256 {sha256!r}"
    for name, entry in recordings.items():
        if entry["file"] not in files or not KEY.fullmatch(entry["key"]):
            return f"recording {name!r} in file {entry['file']!r} with key {entry['key']!r}"
        numbers = [entry[what] for what in ("row_group", "first", "rows")]
        if any(type(number) is not int or number < 0 for number in numbers):
            return f"recording {name!r} in rows {numbers}"
    for key in dict(index.get("about", {}).get("contents", {})):
        if not KEY.fullmatch(key):
            return f"key {key!r}"
    if not all(isinstance(name, str) for name in index["features"]):
        return "features that are no names"
    return ""
