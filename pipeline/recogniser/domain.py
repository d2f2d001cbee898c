"""Features of train and dev -> what a recogniser keeps of them, to tell recordings unlike any that it knew.

Read beside the networks' own scaling: see `pipeline.scoring.domain`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.corpora.recording import Recording
from pipeline.features.sources import open_features
from pipeline.learning.speaker_statistics import Values
from pipeline.learning.views import enrolled_of
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.recogniser.description import Domain
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.scoring.domain import Limits, Reference, limits_of, reference_of, share_beyond


def known_domain(
    paths: Paths, corpus: Corpus, dimension: str, models: ModelsOfSetting, recordings: Sequence[Recording]
) -> tuple[dict[str, Limits], Domain]:
    """Return the usual values of the features of each view, and how far recordings of dev are from them.

    recordings: of a fold, with its partitions. Each is scaled as in training, by recordings of its
    speaker too. Of dev those count that have all modalities which a prediction takes.
    """
    limits: dict[str, Limits] = {}
    shares: dict[str, list[float]] = {}
    for view, modality in models.views_needed.items():
        source = open_features(paths, corpus, modality, dimension)
        known = set(source.recordings)
        present = [item for item in recordings if item.recording in known]
        values = {}
        for name in source.in_file_order(item.recording for item in present):
            rows = source.read(name)
            values[name] = Values(rows.values, rows.valid)
        scaler = models.scalers[view]
        enrolled = enrolled_of(present, values, scaler, corpus.learning.scaling)
        scaled = {name: scaler.apply(own, enrolled.get(name, ())) for name, own in values.items()}
        train = [item.recording for item in present if item.partition == "train"]
        limits[view] = limits_of((scaled[name], values[name].valid) for name in train)
        for item in present:
            if item.partition == "dev":
                own = share_beyond(scaled[item.recording], values[item.recording].valid, limits[view])
                shares.setdefault(item.recording, []).append(own)
    whole = [float(np.mean(own)) for own in shares.values() if len(own) == len(limits)]
    return limits, _described(reference_of(whole))


def _described(found: Reference) -> Domain:
    """Return the reference as a description has it: a number of any recordings, not one of each."""
    known = found.shares
    return Domain(
        recordings=len(known),
        median=float(np.median(known)) if known else None,
        largest=max(known) if known else None,
        limit=found.limit if known else None,
        alarms=found.alarms,
    )
