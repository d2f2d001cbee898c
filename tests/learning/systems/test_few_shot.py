"""Classes of which few recordings are learned from: which, in which lessons, and that no harm is done."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.nn.utils import parameters_to_vector

from pipeline.learning.learner import LeftOutError
from pipeline.learning.systems.emotion_words.few_shot import lessons
from pipeline.learning.systems.emotion_words.gem import projected
from pipeline.learning.systems.emotion_words.held_out import left_out
from pipeline.learning.systems.emotion_words.learner import EmotionWords
from pipeline.learning.systems.emotion_words.network import Part
from pipeline.learning.systems.emotion_words.recordings import PaddedRecordings, carried
from pipeline.learning.systems.emotion_words.training import Lesson, Memory, WordTraining
from pipeline.params.emotion_words import EmotionWords as Parameters
from tests.learning.synthetic import clips
from tests.learning.systems.emotion_word_corpora import CLASSES, settings, uneven, with_rescaling
from tests.learning.train_models import train_models

PARTS = {"target": Part(3, 6, 2, True), "auxiliary": Part(2, 5, 2, True)}
WORDS = np.random.default_rng(2).normal(size=(3, 2)).astype(np.float32)


@pytest.mark.parametrize(("memories", "margin"), list(itertools.product((1, 2, 4), (0.0, 0.01, 0.5))))
def test_the_step_is_the_solution_of_the_quadratic_programme(memories, margin):
    random = np.random.default_rng(memories)
    found = 0
    for _ in range(20):
        g, m = random.normal(size=7), random.normal(size=(memories, 7))
        z = projected(g, m, margin)
        if (m @ g >= 0).all():
            np.testing.assert_array_equal(z, g)
            continue
        found += 1

        def dual(v, g=g, m=m):
            return 0.5 * v @ m @ m.T @ v + g @ m.T @ v

        best = minimize(dual, np.full(memories, 1.0), bounds=[(margin, None)] * memories, tol=1e-14).x
        np.testing.assert_allclose(z, g + m.T @ best, atol=2e-4)
        assert (m @ z >= -1e-9).all()  # no loss on a memory rises
        if not margin:
            # nothing nearer that does no harm: tried at random around it and around g
            tried = np.concatenate(
                [own + random.normal(size=(4000, 7)) * s for own in (z, g) for s in (0.1, 1)]
            )
            harmless = tried[(tried @ m.T >= 0).all(1)]
            assert (np.linalg.norm(harmless - g, axis=1) >= np.linalg.norm(z - g) - 1e-9).all()
    assert found


def test_one_memory_takes_off_what_points_against_it():
    np.testing.assert_allclose(projected(np.array([1.0, -2.0]), np.array([[0.0, 4.0]]), 0.0), [1, 0])
    np.testing.assert_allclose(projected(np.array([1.0, 2.0]), np.array([[0.0, 4.0]]), 0.5), [1, 2])


def rows(classes, count):
    return {f"r{i}": np.eye(classes, dtype=np.float32)[i % classes] for i in range(count)}


def several(random, count):
    """Return recordings with each of three classes as often as not."""
    return {f"r{i}": row for i, row in enumerate((random.random((count, 3)) < 0.5).astype(np.float32))}


@pytest.mark.parametrize("zero_shot", [[], ["c"]])
def test_recordings_with_several_classes_count_for_each_of_them(zero_shot):
    random = np.random.default_rng(5)
    own = Parameters(vectors="pad", few_shot={"a": 0.1, "b": 0.3}, zero_shot=zero_shot)
    fallen_short = 0
    for _ in range(100):
        known = several(random, 40)
        gone = left_out({"train": known}, ("a", "b", "c"), own)
        kept = [row for name, row in known.items() if name not in gone]
        can_be = [row for row in known.values() if not (zero_shot and row[2])]
        for code, share in ((0, 0.1), (1, 0.3)):
            positives = sum(row[code] for row in can_be)
            wanted = max(1, round(share * positives))
            found = sum(row[code] for row in kept)
            assert 1 <= found <= wanted
            fallen_short += found < wanted
        # whoever has none of these classes stays
        assert sum(not row[:2].any() for row in kept) == sum(not row[:2].any() for row in can_be)
    assert fallen_short <= 2


def test_the_share_of_a_class_is_kept():
    known = {"train": rows(4, 80), "dev": rows(4, 40)}
    own = Parameters(vectors="pad", few_shot={"fear": 0.25}, zero_shot=["sad"])
    gone = left_out(known, CLASSES, own)
    of_class = {part: [n for n, row in each.items() if row[1]] for part, each in known.items()}
    # names of train and dev are the same here, so they are counted apart
    train = left_out({"train": known["train"]}, CLASSES, own)
    assert len(set(of_class["train"]) - train) == 5
    assert len(train) == 20 + 15
    dev = left_out({"dev": known["dev"]}, CLASSES, own)
    assert len(set(of_class["dev"]) - dev) == 2
    assert gone == train | dev
    least = left_out(
        {"train": known["train"], "dev": {}}, CLASSES, Parameters(vectors="pad", few_shot={"fear": 0.01})
    )
    assert len(set(of_class["train"]) - least) == 1
    # who carries an unseen class too is gone in any case
    both = {"train": {"a": np.array([0, 1, 0, 1], np.float32)}, "dev": {}}
    assert left_out(both, CLASSES, own) == {"a"}


def whole(data, own):
    return Lesson(data.train, data.dev, data.seen, False, own.batch, own.learning_rate)


@pytest.mark.parametrize("way", ["joint", "fine_tuning", "gem"])
def test_lessons_are_those_of_the_way(way):
    given = settings({"few_shot": {"fear": 0.2}, "few_shot_by": way})
    data = EmotionWords().prepare(with_rescaling(clips()), given)
    assert len(data.train) == 32  # 2 of the 10 that carry fear
    found = lessons(whole(data, given.emotion_words), CLASSES, given.emotion_words)
    if way == "joint":
        assert len(found) == 1
        assert found[0].seen.tolist() == [0, 1, 2, 3]
        return
    first, then = found
    assert first.train.labels[:, 1].sum() == 0 == first.dev.labels[:, 1].sum()
    assert len(first.train) == 30
    assert first.seen.tolist() == [0, 2, 3]
    assert then.train.labels[:, 1].tolist().count(1) == 2
    assert len(then.train) == 4
    assert then.seen.tolist() == [0, 1, 2, 3]
    assert (then.batch, then.learning_rate) == (8, 1e-4)
    assert then.dev.labels[:, 1].sum() == 1
    assert (then.memory is None) == (way == "fine_tuning")
    if then.memory:
        assert set(then.memory.recordings.names) == set(first.train.names)
        assert then.memory.seen.tolist() == [0, 2, 3]


def test_what_is_learned_first_knows_nothing_of_the_class():
    """The first lesson is the training that never sees it; fine-tuning starts from there."""
    shot = settings({"few_shot": {"fear": 0.2}, "few_shot_by": "fine_tuning", "epochs": 3}, seeds=[1])
    data = EmotionWords().prepare(with_rescaling(clips()), shot)
    first, _ = lessons(whole(data, shot.emotion_words), CLASSES, shot.emotion_words)
    run = WordTraining(data.parts, data.words, shot.emotion_words, 1, "cpu", "name")
    curve = run.learn(first)
    model = train_models(EmotionWords(), data, shot)[0]
    np.testing.assert_array_equal(model.curve[:3], curve)
    assert len(model.curve) == 6
    moved = model.weights["modalities.target.map.weight"] - run.network.modalities["target"].map.weight
    assert 0 < float(moved.detach().abs().max()) < 0.01


def test_a_step_with_a_memory_goes_along_the_projected_gradient():
    """The gradient of a step, taken by hand from the two losses, is what is left for Adam."""
    own = Parameters(vectors="pad", dropout=0, modality_dropout=0)
    run = WordTraining(PARTS, WORDS, own, 1, "cpu", "name")
    device = torch.device("cpu")
    widths = {"target": 3, "auxiliary": 2}
    batch, memory = (PaddedRecordings.of(uneven(9, seed), widths, device) for seed in (1, 2))
    ones = torch.ones(3)
    parameters = list(run.network.parameters())

    def vector(loss):
        run.network.zero_grad()
        loss.backward()
        return parameters_to_vector([parameter.grad for parameter in parameters]).double()

    # against the memory: its own loss upside down
    own_gradient = vector(run.loss(batch, np.arange(3), ones) - 3 * run.loss(memory, np.arange(2), ones))
    remembered = vector(run.loss(memory, np.arange(2), ones))
    assert float(own_gradient @ remembered) < 0
    run.network.zero_grad()
    (run.loss(batch, np.arange(3), ones) - 3 * run.loss(memory, np.arange(2), ones)).backward()
    run._do_no_harm(lambda: run.loss(memory, np.arange(2), ones))
    found = parameters_to_vector([parameter.grad for parameter in parameters]).double()
    share = -float(own_gradient @ remembered) / float(remembered @ remembered)
    torch.testing.assert_close(found, own_gradient + max(share, 0.01) * remembered, rtol=1e-4, atol=1e-6)
    assert float(found @ remembered) > -1e-6


def test_gem_forgets_less_than_fine_tuning():
    first = Lesson(uneven(9, 0), uneven(7, 1), np.arange(2), True, 4, 0.01)
    then = Lesson(uneven(9, 5), uneven(7, 1), np.arange(3), True, 4, 0.05)
    losses = {}
    for memory in (None, Memory(first.train, first.seen)):
        run = WordTraining(
            PARTS, WORDS, Parameters(vectors="pad", dropout=0, modality_dropout=0, epochs=6), 1, "cpu", "n"
        )
        run.learn(first)
        run.learn(Lesson(then.train, then.dev, then.seen, True, 4, 0.05, memory), 1)
        padded = PaddedRecordings.of(first.train, {"target": 3, "auxiliary": 2}, torch.device("cpu"))
        losses[memory is None] = run.loss(padded, first.seen, torch.ones(3)).item()
    assert losses[False] < losses[True] - 0.01  # of what was learned first


def by_class(data, keep):
    """Return data without the labelled recordings of train and dev of which `keep` says no: part, class."""
    gone = {
        name
        for part, each in carried(data).items()
        for name, row in each.items()
        if not keep(part, CLASSES[int(row.argmax())])
    }
    return replace(data.without(gone), rescaled=lambda more: data.rescaled(gone | set(more)))


LAST = {"few_shot": {"fear": 0.2}, "epochs": 2}


@pytest.mark.parametrize("way", ["fine_tuning", "gem"])
def test_what_no_recording_of_train_carries_is_not_learned_after_the_others(way):
    given = settings(LAST | {"few_shot_by": way}, seeds=[1])
    data = EmotionWords().prepare(
        by_class(with_rescaling(clips()), lambda part, name: (part, name) != ("train", "fear")), given
    )
    (only,) = lessons(whole(data, given.emotion_words), CLASSES, given.emotion_words)
    assert only.seen.tolist() == [0, 2, 3]
    (model, *_) = train_models(EmotionWords(), data, given)
    assert np.isfinite(model.curve[:, -1]).all()


@pytest.mark.parametrize("way", ["fine_tuning", "gem"])
def test_a_dev_that_cannot_stop_what_is_learned_first_is_said(way):
    given = settings(LAST | {"few_shot_by": way}, seeds=[1])
    only_fear = by_class(with_rescaling(clips()), lambda part, name: part == "train" or name == "fear")
    with pytest.raises(LeftOutError, match="emotion_words is left out: its training is stopped by the score"):
        EmotionWords().prepare(only_fear, given)
    EmotionWords().prepare(only_fear, settings(LAST, seeds=[1]))  # joint: all are learned at once


@pytest.mark.parametrize("way", ["fine_tuning", "gem"])
def test_two_classes_are_there_to_be_learned_first(way):
    few = {name: 0.5 for name in CLASSES[:3]}
    data = with_rescaling(clips())
    with pytest.raises(
        ValueError, match=rf"few_shot: found .* leaves \['{CLASSES[3]}'\] to be learned before"
    ):
        EmotionWords().prepare(data, settings({"few_shot": few, "few_shot_by": way}))
    EmotionWords().prepare(data, settings({"few_shot": few}))
    one = by_class(data, lambda part, name: part == "dev" or name in ("fear", CLASSES[0]))
    with pytest.raises(ValueError, match="recordings of train to be learned first, which carry"):
        EmotionWords().prepare(one, settings(LAST | {"few_shot_by": way}))
