"""Extract audio features per window or utterance."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from stages.running import Context, run


def extract_audio(context: Context) -> None:
    """Write the audio feature table."""
    corpus, paths = context.corpus, context.paths
    chosen = extractor_of("extract_audio", corpus)
    stage = Stage("extract_audio", "audio", chosen, corpus.audio.max_failed_share)
    extract(stage, corpus, read_manifest(paths.manifest), paths.audio, context.workshop)


if __name__ == "__main__":
    run(extract_audio)
