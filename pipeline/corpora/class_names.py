"""Class names as annotations write them -> the classes of a corpus: which, in which order, and lookalikes.

A corpus has the classes that occur in its annotations and no others: scores, chance and the outputs of the
networks run over these. OMG-Emotion's list gives names to codes, and an order; it adds no class.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

from pipeline.corpora.problems import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

EMOTIONS = ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""OMG-Emotion's classes: the code of one is its place here."""
LONG_ENOUGH = 5
"""Letters of a name from which on one letter more, less or other is rather a slip than another word."""


class Lookalike(NamedTuple):
    """Two classes whose names nearly agree: the rarer first, with the recordings of each.

    difference: `writing` (capitals, blanks, hyphens, underscores only) or `letter` (one).
    """

    name: str
    recordings: int
    other: str
    other_recordings: int
    difference: Literal["writing", "letter"]

    def sentence(self) -> str:
        """Say which names they are and what to do."""
        how = (
            "in capitals, blanks, hyphens or unseen characters only"
            if self.difference == "writing"
            else "in one letter only"
        )
        return (
            f"the classes '{self.name}' ({self.recordings} recordings) and '{self.other}' "
            f"({self.other_recordings}) differ {how} and count as two; if they are one, write it in one way"
        )


def ordered(names: Collection[str]) -> tuple[str, ...]:
    """Return class names, each once: OMG-Emotion's in its order, numbers by size, others by the alphabet."""
    if set(names) <= set(EMOTIONS):
        return tuple(name for name in EMOTIONS if name in names)
    if all(name.isascii() and name.isdigit() for name in names):
        return tuple(sorted(set(names), key=int))
    return tuple(sorted(set(names)))


def class_counts(traces: pd.DataFrame, classes: Sequence[str], several: bool = False) -> Counter[str]:
    """Count the recordings of each class that occurs; classes: the names of the codes in `traces`.

    several: values are codes of sets of classes (`pipeline.corpora.label_sets`).
    """
    emotion = traces[traces["dimension"] == "emotion"].drop_duplicates(["recording", "value"])
    if several:
        from pipeline.corpora.label_sets import matrix_of

        counts = matrix_of(emotion["value"], len(classes)).sum(axis=0)
        return Counter({name: int(n) for name, n in zip(classes, counts, strict=True) if n})
    return Counter(classes[int(code)] for code in emotion["value"])


def only_occurring(
    parts: Iterable[tuple[pd.DataFrame, Sequence[str]]], several: bool = False
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return all traces as one table, in codes of the classes that occur in them, and these classes.

    parts: traces, and the names of the codes that those of `emotion` have there. Classes are matched by name.
    several: values are codes of sets of classes.
    """
    from pipeline.corpora.traces import join_traces

    parts = list(parts)
    masks = [(traces["dimension"] == "emotion").to_numpy() for traces, _ in parts]
    if several:
        return _only_occurring_of_sets(parts, masks)
    names = [
        [classes[int(code)] for code in traces["value"].to_numpy()[mask]]
        for (traces, classes), mask in zip(parts, masks, strict=True)
    ]
    found = ordered({name for own in names for name in own})
    code = {name: float(place) for place, name in enumerate(found)}
    tables = []
    for (traces, _), mask, own in zip(parts, masks, names, strict=True):
        value = traces["value"].to_numpy(copy=True)
        value[mask] = [code[name] for name in own]
        tables.append(traces.assign(value=value))
    return join_traces(tables), found


def _only_occurring_of_sets(
    parts: Sequence[tuple[pd.DataFrame, Sequence[str]]], masks: Sequence[NDArray[np.bool_]]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    from pipeline.corpora.label_sets import recoded
    from pipeline.corpora.traces import join_traces

    found = ordered({name for traces, classes in parts for name in class_counts(traces, classes, True)})
    tables = []
    for (traces, classes), mask in zip(parts, masks, strict=True):
        value = traces["value"].to_numpy(copy=True)
        value[mask] = recoded(value[mask], classes, found)
        tables.append(traces.assign(value=value))
    return join_traces(tables), found


def lookalikes(counts: Mapping[str, int]) -> list[Lookalike]:
    """Return the pairs of class names that differ in their writing or in one letter only.

    counts: recordings of each class. Names that differ in a digit (`type1`, `type2`) are different names, and
    so are short ones that differ in a letter (`sad`, `mad`).
    """
    found = []
    for one, other in combinations(sorted(counts), 2):
        difference = _difference(one, other)
        if difference:
            rare, common = sorted((one, other), key=lambda name: (counts[name], name))
            found.append(Lookalike(rare, counts[rare], common, counts[common], difference))
    return found


def doubtful_classes(traces: pd.DataFrame, classes: Sequence[str], several: bool = False) -> list[Problem]:
    """Return a problem for each pair of classes whose names differ in their writing only."""
    pairs = lookalikes(class_counts(traces, classes, several))
    return [Problem("", "", pair.sentence()) for pair in pairs if pair.difference == "writing"]


def _difference(one: str, other: str) -> Literal["writing", "letter"] | None:
    one, other = bare(one), bare(other)
    if one == other:
        return "writing"
    short, long = sorted((one, other), key=len)
    if len(short) < LONG_ENOUGH or len(long) - len(short) > 1:
        return None
    first = next((k for k, letter in enumerate(short) if letter != long[k]), len(short))
    same_length = len(short) == len(long)
    if short[first + same_length :] != long[first + 1 :]:
        return None
    return None if long[first].isdigit() or (same_length and short[first].isdigit()) else "letter"


def bare(name: str) -> str:
    """Return a name without what people write now so, now so, and without characters that nobody sees."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        letter
        for letter in folded
        if not (letter.isspace() or letter in "-_" or unicodedata.category(letter) == "Cf")
    )
