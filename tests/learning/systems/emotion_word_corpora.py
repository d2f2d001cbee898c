"""Settings and corpora of the tests of `emotion_words`."""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.learning.systems.emotion_words.recordings import WordRecordings
from tests.learning.synthetic import learning
from tests.learning.systems.test_torch_systems import experiment

EVERY = ["emotion_words", "emotion_words_random", "emotion_words_all"]
CLASSES = ("anger", "fear", "happy", "sad")
HIDDEN = {"audio": 6, "video": 5}


def settings(words=None, **groups):
    own = {"vectors": "pad", "hidden": HIDDEN, "epochs": 4, "batch": 16} | (words or {})
    return learning("demo_clips", **({"systems": EVERY, "emotion_words": own} | groups))


def data_of(corpus):
    return dataclasses.replace(experiment(corpus), classes=CLASSES)


def uneven(count, seed):
    """Return recordings of several frames, some of which lack a modality, with one or two labels."""
    random = np.random.default_rng(seed)
    labels = (random.random((count, 3)) < 0.4).astype(np.float32)
    features = {}
    for place, (view, width) in enumerate((("target", 3), ("auxiliary", 2))):
        lacking = {1, 4} if place else {2}
        features[view] = tuple(
            None
            if i in lacking
            else (labels[i, :width] + random.normal(size=(1 + i % 3, width))).astype(np.float32)
            for i in range(count)
        )
    return WordRecordings(tuple(f"r{i}" for i in range(count)), features, labels)


def several_labels(corpus):
    """Return a corpus in which every class comes with the next one, or alone: labels are codes of sets."""
    code = corpus.labels["label"].astype(int)
    number = corpus.labels["recording"].str.rpartition("_")[2].astype(int)
    sets = 2.0**code + 2.0 ** ((code + 1) % 4) * (number % 3 == 0)
    labels = corpus.labels.assign(label=sets, gold_standard=sets)
    return dataclasses.replace(corpus, labels=labels)


def with_rescaling(corpus):
    """Return the data of a corpus, which can leave recordings out as `run_experiment` does."""
    from pipeline.learning.frame_labels import frame_labels
    from pipeline.learning.views import scaled_view

    labels = frame_labels(corpus.labels, "emotion")

    def rescaled(gone):
        kept = [item for item in corpus.recordings if item.recording not in gone]
        return {
            view: scaled_view(kept, source, labels, settings().scaling, modality, view)
            for view, source, modality in (
                ("target", corpus.audio, "audio"),
                ("auxiliary", corpus.video, "video"),
            )
        }

    return dataclasses.replace(data_of(corpus), rescaled=rescaled)
