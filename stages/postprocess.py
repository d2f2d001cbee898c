"""Fit the post-processing on dev and apply it to dev and test."""

from stages.running import Context, run


def postprocess(context: Context) -> None:
    """Write the final predictions and the fitted steps of every experiment, each fold and draw by itself."""
    corpus, shop = context.corpus, context.workshop.local()
    shop = shop.of(len(corpus.scenarios) * len(corpus.dimensions) * len(corpus.trained))
    if not corpus.grid.utterances:
        shop.begin("scoring.postprocessed_corpus")
    from pipeline.scoring.postprocessed_corpus import postprocess_corpus

    postprocess_corpus(context.paths, corpus, shop)


if __name__ == "__main__":
    run(postprocess)
