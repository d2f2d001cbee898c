"""Classes of utterances, and what the corpus says of their arousal and valence -> labels of one fold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.corpora.interface import GOLD
from pipeline.corpora.recording import Recording
from pipeline.labels.gold_by_recording import require
from pipeline.labels.label_file import delay_facts
from pipeline.params import Corpus
from pipeline.paths import Paths

BESIDE = ("arousal", "valence")
"""Dimensions that utterances may have beside their class."""


def labels_of_utterances(
    corpus: Corpus, paths: Paths, recordings: Mapping[str, Recording], traces: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of `labels.parquet` and the facts beside them; classes serve for triplets too.

    traces: of recordings whose labels are seen.

    Raises:
        ValueError: a gold standard of raters is asked for, or no utterance has a class.
    """
    if corpus.labels.gold_standard != "given":
        raise ValueError(
            f"corpora.{paths.corpus}.labels.gold_standard: found raters, expected given for task "
            f"{corpus.task}: classes are not weighted by CCC"
        )
    chosen = traces[traces["dimension"] == "emotion"]
    require(paths, "emotion", chosen, given=True)
    chosen = chosen[chosen["rater"] == GOLD].drop_duplicates("recording")
    codes = chosen["value"].astype(np.int64).astype("Int64")
    table = pd.concat(
        [
            _utterances(chosen, "emotion", recordings).assign(triplet_class=codes.to_numpy()),
            *(_utterances(numbers_of_utterances(traces, name), name, recordings) for name in BESIDE),
        ],
        ignore_index=True,
    )
    classes = json.loads((paths.traces / "classes.json").read_text(encoding="utf-8"))
    facts = {
        "classes": classes,
        "annotation_delay": delay_facts(0, 0.0, None),
        "thresholds": {},
        "rater_weights": {},
        "mean_rater_weights": {},
    }
    return table, facts


def numbers_of_utterances(traces: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """Return the rows of utterances that have one number for a dimension; a trace is none of an utterance."""
    chosen = traces[(traces["dimension"] == dimension) & (traces["rater"] == GOLD)]
    return chosen[np.isfinite(chosen["value"]) & ~chosen["recording"].duplicated(keep=False)]


def _utterances(chosen: pd.DataFrame, dimension: str, recordings: Mapping[str, Recording]) -> pd.DataFrame:
    """Return one row per utterance, without a class for triplets."""
    items = [recordings[str(name)] for name in chosen["recording"]]
    return pd.DataFrame(
        {
            "recording": [item.recording for item in items],
            "partition": [item.partition for item in items],
            "speaker": [item.speaker for item in items],
            "dimension": dimension,
            "time": 0.0,
            "gold_standard": chosen["value"].to_numpy(),
            "label": chosen["value"].to_numpy(),
            "triplet_class": pd.array([pd.NA] * len(items), dtype="Int64"),
        }
    )


def require_two_classes(paths: Paths, table: pd.DataFrame) -> None:
    """Refuse a draw of labelled speakers from whom no class can be told from another.

    Raises:
        ValueError: all utterances of train whose class is seen have the same.
    """
    train = table[(table["partition"] == "train") & (table["dimension"] == "emotion")]
    if train["label"].nunique() < 2:
        raise ValueError(
            f"corpora.{paths.corpus}{f', {paths.fold}' if paths.fold else ''}: the "
            f"{train['speaker'].nunique()} speakers of train whose labels are seen have one label, expected "
            "two or more; take a larger partitions.label_shares or partitions.labelled_speakers, or another "
            "partitions.label_seed"
        )
