"""Golden numbers of recordings scored against word vectors: all modalities, the target, random vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.learning.systems.emotion_words.learner import EmotionWords, WordsData, part_of
from pipeline.learning.systems.emotion_words.random_words import RandomWords
from pipeline.learning.systems.emotion_words.recordings import WordRecordings, label_matrix
from pipeline.learning.systems.emotion_words.vectors import class_vectors
from pipeline.params import Learning
from tests.golden.comparison import Numbers
from tests.golden.learner import LEARNING, TOLERANCE, part
from tests.learning.train_models import train_models

CLASSES = ("anger", "happy", "sad")
SYSTEMS = ["emotion_words", "emotion_words_random", "emotion_words_all"]


def data(learning: Learning) -> WordsData:
    own = learning.emotion_words
    words = class_vectors(CLASSES, "pad")
    sequences = part(np.random.default_rng(6), 5, {"train": 9, "dev": 4, "test": 2}, 3)
    widths = {"target": ("audio", slice(0, 3)), "auxiliary": ("video", slice(3, 5))}

    def recordings(*partitions: str) -> WordRecordings:
        chosen = sequences.partition(*partitions)
        features = {
            # the first has no video
            view: tuple(
                None if view == "auxiliary" and not i else array[:, columns]
                for i, array in enumerate(chosen.features)
            )
            for view, (_, columns) in widths.items()
        }
        return WordRecordings(chosen.recordings, features, label_matrix(chosen.labels, 3, False))

    parts = {
        view: part_of(modality, columns.stop - columns.start, words.shape[1], own)
        for view, (modality, columns) in widths.items()
    }
    evaluation = sequences.partition("dev", "test")
    return WordsData(CLASSES, words, (), parts, recordings("train"), evaluation, recordings("dev", "test"))


def numbers(folder: Path) -> dict[str, Numbers | str]:
    own = {
        "vectors": "pad",
        "hidden": {"audio": 4, "video": 3},
        "epochs": 3,
        "batch": 4,
        "learning_rate": 0.01,
    }
    changes = {"loss": "cross_entropy", "systems": SYSTEMS, "emotion_words": own}
    learning = Learning.model_validate(LEARNING | changes)
    found: dict[str, Numbers | str] = {}
    for learner in (EmotionWords(), RandomWords()):
        for model in train_models(learner, data(learning), learning):
            found[model.variant.system] = Numbers(np.concatenate(model.predictions), TOLERANCE)
            found[f"{model.variant.system}, dev"] = Numbers(model.curve[:, [0, 4, 5]], TOLERANCE)
    return found
