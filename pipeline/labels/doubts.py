"""Recordings, partitions and labels of a corpus -> what is doubtful or wrong about them, a sentence each.

partition: recording -> its part, `all` where folds are drawn. drawn: whether they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.corpora.class_names import class_counts, lookalikes
from pipeline.corpora.interface import GOLD
from pipeline.corpora.recording import Recording
from pipeline.features.media.opening import KINDS
from pipeline.params import Corpus, modality_of

FEW = 3
"""Labelled recordings, or speakers, in test below which scores say next to nothing."""


def without_second_dimension(
    corpus: Corpus, traces: pd.DataFrame, partition: Mapping[str, str], drawn: bool
) -> list[str]:
    """Say which systems learn a second dimension where utterances that are learned from have none."""
    names = corpus.learning.several
    beside = traces[traces["dimension"].isin(("arousal", "valence")) & (traces["rater"] == GOLD)]
    if not names or any(drawn or partition[name] == "train" for name in beside["recording"]):
        return []
    return [
        f"{', '.join(names)} under learning.systems learns arousal or valence beside the class, and no "
        f"utterance{'' if drawn else ' of train'} has either; leave it out"
    ]


def without_media(corpus: Corpus, name: str, recordings: Sequence[Recording], drawn: bool) -> list[str]:
    """Say which modality the scenarios name and no recording that is learned from has."""
    if corpus.layout == "mixed":  # whose recordings are heard or seen is another corpus' business
        return []
    learned = [item for item in recordings if drawn or item.partition == "train"]
    missing = [
        modality
        for modality in corpus.extract
        if modality in {modality_of(each) for each in corpus.inputs}
        and not any(item.medium(modality) for item in learned)
    ]
    return [
        f"no recording{'' if drawn else ' of train'} has {modality}, which corpora.{name}.scenarios name: "
        "training takes all modalities of a scenario; name its media, bring a feature table instead "
        "(`features`), or set scenarios to [] to extract features only"
        for modality in missing
        if learned
    ]


def shared_media(recordings: Sequence[Recording], partition: Mapping[str, str], drawn: bool) -> list[str]:
    """Say which media are in several partitions, or folds could put there: a test that was learned from."""
    groups: dict[str, dict[str, str]] = {}
    for item in recordings:
        for modality in KINDS:  # the words of two people may be the same
            medium = item.media.get(modality)
            if medium is not None:
                known = groups.setdefault(medium.sha256 or str(medium), {})
                known.setdefault(item.speaker if drawn else partition[item.recording], str(medium))
    shared = [group for group in groups.values() if len(group) > 1]
    if not shared:
        return []
    first = shared[0]
    where = "are of several speakers" if drawn else "are in several partitions"
    return [
        f"{len(shared)} media {where}, the first: {next(iter(first.values()))} in "
        f"{' and '.join(sorted(first))}; scores on what was learned from say nothing"
    ]


def class_doubts(
    traces: pd.DataFrame,
    classes: Sequence[str],
    of_class: Mapping[str, Counter[str]],
    columns: Sequence[str],
    several: bool,
) -> list[str]:
    """Say which classes look alike, occur once, are unknown to train or missing where scores are made.

    columns: the partitions, or `all`. of_class: class -> partition -> recordings. several: a recording may
    have any number of classes.
    """
    # names that differ in their writing only are reported where the annotations are read
    alike = lookalikes(class_counts(traces, classes, several))
    doubts = [pair.sentence() for pair in alike if pair.difference == "letter"]
    for name, counts in of_class.items():
        if counts.total() == 1:
            doubts.append(f"class '{name}' occurs once: mistyped? Nothing can be learned from one recording")
        elif len(columns) > 1:
            if counts.total() and not counts["train"]:
                where = " and ".join(part for part in columns if counts[part])
                doubts.append(f"class '{name}' occurs in {where} and not in train: no model can know it")
            doubts += [
                f"class '{name}' is missing in {part}: its recall is not measured there"
                for part in ("dev", "test")
                if counts["train"] and not counts[part] and any(other[part] for other in of_class.values())
            ]
    return doubts


def delay_doubts(corpus: Corpus, name: str, durations: Mapping[str, float | None]) -> list[str]:
    """Say that raters are taken to lag behind by nothing, or by longer than recordings are.

    durations: recording -> seconds, None where unknown.
    """
    delay = corpus.labels.annotation_delay
    if delay == 0:
        return [
            f"corpora.{name}.labels.annotation_delay is 0: raters of traces lag behind by some 2 to 4 s; "
            "`estimate` searches the delay on train and dev"
        ]
    if isinstance(delay, str):
        return []
    short = sorted(r for r, seconds in durations.items() if seconds is not None and seconds <= delay)
    if not short:
        return []
    return [
        f"corpora.{name}.labels.annotation_delay ({delay:g} s) is longer than {len(short)} of "
        f"{len(durations)} recordings ({short[0]}{', ...' if len(short) > 1 else ''}): one label is "
        "all that is learned of them"
    ]


def few_test_speakers(
    corpus: Corpus, recordings: Sequence[Recording], partition: Mapping[str, str], traces: pd.DataFrame
) -> list[str]:
    """Say where many labelled recordings of test are of few speakers; few recordings are said anyway."""
    doubts = []
    for dimension in corpus.dimensions:
        of_dimension = traces[traces["dimension"] == dimension]
        labelled = set(of_dimension["recording"])
        tested = [r for r in recordings if r.recording in labelled and partition[r.recording] == "test"]
        speakers = {r.speaker for r in tested}
        if len(tested) >= FEW and "" not in speakers and len(speakers) < FEW:
            doubts.append(
                f"the {len(tested)} recordings of test with {dimension} are of {len(speakers)} "
                f"speaker{'' if len(speakers) == 1 else 's'}: scores on so few say nothing of others; "
                "partitions.method: cross_validation tests everybody once"
            )
    return doubts


def partition_doubts(labelled: Mapping[str, Counter[str]]) -> list[str]:
    """Say of which dimension dev has no label to choose by, and test few; labelled: dimension -> counts."""
    doubts = []
    for dimension, counts in labelled.items():
        if not counts["dev"]:
            doubts.append(
                f"no recording of dev has {dimension}: nothing can be chosen, so each system takes its "
                "smallest weights; move some speakers of train to dev, or take partitions.method: "
                "cross_validation"
            )
        if counts["test"] and counts["test"] < FEW:
            count = counts["test"]
            doubts.append(
                f"test has {count} recording{'' if count == 1 else 's'} with {dimension}: scores on so few "
                "say next to nothing; partitions.method: cross_validation tests everybody once"
            )
    return doubts
