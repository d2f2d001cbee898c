"""What every corpus layout offers: a listing of recordings, cheap, and their annotation traces.

A layout is a `CorpusLayout`; the table of all of them is in `layouts/known.py`. Listing is kept apart
from reading traces, because `register` lists at each `dvc repro` and reads traces only when an
annotation file changed; nothing here imports pandas before a trace is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.corpora.class_names import EMOTIONS, doubtful_classes, only_occurring
from pipeline.corpora.feature_files import FeatureFile, list_tables
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording
from pipeline.location import Location

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.params import Corpus

DIMENSIONS = ("arousal", "valence", "emotion")
GOLD = "gold"


@dataclass(frozen=True)
class Wanted:
    """What a corpus' parameters ask of its recordings.

    extract: modalities extracted from media; without any, a recording needs no medium. features: path of
    each feature table that came with the corpus, relative to its root, by modality. partitions_given:
    whether the corpus itself must say who is in train, dev and test. media_folders: outside the corpus, in
    which its tables may name media.
    """

    extract: tuple[str, ...] = ("audio", "video")
    features: Mapping[str, str] = field(default_factory=dict)
    partitions_given: bool = True
    media_folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, corpus: Corpus) -> Wanted:
        """Return what the parameters of a corpus ask for."""
        return cls(
            corpus.extract,
            {name: files.path for name, files in corpus.features.items()},
            corpus.partitions.method != "cross_validation",
            corpus.media_folders,
        )


ANY = Wanted()
"""Media of both modalities, partitions as given."""


@dataclass(frozen=True)
class Listing:
    """The recordings of a corpus as its folder says now, without their traces.

    recordings: sorted by name. missing: recordings that the corpus lists and that have no medium
    on disk, sorted; they are not among `recordings`. problems: what was wrong on the way. kept: rows of
    an older manifest that stay though they are not listed; None: as the layout's `csv_is_the_list` says.
    """

    recordings: list[Recording]
    missing: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    kept: Mapping[str, Recording] | None = None


@dataclass(frozen=True)
class Annotations:
    """The traces of some recordings.

    traces: columns `recording, dimension, rater, time, value`, see `traces.py`. classes: the names
    that `value` counts from 0 where `dimension` is `emotion`; they need not all occur. Where an utterance may
    have several, `value` is the code of their set (`label_sets.py`). notes: how something
    was read that could be meant otherwise. no_label: recording and dimension where a word of `labels.absent`
    stands.
    """

    traces: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    classes: tuple[str, ...] = EMOTIONS
    notes: list[str] = field(default_factory=list)
    no_label: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Registered:
    """A corpus as read: recordings, traces in long format, what was wrong, the classes that occur, notes.

    no_label: as of `Annotations`.
    """

    recordings: list[Recording]
    traces: pd.DataFrame
    problems: list[Problem]
    missing: list[str]
    classes: tuple[str, ...]
    notes: list[str]
    no_label: frozenset[tuple[str, str]]


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


@dataclass(frozen=True)
class CorpusLayout:
    """One layout on disk.

    expected: what a corpus root must hold, to end a sentence with. found: says whether a folder
    holds it. list_recordings: the listing of a root. annotation_files: every file that the traces
    (and the listing) depend on, media apart. read_traces: the traces of the named recordings.
    csv_is_the_list: rows of an older manifest that are no longer listed are dropped, rather than
    kept for colleagues who hold their media. several: an utterance may have any number of classes.
    list_features: the feature files that came with the corpus,
    by the path of each entry; expected_features: what they are, to end a sentence with. obtain: where the
    corpus comes from, a sentence. parameters: of
    params.yaml on which the traces depend beside the files, as JSON.
    """

    expected: str
    # The first argument is a Path; `table` takes a URL as well, which params.py allows for it alone.
    found: Callable[[Any], bool]
    list_recordings: Callable[[Any, Wanted], Listing]
    annotation_files: Callable[[Any], Sequence[Location]]
    # root and recordings; where cells may hold a word for no label, `absent` as well
    read_traces: Callable[..., Annotations]
    csv_is_the_list: bool = False
    several: bool = False
    obtain: str = "docs/own-corpus.md shows how one is laid out."
    parameters: Sequence[Any] = ()
    list_features: Callable[[Any, Mapping[str, str]], list[FeatureFile]] = list_tables
    # root and column -> recording -> group, empty where it is not given; None: there is no such table.
    # KeyError with a sentence: there is no such column
    read_groups: Callable[..., dict[str, str]] | None = None
    expected_features: str = (
        "a .csv or .parquet file, or a folder of them, with the columns recording[, time or start, end] and "
        "one per feature"
    )

    def with_absent(self, words: Collection[str]) -> CorpusLayout:
        """Return the layout with words that stand for no label in its cells, nor for a group."""
        groups = self.read_groups
        return replace(
            self,
            read_groups=None if groups is None else partial(groups, absent=words),
            read_traces=partial(self.read_traces, absent=words),
            parameters=(*self.parameters, list(words)),
        )

    def not_there(self, corpus: str, root: Location) -> str:
        """Return the sentences for a corpus that is not at `root`: where to put it, where to get it.

        A folder below it that has the corpus, as an archive leaves it, is named.
        """
        state = "is not there or holds another layout"
        if isinstance(root, Path):
            state = "holds another layout" if root.is_dir() else "is not there"
            if inner := next((folder for folder in _folders(root) if self.found(folder)), None):
                return (
                    f"corpora.{corpus}.root: {root} holds the corpus in {inner.name}; name that folder in "
                    f"params.yaml ({inner}), or move what is in it up"
                )
        return (
            f"corpora.{corpus}.root: {root} {state}; put the corpus there ({self.expected}), or name its "
            f"folder in params.yaml. {self.obtain}"
        )

    def read(self, root: Location, wanted: Wanted = ANY) -> Registered:
        """Read a corpus whole.

        Raises:
            ValueError: `root` does not hold this layout, or a list in it cannot be used.
        """
        if not self.found(root):
            raise ValueError(f"{root}: expected {self.expected}")
        listing = self.list_recordings(root, wanted)
        annotations = self.read_traces(root, {item.recording for item in listing.recordings})
        traces, classes = only_occurring([(annotations.traces, annotations.classes)], self.several)
        return Registered(
            recordings=listing.recordings,
            traces=traces,
            problems=[
                *listing.problems,
                *annotations.problems,
                *doubtful_classes(traces, classes, self.several),
            ],
            missing=listing.missing,
            classes=classes,
            notes=annotations.notes,
            no_label=annotations.no_label,
        )
