"""Extract audio functionals per window or utterance."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.audio.extract_audio import extract_audio as extract
from stages.running import Context, run


def extract_audio(context: Context) -> None:
    """Write the audio feature table."""
    recordings = read_manifest(context.paths.manifest)
    extract(context.corpus, recordings, context.paths.audio, context.workshop)


if __name__ == "__main__":
    run(extract_audio)
