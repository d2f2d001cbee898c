"""`emotion_words` against loops written plainly in double precision, one unpadded recording at a time."""

import dataclasses

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from pipeline.learning.batches import SeededOrder
from pipeline.learning.learner import LeftOutError
from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import Values
from pipeline.learning.systems.emotion_words.learner import EmotionWords, part_of
from pipeline.learning.systems.emotion_words.losses import binary_loss, positive_weights
from pipeline.learning.systems.emotion_words.network import Modality, Part, WordNetwork
from pipeline.learning.systems.emotion_words.random_words import RandomWords
from pipeline.learning.systems.emotion_words.recordings import PaddedRecordings, WordRecordings
from pipeline.learning.systems.emotion_words.training import Lesson, WordTraining, logits_of
from pipeline.learning.train_models import train_models
from pipeline.learning.training import unit_keys
from pipeline.params import ParamsError, load_params
from pipeline.params.emotion_words import EmotionWords as Parameters
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.onnx_models import write_models
from tests.learning.synthetic import MemoryCache, clips, learning, shop
from tests.learning.systems.test_torch_systems import experiment
from tests.learning.test_experiment import run
from tests.parameters import write_parameters

BOTH = ("emotion_words", "emotion_words_all")
EVERY = ["emotion_words", "emotion_words_random", "emotion_words_all"]
CLASSES = ("anger", "fear", "happy", "sad")
HIDDEN = {"audio": 6, "video": 5}


def settings(words=None, **groups):
    own = {"vectors": "pad", "hidden": HIDDEN, "epochs": 4, "batch": 16} | (words or {})
    return learning("demo_clips", **({"systems": EVERY, "emotion_words": own} | groups))


def data_of(corpus):
    return dataclasses.replace(experiment(corpus), classes=CLASSES)


def random_tensor(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def naive_directions(lstm, sequence):
    """Return the output of two layers of cells written out, (frames, 2 hidden), for (frames, features)."""
    rows = list(sequence)
    for layer in range(2):
        found = []
        for suffix, order in (("", 1), ("_reverse", -1)):
            w_x, w_h, b_x, b_h = (
                getattr(lstm, f"{kind}_l{layer}{suffix}")
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h = c = torch.zeros(lstm.hidden_size).double()
            outputs = []
            for x in rows[::order]:
                i, f, g, o = (w_x @ x + b_x + w_h @ h + b_h).split(lstm.hidden_size)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                outputs.append(h)
            found.append(outputs[::order])
        rows = [torch.cat(both) for both in zip(*found, strict=True)]
    return torch.stack(rows)


def test_both_directions_are_summed_at_the_last_frame_that_is_one():
    modality = Modality(Part(3, 4, 2, True), dropout=0.5).double().eval()
    sequences = [random_tensor(frames, 3, seed=frames) for frames in (5, 1, 3)]
    padded = torch.full((3, 5, 3), 7.0).double()  # whatever lies behind an end is ignored
    for row, own in zip(padded, sequences, strict=True):
        row[: len(own)] = own
    found = modality.vectors(padded, torch.tensor([5, 1, 3]))
    for vector, own in zip(found, sequences, strict=True):
        last = naive_directions(modality.encoder, own)[-1]
        torch.testing.assert_close(vector, last[:4] + last[4:])
    # padded steps would have counted
    last = modality.encoder(padded)[0][:, -1]
    assert (found - last[:, :4] - last[:, 4:])[1:].abs().min() > 1e-4


def test_a_modality_that_is_missing_is_a_dropped_term():
    network = WordNetwork({"target": Part(3, 4, 2, True), "auxiliary": Part(2, 5, 2, True)}, seed=1).double()
    assert network.weight.tolist() == [0.5, 0.5]
    with torch.no_grad():
        network.weight.copy_(torch.tensor([0.7, -0.2], dtype=torch.float64))
    words = random_tensor(3, 2)
    lengths = torch.ones(4, dtype=torch.int64)
    views = {
        "target": (random_tensor(4, 1, 3), lengths),
        "auxiliary": (random_tensor(4, 1, 2, seed=1), lengths),
    }
    there = torch.tensor([[1, 1, 0, 1], [1, 0, 1, 1]]).double()
    found = network.logits(network.closeness(views, words), there)
    for i in range(4):
        terms = []
        for place, (view, own) in enumerate(network.modalities.items()):
            own.requires_grad_(False)
            u = own.vectors(*(part[i : i + 1] for part in views[view]))[0]
            for c in range(3):
                towards = own.map.weight @ words[c] + own.map.bias
                terms.append((place, c, sum(float(a) * float(b) for a, b in zip(u, towards, strict=True))))
        for c in range(3):
            by_place = {place: value for place, code, value in terms if code == c}
            if i == 1:
                expected = by_place[0]
            elif i == 2:
                expected = by_place[1]
            else:
                expected = 0.7 * by_place[0] - 0.2 * by_place[1]
            assert found[i, c].item() == pytest.approx(expected, rel=1e-9)


def test_text_of_the_vectors_own_size_takes_them_as_they_are():
    own = Parameters(vectors="pad", hidden={"text": 3, "audio": 3})
    assert not part_of("text", 9, 3, own).mapped
    assert part_of("audio", 9, 3, own).mapped
    assert part_of("text", 9, 4, own).mapped
    assert part_of("pulse", 9, 3, own).hidden == 100
    modality = Modality(part_of("text@heard", 9, 3, own))
    words = torch.randn(5, 3)
    torch.testing.assert_close(modality.map(words), words)


def test_the_loss_is_that_of_a_naive_loop():
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [np.nan] * 3], np.float32)
    weights = positive_weights(labels)
    np.testing.assert_allclose(weights, [1, 1, 1])  # two of four; nobody carries the last
    np.testing.assert_allclose(positive_weights(labels[:1].repeat(3, 0)), [1, 1, 1])
    np.testing.assert_allclose(positive_weights(labels[[0, 1, 1, 3, 4]]), [3, 1, 1])
    logits, weights = random_tensor(4, 3), torch.tensor([3.0, 0.5, 1.0]).double()
    total = 0.0
    for i in range(4):
        for c in range(3):
            p = 1 / (1 + np.exp(-float(logits[i, c])))
            y = labels[i, c]
            total -= float(weights[c]) * y * np.log(p) + (1 - y) * np.log(1 - p)
    found = binary_loss(logits, torch.from_numpy(labels[:4]).double(), weights)
    assert float(found) == pytest.approx(total / 12, rel=1e-9)


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


def several_labels(corpus):
    """Return a corpus in which every class comes with the next one, or alone: labels are codes of sets."""
    code = corpus.labels["label"].astype(int)
    number = corpus.labels["recording"].str.rpartition("_")[2].astype(int)
    sets = 2.0**code + 2.0 ** ((code + 1) % 4) * (number % 3 == 0)
    labels = corpus.labels.assign(label=sets, gold_standard=sets)
    return dataclasses.replace(corpus, labels=labels)


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


def test_who_carries_an_unseen_class_beside_others_is_gone(tmp_path):
    given = settings({"zero_shot": ["happy"], "epochs": 1}, loss="binary_cross_entropy", seeds=[1])
    corpus = several_labels(clips())
    predictions, _ = run(corpus, tmp_path, given, classes=CLASSES, task="multilabel")
    dev = predictions[predictions["partition"] == "dev"]
    assert not (dev["gold"].astype(int) & 4).any()
    assert len(dev["recording"].unique()) < 12


# zero-shot: what a class left behind


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
