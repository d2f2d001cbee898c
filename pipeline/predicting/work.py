"""One file -> its rows of the table: what each process of `emobed predict` does."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.features.media.opening import MediaError
from pipeline.learning.speaker_statistics import Values
from pipeline.predicting.block import NUMBER, Block, Column, missing
from pipeline.predicting.hop import on_hop
from pipeline.predicting.inputs import TEXT
from pipeline.predicting.medium import Failure, Medium, Part
from pipeline.predicting.parts import Features, features_of_nothing
from pipeline.predicting.side_by_side import Plan, beside, fused, named
from pipeline.recogniser.error import RecogniserError
from pipeline.running.errors import one_line, unusable

if TYPE_CHECKING:
    from pipeline.recogniser.enrolment import Enrolment
    from pipeline.recogniser.prediction import Prediction
    from pipeline.recogniser.recogniser import Recogniser


MOST = 3
"""Reasons that are named for one file."""


@dataclass(frozen=True)
class Work:
    """What all files of a run share.

    folders: of the recognisers. cells: names of the columns that tables brought along. hop: on which traces
    are wanted, seconds; None: on their own. embeddings: whether they are wanted too. plots: folder for
    pictures; None: none. enrolment: what is known of the speaker of all files; None: nothing. text: whether
    a recogniser reads transcripts.
    """

    folders: tuple[Path, ...]
    plan: Plan
    cells: tuple[str, ...] = ()
    hop: float | None = None
    device: str = "cpu"
    embeddings: bool = False
    plots: Path | None = None
    enrolment: Enrolment | None = None
    text: bool = False


class Outcome(NamedTuple):
    """What became of a file.

    blocks: a block for each table; none: it has no rows. problems: what failed. stamp: of the file as it was
    read.
    """

    medium: Medium
    blocks: tuple[Block, ...]
    problems: tuple[Failure, ...] = ()
    stamp: tuple[int, ...] = ()


@dataclass
class _Side:
    """What one recogniser says of one part. columns, embeddings: by their names in the table."""

    start: np.ndarray[Any, Any]
    end: np.ndarray[Any, Any]
    columns: dict[str, Column]
    embeddings: dict[str, Column] = field(default_factory=dict)


def predict_medium(work: Work, medium: Medium) -> Outcome:
    """Predict a file with all recognisers, as far as it can be.

    Rows of a file that somebody wrote on meanwhile are of nothing that there was, and are not given.

    Raises:
        NotReadyError, RecogniserError: what would meet every file.
    """
    before = stamp_of(work, medium)
    outcome = _predicted(work, medium)
    if stamp_of(work, medium) != before:
        return Outcome(medium, (), (Failure(medium.name, "was changed while it was read; predict it again"),))
    return outcome._replace(stamp=before)


def stamp_of(work: Work, medium: Medium) -> tuple[int, ...]:
    """Return what tells one state of a file from another: length, time of change, what a table says of it.

    Where a recogniser reads transcripts, that beside it counts too. A file that is not there has zeros.
    """
    said = zlib.crc32(repr((medium.name, medium.parts)).encode()) if medium.parts != (Part(),) else 0
    stamp: tuple[int, ...] = ()
    for path in [medium.path, *([medium.path.with_suffix(TEXT)] if work.text else [])]:
        try:
            found = path.stat()
        except OSError:
            stamp += (0, 0)
        else:
            stamp += (found.st_size, found.st_mtime_ns)
    return (*stamp, said)


def _predicted(work: Work, medium: Medium) -> Outcome:
    recognisers = [loaded(folder, work.device) for folder in work.folders]
    features = Features(medium, recognisers[0].device)
    blocks: list[tuple[Block, ...]] = []
    reasons: list[str] = []
    for part in medium.parts:
        sides: list[_Side | None] = []
        failed: dict[str, list[str]] = {}
        for place, recogniser in enumerate(recognisers):
            try:
                sides.append(_side(work, place, recogniser, features, part))
            except Exception as error:  # noqa: BLE001  (whatever a decoder throws is about this file)
                failed.setdefault(reason_of(medium.path, error), []).append(work.plan.names[place])
                sides.append(None)
        reasons += [_where(part) + _who(names, sides) + reason for reason, names in failed.items()]
        if any(side is not None for side in sides):
            blocks.append(_blocks(work, medium, part, recognisers, sides))
    reasons = list(dict.fromkeys(reasons))  # two raters of one part
    more = f"; and {len(reasons) - MOST} more" if len(reasons) > MOST else ""
    problems = (Failure(medium.name, "; ".join(reasons[:MOST]) + more),) if reasons else ()
    if not blocks:
        return Outcome(medium, (), problems)
    whole = tuple(Block.joined(own) for own in zip(*blocks, strict=True))
    if work.plots is not None:
        from pipeline.predicting.plots import draw

        shown = [(name, own.classes) for name, own in zip(work.plan.names, recognisers, strict=True)]
        shown += [(fusion.name, fusion.classes) for fusion in work.plan.fusions]
        draw(whole[0], shown, work.plots, medium.name)
    return Outcome(medium, whole, problems)


@lru_cache(maxsize=64)
def loaded(folder: Path, device: str) -> Recogniser:
    """Return a recogniser, read once per process."""
    from pipeline.recogniser.recogniser import Recogniser
    from pipeline.running.device import resolve

    return Recogniser.load(folder, device=resolve(device))


def _side(work: Work, place: int, recogniser: Recogniser, features: Features, part: Part) -> _Side:
    rows = features.of(recogniser, part)
    enrolment = _enrolment(work, recogniser)
    prediction = recogniser.predict_rows(rows, enrolment)
    side = _Side(
        prediction.start, _known_end(prediction, part), _columns(work, place, recogniser, prediction)
    )
    if work.embeddings:
        side.embeddings = _embeddings(work, place, recogniser, rows, enrolment)
    hop = recogniser.corpus.grid.hop
    if work.hop is not None and hop is not None:
        side.columns = on_hop(side.columns, hop, work.hop)
        if side.embeddings:
            side.embeddings = on_hop(side.embeddings, hop, work.hop)
        side.start = np.arange(len(next(iter(side.columns.values())).values)) * work.hop
        side.end = side.start + work.hop
    return side


def _enrolment(work: Work, recogniser: Recogniser) -> Any:
    """Return what a recogniser takes of the speaker: by modality, nothing for a stranger."""
    if not recogniser.models.by_speaker:
        return None
    if work.enrolment is not None:
        return work.enrolment.of(recogniser.models)
    # once for all files the command says that a stranger is predicted
    logging.getLogger(type(recogniser.models).__module__).setLevel(logging.ERROR)
    return []


def _known_end(prediction: Prediction, part: Part) -> Any:
    """Return the ends of the rows; of an utterance of unknown length that of its part."""
    unknown = np.nan if part.end is None else part.end - part.start
    return np.where(np.isnan(prediction.end), unknown, prediction.end)


def _columns(work: Work, place: int, recogniser: Recogniser, prediction: Prediction) -> dict[str, Column]:
    table = prediction.table("", recogniser.dimension, recogniser.classes)
    columns = {str(name): Column.of(table[name].to_numpy()) for name in table.columns}
    name, alone = work.plan.names[place], len(work.folders) == 1
    return named(columns, recogniser.dimension, name, alone)


def _embeddings(
    work: Work, place: int, recogniser: Recogniser, rows: Mapping[str, Any], enrolment: Any
) -> dict[str, Column]:
    """Return a column for each seed and value of the embedding, `<seed>.<place>`."""
    target = recogniser.needed[0]
    own = enrolment.get(target) if isinstance(enrolment, Mapping) else enrolment
    vectors = recogniser.models.embed(rows[target], target, enrolment=own)
    start = "" if len(work.folders) == 1 else f"{work.plan.names[place]}."
    return {
        f"{start}{seed}.{number}": Column(NUMBER, vectors[row, :, number])
        for row, seed in enumerate(recogniser.description.seeds)
        for number in range(vectors.shape[2])
    }


def _blocks(
    work: Work, medium: Medium, part: Part, recognisers: list[Recogniser], sides: list[_Side | None]
) -> tuple[Block, ...]:
    """Return the rows of a part: all recognisers side by side, missing where one failed or ends earlier."""
    there = [side for side in sides if side is not None]
    longest = max(there, key=lambda side: (len(side.start), float(np.nan_to_num(side.end[-1]))))
    start, end = longest.start + part.start, longest.end + part.start
    columns: dict[str, Column] = {}
    embeddings: dict[str, Column] = {}
    for place, side in enumerate(sides):
        if side is None:
            side = _nothing(work, place, recognisers[place], len(start))
        columns |= {name: column.padded(len(start)) for name, column in side.columns.items()}
        embeddings |= {name: column.padded(len(start)) for name, column in side.embeddings.items()}
    for fusion in work.plan.fusions:
        columns |= fused(columns, fusion)
    names = beside(work.cells, columns)
    cells = {names[name]: cell for name, cell in zip(work.cells, part.given, strict=True)}
    tables = [(columns, cells)] + ([(embeddings, {})] if work.embeddings else [])
    return tuple(Block.indexed(medium.name, start, end, each, other) for each, other in tables)


def _nothing(work: Work, place: int, recogniser: Recogniser, rows: int) -> _Side:
    """Return the columns of a recogniser that failed, with missing values."""
    known = _columns_of(work.folders[place], work.device, place, replace(work, plots=None, enrolment=None))
    columns, embeddings = (
        {name: Column(kind, missing(kind, rows)) for name, kind in kinds} for kinds in known
    )
    return _Side(np.zeros(rows), np.zeros(rows), columns, embeddings)


@lru_cache(maxsize=64)
def _columns_of(folder: Path, device: str, place: int, work: Work) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return name and kind of the columns of a recogniser, and of its embeddings."""
    recogniser = loaded(folder, device)
    rows = features_of_nothing(recogniser)
    # as if of a known speaker: for a stranger models give a warning, which is about recordings
    known = {name: [Values(own.values, own.valid)] for name, own in rows.items()}
    columns = _columns(work, place, recogniser, recogniser.predict_rows(rows, known))
    embeddings = _embeddings(work, place, recogniser, rows, known) if work.embeddings else {}
    kinds = [tuple((name, own.kind) for name, own in each.items()) for each in (columns, embeddings)]
    return tuple(kinds)


def _who(failed: list[str], sides: list[_Side | None]) -> str:
    """Name the recognisers that failed, unless all did."""
    return "" if len(failed) == len(sides) else f"{', '.join(failed)}: "


def _where(part: Part) -> str:
    """Name a part of a file; the whole file has no name of its own."""
    if part.whole:
        return ""
    return f"from {part.start:g} s" + ("" if part.end is None else f" to {part.end:g} s") + ": "


def reason_of(path: Path, error: Exception) -> str:
    """Return why a file cannot be predicted, without its path.

    Raises:
        Exception: what would meet every file.
    """
    from pipeline.features.extraction.outcomes import of_the_recording

    if not of_the_recording(error) or isinstance(error, RecogniserError):
        raise error
    said = str(error) if isinstance(error, MediaError) else unusable(error)
    return one_line(said.removeprefix(f"{path}: "))
