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
from pipeline.corpora.interface import GOLD
from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.partitions import folds
from pipeline.corpora.recording import PARTITIONS, Recording
from pipeline.corpora.speaker_names import speaker_doubts
from pipeline.labels.doubts import (
    class_doubts,
    delay_doubts,
    few_test_speakers,
    partition_doubts,
    shared_media,
    without_media,
    without_second_dimension,
)
from pipeline.params import Corpus

WIDEST = 60
"""Letters of a name that are shown."""


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
    doubts = speaker_doubts(recordings, corpus.labels.absent) + shared_media(recordings, partition, drawn)
    wrong = without_media(corpus, name, made[0].recordings, drawn)
    several = TASKS[corpus.task].several
    if TASKS[corpus.task].classes:
        gold = own[(own["dimension"] == "emotion") & (own["rater"] == GOLD)].drop_duplicates("recording")
        of_class = _of_class(gold, classes, partition, several)
        rows += [Counts(label, counts) for label, counts in of_class.items()]
        doubts += class_doubts(own, classes, of_class, columns, several)
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
        wrong += without_second_dimension(corpus, own, partition, drawn)
    else:
        labelled = {
            dimension: Counter(
                partition[r] for r in own.loc[own["dimension"] == dimension, "recording"].unique()
            )
            for dimension in corpus.dimensions
        }
        rows += [Counts(f"with {dimension}", counts) for dimension, counts in labelled.items()]
        doubts += delay_doubts(corpus, name, durations)
    if not drawn:
        doubts += partition_doubts(labelled)
        doubts += few_test_speakers(corpus, recordings, partition, own)
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
