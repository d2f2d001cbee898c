"""Choose each system's grid point on dev, score it on test, test the differences."""

from pipeline.corpora.group_file import read_groups
from pipeline.corpora.recording import read_manifest
from pipeline.scoring.evaluation import evaluate as evaluate_corpus
from stages.running import Context, run


def evaluate(context: Context) -> None:
    """Write the tables of results, the metrics and the plots' sources."""
    speakers = {item.recording: item.speaker for item in read_manifest(context.paths.manifest)}
    evaluate_corpus(context.paths, context.corpus, speakers, read_groups(context.paths))


if __name__ == "__main__":
    run(evaluate)
