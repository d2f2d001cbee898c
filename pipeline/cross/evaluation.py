"""A recogniser and a registered corpus -> its scores there, and everything that they must be read with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.group_file import read_groups
from pipeline.corpora.label_sets import codes_of, matrix_of
from pipeline.corpora.recording import Recording, read_manifest
from pipeline.cross.features import features_of, remove
from pipeline.cross.gold import (
    Gold,
    NothingToScoreError,
    classes_of,
    traced,
    traces_at,
)
from pipeline.cross.overlap import LEARNT, overlap
from pipeline.cross.scale import Scales
from pipeline.cross.scores import Predicted, score
from pipeline.cross.wording import (
    class_sentences,
    enrolment_sentences,
    left_out_sentences,
    mapped_sentence,
    scale_sentences,
)
from pipeline.labels.labelled_folds import read_folds
from pipeline.learning.scaling import Values
from pipeline.learning.system import Variant
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.scoring.evaluation import unit_name

if TYPE_CHECKING:
    from pipeline.features.sources import Features
    from pipeline.recogniser.recogniser import Recogniser
    from pipeline.store.rows import Rows


@dataclass(frozen=True)
class Evaluated:
    """What a recogniser reaches on a corpus.

    partition: what was scored, `all` where all recordings were. classes: those in common, by the recogniser's
    names. scores, groups: see `pipeline.cross.scores`. notes: sentences without which scores mislead.
    several: an utterance may have any number of the classes.
    """

    recogniser: str
    trained_on: str
    system: str
    setting: str
    dimension: str
    corpus: str
    partition: str
    classes: tuple[str, ...]
    scores: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    notes: list[str]
    several: bool = False

    @property
    def chance(self) -> float | None:
        """Return the UAR of guessing among the common classes, or their WAcc; None for traces."""
        if self.several:
            return 0.5
        return 1 / len(self.classes) if self.classes else None


def evaluate_on(
    recogniser: Recogniser,
    corpus: Corpus,
    paths: Paths,
    shop: Workshop,
    scratch: Path,
    part: str | None = None,
    also_train: bool = False,
    scales: Scales | None = None,
) -> Evaluated:
    """Score a recogniser on a corpus.

    corpus, paths: on which. scratch: a folder for tables that have to be made; it is removed. part: which
    partition, or `all`; None: all labelled recordings of another corpus, and of the corpus that it learnt
    from `test`.
    also_train: whether recordings that it learnt from may be scored. scales: of traces, where the corpus is
    rated on another one than the recogniser's labels were: its labels are mapped; None: both are the same.

    Raises:
        NothingCommonError: there is nothing to score: other labels, no such modality.
        NothingToScoreError: no recording of that partition has a label.
        ValueError: recordings of training without `also_train`; the corpus is not registered; scales that
            cannot be.
        ExtractionError, NotReadyError, TableError, StoreError: features cannot be had.
    """
    own = recogniser.description.corpus == paths.corpus
    chosen = part or ("test" if own else "all")
    if own and chosen in ("all", *LEARNT) and not also_train:
        raise ValueError(
            f"{recogniser.name} learnt from {paths.corpus}: of its recordings only those of test say "
            f"something of others, found {chosen}; --also-train scores them nevertheless"
        )
    if scales is not None:
        if recogniser.classes:
            raise ValueError(f"--scale is of traces, and {recogniser.name} predicts classes")
        scales.require(recogniser.description.label_range, recogniser.name)
    if not paths.manifest.is_file():
        raise ValueError(
            f"{paths.manifest}: no such file, so {paths.corpus} is not registered; put it into run.corpora "
            "and run `dvc repro`"
        )
    recordings = read_manifest(paths.manifest)
    if own:
        recordings = _of_fold(recogniser, paths, recordings)
    wanted = [item for item in recordings if chosen in ("all", item.partition)]
    classes = recogniser.classes
    gold = classes_of(corpus, paths, classes, recogniser.description.task) if classes else None
    labelled = set(gold.values) if gold else traced(corpus, paths, recogniser.dimension)
    to_score = [item for item in wanted if item.recording in labelled]
    if not to_score:
        raise NothingToScoreError(
            f"{paths.corpus}: no recording of {chosen} has a label that could be scored"
        )
    # whoever scales by speaker hears all that there is of a speaker
    read = recordings if _by_speaker(recogniser) else to_score
    try:
        sources = {
            name: features_of(
                name, recogniser.corpus, recogniser.dimension, corpus, paths, read, shop,
                scratch / name.replace("@", "_"),
            )
            for name in recogniser.needed
        }  # fmt: skip
        rows, lost = _rows(to_score, sources)
        if not rows:
            raise NothingToScoreError(f"{paths.corpus}: {_why_none(lost, sources)}")
        if gold is None:
            lengths = {name: min(len(own) for own in rows[name].values()) for name in rows}
            hop = recogniser.corpus.grid.hop
            assert hop is not None  # traces have label times
            gold = traces_at(corpus, paths, recogniser.dimension, hop, lengths)
            if scales is not None:
                gold = gold._replace(values=scales.mapped(gold.values, paths.corpus))
        found = _predicted(recogniser, rows, gold, _enrolments(recogniser, recordings, sources))
    finally:
        remove(scratch)
    speakers = {item.recording: item.speaker for item in to_score}
    description = recogniser.description
    columns = read_groups(paths)
    unit = unit_name(speakers, corpus.grid.utterances)
    result = score(
        found, corpus.task, len(gold.classes), Variant(description.system, description.setting, 0), speakers,
        {name: columns[name] for name in corpus.evaluation.groups if name in columns},
        corpus.evaluation, unit, f"{recogniser.name} on {paths.corpus}",
    )  # fmt: skip
    training = _training(paths, recogniser)
    notes = [
        *class_sentences(recogniser.classes, gold, paths.corpus, TASKS[recogniser.task].several),
        *([] if scales is None else [mapped_sentence(paths.corpus, scales)]),
        *scale_sentences(
            () if gold.classes or own else found,
            training,
            recogniser,
            corpus,
            paths.corpus,
            scales is not None,
        ),
        *(enrolment_sentences(paths.corpus) if _by_speaker(recogniser) else ()),
        *overlap(
            [item for item in to_score if item.recording in rows],
            training.manifest,
            description.manifest,
            _learnt(recogniser, paths),
            own,
        ),
        *left_out_sentences(lost, len(to_score)),
    ]
    return Evaluated(
        recogniser.name, description.corpus, description.system, description.setting, recogniser.dimension,
        paths.corpus, chosen, gold.classes, result.scores, result.groups, notes,
        TASKS[recogniser.task].several,
    )  # fmt: skip


def _training(paths: Paths, recogniser: Recogniser) -> Paths:
    """Return the paths of the corpus that a recogniser learnt from, in this checkout."""
    return replace(paths, corpus=recogniser.description.corpus, fold=recogniser.description.fold)


def _of_fold(recogniser: Recogniser, paths: Paths, recordings: Sequence[Recording]) -> list[Recording]:
    """Return the recordings with the partitions that they had when the recogniser learnt."""
    made = read_folds(_training(paths, recogniser).of_fold(""), recogniser.corpus, recordings)
    return next(fold.recordings for fold in made if fold.name == recogniser.description.fold)


def _learnt(recogniser: Recogniser, paths: Paths) -> list[Recording]:
    manifest = _training(paths, recogniser).manifest
    if not manifest.is_file():
        return []
    every = _of_fold(recogniser, paths, read_manifest(manifest))
    return [item for item in every if item.partition in LEARNT]


def _by_speaker(recogniser: Recogniser) -> bool:
    return any(scaler.speaker != "none" for scaler in recogniser.models.scalers.values())


def _rows(
    recordings: Sequence[Recording], sources: Mapping[str, Features]
) -> tuple[dict[str, dict[str, Rows]], list[str]]:
    """Return the rows of each recording by modality, and the recordings that lack some."""
    present = set.intersection(*(set(source.recordings) for source in sources.values()))
    names = [item.recording for item in recordings if item.recording in present]
    first = next(iter(sources.values()))
    rows = {
        name: {modality: source.read(name) for modality, source in sources.items()}
        for name in first.in_file_order(names)
    }
    return rows, sorted({item.recording for item in recordings} - present)


def _why_none(lost: Sequence[str], sources: Mapping[str, Features]) -> str:
    """Say that no recording has features, and of the first one why; lost: those with labels."""
    said = f"none of the {len(lost)} recordings with labels has features of {' and '.join(sources)}"
    failed = {own.recording: own.reason for source in sources.values() for own in source.table.failures()}
    first = next((name for name in lost if name in failed), None)
    return said if first is None else f"{said} ({first}: {failed[first]})"


def _enrolments(
    recogniser: Recogniser, recordings: Sequence[Recording], sources: Mapping[str, Features]
) -> dict[str, dict[str, list[Values]]]:
    """Return recording -> modality -> all recordings of its speaker; nothing where none are needed."""
    if not _by_speaker(recogniser):
        return {}
    by_speaker: dict[str, dict[str, list[Values]]] = {}
    for modality, source in sources.items():
        known = set(source.recordings)
        for item in recordings:
            if item.recording in known:
                rows = source.read(item.recording)
                own = by_speaker.setdefault(item.speaker, {}).setdefault(modality, [])
                own.append(Values(rows.values, rows.valid))
    return {item.recording: by_speaker.get(item.speaker, {}) for item in recordings}


def _predicted(
    recogniser: Recogniser,
    rows: Mapping[str, Mapping[str, Rows]],
    gold: Gold,
    enrolments: Mapping[str, Mapping[str, Sequence[Values]]],
) -> list[Predicted]:
    """Return predictions and gold standards of the recordings that have both, cut to the shorter."""
    found = []
    for name in tracked(sorted(rows.keys() & gold.values.keys()), "predict", "recordings", len(rows)):
        own = rows[name]
        said = recogniser.predict_rows(own, enrolments.get(name))
        prediction = said.values
        scores = None
        if gold.classes:
            common = list(gold.places)
            scores = prediction[:, common]
            if said.several:  # by their thresholds, and not by which is the most probable
                prediction = codes_of(matrix_of(said.codes, len(recogniser.classes))[:, common])
            else:
                prediction = scores.argmax(axis=1).astype(np.float64)
        frames = min(len(prediction), len(gold.values[name]))
        scores = None if scores is None else scores[:frames]
        found.append(Predicted(name, prediction[:frames], gold.values[name][:frames], scores))
    return found
