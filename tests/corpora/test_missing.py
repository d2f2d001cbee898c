from __future__ import annotations

from pathlib import Path

from pipeline.corpora.layouts.omg import list_recordings
from pipeline.corpora.missing import Missing, count_missing, missing_sentence
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.registered_features import NO_FILE
from tests.corpora.official_layouts import write_omg
from tests.recordings import recording


def test_omg_clips_that_are_not_there_by_partition(tmp_path):
    """Train lists 3, dev 1, test 1; two of train are gone."""
    root = write_omg(tmp_path)
    (root / "Train/74de88564/utterance_1.mp4").unlink()
    (root / "Train/07ab3c980_1/utterance_1.mp4").unlink()
    listing = list_recordings(root)
    found = count_missing(listing.problems, listing.recordings)
    assert found == [Missing("train", 3, 2), Missing("dev", 1, 0), Missing("test", 1, 0)]
    assert missing_sentence(found) == (
        "2 of 5 listed recordings (40.0 %) are not on disk: train 2 of 3 (66.7 %), dev 0 of 1 (0.0 %), "
        "test 0 of 1 (0.0 %)"
    )


def test_a_recording_counts_once_and_the_manifest_knows_its_partition():
    recordings = [recording("a", "dev", "s", Path("a.wav"), None), recording("b", "dev", "s", None, None)]
    problems = [
        NotOnDisk.at("a", "a.wav"), NotOnDisk.at("a", "a.mp4"), Problem("b", "b.wav", "no labels"),
        NotOnDisk.at("z", "z.wav"),
    ]  # fmt: skip
    assert count_missing(problems, recordings) == [Missing("dev", 2, 1), Missing("", 1, 1)]
    assert str(Missing("", 1, 1)) == "of unknown partition 1 of 1 (100.0 %)"
    assert count_missing(problems[2:3], recordings) == []


def test_a_clip_of_a_mixed_corpus_lies_deeper_and_a_missing_feature_file_is_no_missing_recording():
    problems = [
        NotOnDisk.at("seen/v/utterance_1", "data/raw/omg/Validation/v/utterance_1.mp4"),
        Problem("seen/w/utterance_1", "features/geometric/w.arff", NO_FILE),
    ]
    assert count_missing(problems, []) == [Missing("dev", 1, 1)]


def test_a_clip_of_meld_is_of_the_partition_of_its_folder():
    problems = [
        NotOnDisk.at("dev/dia1_utt1", "dev_splits_complete/dia1_utt1.mp4"),
        NotOnDisk.at("test/dia0_utt0", "output_repeated_splits_test/dia0_utt0.mp4"),
    ]
    assert count_missing(problems, []) == [Missing("dev", 1, 1), Missing("test", 1, 1)]
