"""Where the learners read the features of a modality: the one place that knows which table that is.

What reads tables is imported when one is opened: the end of each `dvc repro` asks only who was trained on
emotions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus, modality_of, source_of
from pipeline.paths import Paths
from pipeline.store.table_index import EMOTION_TRAINED, read_index

if TYPE_CHECKING:
    from pipeline.store.rows import Rows
    from pipeline.store.tables import FeatureTable


@dataclass(frozen=True)
class Features:
    """The feature table of a modality, or the part of it that one source of a mixed corpus has.

    source: recordings are named `<source>/...`; empty: all of the table.
    """

    table: FeatureTable
    source: str = ""

    @property
    def recordings(self) -> list[str]:
        """Return the recordings that have rows, sorted."""
        return [name for name in self.table.recordings if name.startswith(self._start)]

    @property
    def _start(self) -> str:
        return f"{self.source}/" if self.source else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        return self.table.names

    @property
    def about(self) -> Mapping[str, Any]:
        """Return what the features depend on besides their sources: parameters and versions."""
        other = ("contents", EMOTION_TRAINED)
        return {key: value for key, value in self.table.index["about"].items() if key not in other}

    def count(self, recording: str) -> int:
        """Return the number of rows of a recording, 0 if it has none, without reading them."""
        entry = self.table.index["recordings"].get(recording) if recording.startswith(self._start) else None
        return 0 if entry is None else int(entry["rows"])

    def read(self, recording: str) -> Rows:
        """Read the rows of one recording.

        Raises:
            TableError: the recording is not in the table.
        """
        return self.table.read(recording)

    def in_file_order(self, recordings: Iterable[str]) -> list[str]:
        """Return recordings in the order in which reading them costs least."""
        return self.table.in_file_order(recordings)


def open_features(paths: Paths, corpus: Corpus, name: str, dimension: str) -> Features:
    """Open the features that a scenario calls `name` (`audio`, `appearance`, `audio@heard`).

    dimension: what is predicted; tables of AVEC 2016 differ by it.

    Raises:
        TableError: the table is missing or damaged.
    """
    from pipeline.store.tables import FeatureTable

    path = _directory(paths, corpus, modality_of(name), dimension)
    return Features(FeatureTable.open(path), source_of(name))


def open_inputs(paths: Paths, corpus: Corpus) -> dict[str, Features]:
    """Open what labels need of the features of each input: how long recordings are; of classes nothing."""
    if TASKS[corpus.task].classes:
        return {}
    # tables that differ by dimension (AVEC 2016) differ in their windows, not in when things happen
    return {name: open_features(paths, corpus, name, corpus.dimensions[0]) for name in corpus.inputs}


def emotion_trained(paths: Paths, corpus: Corpus) -> tuple[str, ...]:
    """Return the modalities whose features come from a network that was trained on labels of emotions.

    Wherever results are shown they are marked: such features have seen what is predicted, elsewhere. Tables
    that are not here say nothing.

    Raises:
        TableError: the index of a table is damaged.
    """
    directories = {name: _directory(paths, corpus, name, corpus.dimensions[0]) for name in corpus.modalities}
    return tuple(
        name
        for name, directory in directories.items()
        if (directory / "index.json").is_file() and read_index(directory)["about"].get(EMOTION_TRAINED)
    )


def _directory(paths: Paths, corpus: Corpus, modality: str, dimension: str) -> Path:
    if modality in corpus.extract:
        return paths.extracted(modality)
    return paths.given_table(modality, dimension if corpus.features_by_dimension else None)
