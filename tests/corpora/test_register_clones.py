"""Rows of recordings whose media are elsewhere: kept, added to, dropped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.corpora.problems import NotOnDisk
from tests.corpora.register_corpus import Clone, Corpus, sha256


def test_nothing_here_keeps_everything(recola, tmp_path):
    recola.register()
    clone = recola.without_media(tmp_path / "b")
    before = clone.state()
    summary = clone.register()
    assert clone.state() == before
    assert summary.without_media
    assert (summary.recordings, summary.absent) == (6, 6)
    assert str(summary) == "6 recordings, no media here: manifest and traces kept as they are"


def test_neither_manifest_nor_corpus(tmp_path):
    clone = Clone(tmp_path, Corpus("avec2016", Path("data/raw/c")))
    with pytest.raises(ValueError, match=r"corpora\.c\.root: .*data/raw/c is not there; .* params\.yaml"):
        clone.register()


def test_empty_folders_and_no_manifest(tmp_path):
    clone = Clone(tmp_path, Corpus("avec2016", Path("data/raw/c")))
    (clone.root / "recordings_audio").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"corpora\.c\.root: .* holds no recording"):
        clone.register()


def test_manifest_but_no_traces(recola, tmp_path):
    recola.register()
    clone = recola.without_media(tmp_path / "b")
    shutil.rmtree(clone.paths.traces)
    with pytest.raises(ValueError, match=r"traces\.parquet is not here, .* `dvc pull`"):
        clone.register()


def test_own_recordings_are_added_and_the_colleagues_kept(recola, tmp_path, hashed):
    (recola.root / "ratings_gold_standard/arousal/train_2.arff").write_bytes(b"")
    recola.register()
    clone = recola.without_media(tmp_path / "b")
    (clone.root / "recordings_audio").mkdir(parents=True)
    (clone.root / "recordings_audio/train_7.wav").write_bytes(b"seven")
    old = recola.rows()
    hashed.clear()
    summary = clone.register()
    assert hashed == ["train_7.wav"]
    assert (summary.added, summary.absent, summary.dropped, summary.changed) == (1, 6, 0, 0)
    assert {name: row for name, row in clone.rows().items() if name != "train_7"} == old
    assert clone.annotated() == recola.annotated()
    assert clone.problems() == recola.problems()
    before = clone.state()
    assert clone.register().traces_written is False
    assert clone.state() == before


def test_kept_rows_without_traces_are_not_lost_silently(recola, tmp_path):
    recola.register()
    clone = recola.without_media(tmp_path / "b")
    (clone.root / "recordings_audio").mkdir(parents=True)
    (clone.root / "recordings_audio/train_7.wav").write_bytes(b"seven")
    shutil.rmtree(clone.paths.traces)
    with pytest.raises(ValueError, match=r"`dvc pull`"):
        clone.register()


def test_one_medium_of_a_recording_is_absent(recola):
    recola.register()
    before = recola.rows()["dev_1"]
    (recola.root / "recordings_video/dev_1.mp4").unlink()
    assert recola.register().absent == 1
    assert recola.rows()["dev_1"] == before


def test_clips_that_went_away_are_absent_not_missing(omg):
    omg.register()
    before = omg.state()
    shutil.rmtree(omg.root / "Train/74de88564")
    summary = omg.register()
    assert (summary.recordings, summary.absent, summary.missing) == (5, 2, 0)
    assert [data for _, data, _, _ in omg.state()] == [data for _, data, _, _ in before]


def test_clips_never_seen_are_missing(omg):
    (omg.root / "Train/74de88564/utterance_1.mp4").unlink()
    summary = omg.register()
    assert (summary.recordings, summary.absent, summary.missing) == (4, 0, 1)
    assert ["74de88564/utterance_1", "Train/74de88564/utterance_1.mp4", NotOnDisk.REASON] in omg.problems()


def test_a_dropped_row_with_its_files_is_gone(recola):
    recola.register()
    for path in recola.root.rglob("dev_1.*"):
        path.unlink()
    lines = recola.paths.manifest.read_text().splitlines(keepends=True)
    recola.paths.manifest.write_text("".join(line for line in lines if not line.startswith("dev_1")))
    recola.register()
    assert "dev_1" not in recola.rows()
    assert "dev_1" not in recola.annotated()


def test_in_a_table_the_csv_is_the_list(table):
    table.register()
    path = table.root / "recordings.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("two")))
    (table.root / "one.wav").unlink()
    summary = table.register()
    assert (summary.dropped, summary.absent, summary.problems) == (1, 1, 0)
    assert table.rows()["one"].sha256("audio") == sha256(b"one")
    assert table.annotated() == {"one", "three"}


def test_a_table_row_that_names_another_file_forgets_the_hash(table):
    table.register()
    path = table.root / "recordings.csv"
    path.write_text(path.read_text().replace("one.wav", "uno.wav"))
    summary = table.register()
    assert (summary.absent, summary.problems) == (0, 1)
    assert table.rows()["one"].sha256("audio") == ""
    assert table.problems()[1] == ["one", "uno.wav", NotOnDisk.REASON]
