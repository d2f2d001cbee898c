"""Gold standards at label times -> labels of one fold, shifted by the delay, with classes for triplets."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.recording import Recording
from pipeline.features.grid import label_times, seconds_to_frames
from pipeline.labels.classes import classes_of, fit_thresholds
from pipeline.labels.delay import shift
from pipeline.labels.delay_rows import Features, search_rows
from pipeline.labels.delay_search import DelayEstimate, estimate_delay
from pipeline.labels.gold_by_recording import GoldStandards
from pipeline.labels.label_file import delay_facts
from pipeline.params import Corpus
from pipeline.paths import Paths

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


def labels_of_traces(
    corpus: Corpus,
    paths: Paths,
    recordings: Mapping[str, Recording],
    gold: GoldStandards,
    lengths: Mapping[str, int],
    features: Mapping[Any, Features] | None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of `labels.parquet` and the facts beside them.

    Args:
        corpus: its parameters.
        paths: of the fold.
        recordings: all of the fold by name; thresholds are fitted on train, the delay is estimated on train
            and dev.
        gold: gold standards whose labels are seen.
        lengths: label times by recording, where its feature tables say it.
        features: feature tables by what scenarios call them, for `annotation_delay: estimate`.

    Raises:
        ValueError: no recording of train has labels of a dimension, or there is nothing to estimate on.
    """
    hop = hop_of(corpus, paths)
    delay = corpus.labels.annotation_delay
    found = None
    if delay == "estimate":
        found = _estimate(corpus, paths, recordings, gold, features or {}, hop)
        delay = found.seconds
        logger.info(
            "annotation_delay of %s: %.2f s found on train and dev (standard error %.2f s), used: %.2f s",
            " ".join(filter(None, (paths.corpus, paths.fold))),
            found.seconds,
            found.standard_error,
            seconds_to_frames(delay, hop) * hop,
        )
    frames = seconds_to_frames(delay, hop)
    parts, thresholds = [], {}
    for dimension in corpus.dimensions:
        values = gold.values[dimension]
        labels = {name: shift(value, frames)[: lengths.get(name)] for name, value in values.items()}
        labels = {name: label for name, label in labels.items() if np.isfinite(label).any()}
        train = [label for name, label in labels.items() if recordings[name].partition == "train"]
        if not train:
            wrong = [text for texts in gold.problems[dimension].values() for text in texts]
            why = f"; {wrong[0]} ({len(gold.problems[dimension])} recordings)" if wrong else ""
            raise ValueError(
                f"corpora.{paths.corpus}: no recording of train has {dimension}, expected labels to learn"
                f"{why}"
            )
        thresholds[dimension] = fit_thresholds(np.concatenate(train), corpus.labels.triplet_classes)
        for name, label in labels.items():
            rows = _rows(recordings[name], dimension, hop, values[name][: len(label)], label)
            classes = pd.Series(classes_of(label, thresholds[dimension]))
            unknown = np.isnan(label)
            rows["triplet_class"] = classes.astype("Int64").mask(unknown) if unknown.any() else classes
            parts.append(rows)
    facts = {
        "annotation_delay": delay_facts(frames, hop, found),
        "thresholds": {dimension: list(values) for dimension, values in thresholds.items()},
        "problems": gold.problems,
        "rater_weights": gold.weights,
        "mean_rater_weights": {
            dimension: _mean_weights(weights) for dimension, weights in gold.weights.items()
        },
    }
    return pd.concat(parts, ignore_index=True), facts


def _estimate(
    corpus: Corpus,
    paths: Paths,
    recordings: Mapping[str, Recording],
    gold: GoldStandards,
    features: Mapping[Any, Features],
    hop: float,
) -> DelayEstimate:
    """Search the delay on train and dev: what is tuned on test does not generalise."""
    seen = {name: item for name, item in recordings.items() if item.partition != "test"}
    values = {
        dimension: {name: value for name, value in traces.items() if name in seen}
        for dimension, traces in gold.values.items()
    }
    labelled = {name for traces in values.values() for name in traces}
    usable = {name: item for name, item in seen.items() if name in labelled}
    place = corpus.grid.alignment
    rows = {modality: search_rows(table, usable, hop, place) for modality, table in features.items()}
    try:
        return estimate_delay(rows, values, hop, seconds_to_frames(corpus.labels.max_delay, hop))
    except ValueError as error:
        raise ValueError(f"corpora.{paths.corpus}.labels.annotation_delay: {error}") from None


def _rows(item: Recording, dimension: str, hop: float, gold_standard: Array, label: Array) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recording": item.recording,
            "partition": item.partition,
            "speaker": item.speaker,
            "dimension": dimension,
            "time": label_times((len(label) - 1) * hop, hop),
            "gold_standard": gold_standard,
            "label": label,
        }
    )


def _mean_weights(weights: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    raters = sorted({rater for shares in weights.values() for rater in shares})
    means = {
        rater: np.mean([shares[rater] for shares in weights.values() if rater in shares]) for rater in raters
    }
    return {rater: round(float(mean), 6) for rater, mean in means.items()}


def hop_of(corpus: Corpus, paths: Paths) -> float:
    """Return the seconds between label times.

    Raises:
        ValueError: the parameters name none.
    """
    if corpus.grid.hop is None:
        raise ValueError(f"corpora.{paths.corpus}.grid.hop: found null, expected seconds for task regression")
    return corpus.grid.hop
