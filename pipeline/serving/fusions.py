"""Recognisers that stand beside each other -> late fusions, as `emobed predict` shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.predicting.block import Column
from pipeline.predicting.side_by_side import FUSION, Facts, fused, named, plan
from pipeline.predicting.side_by_side import Fusion as Columns
from pipeline.serving.answers import Fusion, said_of_rows

if TYPE_CHECKING:
    from pipeline.recogniser.prediction import Prediction


@dataclass(frozen=True)
class Together:
    """A late fusion. about: what is said of it. columns: their names. places: of its members."""

    about: Fusion
    columns: Columns
    places: tuple[int, ...]

    def of(self, predictions: Sequence[Prediction | None]) -> dict[str, Any] | None:
        """Return the fusion of a recording as the fields of `Predicted`; None: a member has no prediction.

        predictions: of all recognisers.
        """
        own = [found for place in self.places if (found := predictions[place]) is not None]
        if len(own) < len(self.places):
            return None
        longest = max(own, key=len)
        columns: dict[str, Column] = {}
        for name, prediction in zip(self.columns.members, own, strict=True):
            table = prediction.table("", self.about.dimension, self.about.classes)
            given = {str(key): Column.of(table[key].to_numpy()) for key in table.columns}
            renamed = named(given, self.about.dimension, name, alone=False)
            columns |= {key: column.padded(len(longest)) for key, column in renamed.items()}
        values = {self._own(key): column.values for key, column in fused(columns, self.columns).items()}
        values = {"start": longest.start, "end": longest.end} | values
        return said_of_rows(
            [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
        )

    def with_its_grid(self) -> Together:
        """Return the fusion under a name that says its times, beside another one of the same columns."""
        times = "utterances" if self.about.hop is None else f"{self.about.hop:g} s"
        about = self.about.model_copy(update={"name": f"{self.about.name} ({times})"})
        return replace(self, about=about)

    def _own(self, key: str) -> str:
        """Return how a column of the fusion is called beside those of recognisers."""
        return "valid" if key == f"{self.columns.name}.valid" else key.removeprefix(f"{FUSION}.")


def together(facts: Sequence[Facts], names: Sequence[str]) -> tuple[Together, ...]:
    """Return the late fusions of recognisers that predict the same at the same times.

    names: what the recognisers are called here.
    """
    by_hop: dict[float | None, list[int]] = {}
    for place, own in enumerate(facts):
        by_hop.setdefault(own.hop, []).append(place)
    found = [each for hop, places in by_hop.items() for each in _of_one_grid(hop, places, facts, names)]
    count = Counter(each.about.name for each in found)
    return tuple(each if count[each.about.name] == 1 else each.with_its_grid() for each in found)


def task_of(columns: Columns) -> str:
    """Return the task of a fusion, by what it names."""
    if columns.thresholds:
        return "multilabel"
    return "classification" if columns.classes else "regression"


def _of_one_grid(
    hop: float | None, places: Sequence[int], facts: Sequence[Facts], names: Sequence[str]
) -> list[Together]:
    how = plan([facts[place] for place in places], None)
    by_column: Mapping[str, int] = dict(zip(how.names, places, strict=True))
    found = []
    for columns in how.fusions:
        members = tuple(by_column[name] for name in columns.members)
        about = Fusion(
            name=columns.name,
            dimension=facts[members[0]].dimension,
            task=task_of(columns),
            classes=list(columns.classes),
            needed=list(dict.fromkeys(np.concatenate([facts[one].modality.split("+") for one in members]))),
            hop=hop,
            members=[names[place] for place in members],
        )
        found.append(Together(about, columns, members))
    return found
