"""Predictions of every draw of labelled speakers -> scores against how many speakers were labelled.

In each draw, as in each fold, a system is represented by the setting that is best on dev, by predictions of
that draw alone; test never chooses. Dev keeps all of its labels, whatever is hidden in train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, product
from pathlib import Path

import pandas as pd

from pipeline.catalogue.systems import SYSTEMS, rank
from pipeline.params import Corpus
from pipeline.params.label_draws import LabelDraw
from pipeline.paths import Paths, experiment_name
from pipeline.scoring.folds import ScoredFold, chosen_scores, over_folds
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.metrics import METRICS
from pipeline.scoring.scored_models import score_models

EVERY_DRAW = "all"
"""In the column `draw`: the mean over draws."""
SHARE_COLUMNS = (
    "target", "auxiliary", "dimension", "system", "needs", "postprocessed", "partition", "metric",
    "share", "speakers", "draw", "mean", "std", "seeds", "n", "folds", "draws", "std_draws",
)  # fmt: skip


def label_share_scores(paths: Paths, corpus: Corpus, speakers: Mapping[str, str]) -> pd.DataFrame:
    """Return the scores of all systems at every share or number of labelled speakers.

    speakers: recording -> speaker. Rows of a single draw have its number: `mean` over folds of the mean over
    seeds, `std` over seeds. Rows whose `draw` is `all` are the means over draws: `std` over seeds of the mean
    over draws, `std_draws` over draws of the mean over seeds. `speakers`: of train, whose labels of the
    dimension are seen, mean over folds (and draws). `share` is empty where the parameters give a number.

    Raises:
        PredictionsError: a prediction file is missing or does not keep the contract.
    """
    parts = []
    for scenario, dimension in product(corpus.scenarios, corpus.dimensions):
        name = experiment_name(scenario.name, dimension)
        for postprocessed, directory in enumerate((paths.raw_predictions, paths.predictions)):
            # draws of one share stand one after the other
            for share, draws in groupby(corpus.label_draws, key=lambda draw: draw.share):
                chosen = []
                for draw in draws:
                    seen = _labelled_speakers(paths, corpus, draw, dimension)
                    scores = chosen_scores(_scored_folds(directory, name, draw, corpus, speakers))
                    chosen.append(scores.assign(draw=draw.draw, speakers=seen))
                parts.append(
                    of_share(chosen).assign(
                        target=scenario.target,
                        auxiliary=scenario.auxiliary,
                        dimension=dimension,
                        postprocessed=postprocessed,
                        share=float("nan") if share is None else share,
                    )
                )
    table = pd.concat(parts) if parts else pd.DataFrame(columns=list(SHARE_COLUMNS))
    table["needs"] = [SYSTEMS[system].needs for system in table["system"]]
    return _ordered(table, METRICS[corpus.task])[list(SHARE_COLUMNS)]


def _scored_folds(
    directory: Path, experiment: str, draw: LabelDraw, corpus: Corpus, speakers: Mapping[str, str]
) -> list[ScoredFold]:
    found = []
    for fold in corpus.partitions.names:
        path = directory / f"{experiment_name(experiment, '', draw.of_fold(fold))}.parquet"
        models = score_models(path, corpus.task, speakers)
        found.append(ScoredFold.of(fold, models, HEADLINE[corpus.task]))
    return found


def of_share(draws: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the scores of each draw and their mean over draws.

    draws: of each draw the scores of the chosen settings: system, partition, metric, seed, fold, value, n,
    draw, speakers.
    """
    by = ["system", "partition", "metric"]
    rows, seeds = [], []
    for chosen in draws:
        draw, speakers = int(chosen["draw"].iloc[0]), float(chosen["speakers"].iloc[0])
        single = over_folds(chosen, by)
        rows.append(single.assign(draw=str(draw), speakers=speakers, draws=1, std_draws=float("nan")))
        known = chosen[chosen["n"] > 0]
        grouped = known.groupby([*by, "seed"])
        means = grouped["value"].agg(lambda values: values.mean(skipna=False)).to_frame()
        seeds.append(means.assign(n=grouped["n"].sum(), fold=str(draw)).reset_index())
    # a draw takes the place of a fold: mean over draws, spread over seeds and over draws
    every = over_folds(pd.concat(seeds), by).rename(columns={"folds": "draws", "std_folds": "std_draws"})
    every = every.assign(draw=EVERY_DRAW, speakers=sum(row["speakers"].iloc[0] for row in rows) / len(rows))
    singles = pd.concat(rows)
    first = rows[0][[*by, "folds", "n"]]
    every = every.drop(columns="n").merge(first, on=by)
    return pd.concat([singles, every])


def _labelled_speakers(paths: Paths, corpus: Corpus, draw: LabelDraw, dimension: str) -> float:
    """Return how many speakers of train have labels that are seen, mean over folds."""
    counts = []
    for fold in corpus.partitions.names:
        table = pd.read_parquet(
            paths.of_fold(draw.of_fold(fold)).label_table,
            columns=["recording", "partition", "speaker", "dimension", "label"],
        )
        train = table[(table["partition"] == "train") & (table["dimension"] == dimension)]
        train = train[train["label"].notna()]
        counts.append(train["speaker"].where(train["speaker"] != "", train["recording"]).nunique())
    return sum(counts) / len(counts)


def _ordered(table: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Sort by experiment, kind, labelled speakers, draw (all of them last), system, partition and metric."""
    by = [
        "target", "auxiliary", "dimension", "postprocessed", "share", "draw", "system", "partition", "metric",
    ]  # fmt: skip
    places = {
        "draw": lambda draw: float("inf") if draw == EVERY_DRAW else int(draw),
        "system": rank,
        "metric": metrics.index,
    }
    return table.sort_values(
        by, key=lambda column: column.map(places[str(column.name)]) if column.name in places else column
    )
