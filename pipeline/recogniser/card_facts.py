"""What a model card is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.params import Corpus, Scenario
from pipeline.recogniser.card_tables import (
    Trained,
)
from pipeline.recogniser.choice import Choice
from pipeline.recogniser.description import Calibration, Domain


@dataclass(frozen=True)
class CardFacts:
    """What a card is made of.

    needed: modalities that a prediction takes. trained: recordings, speakers and labels by partition.
    intervals, groups, enrolment: tables of the stage evaluate. rendered: whether the corpus is drawn. tested:
    the row of scores/uncertainty.csv. everybody: the rows of data/certainty over all folds. thresholds: above
    which each class is predicted, where an utterance may have several. unseen: classes of which the system
    learned nothing; rare: of which it learned few recordings. networks: names of files that features need,
    and whether they are in the folder.
    """

    name: str
    corpus_name: str
    corpus: Corpus
    scenario: Scenario
    dimension: str
    fold: str
    classes: Sequence[str]
    seeds: Sequence[int]
    needed: Sequence[str]
    choice: Choice
    trained: Sequence[Trained]
    intervals: pd.DataFrame
    groups: pd.DataFrame
    rendered: bool
    post_processed: bool
    calibration: Calibration
    domain: Domain
    tested: Mapping[str, Any]
    enrolment: pd.DataFrame = field(default_factory=pd.DataFrame)
    everybody: Sequence[Mapping[str, Any]] = ()
    thresholds: Sequence[float] = ()
    unseen: Sequence[str] = ()
    rare: Sequence[str] = ()
    networks: Sequence[tuple[str, bool]] = ()
