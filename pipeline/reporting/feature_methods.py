"""Parameters -> how the methods paragraph says what features are."""

from __future__ import annotations

from pathlib import PurePath

from pipeline.features.extractor import entry_of
from pipeline.params import Corpus
from pipeline.params.features import OnnxFace, OnnxWaveform
from pipeline.wording import listed


def feature_methods(corpus: Corpus) -> list[str]:
    """Return a sentence for each modality and each table of features that came with the corpus."""
    grid, back = corpus.grid, corpus.grid.alignment == "end"
    over = (
        "each utterance"
        if grid.utterances
        else f"windows of {grid.window:g} s every {grid.hop:g} s{', which end at the label time' * back}"
        if grid.window
        else f"rows every {grid.hop:g} s"
    )
    sentences = []
    if "audio" in corpus.extract:
        audio = corpus.audio
        rate = audio.sampling_rate_hz
        at = "at the rate of each file" if rate == "native" else f"at {rate:,} Hz"
        level = str(audio.level).replace("_", " ")
        what = f"{audio.feature_set} {level} of {over} (openSMILE)"
        if audio.network == "onnx":
            what = f"{_own_network(audio.onnx)}, over {over}"
        sentences.append(f"Audio ({at}, channels averaged): {what}.")
    if "video" in corpus.extract:
        faces, embedding, pooling = corpus.video.faces, corpus.video.embedding, corpus.video.pooling
        network = (
            _own_network(embedding.onnx)
            if embedding.network == "onnx"
            else entry_of("embed_faces", corpus).words
        )
        tracked = ", looked for in the whole picture once a second" if faces.mode == "track" else ""
        whose = {
            "largest": "one face followed",
            "followed": "the face of the person who is seen most",
            "all": "all faces",
        }[faces.keep]
        sentences.append(
            f"Video: {whose} by MTCNN at {faces.frame_rate_hz:g} Hz{tracked}; {network}; "
            f"{listed(list(pooling.statistics))} over {over}; where no face is found: {pooling.no_face}."
        )
    if "text" in corpus.extract:
        text = corpus.text
        rest = "are left out" if text.unknown_words == "left_out" else "count as zeros"
        sentences.append(
            f"Text: the mean of the vectors that {PurePath(str(text.file)).name} has of the words of {over}"
            f"{', in small letters' if text.lower_case else ''}; words without one {rest}."
        )
    for name, table in corpus.features.items():
        pooled = f", {listed(list(table.statistics))} over {over}" if table.statistics else ""
        sentences.append(f"{name}: feature table {table.path} that came with the corpus{pooled}.")
    return sentences


def _own_network(onnx: OnnxFace | OnnxWaveform | None) -> str:
    assert onnx is not None, "refused with the parameters"
    return f"the output {onnx.output} of the ONNX network {PurePath(onnx.file).name}"
