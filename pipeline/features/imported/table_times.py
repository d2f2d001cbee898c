"""Feature tables that came with a corpus -> where their rows lie, held against the recordings' media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.recording import Recording
from pipeline.features.media.inspection import inspect
from pipeline.features.media.opening import KINDS, Kind, MediaError, open_media
from pipeline.features.medium_times import END, OTHER_MEDIUM, disagreement, longest_possible, time_problems
from pipeline.params import Corpus


class RowTimes(NamedTuple):
    """Where the rows of one recording in a table begin and end, seconds, (rows,) each.

    features: the table's name among the modalities. file: relative to the corpus root.
    """

    recording: str
    features: str
    file: str
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def medium_length(item: Recording, corpus: Corpus, reach: float) -> float | None:
    """Return the seconds of a recording's longest medium; None if none is on this machine, or can be read.

    What a file states about its length is believed, unless it is far less than rows `reach`, seconds: then
    the medium is decoded, as for extraction.
    """
    here: dict[Kind, Path] = {}
    for modality in KINDS:
        path = item.medium(modality)
        full = None if path is None else corpus.root / path
        if isinstance(full, Path) and full.is_file():
            here[modality] = full
    if not here:
        return None
    stated = max(_stated(path) for path in here.values())
    if reach <= OTHER_MEDIUM * stated + END:
        return stated
    lengths = [inspect(path, modality, corpus).duration for modality, path in here.items()]
    return max((length for length in lengths if length is not None), default=None)


def _stated(path: Path) -> float:
    try:
        with open_media(path) as container:
            return 0.0 if container.duration is None else container.duration / av.time_base
    except MediaError:
        return 0.0


def against_the_medium(
    times: Sequence[RowTimes], durations: dict[str, float | None]
) -> Iterator[tuple[str, str, str]]:
    """Give recording, file and what is wrong with its rows' times.

    durations: seconds by recording, None where unknown. Recordings that are known by tables only are as long
    as these, held against each other, say; `durations` gets them, unless the tables disagree: then
    no length is known, and there are no labels.
    """
    by_recording: dict[str, list[RowTimes]] = {}
    for rows in times:
        by_recording.setdefault(rows.recording, []).append(rows)
    for recording, tables in by_recording.items():
        duration = durations.get(recording)
        if duration is None and len(tables) > 1:
            ends = {rows.features: float(rows.end[-1]) for rows in tables}
            duration = longest_possible(list(ends.values()))
            wrong = disagreement(ends)
            if wrong is None:
                durations[recording] = duration
            else:
                yield recording, "", wrong
        for rows in tables:
            what = f"features of {rows.features}"
            for problem in time_problems(what, rows.start, rows.end, duration):
                yield recording, rows.file, problem.sentence
