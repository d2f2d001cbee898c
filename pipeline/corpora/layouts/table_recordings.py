"""recordings.csv of own media -> recordings, their speakers, partitions and files; a wrong cell is named."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path

from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import ANY, Listing, Wanted
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import ALWAYS, PARTITIONS, Medium, Partition, Recording
from pipeline.corpora.spelling import Spelling
from pipeline.corpora.text_table import TableError, TextTable, text_table
from pipeline.corpora.transcripts import SUFFIX, TEXT, TRANSCRIPT, cell, not_a_file
from pipeline.location import Location

RECORDINGS = "recordings.csv"
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
    with open_recordings(root, _required(wanted), wanted) as table:
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
    with open_recordings(root, ()) as table:
        return table.header


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


def open_recordings(
    root: Location, required: Collection[str], wanted: Wanted = ANY
) -> AbstractContextManager[TextTable]:
    """Open recordings.csv.

    Raises:
        ValueError: as `text_table`, which says what is wrong when it is closed.
    """
    return text_table(
        root / RECORDINGS,
        required,
        names=(*COLUMNS, "emotion", *_media(wanted)),
        as_written=_media(wanted),
        likely=COLUMNS,
        hints={"partition": "; partitions.method cross_validation needs no partition"},
    )


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
