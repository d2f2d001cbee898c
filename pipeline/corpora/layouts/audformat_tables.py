"""Header and tables of an audformat database -> who, which partition, which media, which label columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import audformat
import pandas as pd

from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.layouts.audformat_files import HEADER
from pipeline.corpora.layouts.audformat_reading import column_of, describe, loaded, read_header
from pipeline.corpora.recording import PARTITIONS, Partition
from pipeline.params import Audformat, Corpus


@dataclass(frozen=True)
class AudformatDatabase:
    """An opened database and what the parameters say of it.

    name: of the corpus. tables: with the labels. columns: dimension -> table -> column.
    """

    name: str
    root: Path
    corpus: Corpus
    header: audformat.Database
    tables: tuple[str, ...]
    columns: Mapping[str, Mapping[str, str]]

    def frame(self, table: str) -> pd.DataFrame:
        """Return a table with the columns `file, start, end` (Timedelta; NaT where it is open) and its own.

        Raises:
            ValueError: it is on disk neither as parquet nor as csv, or cannot be read.
        """
        found = loaded(self.header, self.root, table)
        index = audformat.utils.to_segmented_index(found.index)
        return found.set_axis(index).reset_index()

    def files(self) -> dict[str, tuple[str, ...]]:
        """Return the files of the tables with labels, sorted, and the modalities that are in each."""
        media = {
            str(file): self._modalities(table, str(file))
            for table in self.tables
            for file in self.frame(table)["file"].unique()
        }
        return dict(sorted(media.items()))

    def speakers(self) -> dict[str, str]:
        """Return file -> speaker.

        Raises:
            ValueError: no such column, or a file of the tables with labels has no speaker or several.
        """
        wanted = self._settings.speaker
        found: dict[str, str] = {}
        where = [(table, column) for table, column in self._columns_of(wanted)]
        if not where:
            raise ValueError(
                f"corpora.{self.name}.audformat.speaker: no column has the name or the scheme '{wanted}'; "
                f"name one of: {describe(self.header)}"
            )
        for table, column in where:
            frame = self.frame(table)[["file", column]].dropna()
            for file, value in zip(frame["file"].astype(str), frame[column].astype(str), strict=True):
                if found.setdefault(file, value) != value:
                    raise ValueError(
                        f"{self.root}: file {file} has the speakers '{found[file]}' and '{value}' (table "
                        f"{table}, column {column}), expected one"
                    )
        self._require(found, f"no speaker (column or scheme '{wanted}')")
        return found

    def groups(self, wanted: str) -> dict[str, str]:
        """Return file -> what a column, or a fact of its speaker, says; empty where nothing does.

        wanted: a column or scheme of any table, or a key of the labels of the speakers' scheme (such as the
        sex of each speaker, in the header or in a table of speakers).

        Raises:
            KeyError: there is neither; the columns and facts that there are.
            ValueError: a file has two values.
        """
        where: list[tuple[str, str, str | None]] = [
            (table, column, None) for table, column in self._columns_of(wanted)
        ]
        facts: set[str] = set()
        for table, column in () if where else self._columns_of(self._settings.speaker):
            own = self._facts(table, column)
            facts |= own
            if wanted in own:
                where.append((table, column, wanted))
        if not where:
            of_speakers = f"; of speakers {', '.join(sorted(facts))}" if facts else ""
            raise KeyError(
                f"{self.root} has neither a column nor a scheme '{wanted}', expected one of: "
                f"{describe(self.header)}{of_speakers}"
            )
        absent = Absent(self.corpus.labels.absent)
        found = dict.fromkeys(self.files(), "")
        for table, column, fact in where:
            frame = self.frame(table)
            values = self.header[table][column].get(map=fact)
            for file, value in zip(frame["file"].astype(str), values, strict=True):
                text = "" if pd.isna(value) else plain(str(value))
                if not text or absent(text, "emotion", file) or file not in found:
                    continue
                if found[file] not in ("", text):
                    raise ValueError(
                        f"{self.root}: file {file} has the groups '{found[file]}' and '{text}' of {wanted} "
                        f"(table {table}, column {column}), expected one"
                    )
                found[file] = text
        return found

    def _facts(self, table: str, column: str) -> set[str]:
        """Return what the scheme of a column says of each of its labels."""
        scheme = self.header.tables[table].columns[column].scheme_id
        labels = None if scheme is None else self.header.schemes[scheme].labels
        if isinstance(labels, str):
            return set(map(str, self.header.misc_tables[labels].columns))
        return (
            {str(key) for own in labels.values() if isinstance(own, dict) for key in own}
            if isinstance(labels, dict)
            else set()
        )

    def partitions(self, given: bool) -> dict[str, Partition]:
        """Return file -> partition, from the splits of the tables.

        given: whether the database must say it; otherwise every file is in train until folds are made.

        Raises:
            ValueError: a file is in two splits, or in none of train, dev and test though it must be.
        """
        if not given:
            return dict.fromkeys(self.files(), PARTITIONS[0])
        found: dict[str, Partition] = {}
        for table in self.header.tables:
            partition = self._partition(table)
            if partition is None:
                continue
            for file in self.frame(table)["file"].astype(str).unique():
                if found.setdefault(file, partition) != partition:
                    raise ValueError(
                        f"{self.root}: file {file} is in the splits {found[file]} and {partition} (table "
                        f"{table}), expected one"
                    )
        self._require(
            found,
            "no split: set corpora." + f"{self.name}.partitions.method to cross_validation, or take tables "
            "with a split of type train, dev or test",
        )
        return found

    @property
    def _settings(self) -> Audformat:
        return self.corpus.audformat or Audformat()

    def _require(self, found: Mapping[str, Any], lack: str) -> None:
        """Refuse a database in which a file is not in `found`."""
        for file in self.files():
            if file not in found:
                raise ValueError(
                    f"{self.root}: file {file} has {lack}; the tables are {describe(self.header)}"
                )

    def _columns_of(self, wanted: str) -> Iterator[tuple[str, str]]:
        for table in self.header.tables:
            column = column_of(self.header, table, wanted)
            if column is not None:
                yield table, column

    def _partition(self, table: str) -> Partition | None:
        split = self.header.tables[table].split_id
        if split is None:
            return None
        names = (str(self.header.splits[split].type), str(split))
        return next((partition for name in names for partition in PARTITIONS if name == partition), None)

    def _modalities(self, table: str, file: str) -> tuple[str, ...]:
        """Return what is in a file: as the table's media say, the database's only ones, or by the suffix."""
        media = self.header.media
        own = self.header.tables[table].media_id
        suffix = Path(file).suffix.removeprefix(".").lower()
        chosen = (
            [media[own]] if own is not None else list(media.values()) if len(media) == 1 else
            [item for item in media.values() if str(item.format or "").lower() == suffix]
        )  # fmt: skip
        kinds = {str(item.type) for item in chosen}
        if "video" in kinds:
            return ("audio", "video")
        return ("audio",) if "audio" in kinds or not kinds or kinds == {"other"} else ()


def open_database(corpus: Corpus, name: str, root: Path) -> AudformatDatabase:
    """Open a database and find the tables and columns with the labels.

    corpus: its parameters. name: of the corpus, for errors.

    Raises:
        ValueError: db.yaml is no header of a database, a table or column that was named is not there, or
            none has the labels; what there is is listed.
    """
    header = read_header(root / HEADER)
    for table in header.misc_tables:
        loaded(header, root, table)
    settings = corpus.audformat or Audformat()
    path = f"corpora.{name}.audformat"
    for table in settings.tables:
        if table not in header.tables:
            raise ValueError(f"{path}.tables: found '{table}', expected out of: {describe(header)}")
    columns: dict[str, dict[str, str]] = {}
    for dimension in corpus.dimensions:
        wanted = settings.labels.get(dimension, dimension)
        own = {t: column_of(header, t, wanted) for t in settings.tables or header.tables}
        columns[dimension] = {table: column for table, column in own.items() if column is not None}
        if corpus.scenarios and not columns[dimension]:
            raise ValueError(
                f"{path}.labels: no table has a column or scheme '{wanted}' for {dimension}; name one of: "
                f"{describe(header)}"
            )
    labelled = {table for own in columns.values() for table in own}
    tables = settings.tables or tuple(t for t in header.tables if t in labelled or not labelled)
    return AudformatDatabase(name, root, corpus, header, tables, columns)
