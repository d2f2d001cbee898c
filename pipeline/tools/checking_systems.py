"""Recordings and labels -> which systems have nothing to learn from, before hours of training are spent.

Training leaves such a system out of an experiment and says so in its log, experiment by experiment; here it
is said once. What tables of features that came with the corpus hold is not looked at: a recording counts as
one that has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.catalogue.systems import BY_WORDS, SYSTEMS, controls, in_order
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.hidden_labels import hidden_recordings
from pipeline.corpora.interface import GOLD
from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.partitions import folds
from pipeline.corpora.recording import Recording
from pipeline.learning.systems.emotion_words.held_out import require_some, stopped_by
from pipeline.params import Corpus, modality_of
from pipeline.params.scenario import Scenario, source_of
from pipeline.params.systems import FEWEST_MATCHED
from pipeline.paths import experiment_name
from pipeline.wording import listed

TAUGHT = ("taught", *controls("taught"))
MATCHED = tuple(name for name, entry in SYSTEMS.items() if entry.module == SYSTEMS["matched"].module)


class Training(NamedTuple):
    """What one experiment learns from, of a fold and a draw of labelled speakers.

    fold: of files of both, empty for the result. train, dev: recordings. labelled: those whose label of the
    dimension is seen. hides: whether there are some whose label is not.
    """

    scenario: Scenario
    dimension: str
    fold: str
    train: list[Recording]
    dev: list[Recording]
    labelled: frozenset[str]
    hides: bool

    @property
    def name(self) -> str:
        """Return the name of its files."""
        return experiment_name(self.scenario.name, self.dimension, self.fold)


class Untrained(NamedTuple):
    """Sentences: what is left out or is no system of its own, and what training will refuse."""

    doubts: list[str]
    wrong: list[str]


def check_systems(
    corpus: Corpus, recordings: Sequence[Recording], traces: pd.DataFrame, classes: Sequence[str]
) -> Untrained:
    """Say which systems will not be trained, or not as what they are called.

    recordings: as the corpus came. traces: columns `recording, dimension, rater, value`. classes: names of
    the codes in them.

    Raises:
        ValueError: the folds or the draws of labelled speakers that the parameters ask for cannot be made.
    """
    trainings = list(_trainings(corpus, recordings, traces))
    systems = in_order(corpus.learning.systems)
    doubts, wrong = [], _of_one_class(trainings, traces) if TASKS[corpus.task].classes else []
    if asked := [name for name in systems if name in TAUGHT]:
        doubts += _left_out(asked, trainings, lambda item: not _unlabelled(corpus, item), _untaught(corpus))
    if asked := [name for name in systems if name in MATCHED]:
        doubts += _left_out(
            asked, trainings, lambda item: len(_paired(corpus, item)) < FEWEST_MATCHED,
            lambda item: f"fewer than {FEWEST_MATCHED} recordings of train have all of {_all(item)}",
        )  # fmt: skip
    if corpus.learning.by_votes:
        doubts += _without_raters(corpus, trainings, traces)
    if asked := [name for name in systems if name in BY_WORDS]:
        of_words = _by_words(corpus, asked, trainings, traces, classes)
        doubts += of_words.doubts
        wrong += of_words.wrong
    return Untrained(doubts, wrong)


def _trainings(corpus: Corpus, recordings: Sequence[Recording], traces: pd.DataFrame) -> Iterator[Training]:
    rows = traces if not TASKS[corpus.task].classes else traces[traces["rater"] == GOLD]
    known = {
        dimension: frozenset(map(str, rows.loc[rows["dimension"] == dimension, "recording"].unique()))
        for dimension in corpus.dimensions
    }
    labelled = frozenset().union(*known.values())
    for fold in folds(recordings, corpus.partitions, labelled) if corpus.scenarios else ():
        parts = {
            part: [item for item in fold.recordings if item.partition == part] for part in ("train", "dev")
        }
        for draw in corpus.label_draws:
            hidden = hidden_recordings(
                fold.recordings, draw, corpus.label_draws, corpus.partitions.label_seed, labelled
            )
            for scenario in corpus.scenarios:
                for dimension, own in known.items():
                    name = draw.of_fold(fold.name)
                    yield Training(
                        scenario, dimension, name, **parts, labelled=own - hidden, hides=bool(hidden)
                    )


def _has(corpus: Corpus, item: Recording, name: str) -> bool:
    """Say whether a recording has what a scenario calls a modality; of given features nothing is known."""
    source, modality = source_of(name), modality_of(name)
    if source and not item.recording.startswith(f"{source}/"):
        return False
    return modality not in corpus.extract or item.medium(modality) is not None


def _paired(corpus: Corpus, training: Training) -> list[str]:
    """Return the recordings of train that have all modalities."""
    names = training.scenario.modalities
    return [item.recording for item in training.train if all(_has(corpus, item, name) for name in names)]


def _unlabelled(corpus: Corpus, training: Training) -> list[str]:
    return [name for name in _paired(corpus, training) if name not in training.labelled]


def _all(training: Training) -> str:
    return listed(training.scenario.modalities)


def _untaught(corpus: Corpus) -> Callable[[Training], str]:
    def reason(training: Training) -> str:
        bare = sum(item.recording not in training.labelled for item in training.train)
        hint = "partitions.labelled_speakers and label_shares hide labels, docs/labels.md"
        if not bare:
            return f"every recording of train has a label of {training.dimension}; {hint}"
        return (
            f"of the {bare} recordings of train without a label of {training.dimension} none has all of "
            f"{_all(training)}"
        )

    return reason


def _left_out(
    systems: Sequence[str],
    trainings: Sequence[Training],
    lacking: Callable[[Training], bool],
    reason: Callable[[Training], str],
) -> list[str]:
    """Return a sentence on systems that some trainings, or all of them, lack recordings for."""
    found = [item for item in trainings if lacking(item)]
    if not found:
        return []
    where = "" if len(found) == len(trainings) else f" of {len(found)} of {len(trainings)} trainings"
    first = f" (the first: {found[0].name})" if where else ""
    return [f"{listed(systems)} will be left out{where}{first}: {reason(found[0])}"]


def _of_one_class(trainings: Sequence[Training], traces: pd.DataFrame) -> list[str]:
    """Say in which draws the speakers whose labels are seen have one label alone."""
    gold = traces[(traces["dimension"] == "emotion") & (traces["rater"] == GOLD)]
    codes = dict(zip(gold["recording"].astype(str), gold["value"], strict=True))
    found = {}
    for item in trainings:
        seen = [own for own in item.train if own.recording in item.labelled]
        if item.hides and len({codes[own.recording] for own in seen}) < 2:
            speakers = len({own.speaker or own.recording for own in seen})
            name = item.fold or "the result"
            found[name] = (
                f"{name}: the labels of train that are seen (speakers: {speakers}) are all one class, "
                "expected two or more; take a larger partitions.label_shares or "
                "partitions.labelled_speakers, or another partitions.label_seed"
            )
    return list(found.values())


def _without_raters(corpus: Corpus, trainings: Sequence[Training], traces: pd.DataFrame) -> list[str]:
    """Say where triplets are to be graded by raters and nobody rated what is learned from."""
    of_raters = traces[traces["rater"] != GOLD]
    rated: dict[str, set[str]] = {
        dimension: set(of_raters.loc[of_raters["dimension"] == dimension, "recording"])
        for dimension in corpus.dimensions
    }
    without = dict.fromkeys(
        item.dimension
        for item in trainings
        if not any(row.recording in rated[item.dimension] & item.labelled for row in item.train)
    )
    if not without:
        return []
    graded = corpus.learning.triplet.distance != "label"
    what = (
        "graded_triplet will be triplet once more"
        if graded
        else "learning.triplet.distance: label changes nothing"
    )
    return [
        f"{what}: of {listed(list(without))} no single rater of a labelled recording of train is known, so "
        "each label counts as one that all agree on (docs/methods.md)"
    ]


def _by_words(
    corpus: Corpus,
    systems: Sequence[str],
    trainings: Sequence[Training],
    traces: pd.DataFrame,
    classes: Sequence[str],
) -> Untrained:
    """Say where classes that are not to be learned leave too few recordings of others."""
    own, several = corpus.learning.emotion_words, TASKS[corpus.task].several
    gold = traces[(traces["dimension"] == "emotion") & (traces["rater"] == GOLD)].drop_duplicates("recording")
    codes = gold["value"].to_numpy()
    carries = matrix_of(codes, len(classes)) if several else codes[:, None] == np.arange(len(classes))
    rows = dict(zip(gold["recording"].astype(str), carries.astype(np.float32), strict=True))

    def on_dev(item: Training) -> dict[str, NDArray[np.float32]]:
        # dev keeps its labels: those that are hidden are of train alone
        return {r.recording: rows[r.recording] for r in item.dev if r.recording in rows}

    wrong = []
    for item in trainings:
        train = {r.recording: rows[r.recording] for r in item.train if r.recording in item.labelled}
        try:
            require_some({"train": train, "dev": on_dev(item)}, classes, own)
        except ValueError as error:
            wrong.append(str(error))
    doubts = _left_out(
        systems, trainings, lambda item: not stopped_by(on_dev(item), classes, own),
        lambda _: "their training is stopped by the score on dev, which has no labelled recording that they "
        "may look at",
    )  # fmt: skip
    return Untrained(doubts, list(dict.fromkeys(wrong)))
