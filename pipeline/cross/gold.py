"""What is known of the recordings of a registered corpus, as a recogniser of another corpus predicts it.

Traces are brought to the label times of the recogniser; classes are matched by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.class_names import bare
from pipeline.corpora.interface import GOLD
from pipeline.corpora.label_sets import codes_of, matrix_of
from pipeline.corpora.traces import load_traces
from pipeline.labels.gold_by_recording import gold_standards, require
from pipeline.params import Corpus, Task
from pipeline.paths import Paths

if TYPE_CHECKING:
    import pandas as pd


class NothingCommonError(ValueError):
    """Report a corpus on which a recogniser cannot be scored: what it lacks."""


class NothingToScoreError(ValueError):
    """Report a corpus, or a partition of it, without a label that a recogniser could be scored by."""


class Gold(NamedTuple):
    """What is known.

    values: by recording, (frames,): a trace at k x hop, or the code of a common class, or of the set of them
    where an utterance may have any number (`pipeline.corpora.label_sets`). classes: the common
    classes as the recogniser calls them; empty for traces. places: of these among its outputs. left_out:
    recordings of classes that the recogniser does not know. other_classes: these classes.
    """

    values: Mapping[str, NDArray[np.float64]]
    classes: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    left_out: int = 0
    other_classes: tuple[str, ...] = ()


def traced(corpus: Corpus, paths: Paths, dimension: str) -> set[str]:
    """Return the recordings of a corpus that have traces of a dimension.

    Raises:
        NothingCommonError: the corpus has no such traces.
        ValueError: it is not registered.
    """
    if corpus.task != "regression" or dimension not in corpus.dimensions:
        raise NothingCommonError(f"{paths.corpus} has {_has(corpus)}, and no traces of {dimension}")
    traces = _registered(paths)
    return {str(name) for name in traces.loc[traces["dimension"] == dimension, "recording"].unique()}


def traces_at(corpus: Corpus, paths: Paths, dimension: str, hop: float, lengths: Mapping[str, int]) -> Gold:
    """Return the gold standard of a dimension at the label times k x hop.

    corpus: whose traces they are. hop: of the recogniser, seconds. lengths: rows of each recording.

    Raises:
        ValueError: it lacks the kind of annotation that its parameters ask for.
    """
    own = corpus.model_copy(update={"dimensions": (dimension,)})
    traces = _registered(paths)
    found = gold_standards(own, paths, traces, hop, lengths).values[dimension]
    return Gold({name: found[name] for name in lengths if name in found})


def classes_of(corpus: Corpus, paths: Paths, known: tuple[str, ...], task: Task = "classification") -> Gold:
    """Return the classes of the recordings of a corpus that a recogniser knows too.

    Where an utterance has one class, recordings of others are left out; where it may have several, what is
    said of the common ones can be right or wrong whatever else is there, so that none is.

    known: the classes of the recogniser, by code. task: of the recogniser.

    Raises:
        NothingCommonError: the corpus has no classes, or other ones: fewer than two in common, or one per
            utterance where the recogniser names any number, or the other way round.
        NothingToScoreError: no recording is annotated with one.
        ValueError: it is not registered.
    """
    if corpus.task != task:
        wanted = "any number of classes" if TASKS[task].several else "one class"
        what = f"not {wanted} per utterance" if TASKS[corpus.task].classes else "no classes"
        raise NothingCommonError(f"{paths.corpus} has {_has(corpus)}, and {what}")
    traces = _registered(paths)
    chosen = traces[traces["dimension"] == "emotion"]
    try:
        require(paths, "emotion", chosen, given=True)
    except ValueError as error:
        raise NothingToScoreError(str(error)) from None
    chosen = chosen[chosen["rater"] == GOLD].drop_duplicates("recording")
    names = json.loads((paths.traces / "classes.json").read_text(encoding="utf-8"))
    theirs = {bare(name) for name in names}
    places = tuple(place for place, name in enumerate(known) if bare(name) in theirs)
    common = tuple(known[place] for place in places)
    if len(common) < 2:
        shared = f"only {common[0]}" if common else "none"
        raise NothingCommonError(
            f"of the classes {', '.join(known)} {paths.corpus} has {shared} ({', '.join(names)}); expected "
            "two or more in common"
        )
    if TASKS[task].several:
        members = matrix_of(chosen["value"], len(names))
        own = [next(place for place, name in enumerate(names) if bare(name) == bare(one)) for one in common]
        sets = codes_of(members[:, own])
        others = tuple(name for name in names if bare(name) not in set(map(bare, common)))
        values = {str(name): np.array([code]) for name, code in zip(chosen["recording"], sets, strict=True)}
        return Gold(values, common, places, 0, others)
    code = {bare(name): float(number) for number, name in enumerate(common)}
    found: dict[str, NDArray[np.float64]] = {}
    left_out = 0
    for recording, value in zip(chosen["recording"], chosen["value"], strict=True):
        number = code.get(bare(names[int(value)]))
        if number is None:
            left_out += 1
        else:
            found[str(recording)] = np.array([number])
    others = tuple(name for name in names if bare(name) not in code)
    return Gold(found, common, places, left_out, others)


def _registered(paths: Paths) -> pd.DataFrame:
    path = paths.traces / "traces.parquet"
    if not path.is_file():
        raise ValueError(
            f"{path}: no such file, so {paths.corpus} is not registered; put it into run.corpora and run "
            "`dvc repro`"
        )
    return load_traces(path)


def _has(corpus: Corpus) -> str:
    return f"{corpus.task} of {' and '.join(corpus.dimensions)}"
