"""Fusions and multi-task learning against the same written plainly, by hand, and by EmoBed's engine."""

import dataclasses

import audmetric
import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.frame_labels import frame_labels, other_labels
from pipeline.learning.system import Variant
from pipeline.learning.systems.early_fusion import EarlyFusion
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.late_fusion import LateFusion
from pipeline.learning.systems.model_fusion import ModelFusion
from pipeline.learning.systems.multi_task import MultiTask
from pipeline.learning.trained_model import CURVES, TrainingError
from pipeline.learning.training import unit_keys
from pipeline.learning.views import scaled_view
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from tests.learning.synthetic import MemoryCache, Source, clips, learning, sessions, shop
from tests.learning.systems.plain_torch import Plain, train_plainly
from tests.learning.test_experiment import run
from tests.learning.train_models import train_models

FUSIONS = ("early_fusion", "late_fusion", "model_fusion")
RIVALS = ("multi_task", *FUSIONS)


def settings(corpus="demo_sessions", **groups):
    own = {
        "systems": ["classic", *RIVALS],
        "late_fusion": {"weight": [0.25, 0.5]},
        "multi_task": {"weight": [0.5]},
    }
    return learning(corpus, **(own | groups))


def with_second(corpus, dimension="valence"):
    """Return a corpus with labels of a second dimension, which follow from those of the first."""
    first = corpus.labels["gold_standard"].to_numpy()
    values = np.sin(3.0 * first) + 0.1 * np.cos(np.arange(len(first)))
    second = corpus.labels.assign(dimension=dimension, gold_standard=values, label=values, triplet_class=-1)
    return dataclasses.replace(corpus, labels=pd.concat([corpus.labels, second], ignore_index=True))


def experiment(corpus) -> ExperimentData:
    """Return the data of a corpus as `run_experiment` makes them, recordings of different lengths."""
    regression = "arousal" in set(corpus.labels["dimension"]) and "emotion" not in set(
        corpus.labels["dimension"]
    )
    dimension = "arousal" if regression else "emotion"
    labels = frame_labels(corpus.labels, dimension)
    views = {
        view: scaled_view(corpus.recordings, source, labels, settings().scaling, modality, view)
        for view, source, modality in (
            ("target", corpus.audio, "audio"),
            ("auxiliary", corpus.video, "video"),
        )
    }
    classes = () if regression else tuple("abcd")
    others = other_labels(corpus.labels, dimension, corpus.recordings)
    return ExperimentData(views, classes, 0.2 if regression else None, 3 if regression else 0, others)


def uneven():
    """Return sessions of which some have fewer labels, no video, or less of it."""
    corpus = with_second(sessions(frames=40))
    labels = corpus.labels
    gap = (labels["recording"] == "train_2") & (labels["time"] < 2)
    labels.loc[gap, "label"] = np.nan
    short = (labels["recording"] == "train_3") & (labels["time"] > 5)
    video = dict(corpus.video.rows)
    del video["train_4"], video["dev_2"]
    rows = video["test_1"]
    video["test_1"] = dataclasses.replace(
        rows, start=rows.start[:30], end=rows.end[:30], values=rows.values[:30], valid=rows.valid[:30]
    )
    return dataclasses.replace(corpus, labels=labels[~short], video=Source(video))


CASES = [
    ("demo_sessions", uneven, {}),
    ("demo_sessions", uneven, {"optimiser": {"clip_norm": 0.05}, "network": {"encoder_layers": 2}}),
    ("demo_clips", lambda: with_second(clips(), "arousal"), {}),
]


@pytest.mark.parametrize(("name", "make", "changes"), CASES)
@pytest.mark.parametrize("learner", [EarlyFusion(), ModelFusion(), MultiTask()])
def test_a_network_has_the_weights_that_a_plain_loop_gives(name, make, changes, learner):
    data, given = experiment(make()), settings(name, seeds=[2], **changes)
    prepared = learner.prepare(data, given)
    (model,) = train_models(learner, prepared, given)
    target, video = (view.labelled for view in data.views.values())
    both = [i for i, recording in enumerate(target.recordings) if recording in video.recordings]
    if isinstance(learner, MultiTask):
        widths, outputs, used = [6], data.outputs + 1, range(len(target))
        features = [target.features[i] for i in used]
        (second,) = data.other_labels.values()
        others = [second[target.recordings[i]][: len(features[i])] for i in used]
    else:
        widths, outputs, used, others = [6, 9], data.outputs, both, None
        place = [video.recordings.index(target.recordings[i]) for i in used]
        features = [
            np.concatenate((target.features[i], video.features[k]), axis=1)
            for i, k in zip(used, place, strict=True)
        ]
    if isinstance(learner, EarlyFusion):
        widths = [15]
    network = Plain(widths, outputs, given, 2)
    steps = -(-len(target) // given.optimiser.batch)
    train_plainly(network, features, [target.labels[i] for i in used], given, 2, steps, 0.5, others)
    expected = [parameter.numpy(force=True) for parameter in network.parameters()]
    found = [tensor.numpy() for tensor in model.weights.values()]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    # and predicts, shifted back, what it says of each recording that it can predict
    for recording, predicted in zip(prepared.evaluation.recordings, model.predictions, strict=True):
        inputs = prepared.evaluation.features[prepared.evaluation.recordings.index(recording)]
        outputs = network(inputs).numpy(force=True)[:, : data.outputs]
        if data.classes:
            outputs = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
        else:
            outputs = np.concatenate((np.repeat(outputs[:1], 3, axis=0), outputs[:-3]))
        np.testing.assert_allclose(predicted, outputs, atol=1e-5)


def test_fusions_predict_the_recordings_and_frames_that_all_modalities_have(tmp_path):
    raw, _ = run(uneven(), tmp_path, settings())
    counts = raw[(raw["seed"] == 1)].groupby(["system", "setting", "recording"]).size().unstack().fillna(0)
    for system in ("classic", "multi_task"):
        assert (counts.loc[system] == 40).all(axis=None)
    for system in FUSIONS:
        for _, row in counts.loc[system].iterrows():
            assert row.to_dict() == {"dev_1": 40, "dev_2": 0, "test_1": 30, "test_2": 40}


def test_late_fusion_is_the_weighted_mean_of_classic_networks(tmp_path):
    corpus = sessions()
    given = settings(systems=["classic", "late_fusion"])
    run(corpus, tmp_path / "audio", given)
    run(dataclasses.replace(corpus, audio=corpus.video, video=corpus.audio), tmp_path / "video", given)
    alone = [
        ModelsOfSetting.load(tmp_path / name / "models.safetensors", "classic").predict(source.read("test_1"))
        for name, source in (("audio", corpus.audio), ("video", corpus.video))
    ]
    raw = pd.read_parquet(tmp_path / "audio" / "raw.parquet").query("recording == 'test_1'")
    for weight in (0.25, 0.5):
        rows = raw[(raw["system"] == "late_fusion") & (raw["setting"] == f"weight={weight}")]
        expected = weight * alone[0] + (1 - weight) * alone[1]
        np.testing.assert_allclose(
            np.stack([own["prediction"].to_numpy() for _, own in rows.groupby("seed")]), expected, atol=2e-5
        )


def test_networks_of_one_modality_are_those_of_the_batched_engine():
    data, given = experiment(uneven()), settings(seeds=[1])
    (classic,) = train_models(
        EmoBed(), EmoBed().prepare(data, given), settings(systems=["classic"], seeds=[1])
    )
    late = train_models(LateFusion(), LateFusion().prepare(data, given), given)[0]
    encoder = "encoders.0.gru"
    pairs = {
        "target.0.weight_ih": f"{encoder}.weight_ih_l0",
        "target.0.weight_hh": f"{encoder}.weight_hh_l0",
        "shared.0.bias_ih": "shared.gru.bias_ih_l0",
        "head.weight": "head.weight",
        "head.bias": "head.bias",
    }
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(classic.weights[ours], late.weights[f"target/{theirs}"], atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"network": {"bidirectional": True}},
        {"optimiser": {"weights": "best_dev_epoch", "patience": 1, "epochs": 12, "learning_rate": 0.05}},
        {"sequences": {"length": 4.0, "hop": 2.0}},
        {"loss": "mse"},
    ],
)
def test_networks_are_those_of_the_batched_engine_whatever_the_parameters(change):
    corpus = sessions(frames=40)
    data, given = experiment(corpus), settings(seeds=[3], **change)
    (classic,) = train_models(
        EmoBed(), EmoBed().prepare(data, given), given.model_copy(update={"systems": ("classic",)})
    )
    late = LateFusion().prepare(data, given)
    found = train_models(LateFusion(), late, given)[0]
    for name, ours in (
        ("head.weight", "target/head.weight"),
        ("shared.0.bias_ih", "target/shared.gru.bias_ih_l0"),
    ):
        np.testing.assert_allclose(classic.weights[name], found.weights[ours], atol=1e-5)


@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_the_curve_has_the_loss_on_dev(loss):
    data = experiment(sessions(frames=40))
    given = settings(systems=["early_fusion"], seeds=[1], loss=loss, optimiser={"average_epochs": 1})
    learner = EarlyFusion()
    prepared = learner.prepare(data, given)
    (model,) = train_models(learner, prepared, given)
    dev = [i for i, name in enumerate(prepared.evaluation.partitions) if name == "dev"]
    gold = np.concatenate([prepared.evaluation.gold[i] for i in dev])
    found = np.concatenate([model.predictions[i][:, 0] for i in dev])
    known = np.isfinite(gold)
    expected = {
        "ccc": 1 - audmetric.concordance_cc(gold[known], found[known]),
        "mse": np.mean((gold - found)[known] ** 2),
    }
    assert model.curve[-1, CURVES.index("dev_loss")] == pytest.approx(expected[loss], abs=1e-5)


def test_what_is_learned_from_all_together_is_the_same_whichever_is_the_target(tmp_path):
    corpus, cache = uneven(), MemoryCache({})
    given = settings(systems=["early_fusion", "model_fusion"])
    first, _ = run(corpus, tmp_path / "first", given, shop=shop(cache))
    puts = cache.puts
    turned = {"target": corpus.video, "auxiliary": corpus.audio, "scenario": "video+audio"}
    second, _ = run(corpus, tmp_path / "second", given, shop=shop(cache), **turned)
    assert puts == cache.puts == 4
    pd.testing.assert_frame_equal(first, second)
    rows = {"audio": corpus.audio.read("test_2"), "video": corpus.video.read("test_2")}
    for system in given.systems:
        files = (tmp_path / name / "models.safetensors" for name in ("first", "second"))
        one, other = (ModelsOfSetting.load(file, system, "").predict(rows) for file in files)
        # weights lie at other addresses in other files, where matrix products may round differently
        np.testing.assert_allclose(one, other, atol=1e-6)
        own = first[(first["system"] == system) & (first["recording"] == "test_2") & (first["seed"] == 1)]
        np.testing.assert_allclose(one[0], own["prediction"], atol=1e-5)


@pytest.mark.parametrize("make", [sessions, clips])
def test_predictions_from_a_model_file_take_all_modalities_that_a_system_needs(tmp_path, make):
    corpus = with_second(make(), "valence")
    given = settings(f"demo_{make.__name__}")
    raw, _ = run(corpus, tmp_path, given)
    rows = {"audio": corpus.audio.read("test_1"), "video": corpus.video.read("test_1")}
    for system, setting in zip(RIVALS, ("weight=0.5", "", "weight=0.25", ""), strict=True):
        model = ModelsOfSetting.load(tmp_path / "models.safetensors", system, setting)
        found = model.predict(rows if system in FUSIONS else rows["audio"])
        own = raw[(raw["system"] == system) & (raw["setting"] == setting) & (raw["recording"] == "test_1")]
        for seed, part in zip((1, 2), found, strict=True):
            here = own[own["seed"] == seed]
            expected = here["prediction"] if make is sessions else here.filter(like="score_")
            np.testing.assert_allclose(part, expected.to_numpy(), atol=1e-5)
        with pytest.raises(ValueError, match="no embeddings of one space"):
            model.embed(rows["audio"])
        if system in FUSIONS:
            assert model.needed == ("audio", "video")
            with pytest.raises(
                ValueError, match=rf"{system} predicts from audio and video together, expected"
            ):
                model.predict(rows["audio"])
            with pytest.raises(ValueError, match="found those of video alone"):
                model.predict({"video": rows["video"]})
        else:
            assert model.needed == ("audio",)


def test_labels_of_dev_and_test_of_the_other_dimension_are_never_seen():
    corpus = with_second(sessions())
    data = experiment(corpus)
    assert {name for own in data.other_labels.values() for name in own} == {f"train_{i}" for i in range(1, 6)}
    changed = corpus.labels.copy()
    elsewhere = (changed["dimension"] == "valence") & ~changed["recording"].str.startswith("train")
    changed.loc[elsewhere, ["gold_standard", "label"]] += 1.0
    other = experiment(dataclasses.replace(corpus, labels=changed))
    given = settings()
    keys = [unit_keys(MultiTask(), MultiTask().prepare(own, given), given, "cpu") for own in (data, other)]
    assert keys[0] == keys[1]
    changed.loc[(changed["dimension"] == "valence"), "label"] += 1.0
    other = experiment(dataclasses.replace(corpus, labels=changed))
    assert unit_keys(MultiTask(), MultiTask().prepare(other, given), given, "cpu") != keys[0]


def test_multi_task_without_a_second_dimension_says_so_before_anything_is_trained(tmp_path):
    cache = MemoryCache({})
    with pytest.raises(ValueError, match=r"multi_task learns a second dimension, and no train recording"):
        run(sessions(), tmp_path, settings(), shop=shop(cache))
    assert not cache.puts


def test_a_rival_costs_only_itself(tmp_path):
    """One more in `learning.systems` trains its own models and leaves the bytes of the others."""
    corpus, cache = with_second(sessions(frames=30)), MemoryCache({})
    chosen, models = (
        ["classic"],
        {"classic": 2, "multi_task": 2, "early_fusion": 2, "late_fusion": 4, "model_fusion": 2},
    )
    before = {}
    for system in ("", *RIVALS):
        chosen += [system] if system else []
        puts = cache.puts
        run(corpus, tmp_path, settings(systems=chosen), shop=shop(cache))
        assert cache.puts - puts == models[system or "classic"]
        assert all(cache.units[key] == payload for key, payload in before.items())
        before = dict(cache.units)
    run(
        corpus,
        tmp_path,
        settings(systems=chosen, alpha=[0.0, 0.9], late_fusion={"weight": [0.5, 0.7]}),
        shop=shop(cache),
    )
    assert cache.puts == 12 + 2  # the new weight of both seeds


def test_a_training_that_cannot_go_on_names_its_model():
    data, given = experiment(with_second(sessions(frames=20))), settings(seeds=[1])
    prepared = EarlyFusion().prepare(data, given)
    broken = tuple(np.full_like(array, np.inf) for array in prepared.train.features)
    prepared = dataclasses.replace(prepared, train=dataclasses.replace(prepared.train, features=broken))
    with pytest.raises(TrainingError, match="model early_fusion seed=1: loss is not finite in epoch 1"):
        train_models(EarlyFusion(), prepared, given)


def test_three_modalities_share_what_the_target_leaves():
    from pipeline.learning.systems.late_fusion import shares_of

    assert shares_of(Variant("late_fusion", "weight=0.5", 1), 3) == (0.5, 0.25, 0.25)
    assert torch.tensor(shares_of(Variant("late_fusion", "weight=0.3", 1), 4)).sum() == pytest.approx(1)
