"""`taught` against the same written plainly in double precision: teachers, what they say, students."""

import dataclasses
import logging

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import minimize_scalar

from pipeline.catalogue.systems import SYSTEMS, controls
from pipeline.learning.batches import SeededOrder
from pipeline.learning.learner import LeftOutError
from pipeline.learning.systems.learners import learner_of
from pipeline.learning.systems.taught.alone import Teacher
from pipeline.learning.systems.taught.learner import Taught
from pipeline.learning.systems.taught.lessons import lessons_of
from pipeline.learning.systems.taught.same import TaughtBySame
from pipeline.learning.systems.taught.soft_losses import (
    similarity_loss,
    soft_cross_entropy,
    weighted_ccc_loss,
    weighted_mse,
)
from pipeline.learning.systems.taught.student import Student
from pipeline.learning.systems.taught.teacher import (
    agreement,
    member_seed,
    networks_of,
    said_of,
    train_members,
)
from pipeline.learning.torch_loop import Run
from pipeline.learning.trained_model import CURVES
from pipeline.learning.training import unit_keys
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from tests.learning.synthetic import MemoryCache, clips, learning, sessions, shop
from tests.learning.systems.partly_labelled import partly, some_clips, some_sessions, tensors
from tests.learning.systems.plain_torch import Plain, concordance, train_plainly
from tests.learning.systems.test_torch_systems import experiment
from tests.learning.test_experiment import run
from tests.learning.train_models import train_models

ALL = ["classic", "taught", "taught_same", "teacher"]


def settings(corpus="demo_sessions", taught=None, **groups):
    own = {"systems": ALL, "seeds": [2], "taught": {"weight": [0.7]} | (taught or {})}
    return learning(corpus, **(own | groups))


def test_losses_are_those_of_naive_loops():
    logits, p = tensors(3, 4, 5), torch.softmax(tensors(3, 4, 5, seed=1), -1)
    weight = (tensors(3, 4, seed=2) > 0).double()
    total = 0.0
    for i in range(3):
        for k in range(4):
            q = [float(value) ** (1 / 2.5) for value in p[i, k]]
            z = [float(value) / 2.5 for value in logits[i, k]]
            log_sum = np.log(sum(np.exp(z)))
            total += float(weight[i, k]) * sum(-a / sum(q) * (b - log_sum) for a, b in zip(q, z, strict=True))
    expected = 2.5**2 * total / float(weight.sum())
    assert float(soft_cross_entropy(logits, p, weight, 2.5)) == pytest.approx(expected, rel=1e-12)
    trace, outputs = tensors(3, 4, seed=3), tensors(3, 4, seed=4)
    sure = torch.tensor([0.2, 0.0, 1.0], dtype=torch.float64)[:, None].expand(3, 4)
    error = sum(float(sure[i, 0]) * float((outputs[i] - trace[i]).square().sum()) for i in range(3))
    assert float(weighted_mse(outputs, trace, sure)) == pytest.approx(error / 4.8, rel=1e-12)
    # whole weights are repetitions
    repeated = [own[[0, 2, 2, 2, 2, 2]].flatten() for own in (outputs, trace)]
    found = weighted_ccc_loss(outputs, trace, sure, "batch")
    assert float(found) == pytest.approx(1 - float(concordance(*repeated)), rel=1e-12)
    each = [1 - float(concordance(outputs[i], trace[i])) for i in range(3)]
    found = weighted_ccc_loss(outputs, trace, sure, "sequence")
    assert float(found) == pytest.approx((0.2 * each[0] + each[2]) / 1.2, rel=1e-12)


def test_similarities_are_those_of_naive_loops():
    student, teachers = tensors(4, 3), torch.nn.functional.normalize(tensors(2, 4, 6, seed=1), dim=-1)
    together = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]).double()
    errors = []
    for i in range(4):
        for k in range(4):
            if together[i, k]:
                own = torch.cosine_similarity(student[i], student[k], dim=0)
                wanted = np.mean([float(own[i] @ own[k]) for own in teachers])
                errors.append((float(own) - wanted) ** 2)
    assert float(similarity_loss(student, teachers, together)) == pytest.approx(np.mean(errors), rel=1e-12)


def test_without_weight_a_loss_is_zero_and_attached():
    outputs, nothing = tensors(2, 3).requires_grad_(), torch.zeros(2, 3).double()
    logits = tensors(2, 3, 4).requires_grad_()
    p = torch.softmax(tensors(2, 3, 4), -1)
    for loss, inputs in (
        (soft_cross_entropy(logits, p, nothing, 1.0), logits),
        (weighted_mse(outputs, outputs.detach() + 1, nothing), outputs),
        (weighted_ccc_loss(outputs, outputs.detach() + 1, nothing, "batch"), outputs),
        (weighted_ccc_loss(outputs, outputs.detach() + 1, nothing, "sequence"), outputs),
    ):
        assert loss.item() == 0
        loss.backward()
        assert torch.isfinite(inputs.grad).all()


def plain_teacher(data, given, kind):
    """Return for each member functions from a train recording to the outputs of its networks."""
    views = {
        "concat": [("target", "auxiliary")],
        "late": [("target",), ("auxiliary",)],
        "other": [("auxiliary",)],
        "same": [("target",)],
    }[kind]
    places = {
        name: {n: i for i, n in enumerate(view.sequences.recordings)} for name, view in data.views.items()
    }

    def features(names, recording):
        return np.concatenate(
            [data.views[name].sequences.features[places[name][recording]] for name in names], axis=1
        )

    target = data.views["target"]
    labels = dict(zip(target.labelled.recordings, target.labelled.labels, strict=True))
    members = []
    for member in range(given.taught.members):
        networks = []
        for names in views:
            inputs = [features(names, recording) for recording in labels]
            # `late` and `concat` start from the stream of the first part, whatever it is
            network = Plain([inputs[0].shape[1]], data.outputs, given, member_seed(2, member))
            steps = -(-len(inputs) // given.optimiser.batch)
            train_plainly(network, inputs, list(labels.values()), given, member_seed(2, member), steps)
            networks.append((names, network))
        members.append(networks)
    return lambda recording: [
        [network(features(names, recording)).detach() for names, network in networks] for networks in members
    ]


def expected_said(data, given, kind, recordings, corpus):
    """Return outputs and surety of recordings, as the plain teacher says them."""
    teacher = plain_teacher(data, given, kind)
    if not data.classes:
        found = {}
        for name in recordings:
            traces = [torch.stack(own).mean(0)[:, 0] for own in teacher(name)]
            sure = max(0.0, float(concordance(*traces))) if len(traces) == 2 else 1.0
            found[name] = torch.stack(traces).mean(0)[:, None].numpy(), sure
        return found

    def mean(name):
        every = [torch.softmax(own, -1) for members in teacher(name) for own in members]
        return torch.stack(every).mean(0)[0].numpy()

    labels = corpus.labels.set_index("recording")["gold_standard"]
    dev = [name for name in labels.index if name.startswith("dev")]
    logs, gold = np.log([mean(name) for name in dev]), labels[dev].to_numpy(int)

    def soft(logits, temperature):
        powers = np.exp(logits / temperature)
        return powers / powers.sum(-1, keepdims=True)

    def loss(log_temperature):
        return -np.log(soft(logs, np.exp(log_temperature))[np.arange(len(gold)), gold]).mean()

    temperature = np.exp(minimize_scalar(loss, bounds=np.log([0.05, 20]), method="bounded").x)
    return {name: (own := soft(np.log(mean(name)), temperature)[None], own.max()) for name in recordings}


@pytest.mark.parametrize("kind", ["concat", "late", "other", "same"])
@pytest.mark.parametrize("make", [some_sessions, some_clips])
def test_a_teacher_says_what_plain_networks_say(kind, make):
    corpus = make()
    data, given = experiment(corpus), settings(f"demo_{make.__name__[5:]}", seeds=[2])
    (lesson,) = lessons_of(data, given, kind, "taught")
    names = lesson.student.recordings
    labelled = set(corpus.labels["recording"])
    assert set(names) == {
        name for name in corpus.audio.rows if name.startswith("train") and name not in labelled
    }  # fmt: skip
    said = said_of(train_members(lesson.parts, given, 2, "cpu", "taught"), lesson.pools)
    expected = expected_said(data, given, kind, names, corpus)
    for name, outputs, sure in zip(names, said.outputs, said.sure, strict=True):
        np.testing.assert_allclose(outputs, expected[name][0], atol=2e-4)
        np.testing.assert_allclose(sure, expected[name][1], atol=2e-4)


@pytest.mark.parametrize("loss", ["ccc", "mse", "cross_entropy"])
def test_a_student_takes_the_step_of_a_plain_network(loss):
    regression = loss != "cross_entropy"
    corpus = some_sessions() if regression else some_clips()
    name = "demo_sessions" if regression else "demo_clips"
    data, given = experiment(corpus), settings(name, loss=loss, optimiser={"batch": 3 if regression else 16})
    prepared = Taught().prepare(data, given)
    (lesson,) = prepared.lessons
    said = said_of(train_members(lesson.parts, given, 2, "cpu", "taught"), lesson.pools)
    if regression:  # so short a training agrees in nothing
        sure = tuple(np.full_like(own, 0.3 * place) for place, own in enumerate(said.sure))
        said = dataclasses.replace(said, sure=sure)
    confidence = 0.2 if regression else float(np.median(np.concatenate(said.sure)))
    given = settings(name, {"temperature": 2.0, "confidence": confidence}, loss=loss,
                     optimiser=given.optimiser.model_dump())  # fmt: skip
    run_ = Student(prepared.student, [lesson.student], [said], given, 2, "cpu", "taught")
    total, _, _ = run_._losses(0.7)
    run_.network.zero_grad()
    total.backward()
    plain = Plain([6], data.outputs, given, 2)
    target = data.views["target"].labelled
    drawn = SeededOrder(len(target), given.optimiser.batch, 2, "target").draw()
    outputs = torch.cat([plain(target.features[i]) for i in drawn])
    wanted = torch.from_numpy(np.concatenate([target.labels[i] for i in drawn])).double()
    drawn = SeededOrder(len(lesson.student), given.optimiser.batch, 2, "taught").draw()
    assert len(drawn) > 1
    spoken = torch.cat([plain(lesson.student.features[i]) for i in drawn])
    trace = torch.from_numpy(np.concatenate([said.outputs[i] for i in drawn])).double()
    sure = torch.from_numpy(np.concatenate([said.sure[i] for i in drawn])).double()
    sure = torch.where(sure >= given.taught.confidence, sure, torch.zeros_like(sure))
    if loss == "cross_entropy":
        kept = sure > 0
        assert 0 < kept.sum() < len(kept)
        softened = trace[kept] ** 0.5 / (trace[kept] ** 0.5).sum(-1, keepdim=True)
        teacher = -4 * (softened * torch.log_softmax(spoken[kept] / 2, -1)).sum(-1).mean()
        own = torch.nn.functional.cross_entropy(outputs, wanted.long())
    else:
        share, (p, t) = sure / sure.sum(), (spoken[:, 0], trace[:, 0])
        if loss == "mse":
            teacher, own = (share * (p - t) ** 2).sum(), ((outputs[:, 0] - wanted) ** 2).mean()
        else:
            mp, mt = (share * p).sum(), (share * t).sum()
            covariance = (share * (p - mp) * (t - mt)).sum()
            spread = (share * ((p - mp) ** 2 + (t - mt) ** 2)).sum() + (mp - mt) ** 2
            teacher, own = 1 - 2 * covariance / spread, 1 - concordance(outputs[:, 0], wanted)
    expected = 0.3 * own + 0.7 * teacher
    expected.backward()
    assert total.item() == pytest.approx(expected.item(), abs=1e-5)
    for ours, theirs in zip(run_.network.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad, atol=1e-5)


def test_agreement_is_the_mean_ccc_of_pairs_and_never_below_zero():
    random = np.random.default_rng(0)
    first = random.normal(size=50)
    traces = [first, first + 0.5 * random.normal(size=50), 0.8 * first]
    pairs = [(0, 1), (0, 2), (1, 2)]
    values = [float(concordance(*(torch.from_numpy(traces[i]) for i in pair))) for pair in pairs]
    assert agreement(traces) == pytest.approx(np.mean(values))
    assert agreement([first, -first]) == 0
    assert agreement([first]) == 1


def test_out_of_fold_teachers_never_learned_from_the_speakers_they_speak_of():
    data, given = experiment(some_clips()), settings("demo_clips", {"labelled": True})
    first, *others = lessons_of(data, given, "late", "taught")
    assert len(others) == 3
    spoken = [name for lesson in others for name in lesson.student.recordings]
    assert sorted(spoken) == sorted(data.views["target"].labelled.recordings)
    for lesson in others:
        for part in lesson.parts:
            assert not set(part.train.speakers) & set(lesson.student.speakers)
            assert len(part.train)
    assert not set(first.student.recordings) & set(spoken)
    (model,) = train_models(Taught(), Taught().prepare(data, given), given)
    assert np.isfinite(model.curve[:, :2]).all()


def test_one_labelled_speaker_has_no_teacher_out_of_fold():
    corpus = partly(sessions(frames=20), lambda number: number == 1)
    with pytest.raises(ValueError, match=r"learning.taught.labelled: true needs two speakers .* found 1$"):
        Taught().prepare(experiment(corpus), settings(taught={"labelled": True}))


def test_without_unlabelled_recordings_the_others_are_trained_and_a_sentence_says_why(tmp_path, caplog):
    with pytest.raises(LeftOutError):
        Taught().prepare(experiment(sessions(frames=20)), settings())
    with caplog.at_level(logging.WARNING):
        raw, _ = run(sessions(frames=20), tmp_path, settings())
    assert set(raw["system"]) == {"classic", "teacher"}
    sentence = "taught is left out: it learns from recordings of train without labels that have all of audio"
    assert sum(record.getMessage().startswith(sentence) for record in caplog.records) == 1
    with pytest.raises(ValueError, match="have no model"):
        run(sessions(frames=20), tmp_path, settings().model_copy(update={"systems": ("taught",)}))


def test_the_control_learns_from_the_same_recordings_in_as_many_steps():
    data, given = experiment(some_clips()), settings("demo_clips")
    ours, control = Taught().prepare(data, given), TaughtBySame().prepare(data, given)
    assert ours.lessons[0].student.sha256() == control.lessons[0].student.sha256()
    assert ours.student.steps == control.student.steps == 2  # 24 are taught, 16 at once
    assert [part.sizes.widths for part in ours.lessons[0].parts] == [(15,)]
    assert [part.sizes.widths for part in control.lessons[0].parts] == [(6,)]
    assert controls("taught") == ["taught_same"]
    assert SYSTEMS["teacher"].needs == "all"
    # a control's teacher does not depend on what teaches the other
    late = settings("demo_clips", {"teacher": "late"})
    keys = [
        unit_keys(learner, learner.prepare(data, own), own, "cpu")
        for own in (given, late)
        for learner in (TaughtBySame(), Taught())
    ]
    assert keys[0] == keys[2]
    assert keys[1] != keys[3]


def test_what_nobody_may_see_of_labels_is_not_in_the_data():
    data, given = experiment(some_sessions()), settings()
    lesson = lessons_of(data, given, "concat", "taught")[0]
    for pool in (*lesson.pools, lesson.student):
        assert not any(np.isfinite(own).any() for own in (*pool.labels, *pool.gold))
        assert all((own == -1).all() for own in pool.classes)


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (some_sessions, {}),
        (some_sessions, {"ccc": "sequence", "sequences": {"length": 3.0, "hop": 2.0}}),
        (some_sessions, {"network": {"bidirectional": True}}),
        (some_clips, {"taught": {"similarity": 1.0, "members": 1, "weight": [1.0], "labelled": True}}),
        (some_sessions, {"taught": {"similarity": 1.0, "teacher": "late"}}),
    ],
)
def test_a_student_alone_is_in_the_model_file(tmp_path, make, changes):
    from pipeline.recogniser.models_of_setting import ModelsOfSetting

    corpus, given = make(), settings(f"demo_{make.__name__[5:]}", **changes)
    raw, _ = run(corpus, tmp_path, given)
    rows = {"audio": corpus.audio.read("test_1"), "video": corpus.video.read("test_1")}
    for system in ("taught", "taught_same", "teacher"):
        model = ModelsOfSetting.load(tmp_path / "models.safetensors", system)
        own = raw[(raw["system"] == system) & (raw["recording"] == "test_1")]
        found = model.predict(rows if system == "teacher" else rows["audio"])[0]
        expected = own["prediction"] if make is some_sessions else own.filter(like="score_")
        np.testing.assert_allclose(found, expected.to_numpy(), atol=1e-5)
        if system != "teacher":
            assert model.needed == ("audio",)


def test_the_teacher_in_the_table_is_the_one_that_teaches():
    data, given = experiment(some_clips()), settings("demo_clips")
    (model,) = train_models(Teacher(), Teacher().prepare(data, given), given)
    lesson = lessons_of(data, given, "concat", "taught")[0]
    members = train_members(lesson.parts, given, 2, "cpu", "taught")
    for member, runs in enumerate(members):
        for name, tensor in runs[0].network.state_dict().items():
            torch.testing.assert_close(model.weights[f"{member}/{name}"], tensor, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["concat", "late"])
def test_the_teacher_is_the_same_whichever_modality_is_the_target(tmp_path, kind):
    """So it is trained once, and predicts from its files what its unit in the store says."""
    corpus, cache = some_clips(), MemoryCache({})
    given = settings("demo_clips", {"teacher": kind}, systems=["teacher"], seeds=[1])
    first, _ = run(corpus, tmp_path / "first", given, shop=shop(cache))
    puts = cache.puts
    turned = {"target": corpus.video, "auxiliary": corpus.audio, "scenario": "video+audio"}
    second, _ = run(corpus, tmp_path / "second", given, shop=shop(cache), **turned)
    assert puts == cache.puts == 1
    pd.testing.assert_frame_equal(first, second)
    rows = {"audio": corpus.audio.read("test_2"), "video": corpus.video.read("test_2")}
    wanted = first[first["recording"] == "test_2"].filter(like="score_").to_numpy()
    for name in ("first", "second"):
        file = tmp_path / name / "models.safetensors"
        found = ModelsOfSetting.load(file, "teacher", "").predict(rows)[0]
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("changed", [{}, {"weights": "best_dev_epoch"}, {"patience": 1, "epochs": 9}])
def test_a_network_whose_curve_nobody_wants_looks_at_dev_only_to_choose(changed):
    given = settings(optimiser=changed)
    (part,) = networks_of(experiment(some_sessions()), given, "concat")
    runs = [Run(part, given, 5, "cpu", "made up") for _ in range(2)]
    seen, unseen = (own.run(curve_wanted=wanted) for own, wanted in zip(runs, (True, False), strict=True))
    for one, other in zip(*(each.network.parameters() for each in runs), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    on_dev = [CURVES.index("dev_score"), CURVES.index("dev_loss")]
    assert np.isfinite(seen[:, on_dev]).all()
    assert np.isnan(unseen[:, on_dev]).all() == (not changed)
    assert len(seen) == len(unseen)


def test_a_teacher_is_trained_once_for_all_weights(tmp_path):
    corpus, cache = some_clips(), MemoryCache({})
    run(corpus, tmp_path, settings("demo_clips"), shop=shop(cache))
    puts = cache.puts
    run(corpus, tmp_path, settings("demo_clips", {"weight": [0.2, 0.7]}), shop=shop(cache))
    assert cache.puts == puts + 2
    variants = learner_of("taught").variants(settings("demo_clips", {"weight": [0.2, 0.7]}, seeds=[1, 2]))
    programs = Taught().programs(None, settings(), variants, None)
    assert [[v.seed for v in program] for program in programs] == [[1, 1], [2, 2]]


def test_a_better_teacher_makes_a_better_student():
    """Audio is noisy, video clean: with few labels the student gains over the control."""
    corpus = partly(clips(counts=(120, 40, 200), noise=1.0), lambda number: number <= 12)
    clean = clips(counts=(120, 40, 200), noise=0.2).video
    data = experiment(dataclasses.replace(corpus, video=clean))
    given = settings(
        "demo_clips", {"weight": [0.9]}, seeds=[1], optimiser={"epochs": 25, "learning_rate": 0.03}
    )
    scores = {}
    for learner in (Taught(), TaughtBySame()):
        prepared = learner.prepare(data, given)
        hits = []
        for model in train_models(learner, prepared, given):
            gold = np.concatenate(prepared.evaluation.gold).astype(int)
            test = np.array(prepared.evaluation.partitions) == "test"
            hits.append((np.concatenate(model.predictions).argmax(1) == gold)[test].mean())
        scores[learner.system] = np.mean(hits)
    assert scores["taught"] > scores["taught_same"] + 0.05


def test_recordings_without_a_speaker_are_each_one_of_their_own():
    corpus = some_clips()
    nobody = [dataclasses.replace(item, speaker="") for item in corpus.recordings]
    data = experiment(dataclasses.replace(corpus, recordings=nobody))
    _, *others = lessons_of(data, settings("demo_clips", {"labelled": True}), "same", "taught")
    for lesson in others:
        assert not set(lesson.parts[0].train.recordings) & set(lesson.student.recordings)
    assert sum(len(lesson.student) for lesson in others) == 16


def test_a_recording_that_lacks_a_modality_is_not_taught():
    corpus = some_sessions()
    rows = dict(corpus.video.rows)
    del rows["train_3"]
    video = type(corpus.video)(rows)
    (lesson,) = lessons_of(
        experiment(dataclasses.replace(corpus, video=video)), settings(), "same", "taught"
    )  # fmt: skip
    assert lesson.student.recordings == ("train_4", "train_5")
