"""Who is in train, dev and test: values worked out by hand, and what must hold for any corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from pipeline.corpora.partitions import Fold, folds, shared_speakers
from pipeline.corpora.recording import Recording
from pipeline.params import Partitions
from tests.recordings import recording

GIVEN = Partitions(method="given", folds=None, seed=0)
DISJOINT = Partitions(method="speaker_disjoint", folds=None, seed=0)


def crossed(count: int, seed: int = 0) -> Partitions:
    return Partitions(method="cross_validation", folds=count, seed=seed)


def of(*parts: tuple[str, str]) -> list[Recording]:
    """Recordings r0, r1, ... of (speaker, partition)."""
    return [recording(f"r{n}", part, who, Path(f"{n}.wav"), None) for n, (who, part) in enumerate(parts)]


def corpus(sizes: list[int]) -> list[Recording]:
    return of(*((f"s{n:02d}", "train") for n, size in enumerate(sizes) for _ in range(size)))


def partition(fold: Fold) -> dict[str, str]:
    return {item.recording: item.partition for item in fold.recordings}


def test_given_is_what_the_corpus_says():
    recordings = of(("a", "train"), ("a", "dev"), ("b", "test"))
    assert folds(recordings, GIVEN) == [Fold("", recordings)]


def test_a_speaker_moves_to_the_partition_with_most_and_ties_go_to_the_earlier():
    recordings = of(
        ("a", "train"), ("a", "test"), ("a", "test"),  # most in test
        ("b", "dev"), ("b", "test"),  # a tie: dev
        ("c", "test"), ("c", "dev"), ("c", "train"),  # a tie of three: train
        ("d", "train"), ("e", "dev"), ("f", "test"),  # in one each
    )  # fmt: skip
    (fold,) = folds(recordings, DISJOINT)
    assert list(partition(fold).values()) == [
        "test", "test", "test", "dev", "dev", "train", "train", "train", "train", "dev", "test",
    ]  # fmt: skip
    assert [item.recording for item in fold.recordings] == [item.recording for item in recordings]
    found = shared_speakers(recordings)
    assert (found.speakers, found.shared, found.recordings) == (6, 3, 8)
    assert found.moved == {
        ("train", "test"): 1, ("test", "dev"): 1, ("test", "train"): 1, ("dev", "train"): 1,
    }  # fmt: skip
    assert found.sentence() == "3 of 6 speakers, with 8 recordings, are in more than one partition"
    assert found.moves() == ("4 recordings (dev to train 1, test to dev 1, test to train 1, train to test 1)")
    assert shared_speakers(fold.recordings).shared == 0
    assert shared_speakers(fold.recordings).moves() == "no recording"


def test_a_partition_left_empty_is_refused():
    with pytest.raises(ValueError, match=r"partitions\.method: speaker_disjoint leaves no recording in dev"):
        folds(of(("a", "train"), ("a", "dev"), ("b", "test")), DISJOINT)


def test_three_folds_by_hand():
    """Sizes 5, 4, 3, 2, 1 go to groups 1, 2, 3, 3, 2, whatever the seed."""
    recordings = corpus([1, 5, 3, 2, 4])  # s01 5, s04 4, s02 3, s03 2, s00 1
    for seed in range(3):
        found = folds(recordings, crossed(3, seed))
        assert [fold.name for fold in found] == ["fold1", "fold2", "fold3"]
        groups = [{"s01"}, {"s04", "s00"}, {"s02", "s03"}]
        for number, fold in enumerate(found):
            who = {
                part: {item.speaker for item in fold.recordings if item.partition == part}
                for part in ("train", "dev", "test")
            }
            assert who == {
                "test": groups[number], "dev": groups[(number + 1) % 3], "train": groups[(number + 2) % 3],
            }  # fmt: skip


@pytest.mark.parametrize(("count", "seed"), [(3, 0), (5, 1), (10, 2)])
def test_each_speaker_is_tested_once_and_is_never_in_two_partitions(count, seed):
    sizes = np.random.default_rng(seed).integers(1, 30, 40).tolist()
    recordings = corpus(sizes)
    found = folds(recordings, crossed(count, seed))
    tested, chosen = Counter(), Counter()
    for fold in found:
        assert [item.recording for item in fold.recordings] == [item.recording for item in recordings]
        parts = {}
        for item in fold.recordings:
            parts.setdefault(item.speaker, set()).add(item.partition)
        assert all(len(where) == 1 for where in parts.values())
        tested.update(who for who, where in parts.items() if where == {"test"})
        chosen.update(who for who, where in parts.items() if where == {"dev"})
    assert set(tested.values()) == set(chosen.values()) == {1}
    assert len(tested) == len(chosen) == 40
    # As balanced as scikit-learn's GroupKFold, by number of recordings.
    ours = sorted(sum(item.partition == "test" for item in fold.recordings) for fold in found)
    who = [item.speaker for item in recordings]
    theirs = sorted(len(test) for _, test in GroupKFold(count).split(who, groups=who))
    assert ours == theirs


def test_the_seed_draws_and_the_order_of_recordings_does_not_matter():
    recordings = corpus([2] * 12)
    one = [partition(fold) for fold in folds(recordings, crossed(4, 7))]
    again = [partition(fold) for fold in folds(recordings[::-1], crossed(4, 7))]
    assert one == again
    assert one != [partition(fold) for fold in folds(recordings, crossed(4, 8))]


def test_fewer_speakers_than_folds_is_one_sentence():
    with pytest.raises(ValueError, match=r"partitions\.folds: found 4, expected no more .* there are 3$"):
        folds(corpus([3, 3, 3]), crossed(4))


def test_speakers_with_labels_are_dealt_evenly():
    """18 of 27 speakers have labels, as in RECOLA: each fold of three tests six of them, and three others."""
    recordings = corpus([1] * 27)
    for seed in range(5):
        labelled = {item.recording for item in recordings[seed : seed + 18]}
        for fold in folds(recordings, crossed(3, seed), labelled):
            tested = [item.recording for item in fold.recordings if item.partition == "test"]
            assert len(tested) == 9
            assert len(labelled.intersection(tested)) == 6


def test_dealing_goes_by_recordings_with_labels_and_speakers_stay_whole():
    recordings = corpus([10, 8, 8, 6, 6, 4, 3, 3, 2])
    labelled = {item.recording for item in recordings if int(item.recording[1:]) % 2}  # half of everybody's
    found = folds(recordings, crossed(3), labelled)
    tested = [
        sum(item.partition == "test" and item.recording in labelled for item in fold.recordings)
        for fold in found
    ]
    assert sum(tested) == len(labelled)
    assert max(tested) - min(tested) <= 2
    for fold in found:
        assert not {item.speaker for item in fold.recordings if item.partition == "test"}.intersection(
            item.speaker for item in fold.recordings if item.partition == "train"
        )


def test_with_labels_everywhere_nothing_changes():
    recordings = corpus(np.random.default_rng(0).integers(1, 30, 40).tolist())
    every = [item.recording for item in recordings]
    assert folds(recordings, crossed(5, 3), every) == folds(recordings, crossed(5, 3))


SESSIONS = Partitions(method="cross_validation", folds=3, seed=0, sessions=r"Ses\d\d")


def test_no_fold_parts_a_session():
    """Five sessions of two speakers; as many folds as sessions are each tested alone."""
    speakers = [f"Ses{number:02}_{sex}" for number in range(1, 6) for sex in "FM"]
    recordings = of(*((who, "train") for n, who in enumerate(speakers) for _ in range(10 + n)))
    tested = []
    for fold in folds(recordings, SESSIONS.model_copy(update={"folds": 5})):
        parts: dict[str, set[str]] = {}
        for item in fold.recordings:
            parts.setdefault(item.partition, set()).add(item.speaker[:5])
        assert {part: len(own) for part, own in parts.items()} == {"train": 3, "dev": 1, "test": 1}
        assert (
            not parts["train"] & parts["dev"] | parts["train"] & parts["test"] | parts["dev"] & parts["test"]
        )
        tested += parts["test"]
    assert sorted(tested) == [f"Ses{number:02}" for number in range(1, 6)]


def test_without_sessions_both_of_a_session_may_be_parted():
    recordings = of(*((f"Ses0{number}_{sex}", "train") for number in (1, 2, 3) for sex in "FM"))
    parted = [
        {item.partition for item in fold.recordings if item.speaker[:5] == "Ses01"}
        for fold in folds(recordings, crossed(6))
    ]
    assert any(len(parts) > 1 for parts in parted)
    with pytest.raises(ValueError, match="expected no more folds than sessions, of which there are 3"):
        folds(recordings, SESSIONS.model_copy(update={"folds": 4}))


def test_a_speaker_without_a_session_is_named():
    recordings = of(("Ses01_F", "train"), ("Ses02_F", "train"), ("guest", "train"), ("nobody", "train"))
    with pytest.raises(ValueError, match="matches nothing in 'guest' and 1 other"):
        folds(recordings, SESSIONS)
