import numpy as np
import pytest
import torch

from pipeline.learning.batches import Padded, SeededOrder, steps_per_epoch
from pipeline.learning.sequences import MISSING, Sequences, subsequences


def sequences(*lengths: int) -> Sequences:
    """Make sequences whose features are their frame numbers."""
    frames = [np.arange(n) for n in lengths]
    return Sequences(
        tuple(f"r{i}" for i in range(len(lengths))),
        ("train",) * len(lengths),
        ("s",) * len(lengths),
        tuple(f[:, None].astype(np.float32) for f in frames),
        tuple(f.astype(np.float32) for f in frames),
        tuple(f.astype(np.int64) for f in frames),
        tuple(f.astype(np.float64) for f in frames),
    )


def test_each_pass_sees_each_sequence_once():
    order = SeededOrder(7, 3, seed=1, modality="target")
    drawn = np.concatenate([order.draw() for _ in range(7)])
    for start in (0, 7, 14):
        assert sorted(drawn[start : start + 7]) == list(range(7))
    assert list(drawn[:7]) != list(drawn[7:14])


def test_batches_follow_from_seed_and_modality():
    def drawn(seed, modality):
        order = SeededOrder(50, 10, seed, modality)
        return [order.draw().tolist() for _ in range(3)]

    assert drawn(1, "target") == drawn(1, "target")
    assert drawn(1, "target") != drawn(2, "target")
    assert drawn(1, "target") != drawn(1, "auxiliary")  # unpaired


def test_a_batch_is_never_larger_than_the_modality():
    assert sorted(SeededOrder(3, 64, 1, "target").draw()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("target", "auxiliary", "batch", "steps"),
    [(8, 8, 4, 2), (9, 5, 4, 3), (5, 9, 4, 3), (5, 0, 4, 2), (3, 3, 64, 1), (168, 168, 64, 3)],
)
def test_an_epoch_sees_the_larger_modality_once(target, auxiliary, batch, steps):
    assert steps_per_epoch(target, auxiliary, batch) == steps


@pytest.mark.parametrize(
    ("target", "auxiliary", "batch"), [(7, 23, 4), (23, 7, 4), (3, 100, 64), (65, 64, 64)]
)
def test_the_larger_modality_is_used_in_full_and_the_smaller_cycled(target, auxiliary, batch):
    """Numbers that do not fit: no sequence of either modality is seen twice before all are seen once."""
    steps = steps_per_epoch(target, auxiliary, batch)
    for name, count in (("target", target), ("auxiliary", auxiliary)):
        order = SeededOrder(count, batch, seed=1, modality=name)
        first = np.bincount(np.concatenate([order.draw() for _ in range(steps)]), minlength=count)
        assert first.min() >= 1  # one epoch sees all of it
        more = np.concatenate([order.draw() for _ in range(9 * steps)])
        seen = first + np.bincount(more, minlength=count)
        assert seen.max() - seen.min() <= 1  # ten epochs see all of it equally often
        assert seen.sum() == 10 * steps * min(batch, count)


def test_subsequences_cover_all_frames_and_have_equal_lengths():
    found = subsequences(sequences(10, 3), length=4, hop=3)
    assert [labels.tolist() for labels in found.labels] == [
        [0, 1, 2, 3],
        [3, 4, 5, 6],
        [6, 7, 8, 9],
        [0, 1, 2],
    ]
    assert found.recordings == ("r0", "r0", "r0", "r1")
    uneven = subsequences(sequences(11), length=4, hop=3)
    assert [labels[0] for labels in uneven.labels] == [0, 3, 6, 7]
    with pytest.raises(ValueError, match="at least one frame"):
        subsequences(sequences(5), 0, 1)


def test_padding_and_gathering():
    padded = Padded.of(sequences(2, 4), torch.device("cpu"))
    assert padded.features.shape == (2, 4, 1)
    assert padded.labelled.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert padded.classes.tolist() == [[0, 1, MISSING, MISSING], [0, 1, 2, 3]]
    batch = padded.gather(torch.tensor([[1], [0], [1]]))
    assert batch.features.shape == (3, 1, 4, 1)
    assert batch.lengths.tolist() == [[4], [2], [4]]


def test_missing_labels_become_a_mask():
    given = sequences(3)
    given.labels[0][1] = np.nan
    padded = Padded.of(given, torch.device("cpu"))
    assert padded.labels.tolist() == [[0, 0, 2]]
    assert padded.labelled.tolist() == [[1, 0, 1]]


def test_parts_of_different_lengths_are_refused():
    good = sequences(3)
    with pytest.raises(ValueError, match=r"r0.*\[3, 2, 3, 3\]"):
        Sequences(**{**vars(good), "labels": (good.labels[0][:2],)})


def test_hash_changes_with_every_part():
    first = sequences(3, 4)
    assert first.sha256() == sequences(3, 4).sha256()
    for part in ("features", "labels", "classes", "gold"):
        changed = sequences(3, 4)
        getattr(changed, part)[1][2] += 1
        assert changed.sha256() != first.sha256()
