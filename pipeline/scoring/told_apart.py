"""Embeddings of two modalities -> how well a linear classifier tells which modality one is of.

Encoders into one space have done their work where it cannot: .5 is chance, 1 means two spaces side by side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
"""Of the cross-validation by speaker; fewer where there are fewer speakers."""


def told_apart(one: NDArray[np.floating], other: NDArray[np.floating], *speakers: ArrayLike) -> float:
    """Return the balanced accuracy of telling two modalities apart for speakers never seen.

    one, other: embeddings, (rows, E). speakers: of the rows of `one`, and of those of `other`. A linear
    discriminant with shrunken covariance (Ledoit and Wolf), fitted on standardised embeddings of the other
    folds of speakers. NaN with fewer than two speakers, or where no fold has both modalities to learn from.
    """
    values = np.concatenate((one, other)).astype(np.float64)
    modality = np.repeat([0, 1], [len(one), len(other)])
    groups = np.concatenate([np.asarray(own, dtype=object) for own in speakers]).astype(str)
    folds = min(FOLDS, len(np.unique(groups)))
    if folds < 2:
        return float("nan")
    tested, predicted = [], []
    for train, test in GroupKFold(folds).split(values, modality, groups):
        if len(np.unique(modality[train])) < 2:
            continue
        model = make_pipeline(
            StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
        )
        predicted.append(model.fit(values[train], modality[train]).predict(values[test]))
        tested.append(modality[test])
    if not tested or len(np.unique(np.concatenate(tested))) < 2:
        return float("nan")
    return float(balanced_accuracy_score(np.concatenate(tested), np.concatenate(predicted)))
