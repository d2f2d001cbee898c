"""Aligned labels as a table -> the labels of each recording, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.recording import Recording
from pipeline.learning.sequences import MISSING


@dataclass(frozen=True)
class FrameLabels:
    """The labels of one recording, (frames,) each; NaN or, in `classes`, `MISSING` where there is none.

    label: codes of sets of classes are float64.
    """

    gold_standard: NDArray[np.float64]
    label: NDArray[np.float32] | NDArray[np.float64]
    classes: NDArray[np.int64]


def frame_labels(labels: pd.DataFrame, dimension: str, several: bool = False) -> dict[str, FrameLabels]:
    """Return the labels of a dimension by recording, sorted by time.

    labels: with the columns recording, dimension, time, gold_standard, label, triplet_class. several: they
    are codes of sets, which single precision does not hold.
    """
    kind = np.float64 if several else np.float32
    chosen = labels[labels["dimension"] == dimension].sort_values(["recording", "time"], kind="stable")
    return {
        str(name): FrameLabels(
            rows["gold_standard"].to_numpy(np.float64),
            rows["label"].to_numpy(kind),
            rows["triplet_class"].fillna(MISSING).to_numpy(np.int64),
        )
        for name, rows in chosen.groupby("recording", sort=True)
    }


def other_labels(
    labels: pd.DataFrame, dimension: str, recordings: Sequence[Recording]
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return the labels of all other dimensions, of recordings of train and no other partition."""
    train = {item.recording for item in recordings if item.partition == "train"}
    known = labels[labels["recording"].isin(train) & (labels["dimension"] != dimension)]
    return {
        str(name): {
            recording: own.label.astype(np.float32)
            for recording, own in frame_labels(known, str(name)).items()
        }
        for name in sorted(known["dimension"].unique())
    }
