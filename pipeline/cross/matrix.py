"""All recognisers of some corpora on each of these corpora -> one table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.cross.columns import ABOUT
from pipeline.cross.evaluation import Evaluated, evaluate_on
from pipeline.cross.gold import NothingCommonError, NothingToScoreError
from pipeline.cross.shown import as_table
from pipeline.features.extraction.engine import ExtractionError
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.recogniser.recogniser import Recogniser
from pipeline.reporting.cross_table import NOTHING_COMMON
from pipeline.running.workshop import Workshop


def matrix(corpora: Mapping[str, Corpus], root: Path, shop: Workshop, scratch: Path) -> pd.DataFrame:
    """Score every recogniser of some corpora on each of them; of its own corpus on test.

    corpora: by name. root: of the checkout. scratch: a folder for tables that have to be made. A pair that
    cannot be scored is one row, whose `note` says why: a corpus whose test has no labels is no reason to have
    no table of the others.

    Raises:
        RecogniserError: a recogniser cannot be read.
        ValueError: a corpus is not registered.
    """
    tables = []
    for trained_on in corpora:
        folder = Paths(trained_on, root).recognisers
        for path in sorted(own for own in folder.iterdir() if own.is_dir()):
            recogniser = Recogniser.load(path, device=shop.device)
            for name, corpus in corpora.items():
                tables.append(_pair(recogniser, corpus, Paths(name, root), shop, scratch))
    return pd.concat(tables, ignore_index=True) if tables else as_table([])


def _pair(
    recogniser: Recogniser, corpus: Corpus, paths: Paths, shop: Workshop, scratch: Path
) -> pd.DataFrame:
    try:
        return as_table([evaluate_on(recogniser, corpus, paths, shop, scratch)])
    except (NothingCommonError, NothingToScoreError, ExtractionError) as error:
        why = f"{NOTHING_COMMON}: {error}" if isinstance(error, NothingCommonError) else str(error)
        about = recogniser.description
        nothing = Evaluated(
            recogniser.name, about.corpus, about.system, about.setting, recogniser.dimension, paths.corpus,
            "", (), [], [], [],
        )  # fmt: skip
        row = {name: getattr(nothing, name) for name in ABOUT} | {"note": why, "n": 0}
        return pd.DataFrame([row]).reindex(columns=as_table([]).columns)
