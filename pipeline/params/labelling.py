"""Groups of params.yaml about who is learned from and what is true: partitions, sources, labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
)

from pipeline.params.group import (
    Group,
    NotNegative,
    Positive,
    Problem,
    Seed,
    named_twice,
    or_null,
)


def _word(value: Any) -> Any:
    """Return what YAML reads as nothing or a number (`null`, `-1`) as it was written."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class Source(Group):
    """Where a mixed corpus takes recordings from: another corpus, or every second of its speakers."""

    corpus: str
    half: Literal["first", "second"] | None


class Audformat(Group):
    """Where an audformat database says what a corpus needs; what is not named is looked for.

    `tables` with the labels; none: all that have a label column. `labels`: the column (or scheme) of each
    dimension; without: its own name. `speaker`: column or scheme that says who.
    """

    tables: tuple[str, ...] = ()
    labels: dict[Literal["arousal", "valence", "emotion"], str] = Field(default_factory=dict)
    speaker: str = "speaker"


class Partitions(Group):
    """Who is in train, dev and test, and of how many speakers of train the labels are seen.

    `labelled_speakers`: how many keep their labels, None: all. `label_shares`: shares of the labelled
    training speakers at which everything is trained once more. `label_draws`: how often the speakers of
    either are drawn, `label_seed`: of these draws. `sessions`: a regular expression; speakers in whose names
    it matches the same are in one fold, as the two of a session of IEMOCAP (`Ses..`). None: each speaker by
    itself.
    """

    method: Literal["given", "speaker_disjoint", "cross_validation"]
    folds: int | None = Field(ge=3)
    seed: Seed
    sessions: str | None = None
    labelled_speakers: int | None = Field(default=None, ge=1)
    label_shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    label_draws: int = Field(default=3, ge=1)
    label_seed: Seed = 0

    def problems(self) -> Iterator[Problem]:
        """Refuse folds without a cross-validation, the other way round, and two ways of hiding labels."""
        if (self.method == "cross_validation") != (self.folds is not None):
            yield Problem(
                "folds",
                f"found {or_null(self.folds)} with method {self.method}, expected a number of 3 or more for "
                "method cross_validation and null for the others",
            )
        if self.sessions is not None:
            if self.method != "cross_validation":
                yield Problem(
                    "sessions", f"is for method cross_validation, found method {self.method}; expected null"
                )
            try:
                re.compile(self.sessions)
            except re.error as error:
                yield Problem(
                    "sessions", f"found '{self.sessions}', expected a regular expression or null ({error})"
                )
        if sentence := named_twice(self.label_shares):
            yield Problem("label_shares", sentence)
        if self.labelled_speakers is not None and self.label_shares:
            yield Problem(
                "label_shares",
                "are shares of all labelled speakers, and labelled_speakers hides some of them: set one of "
                "both",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the folds, `fold1` on; one empty name where there is no cross-validation."""
        return tuple(f"fold{number + 1}" for number in range(self.folds)) if self.folds else ("",)


ABSENT = ("NA", "N/A", "<NA>", "nan", "None", "null", "xxx", "-1")
"""Words that stand for a missing label; `labels.absent` without a word of the user's."""


class Labels(Group):
    """Annotations -> labels: what is none; traces -> gold standard -> shifted labels and triplet classes.

    absent: cells that are no label, whatever their capitals; an empty one never is. max_gap: seconds without
    a value of a trace beyond which there is no label, rather than a line drawn through.
    """

    gold_standard: Literal["given", "raters"]
    annotation_delay: NotNegative | Literal["estimate"]
    max_delay: Positive
    triplet_classes: Literal["median", "sign", "tertiles"] | tuple[float, ...]
    absent: tuple[Annotated[str, BeforeValidator(_word)], ...] = ABSENT
    max_gap: Positive = 1.0

    def problems(self) -> Iterator[Problem]:
        """Refuse a delay beyond the longest one, and thresholds that make no classes."""
        if not isinstance(self.annotation_delay, str) and self.annotation_delay > self.max_delay:
            yield Problem(
                "annotation_delay",
                f"found {self.annotation_delay:g} s, expected at most max_delay ({self.max_delay:g} s)",
            )
        thresholds = self.triplet_classes
        if not isinstance(thresholds, str) and (
            not thresholds or any(after <= before for before, after in pairwise(thresholds))
        ):
            yield Problem(
                "triplet_classes", f"found {list(thresholds)}, expected one or more thresholds, rising"
            )
