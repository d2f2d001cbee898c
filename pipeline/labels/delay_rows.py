"""Feature tables -> the rows that the search for the delay looks at, bounded in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from pipeline.corpora.recording import Recording
from pipeline.labels.delay_search import RecordingRows
from pipeline.store.rows import Rows

# Rows of a modality that the search for the delay looks at: enough for a smooth curve.
SEARCH_ROWS = 12_000


class Features(Protocol):
    """What the search for the delay asks of a feature table."""

    @property
    def recordings(self) -> list[str]:
        """Recordings that have rows."""

    def count(self, recording: str) -> int:
        """Return the number of rows of a recording, without reading them."""

    def read(self, recording: str) -> Rows:
        """Read the rows of one recording; row k belongs to the label time k * hop."""


def search_rows(
    table: Features, recordings: Mapping[str, Recording], hop: float, alignment: str = "centre"
) -> dict[str, RecordingRows]:
    """Return rows of the given recordings, thinned evenly to about `SEARCH_ROWS` in all.

    Rows that are not valid, and rows whose window was moved inside at an end of the recording and does
    not lie to its label time as the others do, are left out.

    Args:
        table: features of one modality.
        recordings: those that may be looked at, by name.
        hop: seconds.
        alignment: the place of a label time in its window, `centre` or `end`.
    """
    names = sorted(recordings.keys() & set(table.recordings))
    kept = {}
    for name in names:
        rows = table.read(name)
        frames = np.arange(len(rows.start))
        place = rows.end if alignment == "end" else (rows.start + rows.end) / 2
        usable = np.flatnonzero((np.abs(place - frames * hop) < hop / 2) & rows.valid)
        usable = usable[:: max(1, -(-len(frames) * len(names) // SEARCH_ROWS))]
        kept[name] = RecordingRows(recordings[name].speaker, usable, rows.values[usable].astype(np.float64))
    return kept
