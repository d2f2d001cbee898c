"""Predicted and true sets of labels, and scores of classes -> the metrics of utterances with several labels.

Means run over classes: of the weighted accuracy and the area under the curve those with present and absent
labels in the gold standard that is scored, of F1 those with a present one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from pipeline.corpora.label_sets import matrix_of
from pipeline.scoring.metrics import scored
from pipeline.scoring.set_counts import (
    f1_binary,
    f1_weighted_by_class,
    hamming_accuracy,
    mean_over_classes,
    wacc,
)


def set_counts(prediction: ArrayLike, gold: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Return the counts of answers by class, (classes, 2, 2); see `pipeline.scoring.set_counts`.

    prediction, gold: codes of sets, (rows,); rows without gold standard are left out.

    Raises:
        ValueError: see `pipeline.scoring.metrics.scored`.
    """
    predicted, truth = scored(prediction, gold)
    # not scikit-learn's, which takes a single class for two
    answers = [np.stack((~own, own), axis=-1).astype(np.float64) for own in (
        matrix_of(truth, classes), matrix_of(predicted, classes)
    )]  # fmt: skip
    return np.asarray(np.einsum("rcg,rcp->cgp", *answers))


def auc_by_class(scores: NDArray[np.float64], gold: ArrayLike) -> NDArray[np.float64]:
    """Return the area under the receiver operating characteristic of each class, (classes,).

    NaN for a class without present or absent labels. scores: (rows, classes). gold: codes, (rows,), all
    known.
    """
    return areas(scores, matrix_of(gold, scores.shape[1]))


def areas(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what `auc_by_class` does; scores, truth: (rows, classes)."""
    return np.array(
        [
            roc_auc_score(own, values) if own.any() and not own.all() else np.nan
            for own, values in zip(truth.T, scores.T, strict=True)
        ]
    )


def score_sets(prediction: ArrayLike, gold: ArrayLike, scores: NDArray[np.float64]) -> dict[str, float]:
    """Return every score of `SET_METRICS`; prediction, gold: codes of sets, (rows,). scores: (rows, classes).

    Raises:
        ValueError: see `pipeline.scoring.metrics.scored`; or a score is not finite where there is gold
        standard.
    """
    predicted, truth = scored(prediction, gold)
    if not truth.size:
        return dict.fromkeys(("wacc", "f1_binary", "f1_weighted_binary", "auc", "hamming", "exact"), np.nan)
    known = np.isfinite(np.asarray(gold, np.float64))
    if not np.isfinite(scores[known]).all():
        raise ValueError(f"{(~np.isfinite(scores[known])).sum()} scores of classes are not finite")
    counts = set_counts(predicted, truth, scores.shape[1])
    return {
        "wacc": float(wacc(counts)),
        "f1_binary": float(f1_binary(counts)),
        "f1_weighted_binary": float(mean_over_classes(f1_weighted_by_class(counts))),
        "auc": float(mean_over_classes(auc_by_class(scores[known], truth))),
        "hamming": float(hamming_accuracy(counts)),
        "exact": float((predicted == truth).mean()),
    }
