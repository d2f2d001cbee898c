"""Classes that `emotion_words` never sees in training: nothing of them reaches anything."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import Values
from pipeline.learning.systems.emotion_words.learner import EmotionWords
from pipeline.learning.systems.emotion_words.training import Lesson, WordTraining
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from tests.learning.synthetic import clips
from tests.learning.systems.emotion_word_corpora import (
    CLASSES,
    EVERY,
    data_of,
    settings,
    several_labels,
    with_rescaling,
)
from tests.learning.test_experiment import run


def test_who_carries_an_unseen_class_beside_others_is_gone(tmp_path):
    given = settings({"zero_shot": ["happy"], "epochs": 1}, loss="binary_cross_entropy", seeds=[1])
    corpus = several_labels(clips())
    predictions, _ = run(corpus, tmp_path, given, classes=CLASSES, task="multilabel")
    dev = predictions[predictions["partition"] == "dev"]
    assert not (dev["gold"].astype(int) & 4).any()
    assert len(dev["recording"].unique()) < 12


def scrambled(corpus, code, seed=9):
    """Return the corpus with other features of the recordings of train and dev that carry a class."""
    random = np.random.default_rng(seed)
    own = corpus.labels[corpus.labels["label"] == code]["recording"]
    gone = [name for name in own if not name.startswith("test")]
    for source in (corpus.audio, corpus.video):
        for name in gone:
            rows = source.rows[name]
            source.rows[name] = dataclasses.replace(
                rows, values=rows.values + random.normal(size=rows.values.shape) * 50
            )
    return corpus, gone


@pytest.mark.parametrize("scaling", [{}, {"method": "rank_gauss", "speaker": "standardise"}])
def test_nothing_of_an_unseen_class_reaches_anything(tmp_path, scaling):
    given = settings({"zero_shot": ["happy"]}, scaling=scaling, systems=[*EVERY, "classic"])
    found = []
    for number, corpus in enumerate((clips(), scrambled(clips(), 2)[0])):
        folder = tmp_path / str(number)
        folder.mkdir()
        predictions, curves = run(corpus, folder, given, classes=CLASSES)
        ours = predictions["system"] != "classic"
        found.append((predictions[ours], curves[curves["system"] != "classic"], predictions[~ours]))
    if not scaling:  # else test's own features are scaled by other statistics of other systems alone
        assert not found[0][2].equals(found[1][2])  # who sees the class is another
    assert found[0][0].equals(found[1][0])
    assert found[0][1].equals(found[1][1])
    own = found[0][0]
    assert set(own["gold"][own["partition"] == "test"]) == {0, 1, 2, 3}
    assert set(own["gold"][own["partition"] == "dev"]) == {0, 1, 3}
    corpus, gone = scrambled(clips(), 2)
    assert not set(gone) & set(own["recording"])
    # scaled by what is left alone
    models = ModelsOfSetting.load(tmp_path / "0/models.safetensors", "emotion_words")
    kept = [r.recording for r in corpus.recordings if r.partition == "train" and r.recording not in gone]
    if not scaling:
        rows = [corpus.audio.read(name) for name in kept]
        expected = Scaler.fit([Values(own.values, own.valid) for own in rows], "standard").arrays["mean"]
        np.testing.assert_allclose(models.scalers["target"].arrays["mean"], expected)


def test_an_unseen_class_has_no_column():
    own = settings({"zero_shot": ["fear", "sad"]})
    found = EmotionWords().prepare(with_rescaling(clips()), own)
    assert found.seen.tolist() == [0, 2]
    assert found.unseen == ("fear", "sad")
    assert found.train.labels[:, [1, 3]].sum() == 0
    assert len(found.train) == 20
    run_ = WordTraining(found.parts, found.words, own.emotion_words, 1, "cpu", "name")
    changed = dataclasses.replace(
        found, words=np.where([[0], [1], [0], [1]], 99, found.words).astype(np.float32)
    )
    other = WordTraining(found.parts, changed.words, own.emotion_words, 1, "cpu", "name")
    for training in (run_, other):
        training.learn(Lesson(found.train, found.dev, found.seen, False, 16, 1e-2))
    for name, tensor in run_._state().items():
        assert torch.equal(tensor, other._state()[name])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"zero_shot": ["joy"]}, r"zero_shot: found 'joy', expected some of \['anger'"),
        ({"zero_shot": ["anger", "fear", "happy"]}, r"leaves \['sad'\] to be learned, expected two"),
    ],
)
def test_classes_that_cannot_be_left_out_are_a_sentence(words, sentence):
    with pytest.raises(ValueError, match=sentence):
        EmotionWords().prepare(data_of(clips()), settings(words))
