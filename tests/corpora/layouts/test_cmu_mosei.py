from __future__ import annotations

import h5py
import numpy as np
import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.layouts.cmu_mosei import LAYOUT
from pipeline.corpora.problems import Expected, Problem
from tests.corpora.mosei_layout import VIDEOS, write_csd, write_folds, write_labels

LABELS = {
    "-aTrain1": [[-1.0, 0, 0, 0.33, 0, 2, 0], [0.0, 0, 0, 0, 0, 0, 0]],
    "12345": [[3.0, 1, 0, 0, 0.66, 0, 0]],
    "b_Valid": [[0.0, np.nan, 0, 0, 0, 0, 0]],
    "Test-c": [[0.0, 0, 1, 0, 0, 0, 1]],
    "nowhere": [[0.0, 0, 1, 0, 0, 0, 1], [0.0, 0, 1, 0, 0, 0, 1]],
}
FEATURES = Wanted(extract=(), features={"covarep": "CMU_MOSEI_COVAREP.csd"})


@pytest.fixture
def root(tmp_path):
    write_labels(tmp_path, {video: np.array(rows) for video, rows in LABELS.items()})
    write_folds(tmp_path)
    return tmp_path


def sets(corpus):
    members = matrix_of(corpus.traces["value"], len(corpus.classes))
    names = np.array(corpus.classes)
    return {str(name): set(names[own]) for name, own in zip(corpus.traces["recording"], members, strict=True)}


def test_segments_their_partitions_and_labels(root):
    corpus = LAYOUT.read(root, FEATURES)
    assert {item.recording: (item.partition, item.speaker) for item in corpus.recordings} == {
        "-aTrain1[0]": ("train", "-aTrain1"),
        "-aTrain1[1]": ("train", "-aTrain1"),
        "12345[0]": ("train", "12345"),
        "b_Valid[0]": ("dev", "b_Valid"),
        "Test-c[0]": ("test", "Test-c"),
    }
    assert corpus.classes == ("anger", "disgust", "fear", "happy", "sad", "surprise")
    assert sets(corpus) == {
        "-aTrain1[0]": {"anger", "disgust"},
        "-aTrain1[1]": set(),  # shows none of them, which is not nothing known
        "12345[0]": {"happy", "surprise"},
        "Test-c[0]": {"sad", "fear"},
    }
    assert corpus.no_label == {("b_Valid[0]", "emotion")}
    reasons = [problem.reason for problem in corpus.problems]
    assert reasons == [
        "segments of videos that are in no fold: 2, of 1 of 5 videos: left out",
        "no label of emotion where intensities are no numbers (1)",
    ]


@pytest.mark.parametrize(("videos", "kind"), [(9, Problem), (10, Expected)])
def test_few_videos_in_no_fold_are_nothing_wrong(tmp_path, videos, kind):
    row = [np.array([[0.0, 1, 0, 0, 0, 0, 0]])]
    write_labels(tmp_path, {f"v{number}": row[0] for number in range(videos)})
    write_folds(tmp_path, {f"v{number}": "train" for number in range(1, videos)})
    assert [type(problem) for problem in LAYOUT.read(tmp_path, FEATURES).problems] == [kind]


def test_aligned_labels_and_a_table_say_the_same(root):
    before = LAYOUT.read(root, FEATURES)
    (root / "CMU_MOSEI_Labels.csd").unlink()
    every = {
        f"{video}[{place}]": (np.array([row]), np.array([[3.0 * place, 3.0 * place + 2]]))
        for video, rows in LABELS.items()
        for place, row in enumerate(rows)
    }
    write_csd(root / "All Labels.csd", every, "All Labels")
    assert sets(LAYOUT.read(root, FEATURES)) == sets(before)
    (root / "All Labels.csd").unlink()
    lines = ["file,index,start,end,sentiment,happy,sad,anger,surprise,disgust,fear"]
    for entry, (values, times) in every.items():
        video, place = entry.rstrip("]").split("[")
        cells = [f"{value:g}" if np.isfinite(value) else "" for value in values[0]]
        lines.append(",".join([video, place, *(f"{time:g}" for time in times[0]), *cells]))
    (root / "CMU_MOSEI_Labels.csv").write_text("\n".join(lines) + "\n")
    again = LAYOUT.read(root, FEATURES)
    assert sets(again) == sets(before)
    assert again.no_label == before.no_label


def test_folds_are_needed_unless_they_are_drawn(root):
    (root / "cmu_mosei_std_folds.py").unlink()
    with pytest.raises(ValueError, match=r"found no cmu_mosei_std_folds\.py, which says who is in train"):
        LAYOUT.read(root, FEATURES)
    drawn = LAYOUT.read(root, Wanted(extract=(), features=FEATURES.features, partitions_given=False))
    assert len(drawn.recordings) == 7


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("standard_train_fold=['x']\n", "found no list standard_valid_fold"),
        ("standard_train_fold=[open('x')]\n", "not lists of videos as the CMU SDK has them"),
        ("def (", "not lists of videos"),
    ],
)
def test_a_file_of_folds_is_read_and_never_run(root, text, sentence):
    (root / "cmu_mosei_std_folds.py").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        LAYOUT.read(root, FEATURES)


def test_a_video_in_two_folds_is_refused(root):
    write_folds(root)
    path = root / "cmu_mosei_std_folds.py"
    path.write_text(path.read_text().replace("['Test-c']", "['Test-c', '12345']"))
    with pytest.raises(ValueError, match="video '12345' is in train and test, expected one"):
        LAYOUT.read(root, FEATURES)


def damaged(root):
    path = root / "CMU_MOSEI_Labels.csd"
    path.write_bytes(path.read_bytes()[:3000])


def text(root):
    (root / "CMU_MOSEI_Labels.csd").write_text("<html>not found</html>")


def other_values(root):
    write_labels(root, {"-aTrain1": np.zeros((1, 6))})


def two_roots(root):
    with h5py.File(root / "CMU_MOSEI_Labels.csd", "a") as file:
        file.create_group("another")


def outside(root):
    with h5py.File(root / "CMU_MOSEI_Labels.csd", "a") as file:
        del file["All Labels/data/12345"]
        file["All Labels/data/12345"] = h5py.ExternalLink("/etc/passwd", "/")


def rows_differ(root):
    write_csd(
        root / "CMU_MOSEI_Labels.csd", {video: (np.zeros((2, 7)), np.zeros((1, 2))) for video in VIDEOS}
    )


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damaged, "cannot be read as HDF5"),
        (text, "cannot be read as HDF5"),
        (other_values, "-aTrain1 has 6 values, expected 7"),
        (two_roots, r"found the groups \['All Labels', 'another'\], expected one"),
        (outside, "/All Labels/data/12345 is no group of this file"),
        (rows_differ, "2 rows of features and 1 of intervals"),
    ],
)
def test_what_is_no_computational_sequence_is_said_in_a_sentence(root, damage, sentence):
    damage(root)
    with pytest.raises(ValueError, match=sentence):
        LAYOUT.read(root, FEATURES)
