"""The one table of extractors: which stage runs each, what params.yaml calls it, where it is written.

A new extractor is an entry here, and a file with a class and a function `extractor` (see
`pipeline.features.extractor`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExtractorEntry:
    """One extractor.

    stage: that runs it. name: in params.yaml, where there is a choice. module: holds `extractor(corpus)`, and
    is imported when the extractor is wanted. needs_file: the key of the corpus that names the file of the
    user's that `require` looks for; empty: none.
    """

    stage: str
    name: str
    module: str
    needs_file: str = ""


EXTRACTORS = (
    ExtractorEntry("extract_audio", "opensmile", "pipeline.features.audio.functionals"),
    ExtractorEntry("extract_audio", "onnx", "pipeline.features.audio.onnx_waveform", "audio.onnx.file"),
    ExtractorEntry("extract_text", "word_vectors", "pipeline.features.text.word_vectors", "text.file"),
    ExtractorEntry("detect_faces", "mtcnn", "pipeline.features.faces.detection"),
    ExtractorEntry("embed_faces", "mtcnn_onet", "pipeline.features.embeddings.onet"),
    ExtractorEntry(
        "embed_faces", "vgg_face", "pipeline.features.embeddings.vgg_fc7", "video.embedding.weights"
    ),
    ExtractorEntry("embed_faces", "fer", "pipeline.features.embeddings.fer", "video.embedding.weights"),
    ExtractorEntry(
        "embed_faces", "onnx", "pipeline.features.embeddings.onnx_faces", "video.embedding.onnx.file"
    ),
    ExtractorEntry("embed_faces", "landmarks", "pipeline.features.embeddings.landmarks"),
    ExtractorEntry("pool_video", "moments", "pipeline.features.pooling.pooling"),
)


def extractors_for(stage: str) -> list[str]:
    """Return the names of the extractors that a stage can run."""
    return [entry.name for entry in EXTRACTORS if entry.stage == stage]
