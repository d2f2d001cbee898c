"""Raw predictions of a corpus -> post-processed ones, experiment by experiment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from pipeline.params import Corpus
from pipeline.paths import Paths, experiment_name
from pipeline.running.errors import placed
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.scoring.postprocessing import postprocess_experiment


def postprocess_corpus(paths: Paths, corpus: Corpus, shop: Workshop) -> None:
    """Write the final predictions and fitted steps of every experiment, each fold and draw by itself.

    shop: whose processes on this machine fit traces; predictions of utterances stay as they are, which
    takes less time than handing them over.

    Raises:
        PredictionsError: a raw file is missing, empty, or does not keep the contract.
    """
    paths.predictions.mkdir(parents=True, exist_ok=True)
    every = [
        experiment_name(scenario.name, dimension, name)
        for scenario, dimension, name in product(corpus.scenarios, corpus.dimensions, corpus.trained)
    ]
    shop = shop.alone() if corpus.grid.utterances else shop.local()
    if shop.workers == 1 or len(every) < 2:
        done: Iterator[str] = (_experiment(paths, corpus, name) for name in every)
    else:
        done = shop.run_tasks(_experiment, (paths, corpus), every)
    for _ in tracked(done, "postprocess", "experiments", len(every)):
        pass


def _experiment(paths: Paths, corpus: Corpus, name: str) -> str:
    file = f"{name}.parquet"
    with placed(name):
        postprocess_experiment(
            paths.raw_predictions / file, paths.predictions / file, corpus.postprocessing, corpus.grid.hop
        )
    return name
