"""Train what is exported once more in folds by speaker, and test on all speakers how sure it may be."""

from pipeline.corpora.recording import read_manifest
from pipeline.recogniser.certainty_folds import write_certainty
from stages.running import Context, run


def certainty(context: Context) -> None:
    """Write how far the certainty of each recogniser holds for speakers never met."""
    recordings = read_manifest(context.paths.manifest)
    at_once = context.params.runtime.models_at_once
    write_certainty(context.paths, context.corpus, recordings, context.workshop, at_once)


if __name__ == "__main__":
    run(certainty)
