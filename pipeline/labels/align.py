"""Registered traces -> labels on the label grid of a corpus, as one table and one page of facts.

`labels.parquet` has the columns of `SCHEMA`: one row per recording, dimension and label time, or per
utterance; where a trace has a hole, gold standard, label and class are empty. Where an utterance may have
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

import io
import json
import logging
from collections.abc import Mapping, Sequence, Set
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.hidden_labels import hidden_recordings
from pipeline.corpora.interface import GOLD
from pipeline.corpora.partitions import Fold, folds, shared_speakers
from pipeline.corpora.recording import PARTITIONS, Recording, read_manifest
from pipeline.corpora.traces import load_traces
from pipeline.features.grid import label_times, seconds_to_frames
from pipeline.labels.classes import classes_of, fit_thresholds
from pipeline.labels.delay import shift
from pipeline.labels.delay_rows import Features, search_rows
from pipeline.labels.delay_search import DelayEstimate, estimate_delay
from pipeline.labels.gold_by_recording import GoldStandards, gold_standards, require
from pipeline.labels.lengths import lengths_of
from pipeline.labels.overview import overview
from pipeline.labels.votes import votes_of_traces, votes_of_utterances, write_votes
from pipeline.params import Corpus
from pipeline.paths import Paths

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]
BESIDE = ("arousal", "valence")
"""Dimensions that utterances may have beside their class."""
SCHEMA = pa.schema(
    [
        ("recording", pa.string()),
        ("partition", pa.string()),
        ("speaker", pa.string()),
        ("dimension", pa.string()),
        ("time", pa.float64()),
        ("gold_standard", pa.float64()),
        ("label", pa.float64()),
        ("triplet_class", pa.int64()),
    ]
)


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
        hop = _hop(corpus, paths)
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
        hidden = hidden_recordings(fold.recordings, draw, corpus.partitions.label_seed, labelled)
        if hidden:
            logger.info("%s: %s", own.fold or paths.corpus, _hidden(hidden, fold, labelled))
        seen = traces[~traces["recording"].isin(hidden)]
        if not corpus.scenarios:
            table, facts = _nothing_to_learn()
        elif gold is None:
            table, facts = _classification(corpus, own, recordings, seen)
            if hidden:
                _require_two_classes(own, table)
        else:
            table, facts = _regression(corpus, own, recordings, gold.without(hidden), frames, features)
        if len(made) > 1:
            facts["labelled"] = sorted(labelled)
        if hidden:
            facts["hidden"] = sorted(hidden)
        _write(corpus, own, recordings.keys(), table, facts)
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


def _require_two_classes(paths: Paths, table: pd.DataFrame) -> None:
    """Refuse a draw of labelled speakers from whom no class can be told from another.

    Raises:
        ValueError: all utterances of train whose class is seen have the same.
    """
    train = table[(table["partition"] == "train") & (table["dimension"] == "emotion")]
    if train["label"].nunique() < 2:
        raise ValueError(
            f"corpora.{paths.corpus}{f', {paths.fold}' if paths.fold else ''}: the "
            f"{train['speaker'].nunique()} speakers of train whose labels are seen have one label, expected "
            "two or more; take a larger partitions.label_shares or partitions.labelled_speakers, or another "
            "partitions.label_seed"
        )


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


def _write(
    corpus: Corpus, paths: Paths, recordings: Set[str], table: pd.DataFrame, facts: dict[str, Any]
) -> None:
    """Write the labels of one fold and what they were made with."""
    facts = {"corpus": paths.corpus, "task": corpus.task, "dimensions": list(corpus.dimensions), **facts}
    facts["counts"] = _counts(table, corpus.dimensions if corpus.scenarios else ())
    facts["unlabelled"] = {
        dimension: sorted(recordings - set(table.loc[table["dimension"] == dimension, "recording"]))
        for dimension in corpus.dimensions
    }
    buffer = io.BytesIO()
    arrow = pa.Table.from_pandas(table, schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, buffer, compression="zstd")
    write_if_changed(paths.label_table, buffer.getvalue())
    write_if_changed(paths.label_facts, json.dumps(facts, indent=1).encode() + b"\n")


def _hop(corpus: Corpus, paths: Paths) -> float:
    if corpus.grid.hop is None:
        raise ValueError(f"corpora.{paths.corpus}.grid.hop: found null, expected seconds for task regression")
    return corpus.grid.hop


def _nothing_to_learn() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return an empty table: without scenarios a corpus is there for its features and needs no labels."""
    delay = {"seconds": 0.0, "frames": 0, "estimated": False, "estimate": None, "curve": None}
    table = pd.DataFrame({name: [] for name in SCHEMA.names})
    return table, {"classes": [], "annotation_delay": delay, "thresholds": {}, "rater_weights": {}}


def _classification(
    corpus: Corpus, paths: Paths, recordings: Mapping[str, Recording], traces: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    if corpus.labels.gold_standard != "given":
        raise ValueError(
            f"corpora.{paths.corpus}.labels.gold_standard: found raters, expected given for task "
            f"{corpus.task}: classes are not weighted by CCC"
        )
    chosen = traces[traces["dimension"] == "emotion"]
    require(paths, "emotion", chosen, given=True)
    chosen = chosen[chosen["rater"] == GOLD].drop_duplicates("recording")
    codes = chosen["value"].astype(np.int64).astype("Int64")
    table = pd.concat(
        [
            _utterances(chosen, "emotion", recordings).assign(triplet_class=codes.to_numpy()),
            *(_utterances(numbers_of_utterances(traces, name), name, recordings) for name in BESIDE),
        ],
        ignore_index=True,
    )
    classes = json.loads((paths.traces / "classes.json").read_text(encoding="utf-8"))
    facts = {
        "classes": classes,
        "annotation_delay": _delay_facts(0, 0.0, None),
        "thresholds": {},
        "rater_weights": {},
        "mean_rater_weights": {},
    }
    return table, facts


def numbers_of_utterances(traces: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """Return the rows of utterances that have one number for a dimension; a trace is none of an utterance."""
    chosen = traces[(traces["dimension"] == dimension) & (traces["rater"] == GOLD)]
    return chosen[np.isfinite(chosen["value"]) & ~chosen["recording"].duplicated(keep=False)]


def _utterances(chosen: pd.DataFrame, dimension: str, recordings: Mapping[str, Recording]) -> pd.DataFrame:
    """Return one row per utterance, without a class for triplets."""
    items = [recordings[str(name)] for name in chosen["recording"]]
    return pd.DataFrame(
        {
            "recording": [item.recording for item in items],
            "partition": [item.partition for item in items],
            "speaker": [item.speaker for item in items],
            "dimension": dimension,
            "time": 0.0,
            "gold_standard": chosen["value"].to_numpy(),
            "label": chosen["value"].to_numpy(),
            "triplet_class": pd.array([pd.NA] * len(items), dtype="Int64"),
        }
    )


def _regression(
    corpus: Corpus,
    paths: Paths,
    recordings: Mapping[str, Recording],
    gold: GoldStandards,
    lengths: Mapping[str, int],
    features: Mapping[Any, Features] | None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    hop = _hop(corpus, paths)
    delay = corpus.labels.annotation_delay
    found = None
    if delay == "estimate":
        found = _estimate(corpus, paths, recordings, gold, features or {}, hop)
        delay = found.seconds
        logger.info(
            "annotation_delay of %s: %.2f s found on train and dev (standard error %.2f s), used: %.2f s",
            " ".join(filter(None, (paths.corpus, paths.fold))),
            found.seconds,
            found.standard_error,
            seconds_to_frames(delay, hop) * hop,
        )
    frames = seconds_to_frames(delay, hop)
    parts, thresholds = [], {}
    for dimension in corpus.dimensions:
        values = gold.values[dimension]
        labels = {name: shift(value, frames)[: lengths.get(name)] for name, value in values.items()}
        labels = {name: label for name, label in labels.items() if np.isfinite(label).any()}
        train = [label for name, label in labels.items() if recordings[name].partition == "train"]
        if not train:
            wrong = [text for texts in gold.problems[dimension].values() for text in texts]
            why = f"; {wrong[0]} ({len(gold.problems[dimension])} recordings)" if wrong else ""
            raise ValueError(
                f"corpora.{paths.corpus}: no recording of train has {dimension}, expected labels to learn"
                f"{why}"
            )
        thresholds[dimension] = fit_thresholds(np.concatenate(train), corpus.labels.triplet_classes)
        for name, label in labels.items():
            rows = _rows(recordings[name], dimension, hop, values[name][: len(label)], label)
            classes = pd.Series(classes_of(label, thresholds[dimension]))
            unknown = np.isnan(label)
            rows["triplet_class"] = classes.astype("Int64").mask(unknown) if unknown.any() else classes
            parts.append(rows)
    facts = {
        "annotation_delay": _delay_facts(frames, hop, found),
        "thresholds": {dimension: list(values) for dimension, values in thresholds.items()},
        "problems": gold.problems,
        "rater_weights": gold.weights,
        "mean_rater_weights": {
            dimension: _mean_weights(weights) for dimension, weights in gold.weights.items()
        },
    }
    return pd.concat(parts, ignore_index=True), facts


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


def _estimate(
    corpus: Corpus,
    paths: Paths,
    recordings: Mapping[str, Recording],
    gold: GoldStandards,
    features: Mapping[Any, Features],
    hop: float,
) -> DelayEstimate:
    """Search the delay on train and dev: what is tuned on test does not generalise."""
    seen = {name: item for name, item in recordings.items() if item.partition != "test"}
    values = {
        dimension: {name: value for name, value in traces.items() if name in seen}
        for dimension, traces in gold.values.items()
    }
    labelled = {name for traces in values.values() for name in traces}
    usable = {name: item for name, item in seen.items() if name in labelled}
    place = corpus.grid.alignment
    rows = {modality: search_rows(table, usable, hop, place) for modality, table in features.items()}
    try:
        return estimate_delay(rows, values, hop, seconds_to_frames(corpus.labels.max_delay, hop))
    except ValueError as error:
        raise ValueError(f"corpora.{paths.corpus}.labels.annotation_delay: {error}") from None


def _rows(item: Recording, dimension: str, hop: float, gold_standard: Array, label: Array) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recording": item.recording,
            "partition": item.partition,
            "speaker": item.speaker,
            "dimension": dimension,
            "time": label_times((len(label) - 1) * hop, hop),
            "gold_standard": gold_standard,
            "label": label,
        }
    )


def _delay_facts(frames: int, hop: float, found: DelayEstimate | None) -> dict[str, Any]:
    """Return the delay as used, a whole number of frames, and where it comes from."""
    curve = None
    if found is not None:
        curve = [
            {
                "delay": round(float(delay), 6),
                "score": round(float(found.scores[place]), 6),
                **{part: round(float(scores[place]), 6) for part, scores in found.parts.items()},
            }
            for place, delay in enumerate(found.delays)
        ]
    return {
        "seconds": round(frames * hop, 6),
        "frames": frames,
        "estimated": found is not None,
        "estimate": None if found is None else round(found.seconds, 4),
        "standard_error": None if found is None else round(found.standard_error, 4),
        "curve": curve,
    }


def _mean_weights(weights: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    raters = sorted({rater for shares in weights.values() for rater in shares})
    means = {
        rater: np.mean([shares[rater] for shares in weights.values() if rater in shares]) for rater in raters
    }
    return {rater: round(float(mean), 6) for rater, mean in means.items()}


def _counts(table: pd.DataFrame, dimensions: tuple[str, ...]) -> dict[str, dict[str, dict[str, int]]]:
    """Return recordings and rows by dimension and partition."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for dimension in dimensions:
        counts[dimension] = {}
        for partition in PARTITIONS:
            rows = table[(table["dimension"] == dimension) & (table["partition"] == partition)]
            rows = rows[rows["gold_standard"].notna()]
            counts[dimension][partition] = {"recordings": int(rows["recording"].nunique()), "rows": len(rows)}
    return counts
