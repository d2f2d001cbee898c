"""Own media, listed in a table -> recordings, classes and traces.

    <root>/recordings.csv    recording, partition, speaker, audio, video[, text or transcript]
                             [, emotion (task multilabel: emotion.<class>, ...)][, arousal][, valence]
    <root>/traces.csv        recording, dimension, rater, time, value (optional)

`audio` and `video` are paths below the root or in one of the corpus' `media_folders`, or URLs, may be the
same file or empty; the root itself may be a URL. `text` names a file of what was said, `transcript` holds the
words; both are read where text is extracted. Beside feature tables that came with the corpus, a column
of media that are not extracted may be missing, and so may `partition` where folds are drawn. The csv is
the list: a recording that is not in it is not in the corpus. Since the user wrote these files, a wrong cell
is an error that names it rather than a row left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.class_names import EMOTIONS, ordered
from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import ANY, DIMENSIONS, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import ALWAYS, PARTITIONS, Medium, Partition, Recording
from pipeline.corpora.spelling import Spelling
from pipeline.corpora.text_table import TableError, TextTable, finite, no_number, text_table
from pipeline.corpora.transcripts import SUFFIX, TEXT, TRANSCRIPT, cell, not_a_file
from pipeline.location import Location
from pipeline.params import ABSENT, Corpus
from pipeline.paths import Paths

RECORDINGS = "recordings.csv"
TRACES = "traces.csv"
COLUMNS = ("recording", "partition", "speaker", "audio", "video")


def found(root: Location) -> bool:
    """Say whether `root` has a recordings.csv."""
    return (root / RECORDINGS).is_file()


def list_recordings(root: Location, wanted: Wanted = ANY) -> Listing:
    """List the rows of recordings.csv.

    A medium that is not on disk stays in the row, so that extraction counts it as a failure, and
    is listed as a problem where it is extracted. A recording without any is left out, unless feature
    tables came with the corpus. Where partitions are not the corpus' to say, an empty one is `train`.

    Raises:
        ValueError: as `text_table`; an empty or repeated recording, an empty speaker, an unknown partition,
            or no rows. Everything that is wrong is said at once.
    """
    recordings: dict[str, Recording] = {}
    problems: list[Problem] = []
    spelling, inside = Spelling(root), Inside(root, wanted.media_folders)
    with _open(root, _required(wanted), wanted) as table:
        _require_words(table, wanted)
        for line, cells in table:
            name = cells["recording"]
            if not name or not cells["speaker"]:
                table.fault(
                    line,
                    f"recording and speaker must not be empty, found '{name}', '{cells['speaker']}'",
                )
                continue
            if name in recordings:
                table.fault(line, f"recording '{name}' occurs twice, expected once")
                continue
            partition = _partition(cells.get("partition", ""), wanted)
            if partition is None:
                table.fault(
                    line,
                    f"unknown partition '{cells['partition']}', expected one of {', '.join(PARTITIONS)}",
                )
                continue
            words = cells.get(TRANSCRIPT, "") if TEXT in wanted.extract else ""
            if words and cells.get(TEXT):
                table.fault(line, f"found both {TEXT} and {TRANSCRIPT}, expected one of them")
                continue
            named = {modality: cells[modality] for modality in _media(wanted) if cells.get(modality)}
            if TEXT in named and (refused := not_a_file(named[TEXT])):
                table.fault(line, refused)
                continue
            media = {modality: Medium(spelling.on_disk(path)) for modality, path in named.items()}
            outside = [
                f"{modality} {refused}"
                for modality, medium in media.items()
                if (refused := inside.refusal(medium.path))
            ]
            if outside:
                table.fault(line, "; ".join(outside))
                continue
            if words:
                media[TEXT] = cell(Path(RECORDINGS), words)
            if not media and not wanted.features:
                none = " nor ".join(_media(wanted))
                problems.append(Problem(name, RECORDINGS, f"neither {none} is named: left out"))
                continue
            extracted = [medium.path for modality, medium in media.items() if modality in wanted.extract]
            problems += [
                NotOnDisk.at(name, path.as_posix())
                for path in dict.fromkeys(extracted)
                if not (root / path).is_file()
            ]
            recordings[name] = Recording(name, partition, cells["speaker"], media)
    if not recordings:
        raise ValueError(f"{root / RECORDINGS}: found no recordings, expected one per row")
    if wanted.partitions_given:
        problems += _shared_speakers(recordings.values())
    return Listing(sorted(recordings.values(), key=lambda item: item.recording), problems=problems)


def listed_columns(root: Location) -> tuple[str, ...]:
    """Return the columns of recordings.csv, none if it is not here.

    Raises:
        ValueError: as `text_table`.
    """
    if not found(root):
        return ()
    with _open(root, ()) as table:
        return table.header


def annotation_files(root: Location) -> list[Location]:
    """Return recordings.csv, and traces.csv if there is one."""
    return [path for path in (root / RECORDINGS, root / TRACES) if path.is_file()]


def read_traces(
    root: Location, recordings: Collection[str], absent: Collection[str] = ABSENT, several: bool = False
) -> Annotations:
    """Read the label columns of recordings.csv and the rows of traces.csv.

    If every class is one of OMG-Emotion's names or codes, codes are OMG-Emotion's; otherwise the
    classes are the names found, in alphabetical order. absent: what stands for no label; it is counted.
    several: a recording may have several classes, a column for each (`table_sets.py`).

    Raises:
        ValueError: a rating or time that is no finite number, an unknown dimension, an unknown
            class code, a missing column, or two values of one rater for the same time.
    """
    from pipeline.corpora.layouts.table_sets import PREFIX, read_sets
    from pipeline.corpora.layouts.table_traces import read_traces_csv
    from pipeline.corpora.traces import join_traces, trace_table

    names, dimensions, values = [], [], []
    of_sets = None
    missing = Absent(absent)
    with _open(root, ("recording",)) as table:
        rows = [row for row in table if row.cells["recording"] in recordings]
        read: tuple[str, ...] = DIMENSIONS
        if several:
            of_sets = read_sets(table, rows, RECORDINGS, absent)
            read = tuple(name for name in DIMENSIONS if name != "emotion")
        labels = [
            (line, cells["recording"], dimension, plain(cells.get(dimension, "")))
            for line, cells in rows
            for dimension in read
            if not missing(cells.get(dimension, ""), dimension, cells["recording"])
        ]
        classes = _classes([cell for _, _, dimension, cell in labels if dimension == "emotion"])
        notes = _of_codes({cell for _, _, dimension, cell in labels if dimension == "emotion"}, classes)
        for line, recording, dimension, cell in labels:
            value = _code(cell, classes) if dimension == "emotion" else finite(cell)
            if value is None:
                table.fault(line, _wrong_label(cell, dimension, classes))
                continue
            names.append(recording)
            dimensions.append(dimension)
            values.append(value)
    of_recordings = trace_table(names, dimensions, [GOLD] * len(names), [0.0] * len(names), values)
    problems: list[Problem] = [*missing.problems(RECORDINGS)]
    no_label = frozenset(missing.where)
    if of_sets is not None:
        of_recordings = join_traces([of_recordings, of_sets.traces])
        problems += of_sets.problems
        classes, notes, no_label = of_sets.classes, of_sets.notes, no_label | of_sets.no_label
    if not (root / TRACES).is_file():
        return Annotations(of_recordings, problems, classes, notes, no_label)
    of_traces = read_traces_csv(root / TRACES, recordings, absent)
    traces = of_traces.traces
    problems += of_traces.problems
    if several and (traces["dimension"] == "emotion").any():
        raise ValueError(
            f"{root / TRACES}: found values of emotion, expected none for task multilabel: labels of "
            f"recordings are columns {PREFIX}<class> of {RECORDINGS}"
        )
    for code in traces.loc[traces["dimension"] == "emotion", "value"].unique():
        if code not in range(len(classes)):
            raise ValueError(f"{root / TRACES}: {_wrong_label(f'{code:g}', 'emotion', classes)}")
    both = join_traces([of_recordings, traces])
    twice = both.duplicated(["recording", "dimension", "rater", "time"])
    if twice.any():
        row = both[twice].iloc[0]
        raise ValueError(
            f"{root / TRACES}: recording '{row['recording']}' has two values of {row['dimension']} by "
            f"'{row['rater']}' at {row['time']} s, expected one"
        )
    return Annotations(both, problems, classes, notes, no_label | of_traces.no_label)


def read_groups(root: Location, column: str, absent: Collection[str] = ABSENT) -> dict[str, str]:
    """Read which group each recording is of, from a column of recordings.csv; empty: not given.

    absent: what stands for not given, too.

    Raises:
        KeyError: there is no such column.
        ValueError: as `text_table`.
    """
    known = [name for name in listed_columns(root) if name and name != "recording"]
    if column not in known:
        raise KeyError(f"{root / RECORDINGS} has no column '{column}', expected some of {', '.join(known)}")
    missing = Absent(absent)
    with text_table(root / RECORDINGS, ("recording", column)) as table:
        return {
            cells["recording"]: ""
            if missing(cells[column], "emotion", cells["recording"])
            else plain(cells[column])
            for _, cells in table
        }


def _required(wanted: Wanted) -> list[str]:
    """Return the columns that must be there."""
    # what is extracted needs a column; with nothing but media both are asked for, so that none is forgotten
    only_media = not wanted.features and TEXT not in wanted.extract
    media = [column for column in ALWAYS if column in wanted.extract or only_media]
    return ["recording", *(["partition"] if wanted.partitions_given else []), "speaker", *media]


def _require_words(table: TextTable, wanted: Wanted) -> None:
    """Refuse a table without the words that are extracted."""
    if TEXT in wanted.extract and TEXT not in table.header and TRANSCRIPT not in table.header:
        raise TableError(
            f"{table.where(1)}: found neither the column {TEXT} (paths of {SUFFIX} files) nor {TRANSCRIPT} "
            f"(words), expected one of them since {TEXT} is under extract"
        )


def _media(wanted: Wanted) -> tuple[str, ...]:
    """Return the columns that name media: those of every manifest, and whatever else is extracted."""
    return tuple(dict.fromkeys((*ALWAYS, *wanted.extract)))


def _partition(cell: str, wanted: Wanted) -> Partition | None:
    """Return the partition that a cell names, `train` where it may be empty; None: it names none."""
    if not cell and not wanted.partitions_given:
        return "train"
    return next((partition for partition in PARTITIONS if partition == cell), None)


def _open(
    root: Location, required: Collection[str], wanted: Wanted = ANY
) -> AbstractContextManager[TextTable]:
    return text_table(
        root / RECORDINGS,
        required,
        names=(*COLUMNS, "emotion", *_media(wanted)),
        as_written=_media(wanted),
        likely=COLUMNS,
        hints={"partition": "; partitions.method cross_validation needs no partition"},
    )


def _classes(found_names: list[str]) -> tuple[str, ...]:
    codes = {name for name in found_names if _is_code(name)}
    names = set(found_names) - codes
    if not names and any(int(code) >= len(EMOTIONS) for code in codes):
        return ordered(codes)  # numbers of the user's own
    if all(name.lower() in EMOTIONS for name in names):
        return EMOTIONS
    return ordered(names | codes)


def _of_codes(cells: Collection[str], classes: tuple[str, ...]) -> list[str]:
    """Say that numbers alone were taken for OMG-Emotion's codes: they may be somebody else's."""
    if not cells or classes != EMOTIONS or not all(_is_code(cell) for cell in cells):
        return []
    read = ", ".join(f"{code} {EMOTIONS[code]}" for code in sorted({int(cell) for cell in cells}))
    return [
        f"{RECORDINGS}: the numbers in the column emotion are read as OMG-Emotion's codes ({read}); if they "
        "are classes of your own, write their names"
    ]


def _is_code(cell: str) -> bool:
    return cell.isascii() and cell.isdigit()


def _code(cell: str, classes: tuple[str, ...]) -> float | None:
    """Return the code of a class by its name or code; None: it is neither."""
    if cell in classes:
        return float(classes.index(cell))
    if cell.lower() in classes:
        return float(classes.index(cell.lower()))
    return float(cell) if _is_code(cell) and int(cell) < len(classes) else None


def _wrong_label(cell: str, dimension: str, classes: tuple[str, ...]) -> str:
    if dimension != "emotion":
        return f"found {dimension} {no_number(cell)}"
    allowed = ", ".join(f"{code} {name}" for code, name in enumerate(classes))
    return f"found emotion '{cell}', expected a name or code out of {allowed}"


def _shared_speakers(recordings: Collection[Recording]) -> list[Problem]:
    """Note speakers that occur in more than one partition: scores would be too good."""
    partitions: dict[str, set[str]] = {}
    for item in recordings:
        partitions.setdefault(item.speaker, set()).add(item.partition)
    return [
        Problem(
            "",
            RECORDINGS,
            f"speaker '{speaker}' is in the partitions {', '.join(sorted(where))}: expected one",
        )
        for speaker, where in sorted(partitions.items())
        if len(where) > 1
    ]


LAYOUT = CorpusLayout(
    expected=f"a file {RECORDINGS} with the columns {', '.join(COLUMNS)}",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
    csv_is_the_list=True,
    read_groups=read_groups,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, with the corpus' words for no label; where a recording may have several, of sets."""
    own = LAYOUT
    if TASKS[corpus.task].several:
        own = replace(
            LAYOUT, several=True, read_traces=partial(read_traces, several=True), parameters=("several",)
        )
    return own.with_absent(corpus.labels.absent)
