"""Predictions and gold standard -> scores.

Regression scores come from audmetric (population moments, divided by N), classification scores from
scikit-learn. Macro averages run over the classes that occur in the gold standard which is scored, so that UAR
is scikit-learn's `balanced_accuracy_score`: a class that nobody shows can be neither right nor wrong, and a
perfect classifier scores 1. Taking an utterance for such a class costs the recall of the class that it has.

Rows whose gold standard is NaN are not scored; a partition without any gold standard scores NaN. A
prediction that is NaN where there is gold standard is an error: leaving it out would flatter the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import audmetric
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

REGRESSION_METRICS = ("ccc", "ccc_per_recording", "pcc", "rmse")
CLASSIFICATION_METRICS = ("f1_macro_pr", "f1_macro", "f1_weighted", "uar", "accuracy")
SET_METRICS = ("wacc", "f1_binary", "f1_weighted_binary", "auc", "hamming", "exact")
METRICS: Mapping[str, tuple[str, ...]] = {
    "regression": REGRESSION_METRICS,
    "classification": CLASSIFICATION_METRICS,
    "multilabel": SET_METRICS,
}


def scored(prediction: ArrayLike, gold: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return prediction and gold standard where there is gold standard, (rows,) each.

    Raises:
        ValueError: lengths differ, or a prediction is NaN or infinite where there is gold standard.
    """
    predicted = np.asarray(prediction, np.float64)
    truth = np.asarray(gold, np.float64)
    if predicted.shape != truth.shape:
        raise ValueError(f"{predicted.size} predictions for {truth.size} values of the gold standard")
    known = ~np.isnan(truth)
    predicted, truth = predicted[known], truth[known]
    if not np.isfinite(predicted).all():
        raise ValueError(f"{(~np.isfinite(predicted)).sum()} of {predicted.size} predictions are not finite")
    return predicted, truth


def ccc(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the concordance correlation coefficient with population moments (Lin 1989).

    A constant against anything else gives 0; fewer than two rows, or two equal constants, NaN.
    DOI 10.2307/2532051.

    Raises:
        ValueError: see `scored`.
    """
    predicted, truth = scored(prediction, gold)
    return float(audmetric.concordance_cc(truth, predicted))


def pcc(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return Pearson's correlation coefficient; NaN if either side is constant or shorter than two rows.

    Raises:
        ValueError: see `scored`.
    """
    predicted, truth = scored(prediction, gold)
    if truth.size == 0 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(audmetric.pearson_cc(truth, predicted))


def rmse(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the root of the mean squared error, in units of the gold standard; NaN without rows.

    Raises:
        ValueError: see `scored`.
    """
    predicted, truth = scored(prediction, gold)
    if truth.size == 0:
        return float("nan")
    return float(np.sqrt(audmetric.mean_squared_error(truth, predicted)))


def ccc_per_recording(prediction: ArrayLike, gold: ArrayLike, recording: ArrayLike) -> float:
    """Return the mean over recordings of the CCC within each.

    Recordings whose CCC is undefined (no gold standard, equal constants) are left out of the mean; NaN
    if none is left. prediction, gold, recording: (rows,).

    Raises:
        ValueError: see `scored`.
    """
    predicted, truth, names = np.asarray(prediction), np.asarray(gold), np.asarray(recording)
    values = np.array([ccc(predicted[names == name], truth[names == name]) for name in np.unique(names)])
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def score_regression(prediction: ArrayLike, gold: ArrayLike, recording: ArrayLike) -> dict[str, float]:
    """Return every score of `REGRESSION_METRICS`; prediction, gold, recording: (rows,)."""
    return {
        "ccc": ccc(prediction, gold),
        "ccc_per_recording": ccc_per_recording(prediction, gold, recording),
        "pcc": pcc(prediction, gold),
        "rmse": rmse(prediction, gold),
    }


def f1_macro_pr(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the harmonic mean of macro precision and macro recall, the paper's F1 (section 4.3).

    It differs from `f1_macro`, the mean of the classes' F1 (Opitz and Burst, arXiv 1911.03347). Of a class
    that is never predicted the precision counts as 0.
    """
    predicted, truth = scored(prediction, gold)
    if truth.size == 0:
        return float("nan")
    chosen = {"labels": np.unique(truth), "average": "macro", "zero_division": 0}
    precision = float(precision_score(truth, predicted, **chosen))
    recall = float(recall_score(truth, predicted, **chosen))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def f1_macro(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the mean of the classes' F1."""
    return _sklearn(f1_score, prediction, gold, "macro")


def f1_weighted(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the mean of the classes' F1, weighted by their share of the gold standard."""
    return _sklearn(f1_score, prediction, gold, "weighted")


def uar(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the unweighted average recall."""
    return _sklearn(recall_score, prediction, gold, "macro")


def accuracy(prediction: ArrayLike, gold: ArrayLike) -> float:
    """Return the share of utterances whose class is right; NaN without rows."""
    predicted, truth = scored(prediction, gold)
    return float(accuracy_score(truth, predicted)) if truth.size else float("nan")


def score_classification(prediction: ArrayLike, gold: ArrayLike) -> dict[str, float]:
    """Return every score of `CLASSIFICATION_METRICS`; prediction, gold: class codes, (rows,)."""
    return {
        "f1_macro_pr": f1_macro_pr(prediction, gold),
        "f1_macro": f1_macro(prediction, gold),
        "f1_weighted": f1_weighted(prediction, gold),
        "uar": uar(prediction, gold),
        "accuracy": accuracy(prediction, gold),
    }


def _sklearn(score: Callable[..., float], prediction: ArrayLike, gold: ArrayLike, average: str) -> float:
    predicted, truth = scored(prediction, gold)
    if truth.size == 0:
        return float("nan")
    return float(score(truth, predicted, labels=np.unique(truth), average=average, zero_division=0))
