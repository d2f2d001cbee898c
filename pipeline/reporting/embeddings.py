"""Trained models and features -> embeddings of both modalities, before and after crossmodal training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.layout import Layout
from pipeline.params import Corpus
from pipeline.scoring.selection import Point


def load_embeddings(
    layout: Layout, corpus: Corpus, points: Mapping[str, Sequence[Point]]
) -> dict[str, pd.DataFrame]:
    return {}
