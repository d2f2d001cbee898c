"""Registered traces -> labels on the label grid of a corpus, as one table and one page of facts.

`labels.parquet` has the columns of `label_file.SCHEMA`: one row per recording, dimension and label time, or
per utterance; where a trace has a hole, gold standard, label and class are empty. Where an utterance may have
several classes, label and class are the code of their set (`pipeline.corpora.label_sets`). Beside classes
there is what the corpus says of the arousal and valence of utterances, for systems that learn a second
dimension. `labels.json` says how it was made: the delay (and the curve it was read from, if it was
estimated), thresholds, weights of the raters, counts, what is wrong with the times of traces, and the
recordings without labels. Where the corpus keeps single raters, `votes.parquet` says which classes they saw
(`pipeline.labels.votes`). With a cross-validation these files are made for each fold, from the same gold
standards, and where labels of some speakers are hidden, for each draw of those who keep theirs. What is
hidden is in none of them, so that nothing behind this stage can see it, and took no part in thresholds and
delay.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence, Set
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.hidden_labels import hidden_recordings
from pipeline.corpora.interface import GOLD
from pipeline.corpora.partitions import Fold, folds, shared_speakers
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.traces import load_traces
from pipeline.labels.delay_rows import Features
from pipeline.labels.gold_by_recording import GoldStandards, gold_standards
from pipeline.labels.label_file import nothing_to_learn, write_labels
from pipeline.labels.lengths import lengths_of
from pipeline.labels.overview import overview
from pipeline.labels.trace_labels import hop_of, labels_of_traces
from pipeline.labels.utterance_labels import labels_of_utterances, require_two_classes
from pipeline.labels.votes import votes_of_traces, votes_of_utterances, write_votes
from pipeline.params import Corpus
from pipeline.paths import Paths

logger = logging.getLogger(__name__)


def align(corpus: Corpus, paths: Paths, features: Mapping[Any, Features] | None = None) -> None:
    """Write the labels of a corpus to `paths.labels`; with several folds, of each to its own folder.

    The delay is estimated on train and dev, and thresholds are fitted on train, of each fold by itself; gold
    standards know no partition and are made once.

    Args:
        corpus: its parameters.
        paths: where the manifest and the traces are, and where the labels go.
        features: feature tables by what scenarios call them: how long recordings are, and what
            `annotation_delay: estimate` searches on. Without, no length is known.

    Raises:
        FileNotFoundError: no manifest or no traces: register has not run.
        ValueError: the corpus has no annotations of the kind that its parameters ask for, no
            labels in train, nothing to estimate the delay on, or folds that cannot be made.
    """
    registered = read_manifest(paths.manifest)
    if corpus.partitions.method == "speaker_disjoint":
        shared = shared_speakers(registered)
        logger.info("%s; moved: %s", shared.sentence(), shared.moves())
    traces = load_traces(paths.traces / "traces.parquet")
    traces = traces[traces["recording"].isin([item.recording for item in registered])]
    gold = None
    frames: Mapping[str, int] = {}
    if corpus.scenarios and not TASKS[corpus.task].classes:
        hop = hop_of(corpus, paths)
        frames, wrong = lengths_of(features or {}, corpus.extract, hop)
        gold = gold_standards(corpus, paths, traces, hop, frames, wrong)
        names = {item.recording for item in registered}
        _say_problems(gold, {name: sentence for name, sentence in wrong.items() if name in names})
    classes = json.loads((paths.traces / "classes.json").read_text(encoding="utf-8"))
    for doubt in overview(corpus, paths.corpus, registered, traces, classes, {}).doubts:
        logger.warning("doubtful: %s", doubt)
    labelled = _labelled(corpus, traces, gold)
    made = folds(registered, corpus.partitions, labelled)
    if len(made) > 1:
        logger.info("recordings with labels that are tested: %s", _tested(made, labelled))
    for fold, draw in product(made, corpus.label_draws):
        own = paths.of_fold(draw.of_fold(fold.name))
        recordings = {item.recording: item for item in fold.recordings}
        hidden = hidden_recordings(
            fold.recordings, draw, corpus.label_draws, corpus.partitions.label_seed, labelled
        )
        if hidden:
            logger.info("%s: %s", own.fold or paths.corpus, _hidden(hidden, fold, labelled))
        seen = traces[~traces["recording"].isin(hidden)]
        if not corpus.scenarios:
            table, facts = nothing_to_learn()
        elif gold is None:
            table, facts = labels_of_utterances(corpus, own, recordings, seen)
            if hidden:
                require_two_classes(own, table)
        else:
            table, facts = labels_of_traces(corpus, own, recordings, gold.without(hidden), frames, features)
        if len(made) > 1:
            facts["labelled"] = sorted(labelled)
        if hidden:
            facts["hidden"] = sorted(hidden)
        write_labels(corpus, own, recordings.keys(), table, facts)
        write_votes(own, _votes(corpus, table, facts, seen))


def _votes(
    corpus: Corpus, table: pd.DataFrame, facts: Mapping[str, Any], traces: pd.DataFrame
) -> pd.DataFrame:
    """Return the votes of the raters on the labelled recordings of train.

    traces: of recordings whose labels are seen.
    """
    train = table[(table["partition"] == "train") & table["triplet_class"].notna()]
    if TASKS[corpus.task].classes or train.empty:
        several = TASKS[corpus.task].several
        return votes_of_utterances(traces, [] if several else train["recording"].unique().tolist())
    assert corpus.grid.hop is not None, "labels were made with it"
    parts = []
    for dimension in corpus.dimensions:
        own = table[(table["dimension"] == dimension) & (table["partition"] == "train")]
        labels = {str(name): rows["label"].to_numpy() for name, rows in own.groupby("recording")}
        parts.append(
            votes_of_traces(
                traces,
                dimension,
                labels,
                tuple(facts["thresholds"][dimension]),
                corpus.grid.hop,
                facts["annotation_delay"]["frames"],
                corpus.labels.max_gap,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _labelled(corpus: Corpus, traces: pd.DataFrame, gold: GoldStandards | None) -> set[str]:
    """Return the recordings with a label of anything that is predicted."""
    if gold is not None:
        by_dimension = gold.values.values()
        return {name for own in by_dimension for name, value in own.items() if np.isfinite(value).any()}
    chosen = traces[traces["dimension"].isin(corpus.dimensions) & (traces["rater"] == GOLD)]
    return {str(name) for name in chosen["recording"].unique()}


def _hidden(hidden: Set[str], fold: Fold, labelled: Set[str]) -> str:
    """Say how many labels are hidden, for people."""
    train = [item for item in fold.recordings if item.partition == "train" and item.recording in labelled]
    every = {item.speaker or item.recording for item in train}
    seen = {item.speaker or item.recording for item in train if item.recording not in hidden}
    shown = f"labels of {len(seen)} of {len(every)} train speakers are seen"
    return f"{shown}, those of {len(hidden)} recordings are hidden"


def _tested(made: Sequence[Fold], labelled: Set[str]) -> str:
    """Say how many recordings with labels each fold tests: `fold1 3, fold2 4, fold3 3`."""
    tested = {
        fold.name: sum(item.partition == "test" and item.recording in labelled for item in fold.recordings)
        for fold in made
    }
    return ", ".join(f"{name} {count}" for name, count in tested.items())


def _say_problems(gold: GoldStandards, wrong: Mapping[str, str]) -> None:
    """Log what is wrong with the times of traces, as `emobed check` says it.

    wrong: recordings whose feature tables disagree, said once for all dimensions.
    """
    for recording, sentence in wrong.items():
        logger.warning("%s: %s; it has no labels", recording, sentence)
    for dimension, problems in gold.problems.items():
        for recording, sentences in problems.items():
            if recording in wrong:
                continue
            left_out = "" if recording in gold.values[dimension] else "; it has no labels"
            logger.warning("%s: %s%s", recording, "; ".join(sentences), left_out)
