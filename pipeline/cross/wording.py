"""What differs between the corpus that a recogniser learnt from and the one it is scored on, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.cross.gold import Gold
from pipeline.cross.scale import Scales, far_apart, in_words, label_range_of
from pipeline.cross.scores import Predicted
from pipeline.params import Corpus
from pipeline.paths import Paths

if TYPE_CHECKING:
    from pipeline.recogniser.recogniser import Recogniser

FEW = 5
"""Recordings that are named."""


def class_sentences(known: Sequence[str], gold: Gold, corpus: str, several: bool = False) -> list[str]:
    """Say which classes are scored, where the lists differ.

    known: the recogniser's. several: an utterance may have any number of them.
    """
    if not gold.classes:
        return []
    said = []
    if several:
        rest = [name for name in known if name not in gold.classes]
        if rest:
            said.append(f"{corpus} has no label {', '.join(rest)}")
        if gold.other_classes:
            said.append(f"the recogniser does not know {', '.join(gold.other_classes)} of {corpus}")
        common = f"the {len(gold.classes)} labels in common are scored ({', '.join(gold.classes)})"
        return [f"{'; '.join(said)}: {common}"] if said else []
    if len(gold.classes) < len(known):
        rest = [name for name in known if name not in gold.classes]
        said.append(
            f"{corpus} has no {', '.join(rest)}: the recogniser chooses among the {len(gold.classes)} "
            f"classes in common ({', '.join(gold.classes)}), chance is a UAR of {1 / len(gold.classes):.3f}"
        )
    if gold.left_out:
        said.append(
            f"{gold.left_out} recordings of {corpus} have a class that the recogniser does not know "
            f"({', '.join(gold.other_classes)}) and are not scored"
        )
    return said


def mapped_sentence(corpus: str, scales: Scales) -> str:
    """Say that labels are not as the corpus has them."""
    (low, high), (own_low, own_high) = scales
    return (
        f"labels of {corpus} are mapped from its scale of {low:g} to {high:g} to that of the recogniser, "
        f"{own_low:g} to {own_high:g}"
    )


def scale_sentences(
    found: Sequence[Predicted],
    training: Paths,
    recogniser: Recogniser,
    corpus: Corpus,
    name: str,
    mapped: bool = False,
) -> list[str]:
    """Say how traces differ in scale and delay; nothing without `found`, which are predictions of traces.

    name: of the corpus. mapped: its labels are on the recogniser's scale, as far as anybody knows.
    """
    if not found:
        return []
    own = np.concatenate([item.gold for item in found])
    predicted = np.concatenate([item.prediction for item in found])[np.isfinite(own)]
    said = f"gold standard {_spread(own[np.isfinite(own)])}, predictions {_spread(predicted)}"
    if training.label_table.is_file():
        table = pd.read_parquet(training.label_table, columns=["partition", "dimension", "gold_standard"])
        kept = (table["partition"] == "train") & (table["dimension"] == recogniser.dimension)
        learnt = table.loc[kept, "gold_standard"].dropna().to_numpy()
        if len(learnt):
            said += f"; the recogniser learnt from {_spread(learnt)}"
    sentences = [f"{said} (mean, standard deviation): a difference of either lowers CCC, and not PCC"]
    theirs = label_range_of({item.recording: item.gold for item in found})
    learnt_from = recogniser.description.label_range
    if not mapped and theirs is not None and learnt_from is not None and far_apart(theirs, learnt_from):
        sentences.append(
            f"labels of {name} lie between {in_words(theirs)}, those that the recogniser learnt from between "
            f"{in_words(learnt_from)}: if these are different scales, CCC and RMSE say nothing; "
            "`emobed evaluate --scale LOW HIGH` maps the labels, and PCC is the same on any"
        )
    hop = recogniser.corpus.grid.hop or 0.0
    delay = recogniser.models.about["delay_frames"] * hop
    other = corpus.labels.annotation_delay
    if other == "estimate" or abs(float(other) - delay) > hop / 2:
        there = "is estimated there" if other == "estimate" else f"is {float(other):g} s there"
        sentences.append(
            f"the recogniser moves its predictions by the annotation delay of its own raters, {delay:g} s; "
            f"labels.annotation_delay {there}"
        )
    return sentences


def enrolment_sentences(corpus: str) -> list[str]:
    """Say that speakers were known beforehand."""
    return [
        f"features are scaled by speaker, with all recordings that {corpus} has of each (enrolment, no "
        "labels): scores hold for people of whom recordings are at hand beforehand"
    ]


def left_out_sentences(lost: Sequence[str], of: int) -> list[str]:
    """Name the recordings that have labels and no features."""
    if not lost:
        return []
    named = ", ".join(lost[:FEW]) + (" and more" if len(lost) > FEW else "")
    return [f"{len(lost)} of {of} recordings with labels have no features and are not scored: {named}"]


def _spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.3f}, {values.std():.3f}"
