"""Names of the columns of a feature table -> which are times, which features, and what is refused."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from pipeline.corpora.layouts.table_recordings import listed_columns
from pipeline.corpora.text_table import MOST_COLUMNS
from pipeline.features.imported import label_columns
from pipeline.features.imported.given_rows import RESERVED
from pipeline.location import Location
from pipeline.names import refusal
from pipeline.params import Corpus


class FeatureTableError(ValueError):
    """Report a table of features that cannot be used: file, what was found, what was expected."""


class Columns(NamedTuple):
    """What the columns of a table are: the two of times (none: no times), and the features."""

    times: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the columns that hold numbers, each once."""
        return tuple(dict.fromkeys((*self.times, *self.features)))


class Choice(NamedTuple):
    """Which columns are features.

    exclude: names that are left out, whatever they hold. include: names that are features although they
    are named like labels. described: columns of the corpus' own list of recordings. entry: the key of
    params.yaml, for errors.
    """

    exclude: Collection[str] = ()
    include: Collection[str] = ()
    described: Collection[str] = ()
    entry: str = "features"

    @classmethod
    def of(cls, corpus: Corpus, name: str, root: Location, asked: bool = False) -> Choice:
        """Return what the parameters of a corpus say of the entry `name`.

        root: of the corpus. asked: whether files behind a URL are read anyway; a clone that has the features
        does not wait for a server.
        """
        entry = corpus.features[name]
        listed = corpus.layout == "table" and (asked or isinstance(root, Path))
        described = listed_columns(root) if listed else ()
        return cls(entry.exclude, entry.include, described, f"features.{name}")


def columns_of(path: Location, header: tuple[str, ...], choice: Choice) -> Columns:
    """Tell times and features among the columns of a table.

    Raises:
        FeatureTableError: a column is missing, there twice, an index, or named as no feature can be.
    """
    listed = f"'{','.join(header[:6])}{',...' if len(header) > 6 else ''}'"
    if "recording" not in header:
        raise FeatureTableError(
            f"{path}: found the columns {listed}, expected recording[,time or start,end] and features"
        )
    if len(header) > MOST_COLUMNS:
        raise FeatureTableError(f"{path}: found {len(header)} columns, expected at most {MOST_COLUMNS}")
    twice = (
        sorted({name for name in header if header.count(name) > 1}) if len({*header}) < len(header) else []
    )
    if twice:
        raise FeatureTableError(f"{path}: column '{twice[0]}' occurs twice, expected once")
    absent = [name for name in choice.exclude if name not in header]
    if absent:
        raise FeatureTableError(f"{path}: no column {absent[0]}, which {choice.entry} excludes, in {listed}")
    header = tuple(name for name in header if name not in choice.exclude)
    # what pandas writes of an index: its numbers would become a feature
    index = [name for name in header if not name or name.startswith(("__index_level_", "Unnamed: "))]
    if index:
        raise FeatureTableError(f"{path}: column '{index[0]}' is an index, expected none (index=False)")
    pair = {"start", "end"} & set(header)
    if len(pair) == 1 or (pair and "time" in header):
        raise FeatureTableError(
            f"{path}: found the columns {listed}, expected either time, or start and end, or none of them"
        )
    times = ("start", "end") if pair else ("time", "time") if "time" in header else ()
    features = tuple(name for name in header if name not in ("recording", *times))
    _require_features(path, features, listed, choice)
    return Columns(times, features)


def _require_features(path: Location, features: tuple[str, ...], listed: str, choice: Choice) -> None:
    taken = sorted(RESERVED & set(features))
    if taken:
        raise FeatureTableError(
            f"{path}: column '{taken[0]}' is a name that feature tables use themselves, expected another"
        )
    if not features:
        raise FeatureTableError(f"{path}: found the columns {listed}, expected features beside them")
    for name in features:
        if refused := refusal(name):
            raise FeatureTableError(f"{path}: {refused} of a column")
    if refused := label_columns.refusal(features, choice.entry, choice.described, choice.include):
        raise FeatureTableError(f"{path}: {refused}")
