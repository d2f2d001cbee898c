"""Recordings and their traces -> who is in which partition, and what is doubtful about it, in words.

What is said here stops nothing: it is what somebody who knows the field would ask before hours are spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.class_names import class_counts, lookalikes
from pipeline.corpora.interface import GOLD
from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.partitions import folds
from pipeline.corpora.recording import PARTITIONS, Recording
from pipeline.corpora.speaker_names import speaker_doubts
from pipeline.features.media.opening import KINDS
from pipeline.params import Corpus, modality_of

WIDEST = 60
"""Letters of a name that are shown."""
FEW = 3
"""Labelled recordings, or speakers, in test below which scores say next to nothing."""


@dataclass(frozen=True)
class Counts:
    """One row of the overview: a class, or `recordings`, `speakers`, `labelled`; partition -> how many."""

    name: str
    by_partition: Mapping[str, int]
    distinct: int | None = None
    """How many there are in all, where one may be in several partitions, as speakers may; None: none is."""

    @property
    def total(self) -> int:
        """Number in all partitions; what is in several of them counts once."""
        return sum(self.by_partition.values()) if self.distinct is None else self.distinct


@dataclass(frozen=True)
class Overview:
    """What a corpus holds.

    columns: the partitions, or `all` where folds are drawn. rows: of counts. doubts: sentences. wrong:
    sentences on what training will refuse.
    """

    columns: tuple[str, ...]
    rows: list[Counts] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def table(self) -> list[str]:
        """Return the counts as lines in columns."""
        if not self.rows:
            return []
        header = ("", *self.columns, *(["in all"] if len(self.columns) > 1 else []))
        lines = [header]
        for row in self.rows:
            cells = [str(row.by_partition.get(column, 0)) for column in self.columns]
            name = row.name if len(row.name) <= WIDEST else f"{row.name[: WIDEST - 3]}..."
            lines.append((name, *cells, *([str(row.total)] if len(self.columns) > 1 else [])))
        first = max(len(line[0]) for line in lines)
        return ["  ".join([f"{line[0]:{first}}", *(f"{cell:>6}" for cell in line[1:])]) for line in lines]


NOTHING = Overview(())
"""Of a corpus that is not here."""


def overview(
    corpus: Corpus,
    name: str,
    recordings: Sequence[Recording],
    traces: pd.DataFrame,
    classes: Sequence[str],
    durations: Mapping[str, float | None],
) -> Overview:
    """Count recordings, speakers and labels, and say what is doubtful.

    name: of the corpus in params.yaml. recordings: as the corpus came. traces: columns `recording, dimension,
    rater, time, value`. classes: names of the codes in them. durations: recording -> seconds, None where
    unknown.

    Raises:
        ValueError: the partitions that the parameters ask for cannot be made.
    """
    drawn = corpus.partitions.method == "cross_validation"
    made = folds(recordings, corpus.partitions)
    partition = {r.recording: "all" if drawn else str(r.partition) for r in made[0].recordings}
    columns = ("all",) if drawn else PARTITIONS
    own = traces[traces["recording"].isin(partition.keys())]
    rows = [
        Counts("recordings", Counter(partition.values())),
        Counts(
            "speakers",
            Counter(part for part, _ in {(partition[r.recording], r.speaker) for r in recordings}),
            len({r.speaker for r in recordings}),
        ),
    ]
    if not corpus.scenarios:
        return Overview(columns, rows)
    doubts = speaker_doubts(recordings, corpus.labels.absent) + _shared_media(recordings, partition, drawn)
    wrong = _without_media(corpus, name, made[0].recordings, drawn)
    several = TASKS[corpus.task].several
    if TASKS[corpus.task].classes:
        gold = own[(own["dimension"] == "emotion") & (own["rater"] == GOLD)].drop_duplicates("recording")
        of_class = _of_class(gold, classes, partition, several)
        rows += [Counts(label, counts) for label, counts in of_class.items()]
        doubts += _class_doubts(own, classes, of_class, columns, several)
        if several:
            none = Counter(partition[r] for r in gold.loc[gold["value"] == 0, "recording"])
            rows.append(Counts("none of them", none))
        if several and len(gold) and len(of_class) < 2:
            only = f"the label '{classes[0]}' alone occurs" if of_class else "no recording has any label"
            wrong.append(f"emotion: {only}, expected two or more labels")
        elif len(of_class) == 1:
            wrong.append(f"all labels of emotion are the class '{classes[0]}', expected two or more classes")
        labelled = {"emotion": Counter(partition[r] for r in gold["recording"])}
        if bare := Counter(partition.values()) - labelled["emotion"]:
            rows.append(Counts("without a label", bare))
        wrong += _without_second_dimension(corpus, own, partition, drawn)
    else:
        labelled = {
            dimension: Counter(
                partition[r] for r in own.loc[own["dimension"] == dimension, "recording"].unique()
            )
            for dimension in corpus.dimensions
        }
        rows += [Counts(f"with {dimension}", counts) for dimension, counts in labelled.items()]
        doubts += _delay_doubts(corpus, name, durations)
    if not drawn:
        doubts += _partition_doubts(labelled)
        doubts += _few_test_speakers(corpus, recordings, partition, own)
        wrong += [
            f"no recording of train has {dimension}: nothing can be learned"
            for dimension, counts in labelled.items()
            if not counts["train"]
        ]
    return Overview(columns, rows, doubts, wrong)


def _of_class(
    gold: pd.DataFrame, classes: Sequence[str], partition: Mapping[str, str], several: bool
) -> dict[str, Counter[str]]:
    """Count the recordings of each class by partition; several: one counts for each of its classes."""
    if several:
        members = matrix_of(gold["value"], len(classes))
    else:
        members = gold["value"].to_numpy()[:, None] == np.arange(len(classes))
    return {
        label: Counter(partition[r] for r in gold["recording"].to_numpy()[members[:, code]])
        for code, label in enumerate(classes)
    }


def _without_second_dimension(
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


def _without_media(corpus: Corpus, name: str, recordings: Sequence[Recording], drawn: bool) -> list[str]:
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


def _shared_media(recordings: Sequence[Recording], partition: Mapping[str, str], drawn: bool) -> list[str]:
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


def _class_doubts(
    traces: pd.DataFrame,
    classes: Sequence[str],
    of_class: Mapping[str, Counter[str]],
    columns: Sequence[str],
    several: bool,
) -> list[str]:
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


def _delay_doubts(corpus: Corpus, name: str, durations: Mapping[str, float | None]) -> list[str]:
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


def _few_test_speakers(
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


def _partition_doubts(labelled: Mapping[str, Counter[str]]) -> list[str]:
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
