"""Extract audio functionals per window or utterance."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.extract_audio import extract_audio as extract
from stages.running import Context, run


def extract_audio(context: Context) -> None:
    """Write the audio feature table."""
    recordings = read_manifest(context.layout.manifest)
    extract(context.corpus, recordings, context.layout.audio, context.store, context.params.runtime.workers)


if __name__ == "__main__":
    run(extract_audio)
