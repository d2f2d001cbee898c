"""Fit the post-processing on dev and apply it to dev and test."""

from itertools import product

from pipeline.paths import experiment_name
from pipeline.running.progress import tracked
from pipeline.scoring.postprocessing import postprocess_experiment
from stages.running import Context, run


def postprocess(context: Context) -> None:
    """Write the final predictions and the fitted steps of every experiment, each fold and draw by itself."""
    corpus, paths = context.corpus, context.paths
    paths.predictions.mkdir(parents=True, exist_ok=True)
    every = list(product(corpus.scenarios, corpus.dimensions, corpus.trained))
    for scenario, dimension, name in tracked(every, "postprocess", "experiments", len(every)):
        file = f"{experiment_name(scenario.name, dimension, name)}.parquet"
        postprocess_experiment(
            paths.raw_predictions / file, paths.predictions / file, corpus.postprocessing, corpus.grid.hop
        )


if __name__ == "__main__":
    run(postprocess)
