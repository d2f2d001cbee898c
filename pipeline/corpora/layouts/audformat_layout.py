"""An audformat database (audEERING's format for annotated media) -> recordings, classes and traces.

    <root>/db.yaml                       header: schemes, splits, media, tables and their columns
    <root>/db.<table>.{parquet,csv}      one table each; media lie below the root

A recording is a file, named by its path without suffix. Which tables and columns hold labels, speakers and
partitions is said in `corpora.<name>.audformat`, or found where there is no doubt. The database is the list:
a file that is in none of the tables is not in the corpus. https://audeering.github.io/audformat
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.audformat_files import HEADER, annotation_files, recording_of
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import Medium, Recording
from pipeline.corpora.spelling import Spelling
from pipeline.names import refusal

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout of an audformat database.

    corpus: its parameters. paths: its name is used in errors.
    """
    return CorpusLayout(
        expected=f"an audformat database: a file {HEADER} and its tables",
        found=lambda root: (root / HEADER).is_file(),
        list_recordings=partial(_list_recordings, corpus, paths.corpus),
        annotation_files=annotation_files,
        read_traces=partial(_read_traces, corpus, paths.corpus),
        csv_is_the_list=True,
        read_groups=partial(_read_groups, corpus, paths.corpus),
        parameters=(
            list(corpus.dimensions),
            corpus.task,
            bool(corpus.scenarios),
            list(corpus.labels.absent),
            None if corpus.audformat is None else corpus.audformat.model_dump(mode="json"),
        ),
    )


def _list_recordings(corpus: Corpus, name: str, root: Path, wanted: Wanted) -> Listing:
    """List the files of the tables with labels; a file that is not on disk stays, and is a problem.

    Raises:
        ValueError: as `open_database`; a file has no speaker, no partition or several of them, or two files
            differ in their suffix only.
    """
    from pipeline.corpora.layouts.audformat_tables import open_database

    database = open_database(corpus, name, root)
    speakers = database.speakers()
    partitions = database.partitions(wanted.partitions_given)
    recordings: dict[str, Recording] = {}
    problems: list[Problem] = []
    inside, spelling = Inside(root, wanted.media_folders), Spelling(root)
    for file, media in database.files().items():
        for refused in (inside.refusal(Path(file)), refusal(file), refusal(speakers[file])):
            if refused:
                raise ValueError(f"{root / HEADER}: file {file!r} of the tables: {refused}")
        own = recording_of(file)
        if own in recordings:
            raise ValueError(
                f"{root / HEADER}: the tables list {own} with two suffixes, expected one file per recording"
            )
        if not media:
            problems.append(Problem(own, file, "its media type is neither audio nor video: left out"))
            continue
        path = spelling.on_disk(file)
        if not (root / path).is_file():
            problems.append(NotOnDisk.at(own, file))
        own_media = {modality: Medium(path) for modality in media}
        recordings[own] = Recording(own, partitions[file], speakers[file], own_media)
    return Listing(sorted(recordings.values(), key=lambda item: item.recording), problems=problems)


def _read_groups(corpus: Corpus, name: str, root: Path, column: str) -> dict[str, str]:
    """Read which group each recording is of; see `AudformatDatabase.groups`."""
    from pipeline.corpora.layouts.audformat_tables import open_database

    found = open_database(corpus, name, root).groups(column)
    return {recording_of(file): value for file, value in found.items()}


def _read_traces(corpus: Corpus, name: str, root: Path, recordings: Collection[str]) -> Annotations:
    """Read the labels of the named recordings.

    A filewise value has the time 0.0, a segment's the middle of the segment. Classes and their codes as in
    the layout `table`: OMG-Emotion's if all names are, otherwise the names found, by the alphabet.

    Raises:
        ValueError: as `open_database`; a class of a part of a file, a value of the wrong kind, or two values
            for one time.
    """
    from pipeline.corpora.layouts.audformat_labels import read_labels
    from pipeline.corpora.layouts.audformat_tables import open_database

    return read_labels(open_database(corpus, name, root), recordings, corpus.labels.absent)
