"""Which recordings systems predict: those that need all modalities predict none that lacks one.

Systems by words predict those of any modality, but none of dev with a class that they were not to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import pandas as pd

from pipeline.catalogue.systems import BY_WORDS, MARK, SYSTEMS, in_order, label
from pipeline.params import Scenario
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import target_name
from pipeline.wording import listed


class Case(NamedTuple):
    """The scores of an experiment: its name, the rows scored by system and partition, settings by system."""

    name: str
    scored: pd.DataFrame
    settings: dict[str, int]

    def n(self, system: str, partition: str) -> int:
        """Return how many rows of a partition a system is scored on."""
        here = self.scored[(self.scored["system"] == system) & (self.scored["partition"] == partition)]
        return int(here["n"].max()) if len(here) else 0


def fewer_scored(inputs: ReportInputs) -> str:
    """Say which systems are scored on fewer rows than others, where and why; empty if none is."""
    lacking = _fewer(
        inputs, ("test", "dev"), lambda name: SYSTEMS[name].needs == "all" and name not in BY_WORDS
    )
    # of test they lack nothing but whole folds
    partly = inputs.corpus.learning.emotion_words.partly_seen
    unseen = _fewer(inputs, ("dev",), lambda name: name in BY_WORDS) if partly else []
    sentences = _left_out_of_folds(inputs)
    if lacking:
        sentences.append(
            f"Systems with {MARK} are scored only where all modalities are there, on {listed(lacking)}: in "
            "the table of differences alone are they beside others on the same ones."
        )
    if unseen:
        names = [label(name) for name in in_order(inputs.results["system"]) if name in BY_WORDS]
        sentences.append(
            f"{listed(names)} are scored on {listed(unseen)}: recordings of classes that they were not to "
            "see, or of which few, are left out of it. Test has all classes, and there the other systems "
            "name what they learned from all recordings: no difference between the two is one of methods."
        )
    return " ".join(sentences)


def of_all_folds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of results.csv of systems that no fold of their experiment left out.

    What is left out of some, since they have nothing for it to learn from, has means over others' recordings.
    """
    most = rows.groupby(["target", "auxiliary", "dimension", "partition"])["folds"].transform("max")
    return rows[rows["folds"] == most]


def _left_out_of_folds(inputs: ReportInputs) -> list[str]:
    """Say which systems some folds left out; nothing without folds."""
    if not inputs.folds:
        return []
    parts = []
    for case in _cases(inputs):
        test = case.scored[case.scored["partition"] == "test"]
        lacking = test.drop(of_all_folds(test).index)
        for count, own in lacking.groupby("folds"):
            names = listed([label(name) for name in in_order(own["system"])])
            parts.append(f"{names} of {count} of {int(test['folds'].max())} ({case.name})")
    if not parts:
        return []
    return [
        f"Some folds have nothing for some systems to learn from: scores are means over folds, those of "
        f"{listed(parts)}, so they are not beside the others’; differences are over what both predict."
    ]


def _fewer(inputs: ReportInputs, partitions: Sequence[str], asked: Callable[[str], bool]) -> list[str]:
    """Return where some systems are scored on fewer rows than others: how many, of how many, of what."""
    unit = "utterances" if inputs.corpus.grid.utterances else "frames"
    parts = []
    for case in _cases(inputs):
        systems = in_order(case.scored["system"])
        for partition in partitions:
            every = max((case.n(name, partition) for name in systems), default=0)
            few = {n for name in systems if asked(name) and (n := case.n(name, partition)) < every}
            parts += [f"{n} of {every} {unit} of {partition} ({case.name})" for n in sorted(few)]
    return parts


def not_chosen(inputs: ReportInputs) -> str:
    """Say which systems had several settings and no recording of dev to choose on; empty where none.

    With a cross-validation each fold has its own dev, and nothing is said.
    """
    if inputs.folds:
        return ""
    parts = [
        f"{label(system)} ({case.name})"
        for case in _cases(inputs)
        if any(case.n(other, "dev") for other in case.settings)
        for system in in_order(case.settings)
        if case.settings[system] > 1 and not case.n(system, "dev")
    ]
    if not parts:
        return ""
    return (
        f"No recording of dev has all that {listed(parts)} needs, so no setting was chosen there: that with "
        "the smallest values was taken."
    )


def _cases(inputs: ReportInputs) -> Iterator[Case]:
    results = inputs.results[
        (inputs.results["metric"] == inputs.metric)
        & (inputs.results["postprocessed"] == inputs.postprocessed)
    ]
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
        name = f"{target_name(inputs.corpus, scenario.target, scenario.auxiliary)} → {dimension}"
        counts: dict[str, int] = {}
        if len(inputs.grid):
            settings = _of(inputs.grid, scenario, dimension).groupby("system")["setting"].nunique()
            counts = {str(system): int(count) for system, count in settings.items()}
        yield Case(name, _of(results, scenario, dimension), counts)


def _of(table: pd.DataFrame, scenario: Scenario, dimension: str) -> pd.DataFrame:
    return table[
        (table["target"] == scenario.target)
        & (table["auxiliary"] == scenario.auxiliary)
        & (table["dimension"] == dimension)
    ]
