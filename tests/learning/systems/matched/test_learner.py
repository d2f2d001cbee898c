"""`matched` as a system: its controls, what files keep and predict, hidden labels, and what is learned."""

import dataclasses
import logging

import numpy as np
import pytest
import torch

from pipeline.catalogue.systems import SYSTEMS, controls
from pipeline.learning.learner import LeftOutError
from pipeline.learning.system import Variant
from pipeline.learning.systems.learners import learner_of, learners_of
from pipeline.learning.systems.matched.learner import Matched
from pipeline.learning.systems.matched.network import Network, kept_for_use
from pipeline.learning.systems.matched.predictor import MatchedPredictor
from pipeline.learning.systems.matched.training import Training
from pipeline.learning.training import unit_keys
from tests.learning.synthetic import MemoryCache, clips, sessions, shop
from tests.learning.systems.matched.small import ALL, SHAPE, settings
from tests.learning.systems.partly_labelled import some_clips, some_sessions
from tests.learning.systems.test_torch_systems import experiment
from tests.learning.test_experiment import run
from tests.learning.train_models import train_models

# windows and sequences


# batches and losses


# the systems


def test_the_control_differs_in_the_weight_of_the_matching_alone():
    given = settings("demo_clips", {"alpha": [0.5, 1.0]})
    data = Matched().prepare(experiment(some_clips()), given)
    ours, control = (Training(data, given, 0.5, beta, 2, "cpu", "m") for beta in (1.0, 0.0))
    for name, tensor in ours.network.state_dict().items():
        assert torch.equal(tensor, control.network.state_dict()[name])
    losses = [training._losses(0.0) for training in (ours, control)]
    assert torch.equal(losses[0][1], losses[1][1])  # the same labels, the same missing latents
    assert not torch.equal(losses[0][2], losses[1][2])
    assert ours.steps == control.steps
    for _ in range(3):
        for one, other in ((ours.labelled, control.labelled), (ours.unlabelled, control.unlabelled)):
            for own, their in zip(one.draw(), other.draw(), strict=True):
                np.testing.assert_array_equal(own, their)
    variants = Matched().variants(given)
    of = {system: [own.setting for own in variants if own.system == system] for system in ALL[1:]}
    assert of["matched"] == of["matched_all"] == ["alpha=0.5 beta=1", "alpha=1 beta=1"]
    assert of["matched_apart"] == ["alpha=0.5 beta=0", "alpha=1 beta=0"]
    assert controls("matched") == ["matched_apart"]
    assert SYSTEMS["matched_all"].needs == "all"
    assert len(learners_of(ALL)) == 2


def test_one_training_is_two_systems_which_keep_only_what_they_read(monkeypatch):
    given, trained = settings("demo_clips"), []
    data = Matched().prepare(experiment(some_clips()), given)
    run_ = Training.run
    monkeypatch.setattr(Training, "run", lambda self, **marks: trained.append(self) or run_(self, **marks))
    models = {model.variant.system: model for model in train_models(Matched(), data, given)}
    assert len(trained) == 2  # with the matching and without
    parts = {name: {key.rpartition(".")[0] for key in model.weights} for name, model in models.items()}
    target = {"encoders.target.layers.0", "encoders.target.layers.2"}
    head = {"head.0", "head.2"}
    assert parts["matched"] == parts["matched_apart"] == target | head | {"missing"}
    other = {name.replace("target", "auxiliary") for name in target}
    assert parts["matched_all"] == target | other | head
    for name in parts["matched"] & parts["matched_all"]:
        assert torch.equal(
            models["matched"].weights[f"{name}.bias"], models["matched_all"].weights[f"{name}.bias"]
        )


@pytest.mark.parametrize(("make", "kind"), [(some_sessions, "demo_sessions"), (some_clips, "demo_clips")])
def test_files_predict_as_in_training_and_from_what_they_read_alone(tmp_path, make, kind):
    from pipeline.recogniser.models_of_setting import ModelsOfSetting

    corpus, given = make(), settings(kind)
    del corpus.video.rows["test_1"]
    predictions, curves = run(corpus, tmp_path, given)
    scores = [name for name in predictions if name.startswith("score_")] or ["prediction"]
    for system in ALL[1:]:
        models = ModelsOfSetting.load(tmp_path / "models.safetensors", system)
        assert models.needed == (("audio", "video") if system == "matched_all" else ("audio",))
        rows = predictions[predictions["system"] == system]
        assert ("test_1" in set(rows["recording"])) == (system != "matched_all")
        own = rows[rows["recording"] == "test_2"]
        features = {"audio": corpus.audio.rows["test_2"], "video": corpus.video.rows["test_2"]}
        found = models.predict({name: features[name] for name in models.needed})[0]
        np.testing.assert_allclose(found.reshape(len(own), -1), own[scores].to_numpy(), atol=1e-5)
    assert curves.groupby("system")["loss_auxiliary"].last().notna()["matched"]


def test_absurd_sizes_of_a_file_are_refused_before_anything_is_made():
    shape = dataclasses.replace(SHAPE, widths=(5, 3))
    own = kept_for_use(Network(shape, ("target", "auxiliary"), decoders=True).state_dict(), ("target",))
    predictor = MatchedPredictor.of([own], shape)
    assert predictor.predict({"target": np.zeros((3, 5), np.float32)}).shape == (1, 3, 1)
    for name in ("layers", "convolutions"):
        with pytest.raises(ValueError, match="weights are of fewer layers than"):
            MatchedPredictor.of([own], dataclasses.replace(shape, **{name: 10**12}))
    for changes in ({"hidden": 10**6}, {"frames": 10**9}, {"latent": 5}, {"widths": (6, 3)}):
        with pytest.raises(RuntimeError, match="size mismatch"):
            MatchedPredictor.of([own], dataclasses.replace(shape, **changes))


def test_sequences_go_on_from_frame_to_frame(tmp_path):
    from pipeline.recogniser.models_of_setting import ModelsOfSetting

    corpus = some_sessions()
    run(corpus, tmp_path, settings())
    models = ModelsOfSetting.load(tmp_path / "models.safetensors", "matched_all")
    random = np.random.default_rng(0)
    views = {
        name: random.normal(size=(25, width)).astype(np.float32)
        for name, width in (("target", 6), ("auxiliary", 9))
    }
    whole, step = models.predictor.predict(views), models.predictor.stepper()
    found, at = [], 0
    for count in (1, 2, 10, 12):
        found.append(step({name: own[at : at + count] for name, own in views.items()}))
        at += count
    np.testing.assert_allclose(np.concatenate(found, axis=1), whole, atol=1e-5)
    # nothing later is looked at
    later = {
        name: np.where(np.arange(25)[:, None] > 12, 9, own).astype(np.float32) for name, own in views.items()
    }
    np.testing.assert_allclose(models.predictor.predict(later)[:, :13], whole[:, :13], atol=1e-5)


def test_same_inputs_same_models_and_another_seed_others():
    data = Matched().prepare(experiment(some_sessions()), settings())
    given = [settings(seeds=[seed], systems=["matched_apart", "matched_all"]) for seed in (2, 2, 3)]
    one, again, other = (train_models(Matched(), data, own)[0] for own in given)
    for name, tensor in one.weights.items():
        assert torch.equal(tensor, again.weights[name])
    for own, their in zip(one.predictions, again.predictions, strict=True):
        np.testing.assert_array_equal(own, their)
    assert not np.array_equal(other.predictions[0], one.predictions[0])


def test_finished_models_are_kept_and_each_parameter_is_in_their_key():
    data, cache = Matched().prepare(experiment(some_clips()), settings("demo_clips")), MemoryCache({})
    given = settings("demo_clips")
    first = train_models(Matched(), data, given, shop(cache))
    assert cache.puts == 3
    again = train_models(Matched(), data, given, shop(cache))
    assert cache.puts == 3
    np.testing.assert_array_equal(first[0].predictions[0], again[0].predictions[0])

    def key(matched=None, corpus=None, **groups):
        own = settings("demo_clips", matched, **groups)
        prepared = Matched().prepare(experiment(corpus or some_clips()), own)
        found = unit_keys(Matched(), prepared, own, "cpu")
        return found[Variant("matched", "alpha=0.5 beta=1", 2)]

    before = key()
    for name, value in {
        "omega": 0.5, "sigma": 1.0, "unpaired": "other_class", "dropout": 0.2, "layers": 3, "hidden": 10,
        "latent": 5,
    }.items():  # fmt: skip
        assert key({name: value}) != before, name
    assert key({"alpha": [0.5, 2.0], "beta": [0.3, 1.0]}) == before  # a model has its own in its identity
    assert key(optimiser={"learning_rate": 0.1}) != before
    fewer = some_clips()
    del fewer.video.rows["train_20"]
    assert key(corpus=fewer) != before


@pytest.mark.parametrize(("make", "kind"), [(some_sessions, "demo_sessions"), (some_clips, "demo_clips")])
def test_labels_that_are_hidden_reach_nothing(tmp_path, make, kind):
    """What the target's rows without labels would have said is scrambled; the sequences keep none of it."""
    hidden = make()
    data = experiment(hidden)
    given = settings(kind, {"unpaired": "other_class"} if make is some_clips else None)
    before = train_models(Matched(), Matched().prepare(data, given), given)
    view = data.views["target"]
    known = set(view.labelled.recordings)
    gold = [
        np.full_like(own, 7) if part == "train" and name not in known else own
        for name, part, own in zip(
            view.sequences.recordings, view.sequences.partitions, view.sequences.gold, strict=True
        )
    ]
    codes = [np.full_like(own, 1) if part == "train" else own for part, own in zip(
        view.sequences.partitions, view.sequences.classes, strict=True)]  # fmt: skip
    scrambled = dataclasses.replace(view.sequences, gold=tuple(gold), classes=tuple(codes))
    other_view = data.views["auxiliary"].sequences
    other = dataclasses.replace(
        other_view, labels=tuple(np.roll(own, 1) + 1 for own in other_view.labels),
        gold=tuple(own + 1 for own in other_view.gold),
    )  # fmt: skip
    views = {
        "target": dataclasses.replace(view, sequences=scrambled),
        "auxiliary": dataclasses.replace(data.views["auxiliary"], sequences=other),
    }
    after = train_models(Matched(), Matched().prepare(dataclasses.replace(data, views=views), given), given)
    for one, two in zip(before, after, strict=True):
        if one.variant.system != "matched_all":
            for name, tensor in one.weights.items():
                assert torch.equal(tensor, two.weights[name])


def test_recordings_without_labels_are_learned_from_and_weigh_omega():
    data = Matched().prepare(experiment(some_clips()), settings("demo_clips"))
    assert (len(data.seen), len(data.unlabelled), data.steps) == (16, 24, 2)
    found = {
        omega: train_models(Matched(), data, settings("demo_clips", {"omega": omega}))[0].predictions[0]
        for omega in (0.0, 0.5, 1.0)
    }
    assert len({values.tobytes() for values in found.values()}) == 3


def test_too_few_pairs_are_left_out_with_a_sentence(tmp_path, caplog):
    corpus = some_clips()
    for number in range(4, 41):
        del corpus.video.rows[f"train_{number}"]
    with pytest.raises(LeftOutError, match=r"matched is left out: .* audio and video .*found 3, expected 4"):
        Matched().prepare(experiment(corpus), settings("demo_clips"))
    with caplog.at_level(logging.WARNING):
        predictions, _ = run(corpus, tmp_path, settings("demo_clips"))
    assert set(predictions["system"]) == {"classic"}
    assert "matched is left out" in caplog.text


def test_audio_is_the_hub_and_else_the_target():
    data, given = experiment(some_clips()), settings("demo_clips")

    def hub(*modalities):
        names = dict(zip(data.views, modalities, strict=True))
        views = {role: dataclasses.replace(view, modality=names[role]) for role, view in data.views.items()}
        return Matched().prepare(dataclasses.replace(data, views=views), given).hub

    assert hub("audio", "video") == 0
    assert hub("video", "audio") == 1
    assert hub("video", "audio@heard") == 1
    assert hub("text", "video") == 0


def test_three_modalities_are_learned_from_together():
    data, given = experiment(some_clips()), settings("demo_clips")
    third = dataclasses.replace(data.views["auxiliary"], modality="text")
    three = dataclasses.replace(data, views=data.views | {"auxiliary2": third})
    prepared = Matched().prepare(three, given)
    models = {model.variant.system: model for model in train_models(Matched(), prepared, given)}
    assert {key.split(".")[1] for key in models["matched"].weights if key.startswith("missing")} == {
        "auxiliary", "auxiliary2",
    }  # fmt: skip
    assert len({key.split(".")[1] for key in models["matched_all"].weights if key.startswith("enc")}) == 3


def test_a_separable_corpus_is_learned_from_the_target_alone(tmp_path):
    given = settings(
        "demo_clips", {"hidden": 32, "latent": 16}, optimiser={"epochs": 40, "average_epochs": 5}
    )  # fmt: skip
    predictions, _ = run(clips(noise=0.3), tmp_path, given)
    right = (predictions["prediction"] == predictions["gold"]).groupby(predictions["system"]).mean()
    assert (right[ALL[1:]] > 0.9).all(), right


@pytest.mark.slow
def test_a_trace_is_learned_from_the_target_alone(tmp_path):
    given = settings(
        matched={"hidden": 16, "latent": 8}, optimiser={"epochs": 25, "average_epochs": 5, "batch": 4}
    )
    predictions, _ = run(sessions(counts=(6, 2, 2), frames=60), tmp_path, given)
    for system in ALL[1:]:
        own = predictions[predictions["system"] == system].dropna()
        assert np.corrcoef(own["prediction"], own["gold"])[0, 1] > 0.6, system


def test_start_weights_change_no_other_random_numbers():
    shape = dataclasses.replace(SHAPE, widths=(5, 3))
    torch.manual_seed(4)
    before = torch.get_rng_state()
    one = Network(shape, ("target", "auxiliary"), decoders=True, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    wider = Network(dataclasses.replace(shape, widths=(5, 4)), ("target", "auxiliary"), decoders=True, seed=3)
    for name, tensor in one.encoders["target"].state_dict().items():
        assert torch.equal(tensor, wider.encoders["target"].state_dict()[name])


def test_the_learner_is_found_by_each_of_its_names():
    assert learner_of("matched") is learner_of("matched_all") is learner_of("matched_apart")
