"""Predictions of several recognisers for one file -> one table, and the late fusion of what they share.

Recognisers of different dimensions stand beside each other under their own names. Where several predict one
dimension, their columns begin with the modality (`audio.arousal`, `video.arousal`), or, where they read the
same one, with the name of the recogniser. Of those that read different modalities and predict the same, the
columns `late_fusion.<dimension>` hold the plain mean: of the values, or of the calibrated probabilities.
Where an utterance may have any number of classes, those are named whose mean probability is above the mean of
the members' thresholds, each brought onto the calibrated scale.
Every modality weighs the same; a row in which a modality is not valid (no face) takes the others alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.label_sets import codes_of, joined
from pipeline.predicting.block import FLAG, NUMBER, TEXT, Column

FUSION = "late_fusion"
UNLIKE = "out_of_domain.flag"
"""Whether a recording is unlike those of training."""
GIVEN = "given."
"""In front of a column that a table of files has and that is called like a prediction."""


class Facts(NamedTuple):
    """What tells recognisers apart.

    hop: seconds; None: one row per utterance. thresholds: where an utterance may have any number of the
    classes, the calibrated probability above which each is named; None: it has one.
    """

    name: str
    corpus: str
    modality: str
    dimension: str
    classes: tuple[str, ...]
    hop: float | None
    thresholds: tuple[float, ...] | None = None


class Fusion(NamedTuple):
    """Recognisers of one dimension that are fused: the names of their columns, and that of the fusion.

    thresholds: of each member, as of `Facts`; none where an utterance has one class.
    """

    name: str
    members: tuple[str, ...]
    classes: tuple[str, ...]
    thresholds: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Plan:
    """How the columns of recognisers become one table.

    names: what the columns of each recogniser begin with. fusions: of which of them. notes: what is not
    fused, and why.
    """

    names: tuple[str, ...]
    fusions: tuple[Fusion, ...]
    notes: tuple[str, ...]


class NotOneTableError(ValueError):
    """Report recognisers whose predictions do not fit into one table: why, what to do."""


def plan(facts: Sequence[Facts], hop: float | None) -> Plan:
    """Say how the columns of recognisers become one table.

    hop: on which all traces are wanted, seconds; None: on their own.

    Raises:
        NotOneTableError: they predict at different times, or one is there twice.
    """
    _require_one_grid(facts, hop)
    names = _names(facts)
    by_dimension: dict[str, list[int]] = {}
    for place, own in enumerate(facts):
        by_dimension.setdefault(own.dimension, []).append(place)
    fusions, notes = [], []
    for dimension, places in by_dimension.items():
        modalities = {facts[place].modality for place in places}
        if len(modalities) < 2:
            continue
        if len(modalities) < len(places) or len({facts[place].classes for place in places}) > 1:
            same = (
                "several read the same modality" if len(modalities) < len(places) else "their classes differ"
            )
            notes.append(f"{', '.join(names[place] for place in places)}: not fused, since {same}")
            continue
        every = [facts[place].thresholds for place in places]
        thresholds = tuple(each for each in every if each is not None)
        if 0 < len(thresholds) < len(places):
            listed = ", ".join(names[place] for place in places)
            notes.append(f"{listed}: not fused, since some name one class and others any number")
            continue
        members = tuple(names[place] for place in places)
        fusions.append(Fusion(f"{FUSION}.{dimension}", members, facts[places[0]].classes, thresholds))
    return Plan(names, tuple(fusions), tuple(notes))


def _require_one_grid(facts: Sequence[Facts], hop: float | None) -> None:
    hops = {own.hop for own in facts}
    if None in hops and len(hops) > 1:
        utterance, trace = (
            next(own.name for own in facts if (own.hop is None) == kind) for kind in (True, False)
        )
        raise NotOneTableError(
            f"{utterance} predicts one row per file and {trace} one per label time: no table holds both, "
            "call `emobed predict` for each"
        )
    if hop is None and len(hops) > 1:
        listed = ", ".join(f"{own.name} every {own.hop:g} s" for own in facts)
        raise NotOneTableError(
            f"the recognisers predict at different times ({listed}): --hop brings them onto one, or call "
            "`emobed predict` for each"
        )


def _names(facts: Sequence[Facts]) -> tuple[str, ...]:
    """Return what the columns of each recogniser begin with.

    Raises:
        NotOneTableError: two cannot be told apart.
    """
    ways = (
        lambda own: own.dimension,
        lambda own: f"{own.modality}.{own.dimension}",
        lambda own: own.name,
        lambda own: f"{own.corpus}.{own.name}",
    )
    shared = Counter(own.dimension for own in facts)
    found = []
    for own in facts:
        alike = [other for other in facts if other.dimension == own.dimension]
        way = 0 if shared[own.dimension] == 1 else next(
            (way for way in (1, 2, 3) if len({ways[way](other) for other in alike}) == len(alike)), None
        )  # fmt: skip
        if way is None:
            raise NotOneTableError(f"{own.corpus}/{own.name} is there twice, expected each recogniser once")
        found.append(ways[way](own))
    return tuple(found)


def named(columns: Mapping[str, Column], dimension: str, name: str, alone: bool) -> dict[str, Column]:
    """Return the columns of a recogniser under their names in the table.

    dimension: with which they begin. name: with which they shall. alone: whether it is the only recogniser;
    else what is said of its rows (`valid`) begins with its name, too.
    """
    found = {}
    for own, column in columns.items():
        if own == dimension or own.startswith(f"{dimension}."):
            found[name + own.removeprefix(dimension)] = column
        else:
            found[own if alone else f"{name}.{own}"] = column
    return found


def unlike_training(columns: Mapping[str, Column], names: Iterable[str]) -> list[str]:
    """Return the recognisers to which a file is unlike those of training, in any of its rows.

    columns: of the file's rows. names: with which the columns of the recognisers begin.
    """
    found = {name: columns.get(f"{name}.{UNLIKE}") or columns.get(UNLIKE) for name in names}
    # of a recogniser that failed the flag is None
    return [name for name, own in found.items() if own is not None and any(own.values.tolist())]


def beside(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return how the columns of a table of files are called beside those of predictions.

    One that is called like a prediction becomes `given.<name>`, with `given.` in front again while there is
    such a column too: none takes the place of another.
    """
    asked = tuple(names)
    used = {*taken, *asked}
    found = {}
    for name in asked:
        own = name
        while own in used and (own != name or name in taken):
            own = f"{GIVEN}{own}"
        used.add(own)
        found[name] = own
    return found


def fused(columns: Mapping[str, Column], fusion: Fusion) -> dict[str, Column]:
    """Return the columns of a fusion, missing where a member is.

    columns: of all members, of one length. For classes the class with the highest mean probability (of equal
    ones the first), or all that are above their threshold, then the probabilities; for a trace its value; and
    whether any member is valid.
    """
    keys = [f".{name}" for name in fusion.classes] or [""]
    # (members, rows, outputs)
    values = np.stack([_outputs(columns, own, keys) for own in fusion.members])
    there: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=(0, 2)))
    valid = np.stack([columns[f"{own}.valid"].values.astype(bool) for own in fusion.members])  # None: no
    any_valid: NDArray[np.bool_] = np.asarray(valid.any(axis=0))
    weights = np.where(any_valid, valid, True).astype(np.float64)  # no member is valid: all alike
    weights /= weights.sum(axis=0)
    mean = np.einsum("mro,mr->ro", np.where(there[:, None], values, 0.0), weights)
    mean[~there] = np.nan
    found = {}
    if fusion.classes:
        known = np.where(there[:, None], mean, 0.0)
        if fusion.thresholds:
            above = np.einsum("mc,mr->rc", np.array(fusion.thresholds), weights)
            chosen = np.array(joined(codes_of(known > above), fusion.classes), object)
        else:
            chosen = np.array(fusion.classes, object)[known.argmax(axis=1)]
        chosen[~there] = None
        found[fusion.name] = Column(TEXT, chosen)
    found |= {f"{fusion.name}{key}": Column(NUMBER, mean[:, place]) for place, key in enumerate(keys)}
    flags = any_valid.astype(object)
    flags[~there] = None
    return found | {f"{fusion.name}.valid": Column(FLAG, flags)}


def _outputs(columns: Mapping[str, Column], member: str, keys: Sequence[str]) -> NDArray[np.float64]:
    """Return the values of a member, or its probabilities, (rows, outputs)."""
    return np.stack([columns[f"{member}{key}"].values.astype(np.float64) for key in keys], axis=1)
