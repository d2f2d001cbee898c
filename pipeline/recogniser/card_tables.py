"""Tables of a run -> the rows of them that are about one recogniser, as a model card shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.recording import PARTITIONS, Recording
from pipeline.params import Corpus, Scenario
from pipeline.recogniser.choice import METRICS
from pipeline.scoring.headline import HEADLINE

USES = {"train": "learning", "dev": "choosing and fitting", "test": "testing"}

FIELD = "uar"
"""By which the field compares recognisers of classes, beside the headline."""


class Trained(NamedTuple):
    """A partition: its recordings that have the target, their speakers, and how many of them have labels."""

    partition: str
    recordings: int
    speakers: int
    labelled: int
    labels: int
    use: str


def trained_on(
    recordings: Iterable[Recording], known: Iterable[str], labels: pd.DataFrame, dimension: str
) -> list[Trained]:
    """Count by partition.

    recordings: of a fold. known: those that have features of the target. labels: the table of align_labels.
    """
    known = set(known)
    here = [item for item in recordings if item.recording in known]
    own = labels[labels["dimension"] == dimension]
    found = []
    for partition in PARTITIONS:
        # of train what is learnt from counts: labels may be hidden from it
        known_of = own[own["label" if partition == "train" else "gold_standard"].notna()]
        counts = known_of.groupby("recording").size()
        items = [item for item in here if item.partition == partition]
        with_labels = [item.recording for item in items if item.recording in counts.index]
        found.append(
            Trained(
                partition,
                len(items),
                len({item.speaker for item in items}),
                len(with_labels),
                int(counts.reindex(with_labels).sum()),
                USES[partition],
            )
        )
    return found


def intervals_of(
    intervals: pd.DataFrame,
    corpus: Corpus,
    scenario: Scenario,
    dimension: str,
    fold: str,
    systems: Sequence[str],
) -> pd.DataFrame:
    """Return the rows of intervals.csv of some systems, in their order: on test, or failing that on dev."""
    here = _about(intervals, corpus, scenario, dimension)
    here = here[(here["fold"].fillna("") == fold) & (here["n"] > 0) & here["system"].isin(list(systems))]
    if (here["partition"] == "test").any():
        here = here[(here["partition"] == "test") & (here["selection"] == "dev")]
    else:
        here = here[here["selection"] == "leave_one_out"]
    order = {name: place for place, name in enumerate(systems)}
    return here.sort_values("system", key=lambda names: names.map(order), kind="stable")


def groups_of(groups: pd.DataFrame, corpus: Corpus, scenario: Scenario, dimension: str, system: str) -> str:
    """Return the rows of groups.csv of a system on test as a table; empty where there are none."""
    here = _about(groups, corpus, scenario, dimension)
    here = here[(here["system"] == system) & (here["partition"] == "test")]
    rows = [
        (
            row["column"],
            row["group"]
            if pd.isna(row["minus"])
            else f"{row['group']} minus {row['minus']}, the largest gap",
            "" if pd.isna(row["value"]) else f"{row['value']:.3f}",
            row["note"] if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
            "" if pd.isna(row["units"]) else f"{int(row['units'])} {row['unit']}s",
        )
        for row in here.to_dict("records")
    ]
    return table(("column", "group", "score", "interval", "units"), rows) if rows else ""


def enrolment_of(
    enrolment: pd.DataFrame, corpus: Corpus, scenario: Scenario, dimension: str, system: str, partition: str
) -> pd.DataFrame:
    """Return the rows of enrolment.csv of a system on a partition: scores by enrolled recordings."""
    if enrolment.empty:
        return enrolment
    here = enrolment[enrolment["metric"].isin([HEADLINE[corpus.task], FIELD])]
    here = here[(here["system"] == system) & (here["partition"] == partition)]
    return here[
        (here["target"] == scenario.target)
        & (here["auxiliary"] == scenario.auxiliary)
        & (here["dimension"] == dimension)
    ]


def enrolment_table(rows: pd.DataFrame) -> str:
    """Return one row per number of enrolled recordings, with score and interval of each metric.

    rows: of `enrolment_of`.
    """
    metrics = list(dict.fromkeys(rows["metric"]))
    found = []
    for enrolled, here in rows.groupby("enrolled", sort=False):
        of_metric = here.set_index("metric").to_dict("index")
        name = {"0": "none: a stranger", "all": "all, itself among them"}.get(str(enrolled), str(enrolled))
        line = [name, int(here["speakers"].iloc[0])]
        for own in (of_metric[metric] for metric in metrics):
            known = not pd.isna(own["low"])
            line.append(f"{own['value']:.3f}")
            line.append(f"{own['low']:.3f} to {own['high']:.3f}" if known else "too few units")
        found.append(line)
    names = [name for metric in metrics for name in (METRICS[metric], "interval")]
    return table(("recordings of the speaker that are known", "speakers", *names), found)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    """Write a cell so that no name ends it, or is read as HTML."""
    text = "" if isinstance(value, float) and pd.isna(value) else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _about(table: pd.DataFrame, corpus: Corpus, scenario: Scenario, dimension: str) -> pd.DataFrame:
    """Return the rows of an experiment, of predictions as they are shown."""
    return table[
        (table["target"] == scenario.target)
        & (table["auxiliary"] == scenario.auxiliary)
        & (table["dimension"] == dimension)
        & (table["postprocessed"] == int(TASKS[corpus.task].finished))
    ]
