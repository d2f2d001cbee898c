"""Extract one vector of what was said per utterance."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from pipeline.features.text.unknown import log_unknown
from stages.running import Context, run


def extract_text(context: Context) -> None:
    """Write the feature table of transcripts."""
    corpus, paths = context.corpus, context.paths
    chosen = extractor_of("extract_text", corpus)
    stage = Stage("extract_text", "text", chosen, corpus.text.max_failed_share)
    extract(stage, corpus, read_manifest(paths.manifest), paths.text, context.workshop)
    log_unknown(paths.text)


if __name__ == "__main__":
    run(extract_text)
