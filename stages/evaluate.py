"""Choose each system's grid point on dev, score it on test, test the differences."""

from stages.running import Context, run


def evaluate(context: Context) -> None:
    """Write the tables of results, the metrics and the plots' sources."""
    corpus = context.corpus
    shop = context.workshop.local().of(len(corpus.scenarios) * len(corpus.dimensions))
    shop.begin("scoring.experiment_tables")
    from pipeline.corpora.group_file import read_groups
    from pipeline.corpora.recording import read_manifest
    from pipeline.labels.labelled_folds import read_folds
    from pipeline.recogniser.enrolment_table import write_enrolment_scores
    from pipeline.scoring.evaluation import evaluate as evaluate_corpus

    recordings = read_manifest(context.paths.manifest)
    speakers = {item.recording: item.speaker for item in recordings}
    evaluate_corpus(context.paths, corpus, speakers, read_groups(context.paths), shop)
    folds = read_folds(context.paths, corpus, recordings)
    write_enrolment_scores(context.paths, corpus, folds, shop)


if __name__ == "__main__":
    run(evaluate)
