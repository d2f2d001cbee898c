"""Choose each system's grid point on dev, score it on test, test the differences."""

from pipeline.corpora.group_file import read_groups
from pipeline.corpora.recording import read_manifest
from pipeline.labels.labelled_folds import read_folds
from pipeline.recogniser.enrolment_scores import write_enrolment_scores
from pipeline.scoring.evaluation import evaluate as evaluate_corpus
from stages.running import Context, run


def evaluate(context: Context) -> None:
    """Write the tables of results, the metrics and the plots' sources."""
    recordings = read_manifest(context.paths.manifest)
    speakers = {item.recording: item.speaker for item in recordings}
    evaluate_corpus(context.paths, context.corpus, speakers, read_groups(context.paths))
    folds = read_folds(context.paths, context.corpus, recordings)
    write_enrolment_scores(context.paths, context.corpus, folds)


if __name__ == "__main__":
    run(evaluate)
