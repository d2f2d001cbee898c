"""Parameters of `emotion_words` -> sentences of the methods paragraph."""

from __future__ import annotations

from pathlib import PurePath

from pipeline.params.emotion_words import PAD, EmotionWords
from pipeline.reporting.wording import counted
from pipeline.wording import listed


def word_methods(own: EmotionWords) -> list[str]:
    """Say how recordings are scored against words, and of which classes little or nothing was learned."""
    source = "pleasure, arousal and dominance" if own.vectors == PAD else PurePath(str(own.vectors)).name
    units = listed([f"{count} ({name})" for name, count in own.hidden.items()])
    left_out = own.modality_dropout
    sentences = [
        f"Emotion words: two-layer bidirectional LSTM of {units} units in each direction, dropout "
        f"{own.dropout:g}; vectors of the class names from {source}, mapped into each modality; binary "
        "cross-entropy weighted by negatives over positives, over all modalities of a recording"
        f"{f', each left out with probability {left_out:g}' * bool(left_out)}; Adam, learning rate "
        f"{own.learning_rate:g}, batches of {own.batch}, gradient norm at most 1, at most "
        f"{counted(own.epochs, 'epoch')}, stopped after {own.patience} without a better dev score.",
    ]
    if own.zero_shot:
        sentences.append(
            f"Recordings of {listed(list(own.zero_shot))} took no part in their training, neither in train "
            "nor on dev; they were tested all the same."
        )
    if own.few_shot:
        shares = listed([f"{100 * share:g} % of {name}" for name, share in own.few_shot.items()])
        sentences.append(
            f"Of the recordings of train and dev they were given {shares} "
            f"({own.few_shot_by.replace('_', ' ')})."
        )
    return sentences
