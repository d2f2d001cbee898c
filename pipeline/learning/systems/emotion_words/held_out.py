"""Classes of which nothing, or little, may be learned -> the recordings of train and dev that are left out.

Their features reach no scaling, their labels no loss, class weight, stopping or threshold.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.seeding import numpy_stream
from pipeline.learning.systems.emotion_words.recordings import label_matrix
from pipeline.params.emotion_words import EmotionWords

Carried = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""Partition -> recording -> 1 for each class that it carries, (classes,)."""


def carried(data: ExperimentData) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return which classes the labelled recordings of train and dev carry, of all views."""
    found: dict[str, dict[str, NDArray[np.float32]]] = {}
    for view in data.views.values():
        for partition in ("train", "dev"):
            part = view.sequences.partition(partition)
            codes = part.labels if partition == "train" else part.gold
            rows = label_matrix(codes, len(data.classes), data.several)
            known = {n: row for n, row in zip(part.recordings, rows, strict=True) if np.isfinite(row).all()}
            found[partition] = known | found.get(partition, {})
    return found


def left_out(known: Carried, classes: tuple[str, ...], own: EmotionWords) -> frozenset[str]:
    """Return the recordings of train and dev that nothing may be learned from.

    Of `few_shot` the share of a class is drawn from its recordings of each partition, at least one of train.
    """
    gone: set[str] = set()
    for partition, recordings in known.items():
        for name in own.zero_shot:
            code = classes.index(name)
            gone |= {recording for recording, row in recordings.items() if row[code]}
        for name, share in own.few_shot.items():
            code = classes.index(name)
            positives = sorted(recording for recording, row in recordings.items() if row[code])
            count = max(partition == "train", round(share * len(positives)))
            drawn = numpy_stream(0, "few shot", name, partition).permutation(positives)[:count].tolist()
            gone |= set(positives) - set(drawn)
    return frozenset(gone)
