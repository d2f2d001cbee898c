"""`matched` against the same written plainly: distances, autoencoders, batches, losses, and what is kept."""

import dataclasses
import logging

import numpy as np
import pytest
import torch

from pipeline.catalogue.systems import SYSTEMS, controls
from pipeline.learning.batches import FRAMES_AT_ONCE
from pipeline.learning.learner import LeftOutError
from pipeline.learning.system import Variant
from pipeline.learning.systems.learners import learner_of, learners_of
from pipeline.learning.systems.matched.autoencoders import (
    SequenceDecoder,
    SequenceEncoder,
    Shape,
    reversed_frames,
)
from pipeline.learning.systems.matched.distances import (
    median_distance,
    mmd,
    pair_loss,
    unpaired_by_class,
    unpaired_loss,
)
from pipeline.learning.systems.matched.drawing import Drawing
from pipeline.learning.systems.matched.learner import Matched
from pipeline.learning.systems.matched.network import Network, kept_for_use
from pipeline.learning.systems.matched.predictor import MatchedPredictor
from pipeline.learning.systems.matched.training import Training
from pipeline.learning.systems.matched.windows import Windows, all_times, windows_up_to
from pipeline.learning.train_models import train_models
from pipeline.learning.training import unit_keys
from tests.learning.synthetic import MemoryCache, clips, learning, sessions, shop
from tests.learning.systems.test_taught import partly
from tests.learning.systems.test_torch_systems import experiment
from tests.learning.test_experiment import run

ALL = ["classic", "matched", "matched_apart", "matched_all"]
SMALL = {"alpha": [0.5], "beta": [1.0], "hidden": 8, "latent": 4, "heads": 2, "times": 5, "span": 1.6}


def settings(corpus="demo_sessions", matched=None, **groups):
    own = {"systems": ALL, "seeds": [2], "matched": SMALL | (matched or {})}
    return learning(corpus, **(own | groups))


def some_sessions(frames=30):
    return partly(sessions(frames=frames), lambda number: number <= 2)


def some_clips():
    return partly(clips(counts=(40, 24, 8)), lambda number: number <= 16)


def tensors(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def naive_mmd(one, other, sigma):
    """Return the three sums of the paper, term by term."""

    def k(x, y):
        return np.exp(-np.sum((x - y) ** 2) / (2 * sigma**2))

    p, q = one.detach().numpy(), other.detach().numpy()
    m, n = len(p), len(q)
    within_p = sum(k(p[i], p[j]) for i in range(m) for j in range(m) if i != j)
    within_q = sum(k(q[i], q[j]) for i in range(n) for j in range(n) if i != j)
    across = sum(k(p[i], q[j]) for i in range(m) for j in range(n))
    return within_p / (m * (m - 1)) + within_q / (n * (n - 1)) - 2 * across / (m * n)


def naive_median(one, other):
    rows = np.concatenate([one.detach().numpy(), other.detach().numpy()])
    found = sorted(np.linalg.norm(rows[i] - rows[j]) for i in range(len(rows)) for j in range(i))
    return found[(len(found) - 1) // 2]


@pytest.mark.parametrize("sigma", [0.7, "median"])
def test_mmd_and_its_gradient_are_those_of_a_naive_double_loop(sigma):
    one, other = tensors(5, 3).requires_grad_(), (tensors(7, 3, seed=1) + 0.5).requires_grad_()
    width = naive_median(one, other) if sigma == "median" else sigma
    found = mmd(one, other, sigma)
    assert found.item() == pytest.approx(naive_mmd(one, other, width), rel=1e-10)
    found.backward()
    for side in (one, other):
        for place in np.ndindex(*side.shape):
            step = torch.zeros_like(side)
            step[place] = 1e-6
            sides = [[s + sign * step if s is side else s for s in (one, other)] for sign in (1, -1)]
            slope = (naive_mmd(*sides[0], width) - naive_mmd(*sides[1], width)) / 2e-6
            assert side.grad[place].item() == pytest.approx(slope, abs=1e-8)


def test_mmd_of_one_distribution_is_zero_in_the_mean_and_above_zero_of_two():
    same = [mmd(tensors(8, 2, seed=i), tensors(8, 2, seed=1000 + i), 1.0).item() for i in range(400)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 20
    assert min(same) < 0  # unbiased, so on either side
    apart = [mmd(tensors(8, 2, seed=i), tensors(8, 2, seed=1000 + i) + 1, 1.0).item() for i in range(50)]
    assert np.mean(apart) > 0.1


def test_too_few_rows_and_rows_that_are_all_the_same_give_zero_attached_to_the_graph():
    for one, other in (
        (tensors(1, 3), tensors(4, 3)),
        (tensors(4, 3), tensors(0, 3)),
        (tensors(3, 2) * 0,) * 2,
    ):
        one = one.clone().requires_grad_()
        found = mmd(one, other, "median")
        found.backward()
        assert found.item() == pytest.approx(0, abs=1e-12)
        assert torch.isfinite(one.grad).all()
    assert median_distance(torch.tensor([[0.0, 4.0], [4.0, 0.0]])) == 2


def test_the_unpaired_side_from_the_same_batch_would_cancel_exactly():
    latents = [tensors(9, 3).requires_grad_(), tensors(9, 3, seed=1).requires_grad_()]
    there = torch.ones(9, 2, dtype=torch.bool)
    shuffled = torch.from_numpy(np.random.default_rng(3).permutation(9))
    rest = (there, 0, "median")
    total = pair_loss(latents, *rest) + unpaired_loss(
        latents, there, [z[shuffled] for z in latents], *rest
    )  # fmt: skip
    total.backward()
    assert total.item() == pytest.approx(0, abs=1e-14)
    for z in latents:
        assert z.grad.abs().max() < 1e-14
    other = [tensors(9, 3, seed=7), tensors(9, 3, seed=8)]
    assert abs((pair_loss(latents, *rest) + unpaired_loss(latents, there, other, *rest)).item()) > 1e-3


def test_of_another_batch_only_pairs_being_close_is_left_in_the_mean():
    """E(L_pair + L_unpaired) = -2 / m (E k(z_i, z'_i) - E k(z_i, z'_j)): MMD itself does not see pairs."""
    random, m = np.random.default_rng(0), 4
    there = torch.ones(m, 2, dtype=torch.bool)

    def batch():
        one = random.normal(size=(m, 2))
        return [torch.from_numpy(one), torch.from_numpy(one + 0.1 * random.normal(size=(m, 2)))]

    found, close, far = [], [], []
    for _ in range(4000):
        own, other = batch(), batch()
        found.append(
            (pair_loss(own, there, 0, 1.0) + unpaired_loss(own, there, other, there, 0, 1.0)).item()
        )  # fmt: skip
        close.append(torch.exp(-(own[0] - own[1]).square().sum(1) / 2).mean().item())
        far.append(torch.exp(-(own[0] - other[1]).square().sum(1) / 2).mean().item())
    expected = -2 / m * (np.mean(close) - np.mean(far))
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / np.sqrt(len(found)))
    assert expected < -0.2


def test_the_hub_is_held_against_each_other_modality_in_rows_that_have_both():
    latents = [tensors(6, 3, seed=i) for i in range(3)]
    there = torch.ones(6, 3, dtype=torch.bool)
    there[0, 2] = there[5, 1] = False
    found = pair_loss(latents, there, 1, 1.3)
    expected = naive_mmd(latents[1][:5], latents[0][:5], 1.3) + naive_mmd(
        latents[1][1:5], latents[2][1:5], 1.3
    )
    assert found.item() == pytest.approx(expected, rel=1e-10)
    others, their = [tensors(4, 3, seed=10 + i) for i in range(3)], torch.ones(4, 3, dtype=torch.bool)
    found = unpaired_loss(latents, there, others, their, 1, 1.3)
    expected = naive_mmd(latents[1][:5], others[0], 1.3) + naive_mmd(latents[1][1:5], others[2], 1.3)
    assert found.item() == pytest.approx(-expected, rel=1e-10)


def test_of_another_class_each_class_is_held_against_the_rest():
    latents, codes = [tensors(7, 3), tensors(7, 3, seed=1)], torch.tensor([0, 1, 0, 1, 2, 1, 0])
    there = torch.ones(7, 2, dtype=torch.bool)
    each = [
        naive_mmd(latents[0][codes == code], latents[1][codes != code], 0.9) for code in (0, 1)
    ]  # 2 has one row
    found = unpaired_by_class(latents, there, codes, 0, 0.9)
    assert found.item() == pytest.approx(-np.mean(each), rel=1e-10)
    nothing = unpaired_by_class([z.requires_grad_() for z in latents], there, torch.zeros(7), 0, 0.9)
    assert nothing.item() == 0
    nothing.backward()


# windows and sequences


def test_windows_end_at_their_time_and_begin_with_the_recording():
    features = torch.arange(24.0).view(2, 6, 2) + 1
    found = windows_up_to(features, torch.tensor([0, 1, 1]), torch.tensor([1, 5, 2]), 3)
    assert found.lengths.tolist() == [2, 3, 3]
    assert torch.equal(found.features[0], torch.cat((features[0, :2], torch.zeros(1, 2))))
    assert torch.equal(found.features[1], features[1, 3:6])
    assert torch.equal(found.features[2], features[1, :3])
    every = list(all_times([2, 3], FRAMES_AT_ONCE // 2))
    assert np.concatenate([own[0] for own in every]).tolist() == [0, 0, 1, 1, 1]
    assert np.concatenate([own[1] for own in every]).tolist() == [0, 1, 0, 1, 2]
    assert [len(own[0]) for own in every] == [2, 2, 1]


SHAPE = Shape((5,), frames=7, layers=2, hidden=8, latent=4, heads=2, convolutions=2, outputs=1)


def sequence_parts():
    torch.manual_seed(0)
    return SequenceEncoder(5, SHAPE).double(), SequenceDecoder(5, SHAPE).double()


def test_what_is_behind_the_end_of_a_sequence_changes_nothing():
    encoder, decoder = sequence_parts()
    values, lengths = tensors(4, 7, 5), torch.tensor([7, 5, 1, 3])
    there = torch.arange(7) < lengths[:, None]
    clean, dirty = values * there[..., None], torch.where(there[..., None], values, 1e3)
    latents = encoder(Windows(clean, lengths))
    torch.testing.assert_close(encoder(Windows(dirty, lengths)), latents)
    error = decoder(latents, Windows(clean, lengths))
    torch.testing.assert_close(decoder(latents, Windows(dirty, lengths)), error)
    # and each by itself is what it is among longer ones
    own = [decoder(latents[i : i + 1], Windows(clean[i : i + 1], lengths[i : i + 1])) for i in range(4)]
    weighted = sum(loss.item() * int(length) for loss, length in zip(own, lengths, strict=True))
    assert error.item() == pytest.approx(weighted / 16, rel=1e-10)
    # the last frame that there is does count
    changed = clean.clone()
    changed[1, 4] += 1
    assert not torch.allclose(encoder(Windows(changed, lengths))[1], latents[1])


def test_the_decoder_tells_each_frame_from_those_after_it_and_the_latent():
    _, decoder = sequence_parts()
    values, lengths, latents = tensors(2, 7, 5), torch.tensor([7, 4]), tensors(2, 4, seed=1)
    turned = reversed_frames(Windows(values, lengths))
    assert torch.equal(turned[0], values[0].flip(0))
    assert torch.equal(turned[1, :4], values[1, :4].flip(0))
    assert (turned[1, 4:] == 0).all()
    found = decoder.reconstructed(latents, Windows(values, lengths))
    changed = values.clone()
    changed[0, 3] += 1  # frame 3 of 7 is the fourth from the end
    other = decoder.reconstructed(latents, Windows(changed, lengths))
    torch.testing.assert_close(other[0, :4], found[0, :4])  # told before it is read
    assert not torch.allclose(other[0, 4:], found[0, 4:])
    assert not torch.allclose(decoder.reconstructed(latents + 1, Windows(values, lengths))[:, 0], found[:, 0])


def test_a_sequence_is_told_from_its_latent():
    """Four sequences are learned by heart through two numbers, so that the latent says which it is."""
    shape = dataclasses.replace(SHAPE, hidden=16, latent=2, layers=1)
    torch.manual_seed(1)
    encoder, decoder = SequenceEncoder(5, shape), SequenceDecoder(5, shape)
    windows = Windows(tensors(4, 7, 5).float(), torch.tensor([7, 7, 5, 6]))
    windows = windows._replace(features=windows.features * windows.mask[..., None])
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-2)
    first = decoder(encoder(windows), windows).item()
    for _ in range(150):
        loss = decoder(encoder(windows), windows)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 0.1 * first
    turned = torch.roll(encoder(windows), 1, 0)
    assert decoder(turned, windows).item() > 2 * loss.item()


# batches and losses


@pytest.mark.parametrize("labelled", [True, False])
def test_the_other_batch_has_none_of_this_one(labelled):
    data = Matched().prepare(experiment(some_clips()), settings("demo_clips"))
    drawing = Drawing(data, settings("demo_clips"), 5, labelled=labelled)
    for _ in range(10):
        batch = drawing.draw()
        others = drawing.others(batch)
        # a batch may reach over two passes, and nothing is in it twice
        assert len(set(batch.recordings)) == len(batch.recordings) == len(set(others.recordings)) > 8
        assert not set(batch.recordings) & set(others.recordings)
        assert set(batch.recordings) <= set(data.seen if labelled else data.unlabelled)


def test_label_times_have_labels_and_those_of_unlabelled_recordings_are_any():
    corpus = some_sessions()
    gap = (corpus.labels["recording"] == "train_1") & (corpus.labels["time"] < 4)
    corpus.labels.loc[gap, "label"] = np.nan
    given = settings(optimiser={"batch": 4})
    data = Matched().prepare(experiment(corpus), given)
    assert data.shape.frames == 8  # 1.6 s of 0.2 s
    drawing = Drawing(data, given, 1, labelled=True)
    seen = [drawing.draw() for _ in range(20)]
    for batch in seen:
        assert len(batch.times) == 10
        assert all(np.isfinite(data.train.labels[i][k]) for i, k in zip(*batch, strict=True))
    assert min(batch.times.min() for batch in seen) == 0
    free = Drawing(data, given, 1, labelled=False).draw()
    assert set(free.recordings) <= {2, 3, 4}


def encoded(network, features, place, time, frames):
    """Return the utterance of one label time, of batch size one and without padding."""
    begin = max(0, time - frames + 1)
    values = torch.from_numpy(features[place][begin : time + 1])
    padded = torch.nn.functional.pad(values, (0, 0, 0, frames - len(values)))
    return Windows(padded[None], torch.tensor([len(values)]))


@pytest.mark.parametrize(
    ("make", "kind", "unpaired"),
    [
        (some_sessions, "demo_sessions", "other_batch"),
        (some_clips, "demo_clips", "other_batch"),
        (some_clips, "demo_clips", "other_class"),
    ],
)
def test_what_is_minimised_is_the_sum_written_plainly(make, kind, unpaired):
    corpus = make()
    del corpus.video.rows["train_2"]  # labelled, without the other modality
    given = settings(kind, {"unpaired": unpaired, "omega": 0.3, "alpha": [0.7], "beta": [2.0]})
    data = Matched().prepare(experiment(corpus), given)
    run_ = Training(data, given, 0.7, 2.0, 2, "cpu", "matched")
    total, labels, rest = run_._losses(0.0)
    network, widths = run_.network, data.shape.widths
    parts = [[array[:, :6] for array in data.train.features], [array[:, 6:] for array in data.train.features]]
    assert widths == (6, 9)

    def latents(batch):
        windows = [
            [encoded(network, own, i, k, data.shape.frames) for i, k in zip(*batch, strict=True)]
            for own in parts
        ]
        return windows, [
            torch.cat([encoder(own) for own in of_view])
            for encoder, of_view in zip(network.encoders.values(), windows, strict=True)
        ]

    def without_labels(drawing, batch, by_class):
        windows, z = latents(batch)
        both = torch.from_numpy(data.present[batch.recordings].all(1))
        rec = 0.0
        for place, decoder in enumerate(network.decoders.values()):
            of_view = [
                (decoder(z[place][i : i + 1], own).item(), int(own.lengths[0]))
                for i, own in enumerate(windows[place])
                if data.present[batch.recordings[i], place]
            ]
            rec += sum(loss * count for loss, count in of_view) / sum(count for _, count in of_view)

        def distance(p, q):
            return naive_mmd(p.double(), q.double(), naive_median(p.double(), q.double()))

        pair = distance(z[0][both], z[1][both])
        if by_class:
            codes = torch.tensor([data.train.labels[i][0] for i in batch.recordings])
            each = [
                distance(z[0][both & (codes == c)], z[1][both & (codes != c)])
                for c in codes.unique()
                if min(int((codes == c).sum()), int((codes != c).sum())) > 1
            ]
            return 0.7 * rec + 2.0 * (pair - np.mean(each))
        _, others = latents(drawing.others(batch))
        return 0.7 * rec + 2.0 * (pair - distance(z[0][both], others[1]))

    drawing = Drawing(data, given, 2, labelled=True)
    batch = drawing.draw()
    missing = drawing.missing(batch) | ~torch.from_numpy(data.present[batch.recordings, 1])
    assert missing.any()
    assert not missing.all()
    _, z = latents(batch)
    heard = torch.stack([network.missing["auxiliary"] if gone else z[1][i] for i, gone in enumerate(missing)])
    outputs = network.head(torch.cat((z[0], heard), dim=1))
    wanted = torch.tensor([data.train.labels[i][k] for i, k in zip(*batch, strict=True)])
    if make is some_clips:
        expected = torch.nn.functional.cross_entropy(outputs, wanted.long())
    else:
        p, y = outputs[:, 0], wanted
        cov = ((p - p.mean()) * (y - y.mean())).mean()
        expected = 1 - 2 * cov / (p.var(correction=0) + y.var(correction=0) + (p.mean() - y.mean()) ** 2)
    assert labels.item() == pytest.approx(expected.item(), rel=1e-4)
    own = without_labels(drawing, batch, unpaired == "other_class")
    unlabelled = Drawing(data, given, 2, labelled=False)
    own += 0.3 * without_labels(unlabelled, unlabelled.draw(), False)
    assert rest.item() == pytest.approx(own, rel=2e-4)
    assert total.item() == pytest.approx(labels.item() + rest.item(), rel=1e-6)


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
