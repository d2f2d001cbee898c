"""Trained models and features -> embeddings of both modalities, before and after crossmodal training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import product

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.corpora.recording import Recording
from pipeline.features.sources import Features, open_features
from pipeline.learning.speaker_statistics import Values
from pipeline.params import Corpus, Scenario
from pipeline.paths import Paths, experiment_name
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.scoring.selection import Point
from pipeline.store.rows import Rows

Read = Callable[[str], Rows]
Enrolled = Mapping[tuple[str, str], Sequence[str]]

PAIR = 2
"""Modalities that share a space: no system has encoders of more."""
MOST_ROWS = 1000
"""Embeddings per modality, system and seed: enough for retrieval, drawn at random among all frames."""


def load_embeddings(
    paths: Paths, corpus: Corpus, points: Mapping[str, Sequence[Point]], recordings: Sequence[Recording]
) -> dict[str, pd.DataFrame]:
    """Embed frames (or utterances) of test with the models of `points`, by experiment.

    After (encoders trained together): both encoders of the experiment's model. Before (trained apart): each
    modality by its own model (the auxiliary: of the experiment whose target it is, as chosen there).
    Without such an experiment there are embeddings of the target alone. Systems without encoders have none.

    paths: of the fold to embed. points: of that fold, by experiment; recordings: with its partitions.

    Frames without a label have no class and are left out; where test has no labels, dev is embedded. Result:
    see `pipeline.reporting.inputs.ReportInputs`.

    Raises:
        TableError, ModelFileError: features or models are missing or damaged.
    """
    labels = pd.read_parquet(paths.label_table).dropna(subset=["label"])
    # Kept, since every experiment and model reads the same recordings of test.
    opened = cache(partial(open_features, paths, corpus))
    reader = cache(lambda name, dimension: cache(opened(name, dimension).read))
    found = {}
    for scenario in corpus.scenarios:
        if len(scenario.modalities) > PAIR:
            continue
        for dimension in corpus.dimensions:
            tables = {name: opened(name, dimension) for name in scenario.modalities}
            features: dict[str, Read] = {name: reader(name, dimension) for name in tables}
            enrolled = _enrolled(tables, recordings) if corpus.learning.scaling.speaker != "none" else {}
            name = experiment_name(scenario.name, dimension)
            frames = _drawn_frames(labels[labels["dimension"] == dimension], tables, corpus.report.seed)
            embedding = [point for point in points.get(name, ()) if SYSTEMS[point.system].encoders != "none"]
            if frames.empty or not embedding:
                continue
            parts = []
            for point, (modality, read) in product(embedding, features.items()):
                encoder = _encoder(paths, scenario, modality, dimension, point, points)
                if encoder is not None:
                    model, view = encoder
                    part = _embed(model, view, read, frames[frames["modality"] == modality], enrolled)
                    parts.append(part.assign(system=point.system))
            found[name] = pd.concat(parts, ignore_index=True)
    return found


def _encoder(
    paths: Paths,
    scenario: Scenario,
    modality: str,
    dimension: str,
    point: Point,
    points: Mapping[str, Sequence[Point]],
) -> tuple[ModelsOfSetting, str] | None:
    """Return the model that embeds a modality, and as which of its views; None if no model was trained to."""
    view = next(view for view, name in scenario.views.items() if name == modality)
    name = scenario.name
    if SYSTEMS[point.system].encoders == "apart" and view != "target":
        name, view = f"{scenario.auxiliary}+{scenario.target}", "target"
        chosen = points.get(experiment_name(name, dimension), ())
        own = next((other for other in chosen if other.system == point.system), None)
        if own is None:
            return None
        point = own
    path = paths.models / experiment_name(name, dimension, paths.fold) / "models.safetensors"
    return ModelsOfSetting.load(path, *point), view


def _drawn_frames(labels: pd.DataFrame, tables: Mapping[str, Features], seed: int) -> pd.DataFrame:
    """Return modality, recording, partition, speaker, frame and class of the frames to embed."""
    labels = labels.sort_values(["recording", "time"], kind="stable")
    labels = labels.assign(frame=_frame_numbers(labels))
    partition = "test" if (labels["partition"] == "test").any() else "dev"
    parts = []
    for place, (modality, table) in enumerate(tables.items()):
        rows = labels["recording"].map(table.count)
        here = labels[(labels["partition"] == partition) & (labels["frame"] < rows)]
        if len(here) > MOST_ROWS:
            rng = np.random.default_rng([seed, place])
            here = here.iloc[np.sort(rng.choice(len(here), MOST_ROWS, replace=False))]
        columns = ["recording", "partition", "speaker", "frame", "triplet_class"]
        parts.append(here[columns].rename(columns={"triplet_class": "class"}).assign(modality=modality))
    return pd.concat(parts, ignore_index=True)


def _frame_numbers(labels: pd.DataFrame) -> pd.Series:
    """Return the frame of each label: its time in hops, the hop being the smallest step of the table."""
    steps = labels.groupby("recording")["time"].diff()
    hop = steps[steps > 0].min()
    frames = np.zeros(len(labels)) if pd.isna(hop) else labels["time"] / hop
    return pd.Series(np.round(frames).astype(int), index=labels.index)


def _enrolled(tables: Mapping[str, Features], recordings: Sequence[Recording]) -> Enrolled:
    """Return the recordings of the same speaker that have features, by modality and recording."""
    found = {}
    for modality, table in tables.items():
        known = set(table.recordings)
        speakers = {
            item.recording: item.speaker or item.recording for item in recordings if item.recording in known
        }
        for name, speaker in speakers.items():
            found[modality, name] = [other for other, who in speakers.items() if who == speaker]
    return found


def _embed(
    model: ModelsOfSetting, view: str, read: Read, frames: pd.DataFrame, enrolled: Enrolled
) -> pd.DataFrame:
    """Return the embeddings of the drawn frames: by recording, then by seed of the model."""
    # one table at the end: to join a small one for each recording and seed takes longer than the models do
    places, seeds, embedded = [], [], []
    for recording, rows in frames.groupby("recording", sort=True).indices.items():
        features = read(str(recording))
        others = [read(name) for name in enrolled.get((frames["modality"].iloc[0], str(recording)), ())]
        enrolment = [Values(other.values, other.valid) for other in others]
        vectors = model.embed(features, view, enrolment=enrolment)  # (seeds, frames, embedding)
        embedded += list(vectors[:, frames["frame"].to_numpy()[rows]])
        places += [rows] * len(vectors)
        seeds += [variant.seed for variant in model.variants for _ in rows]
    values = np.concatenate(embedded)
    known = frames.drop(columns="frame").iloc[np.concatenate(places)].assign(seed=seeds)
    columns = pd.DataFrame(values, columns=[f"e_{i}" for i in range(values.shape[1])])
    return known.reset_index(drop=True).join(columns)
