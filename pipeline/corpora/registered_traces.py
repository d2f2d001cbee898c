"""Annotations, and what is kept of colleagues' -> the files that register writes beside the manifest.

`traces.parquet` (see traces.py), `problems.csv` (see problem_file.py) and `classes.json` (the names of the
classes that the traces of `emotion` count from 0).
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.corpora.atomic import TEMPORARY, write_if_changed
from pipeline.corpora.class_names import EMOTIONS, doubtful_classes, only_occurring
from pipeline.corpora.hashes import sha256_of
from pipeline.corpora.interface import CorpusLayout
from pipeline.corpora.problem_file import PROBLEMS, format_problems, read_problems
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording
from pipeline.location import Location

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.paths import Paths

logger = logging.getLogger(__name__)

TRACES = "traces.parquet"
CLASSES = "classes.json"
WRITTEN = (TRACES, PROBLEMS, CLASSES)


def write_traces(
    paths: Paths,
    reader: CorpusLayout,
    root: Location,
    recordings: dict[str, Recording],
    absent: set[str],
    problems: list[Problem],
) -> bool:
    """Write the traces of a corpus; say whether bytes changed.

    Args:
        paths: where the files go, and the former ones are.
        reader: of the corpus.
        root: of the corpus.
        recordings: rows of the manifest by name.
        absent: those with a medium that is not here; where they are not annotated here either,
            their former traces and problems are kept.
        problems: of the listing.

    Raises:
        ValueError: an annotation file of the user's own is wrong, or there is something to keep
            and the former traces are not here.
    """
    from pipeline.corpora.traces import format_traces

    annotations = reader.read_traces(root, recordings.keys())
    parts = [(annotations.traces, annotations.classes)]
    problems = problems + annotations.problems
    # What is not annotated here either was registered by somebody who holds it.
    here = set(annotations.traces["recording"].unique())
    kept = absent - here - {item.recording for item in annotations.problems}
    if kept:
        require_traces(paths)
        parts.append(_kept(paths.traces, kept))
        problems += [item for item in read_problems(paths.traces / PROBLEMS) if item.recording in kept]
    traces, classes = only_occurring(parts, reader.several)
    for note in annotations.notes:
        logger.info("%s: %s", paths.corpus, note)
    doubts = doubtful_classes(traces, classes, reader.several)
    for doubt in doubts:
        logger.warning("%s: %s", paths.corpus, doubt.reason)
    problems = [*problems, *doubts]
    for path in paths.traces.glob(TEMPORARY.format(name="*")):
        path.unlink()
    written = [
        write_if_changed(paths.traces / TRACES, format_traces(traces)),
        write_if_changed(paths.traces / PROBLEMS, format_problems(problems)),
        write_if_changed(paths.traces / CLASSES, json.dumps(list(classes)).encode() + b"\n"),
    ]
    return any(written)


def _kept(folder: Path, kept: set[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the traces of the `kept` recordings as registered before, and the classes of their codes."""
    from pipeline.corpora.traces import load_traces

    old = load_traces(folder / TRACES)
    old = old[old["recording"].isin(list(kept))]
    bare = sorted(kept - set(old["recording"].unique()))
    if bare:
        logger.warning("%d recordings are absent here and have no traces, such as %s", len(bare), bare[0])
    classes = folder / CLASSES
    names = json.loads(classes.read_text(encoding="utf-8")) if classes.is_file() else EMOTIONS
    return old, tuple(names)


def hashes_of(folder: Path) -> dict[str, str]:
    """Return the sha256 of the files that are there, by name."""
    return {name: sha256_of(folder / name) for name in WRITTEN if (folder / name).is_file()}


def require_traces(paths: Paths) -> None:
    """Refuse to go on where traces would have to be kept and are not here.

    Raises:
        ValueError: there is no traces.parquet.
    """
    if not (paths.traces / TRACES).is_file():
        raise ValueError(
            f"{paths.traces / TRACES} is not here, and neither are all recordings of {paths.manifest}: "
            f"fetch it with `dvc pull`, or put the recordings where corpora.{paths.corpus}.root says"
        )
