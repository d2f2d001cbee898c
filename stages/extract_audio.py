"""Extract audio functionals per window or utterance."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.audio.extract_audio import extract_audio as extract
from stages.running import Context, run


def extract_audio(context: Context) -> None:
    """Write the audio feature table."""
    paths, runtime = context.paths, context.params.runtime
    extract(
        context.corpus,
        read_manifest(paths.manifest),
        paths.audio,
        context.store,
        runtime.workers,
        runtime.cluster,
        runtime.time_limit,
    )


if __name__ == "__main__":
    run(extract_audio)
