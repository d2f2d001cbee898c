"""`emotion_words` against a training written plainly, one unpadded recording at a time."""

from __future__ import annotations

import dataclasses

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from pipeline.learning.batches import SeededOrder
from pipeline.learning.learner import LeftOutError
from pipeline.learning.systems.emotion_words.learner import EmotionWords
from pipeline.learning.systems.emotion_words.network import Part, WordNetwork
from pipeline.learning.systems.emotion_words.random_words import RandomWords
from pipeline.learning.systems.emotion_words.recordings import PaddedRecordings
from pipeline.learning.systems.emotion_words.training import Lesson, WordTraining, logits_of
from pipeline.learning.training import unit_keys
from pipeline.params import ParamsError, load_params
from pipeline.params.emotion_words import EmotionWords as Parameters
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.onnx_models import write_models
from tests.learning.synthetic import MemoryCache, clips, shop
from tests.learning.systems.emotion_word_corpora import (
    CLASSES,
    EVERY,
    data_of,
    settings,
    several_labels,
    uneven,
)
from tests.learning.test_experiment import run
from tests.learning.train_models import train_models
from tests.parameters import write_parameters

BOTH = ("emotion_words", "emotion_words_all")


class Plain(nn.Module):
    """Two modalities, one recording at a time."""

    def __init__(self, start):
        super().__init__()
        self.lstm = nn.ModuleList(nn.LSTM(w, h, 2, bidirectional=True) for w, h in ((3, 6), (2, 5)))
        self.map = nn.ModuleList(nn.Linear(2, h) for h in (6, 5))
        self.weight = nn.Parameter(torch.tensor([0.5, 0.5]))
        self.double()
        for own, part in zip(zip(self.lstm, self.map, strict=True), start.modalities.values(), strict=True):
            own[0].load_state_dict(part.encoder.state_dict())
            own[1].load_state_dict(part.map.state_dict())

    def forward(self, features, words):
        terms = []
        for place, own in enumerate(features):
            if own is not None:
                states = self.lstm[place](torch.from_numpy(own).double())[0][-1]
                half = len(states) // 2
                terms.append((place, self.map[place](words) @ (states[:half] + states[half:])))
        if len(terms) == 1:
            return terms[0][1]
        return sum(self.weight[place] * term for place, term in terms)


def test_a_training_is_that_of_a_plain_loop():
    """Several frames, several labels, missing modalities, clipping and the schedule; without dropout."""
    parts = {"target": Part(3, 6, 2, True), "auxiliary": Part(2, 5, 2, True)}
    train, dev = uneven(9, 0), uneven(7, 1)
    words = np.random.default_rng(2).normal(size=(3, 2)).astype(np.float32) * 3
    own = Parameters(vectors="pad", dropout=0, modality_dropout=0, epochs=8, patience=8)
    run = WordTraining(parts, words, own, 4, "cpu", "name")
    plain = Plain(run.network)
    curve = run.learn(Lesson(train, dev, np.arange(3), True, batch=4, learning_rate=0.05))
    weights = torch.from_numpy((train.labels == 0).sum(0) / (train.labels == 1).sum(0)).double()
    e = torch.from_numpy(words).double()
    rate, best_loss, waited = 0.05, np.inf, 0
    adam = torch.optim.Adam(plain.parameters(), rate)
    order = SeededOrder(9, 4, 4, "emotion words 0")

    def loss_of(recordings, i, weights):
        logits = plain([view[i] for view in recordings.features.values()], e)
        y = torch.from_numpy(recordings.labels[i]).double()
        return -(weights * y * torch.log(torch.sigmoid(logits)) + (1 - y) * torch.log(torch.sigmoid(-logits)))

    found = []
    for _ in range(len(curve)):
        for _ in range(3):
            loss = torch.stack([loss_of(train, i, weights) for i in order.draw()]).mean()
            adam.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum((p.grad**2).sum() for p in plain.parameters() if p.grad is not None))
            for p in plain.parameters():
                if p.grad is not None and norm > 1:
                    p.grad *= 1 / norm
            adam.step()
        with torch.no_grad():
            found.append(float(torch.stack([loss_of(dev, i, weights) for i in range(7)]).mean()))
        waited = 0 if found[-1] < best_loss * (1 - 1e-4) else waited + 1
        best_loss = found[-1] if not waited else best_loss
        if waited > 5:
            rate, waited = rate * 0.1, 0
            adam.param_groups[0]["lr"] = rate
    np.testing.assert_allclose(curve[:, 5], found, rtol=2e-3)
    assert np.ptp(found) > 0.1


def test_the_weights_are_those_of_the_best_epoch_and_training_stops():
    parts = {"target": Part(3, 6, 2, True), "auxiliary": Part(2, 5, 2, True)}
    words = np.random.default_rng(2).normal(size=(3, 2)).astype(np.float32)
    own = Parameters(vectors="pad", epochs=60, patience=3)
    run = WordTraining(parts, words, own, 1, "cpu", "name")
    dev = uneven(9, 3)
    scores = []
    on_dev = run._on_dev
    run._on_dev = lambda *given: scores.append((on_dev(*given), run._state())) or scores[-1][0]
    curve = run.learn(Lesson(uneven(9, 0), dev, np.arange(3), True, batch=4, learning_rate=0.05))
    best = int(np.argmax(curve[:, 4]))
    assert len(curve) == best + 4 < 60
    for name, tensor in scores[best][1].items():
        torch.testing.assert_close(run._state()[name], tensor)


def test_one_training_gives_both_systems_and_the_target_alone_is_kept(tmp_path):
    given = settings()
    predictions, curves = run(clips(noise=0.3), tmp_path, given, classes=CLASSES)
    assert set(predictions["system"]) == set(EVERY)
    scores = predictions.filter(like="score_").to_numpy()
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    one, other = (
        curves[curves["system"] == name].drop(columns="system").reset_index(drop=True) for name in BOTH
    )
    assert one.equals(other)
    alone = ModelsOfSetting.load(tmp_path / "models.safetensors", "emotion_words", seeds=[2])
    together = ModelsOfSetting.load(tmp_path / "models.safetensors", "emotion_words_all", seeds=[2])
    assert alone.needed == ("audio",)
    assert together.needed == ("audio", "video")
    assert [*alone.predictor.networks[0].modalities] == ["target"]
    corpus = clips(noise=0.3)
    for models, system in ((alone, "emotion_words"), (together, "emotion_words_all")):
        chosen = (predictions["system"] == system) & (predictions["seed"] == 2)
        for name in ("dev_1", "test_3"):
            rows = {"audio": corpus.audio.read(name), "video": corpus.video.read(name)}
            features = rows if system == "emotion_words_all" else rows["audio"]
            own = predictions[chosen & (predictions["recording"] == name)].filter(like="score_").to_numpy()
            np.testing.assert_allclose(models.predict(features)[0], own, atol=1e-6)


def test_it_is_learned(tmp_path):
    given = settings({"epochs": 60, "learning_rate": 0.02}, seeds=[1])
    predictions, _ = run(clips(noise=0.3), tmp_path, given, classes=CLASSES)
    right = predictions["prediction"] == predictions["gold"]
    by_system = right.groupby(predictions["system"]).mean()
    assert by_system["emotion_words"] > 0.85
    assert by_system["emotion_words_all"] > 0.95
    # of classes that were seen any vectors tell something: beyond three standard errors of chance
    chance, alone = 1 / len(CLASSES), (predictions["system"] == "emotion_words_random").sum()
    assert by_system["emotion_words_random"] > chance + 3 * np.sqrt(chance * (1 - chance) / alone)


def test_recordings_of_another_modality_alone_are_learned_from():
    corpus = clips()
    del corpus.audio.rows["train_2"], corpus.video.rows["train_5"], corpus.video.rows["dev_1"]
    found = EmotionWords().prepare(data_of(corpus), settings())
    assert len(found.train) == 40
    place = found.train.names.index("train_2")
    assert found.train.features["target"][place] is None
    assert found.train.features["auxiliary"][place] is not None
    np.testing.assert_array_equal(found.train.labels[place], [0, 1, 0, 0])
    assert len(found.dev) == 16
    models = train_models(EmotionWords(), found, settings(seeds=[1]))
    assert [len(model.predictions) for model in models] == [32, 32]
    place = found.evaluation.recordings.index("dev_1")
    alone, together = (model.predictions[place] for model in models)
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_recordings_without_labels_are_not_learned_from():
    corpus = clips()
    hidden = corpus.labels["recording"].isin(["train_1", "train_2"])
    corpus = dataclasses.replace(corpus, labels=corpus.labels[~hidden])
    assert len(EmotionWords().prepare(data_of(corpus), settings()).train) == 38


def test_without_labels_on_dev_it_is_left_out():
    corpus = clips()
    dev = corpus.labels["recording"].str.startswith("dev")
    corpus = dataclasses.replace(corpus, labels=corpus.labels[~dev])
    with pytest.raises(
        LeftOutError, match="emotion_words is left out: its training is stopped by the score on dev"
    ):
        EmotionWords().prepare(data_of(corpus), settings())


def test_the_control_has_vectors_of_the_words_mean_length_and_no_sense():
    found = RandomWords().prepare(data_of(clips()), settings())
    one, other = (RandomWords().vectors(found, seed) for seed in (1, 2))
    np.testing.assert_allclose(
        np.linalg.norm(one, axis=1), np.linalg.norm(found.words, axis=1).mean(), rtol=1e-5
    )
    assert np.abs(one - other).min() > 1e-3
    np.testing.assert_array_equal(one, RandomWords().vectors(found, 1))


def test_modalities_are_left_out_at_random_and_never_all():
    own = Parameters(vectors="pad", modality_dropout=0.8)
    run = WordTraining({"target": Part(1, 2, 2, True)}, np.ones((2, 2), np.float32), own, 1, "cpu", "name")
    there = torch.ones(2, 4000)
    there[1, :1000] = 0
    some = run._some_of(there)
    assert (some <= there).all()
    assert (some.sum(0) > 0).all()
    assert (some[0, :1000] == 1).all()
    # one of two is left with probability 2 * .8 * .2, both by .04 and by .64, where none would be
    assert float((some[:, 1000:].sum(0) == 1).float().mean()) == pytest.approx(0.32, abs=0.03)


def test_a_model_depends_on_what_it_learns_from():
    first = EmotionWords().prepare(data_of(clips()), settings())
    keys = unit_keys(EmotionWords(), first, settings(), "cpu")
    for change in (
        {"dropout": 0.2},
        {"batch": 8},
        {"modality_dropout": 0.1},
        {"patience": 2},
        {"learning_rate": 0.1},
    ):
        other = unit_keys(EmotionWords(), first, settings(change), "cpu")
        assert not {*keys.values()} & {*other.values()}
    moved = dataclasses.replace(first, words=first.words + 1)
    assert not {*keys.values()} & {*unit_keys(EmotionWords(), moved, settings(), "cpu").values()}
    cache = MemoryCache({})
    train_models(EmotionWords(), first, settings(), shop(cache))
    assert cache.puts == 4
    again = train_models(EmotionWords(), first, settings(), shop(cache))
    assert cache.puts == 4
    assert [model.variant.name for model in again] == [
        f"{system} seed={seed}" for system in BOTH for seed in (1, 2)
    ]


def test_predictions_by_some_views_are_those_of_recordings_without_the_others():
    parts = {"target": Part(3, 6, 2, True), "auxiliary": Part(2, 5, 2, True)}
    network, words = WordNetwork(parts, seed=3), torch.randn(3, 2)
    recordings = uneven(8, 5)
    both = [i for i in range(8) if all(own[i] is not None for own in recordings.features.values())]
    some = recordings.select(both)
    without = dataclasses.replace(some, features=some.features | {"auxiliary": (None,) * len(both)})
    np.testing.assert_allclose(
        logits_of(network, some, parts, words, ("target",)),
        logits_of(network, without, parts, words),
        atol=1e-6,
    )
    padded = PaddedRecordings.of(recordings, {"target": 3, "auxiliary": 2}, torch.device("cpu"))
    assert padded.there[1].tolist() == [1, 0, 1, 1, 0, 1, 1, 1]


@pytest.mark.parametrize("system", BOTH)
def test_a_file_in_onnx_predicts_as_the_models_do(tmp_path, system):
    corpus = clips()
    run(corpus, tmp_path, settings({"epochs": 1}), classes=CLASSES)
    models = ModelsOfSetting.load(tmp_path / "models.safetensors", system)
    session = onnxruntime.InferenceSession(write_models(models, None, {}, step=False))
    for frames in (1, 5):
        rows = {
            name: np.concatenate(
                [getattr(corpus, name).read(f"train_{i}").values for i in range(1, frames + 1)]
            )
            for name in models.needed
        }
        valid = {f"valid.{name}": np.ones(frames, bool) for name in rows}
        (found,) = session.run(None, rows | valid)
        one = rows["audio"] if len(rows) == 1 else rows
        mask = np.ones(frames, bool)
        expected = models.predict(one, mask if len(rows) == 1 else dict.fromkeys(rows, mask)).mean(0)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_cannot_be_asked_for_is_a_sentence(tmp_path):
    def load(systems, words, corpus="demo_clips"):
        def change(values):
            own = values["corpora"][corpus]["learning"]
            own["systems"], own["emotion_words"] = systems, words

        return load_params(write_parameters(tmp_path, change)).corpus(corpus)

    assert load(["classic"], {}).learning.emotion_words.modality_dropout == 0.5
    with pytest.raises(
        ParamsError, match=r"emotion_words.vectors: found null, and emotion_words is under systems"
    ):
        load(["classic", "emotion_words"], {})
    with pytest.raises(
        ParamsError, match=r"learning.systems: emotion_words_all cannot learn task regression"
    ):
        load(["classic", "emotion_words_all"], {"vectors": "pad"}, "demo_sessions")
    with pytest.raises(ParamsError, match=r"zero_shot: names fear twice"):
        load(["classic"], {"zero_shot": ["fear", "fear"]})
    with pytest.raises(ParamsError, match=r"few_shot: names fear, which is under zero_shot too"):
        load(["classic"], {"zero_shot": ["fear"], "few_shot": {"fear": 0.1}})
    assert load(EVERY, {"vectors": "pad", "zero_shot": ["fear"]}).learning.emotion_words.partly_seen


def test_a_recording_may_carry_several_classes(tmp_path):
    given = settings({"epochs": 40, "learning_rate": 0.02}, loss="binary_cross_entropy", seeds=[1])
    corpus = several_labels(clips(noise=0.3))
    predictions, _ = run(corpus, tmp_path, given, classes=CLASSES, task="multilabel")
    own = predictions[predictions["system"] == "emotion_words_all"]
    scores = own.filter(like="score_").to_numpy()
    members = (own["gold"].to_numpy().astype(int)[:, None] >> np.arange(4)) & 1
    assert set(members.sum(1)) == {1, 2}
    assert np.ptp(scores.sum(1)) > 0.1  # each class by itself
    assert ((scores > 0.5) == members).mean() > 0.75
    models = ModelsOfSetting.load(tmp_path / "models.safetensors", "emotion_words")
    features = corpus.audio.read("test_2")
    alone = predictions[(predictions["system"] == "emotion_words") & (predictions["recording"] == "test_2")]
    np.testing.assert_allclose(models.predict(features)[0], alone.filter(like="score_").to_numpy(), atol=1e-6)
