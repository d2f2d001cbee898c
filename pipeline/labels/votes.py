"""Raters of train -> which share of them saw which class of the triplet loss: `votes.parquet`.

A trace votes at each label time for the class that its value, moved by the annotation delay like the labels,
has by the thresholds of the gold standard; of utterances with classes a rater votes for the class that was
named, or in equal parts for several. The table is there only where a corpus keeps its raters. It holds
recordings of train whose labels are seen, and no others: what they say of dev, test or of hidden labels
reaches nothing.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.interface import GOLD
from pipeline.labels.classes import classes_of
from pipeline.labels.delay import shift
from pipeline.labels.resampling import resample
from pipeline.paths import Paths

logger = logging.getLogger(__name__)

SCHEMA = pa.schema(
    [
        ("recording", pa.string()),
        ("dimension", pa.string()),
        ("frame", pa.int64()),
        ("triplet_class", pa.int64()),
        ("share", pa.float64()),
    ]
)
"""One row per recording, dimension, frame of the label table, and class with votes; shares add up to 1."""


def votes_of_utterances(traces: pd.DataFrame, recordings: Sequence[str]) -> pd.DataFrame:
    """Return the votes of raters on the classes of utterances.

    traces: as registered. recordings: whose votes are wanted; those without a rater have none.
    """
    chosen = traces[(traces["dimension"] == "emotion") & (traces["rater"] != GOLD)]
    chosen = chosen[chosen["recording"].isin(recordings)].astype({"recording": str, "rater": str})
    # who names several classes has one vote as well
    each = 1 / chosen.groupby(["recording", "rater"])["value"].transform("size")
    votes = chosen.assign(votes=each).groupby(["recording", "value"], as_index=False)["votes"].sum()
    return pd.DataFrame(
        {
            "recording": votes["recording"],
            "dimension": "emotion",
            "frame": 0,
            "triplet_class": votes["value"].astype(np.int64),
            "share": votes["votes"] / votes.groupby("recording")["votes"].transform("sum"),
        }
    )


def votes_of_traces(
    traces: pd.DataFrame,
    dimension: str,
    labels: Mapping[str, NDArray[np.float64]],
    thresholds: tuple[float, ...],
    hop: float,
    delay_frames: int,
    max_gap: float,
) -> pd.DataFrame:
    """Return the votes of rater traces of one dimension.

    A rater without a value at a time has no vote there.

    Args:
        traces: as registered.
        dimension: of the traces.
        labels: of the recordings wanted, (frames,) each; where there is none there are no votes.
        thresholds: between the classes, rising.
        hop: distance of label times, seconds.
        delay_frames: by which labels were moved.
        max_gap: as of the labels, seconds.
    """
    chosen = traces[(traces["dimension"] == dimension) & (traces["rater"] != GOLD)]
    chosen = chosen[chosen["recording"].isin(labels)]
    parts = [pd.DataFrame({name: [] for name in SCHEMA.names})]
    for recording, own in chosen.groupby("recording", observed=True, sort=True):
        label = labels[str(recording)]
        counts = np.zeros((len(label), len(thresholds) + 1))
        for rater, trace in own.groupby("rater", observed=True):
            try:
                value = resample(trace["time"].to_numpy(), trace["value"].to_numpy(), hop, max_gap)
            except ValueError as error:  # of this rater: the others have votes
                logger.warning("%s: %s of rater %s has no votes: %s", recording, dimension, rater, error)
                continue
            value = shift(value, delay_frames)[: len(label)]
            frames = np.flatnonzero(np.isfinite(value))
            counts[frames, classes_of(value[frames], thresholds)] += 1
        counts[~np.isfinite(label)] = 0
        frames, classes = np.nonzero(counts)
        parts.append(
            pd.DataFrame(
                {
                    "recording": str(recording),
                    "dimension": dimension,
                    "frame": frames,
                    "triplet_class": classes,
                    "share": counts[frames, classes] / counts.sum(axis=1)[frames],
                }
            )
        )
    return pd.concat(parts[1:] or parts, ignore_index=True)


def write_votes(paths: Paths, votes: pd.DataFrame) -> None:
    """Write the votes of one fold beside its labels; without any there is no file."""
    if votes.empty:
        paths.vote_table.unlink(missing_ok=True)
        return
    table = pa.Table.from_pandas(votes, schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_if_changed(paths.vote_table, buffer.getvalue())
