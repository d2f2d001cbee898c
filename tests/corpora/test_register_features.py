"""The table of feature files: it lists and hashes what is here and keeps what colleagues hold."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.corpora import hashes as hashes_module
from pipeline.corpora.feature_files import FeatureFile, read_feature_files
from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import avec2016, table
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.corpora.registered_features import NO_FILE
from pipeline.params import FeatureFiles, Partitions
from pipeline.paths import Paths
from tests.corpora.official_layouts import OMG_ROWS, write_features, write_omg, write_recola
from tests.corpora.register_corpus import Corpus

HEADER = "features,dimension,recording,file,sha256\n"
NAMES = ["dev_1", "dev_2", "test_1", "test_2", "train_1", "train_2"]


def entry(path: str) -> FeatureFiles:
    return FeatureFiles(path=path, statistics=(), max_failed_share=0.0)


class Clone:
    def __init__(self, checkout: Path, corpus: Corpus):
        self.corpus, self.paths = corpus, Paths("c", checkout)
        self.root = checkout / corpus.root

    def register(self):
        return register(self.corpus, self.paths, self.paths.root / ".emobed/hashes.json")

    def files(self) -> list[FeatureFile]:
        return read_feature_files(self.paths.feature_files)

    def recordings(self) -> list[str]:
        return [item.recording for item in read_manifest(self.paths.manifest)]

    def problems(self) -> list[str]:
        return (self.paths.traces / "problems.csv").read_text().splitlines()[1:]

    def without_files(self, checkout: Path) -> Clone:
        for name in ("manifests", "labels"):
            shutil.copytree(self.paths.root / "data" / name, checkout / "data" / name)
        return Clone(checkout, self.corpus)


@pytest.fixture
def recola(tmp_path):
    """A RECOLA without any media."""
    features = {"appearance": entry("features_video_appearance"), "avec_audio": entry("features_audio/")}
    clone = Clone(tmp_path / "a", Corpus("avec2016", Path("data/raw/c"), (), features))
    write_recola(clone.root, media=False)
    for folder in ("features_video_appearance", "features_audio"):
        write_features(clone.root, folder, NAMES, frames=3)
    return clone


@pytest.fixture
def own(tmp_path):
    """A corpus of layout table with two feature tables and neither media nor columns of them."""
    features = {"text": entry("text.csv"), "pulse": entry("pulse")}
    clone = Clone(tmp_path / "a", Corpus("table", Path("data/raw/c"), (), features))
    (clone.root / "pulse").mkdir(parents=True)
    (clone.root / "recordings.csv").write_text(
        "recording,partition,speaker,emotion\na,train,x,1\nb,dev,y,2\n"
    )
    for name in ("text.csv", "pulse/1.parquet", "pulse/2.csv", "pulse/.hidden.csv", "pulse/notes.txt"):
        (clone.root / name).write_bytes(name.encode())
    return clone


@pytest.fixture
def hashed(monkeypatch):
    paths: list[str] = []
    original = hashes_module.sha256_of
    monkeypatch.setattr(hashes_module, "sha256_of", lambda path: paths.append(path.name) or original(path))
    return paths


def test_a_recola_of_features_only_is_registered(recola):
    summary = recola.register()
    assert (summary.recordings, summary.feature_files, summary.hashed, summary.problems) == (6, 24, 24, 0)
    assert str(summary) == "6 recordings, 6 added, 24 feature files, 24 files hashed"
    assert recola.recordings() == NAMES
    assert not any(item.media for item in read_manifest(recola.paths.manifest))
    first = recola.files()[0]
    path = "features_video_appearance/arousal/dev_1.arff"
    sha256 = hashlib.sha256((recola.root / path).read_bytes()).hexdigest()
    assert first == ("appearance", "arousal", "dev_1", path, sha256)
    assert recola.files()[-1].file == "features_audio/valence/train_2.arff"
    assert recola.paths.feature_files.read_text().startswith(HEADER + "appearance,arousal,dev_1,")


def test_tables_are_files_or_folders_of_files(own):
    own.register()
    assert [item[:4] for item in own.files()] == [
        ("pulse", "", "", "pulse/1.parquet"),
        ("pulse", "", "", "pulse/2.csv"),
        ("text", "", "", "text.csv"),
    ]
    assert own.files()[2].sha256 == hashlib.sha256(b"text.csv").hexdigest()
    assert own.recordings() == ["a", "b"]


def test_without_features_there_is_a_header(own):
    own.corpus = replace(own.corpus, features={}, extract=("audio",))
    (own.root / "recordings.csv").write_text("recording,partition,speaker,audio,video\na,train,x,a.wav,\n")
    own.register()
    assert own.paths.feature_files.read_text() == HEADER


def test_only_what_changed_is_hashed_beside_media(recola, hashed):
    recola.corpus = replace(recola.corpus, extract=("audio",))
    (recola.root / "recordings_audio").mkdir()
    (recola.root / "recordings_audio/train_1.wav").write_bytes(b"sound")
    recola.register()
    assert len(hashed) == 25
    before = recola.paths.feature_files.stat().st_mtime_ns
    hashed.clear()
    assert recola.register().hashed == 0
    assert recola.paths.feature_files.stat().st_mtime_ns == before
    (recola.root / "features_audio/arousal/dev_2.arff").write_bytes(b"new")
    recola.register()
    assert hashed == ["dev_2.arff"]
    assert hashlib.sha256(b"new").hexdigest() in recola.paths.feature_files.read_text()


def test_media_that_are_not_wanted_make_no_recording_and_are_named_where_they_are(recola):
    (recola.root / "recordings_video").mkdir()
    for name in ("train_1", "train_9"):
        (recola.root / f"recordings_video/{name}.mp4").write_bytes(b"x")
    recola.register()
    assert recola.recordings() == NAMES
    rows = {item.recording: item for item in read_manifest(recola.paths.manifest)}
    assert rows["train_1"].sha256("video") == hashlib.sha256(b"x").hexdigest()
    assert (
        avec2016.LAYOUT.list_recordings(recola.root, Wanted(("video",))).recordings[1].recording == "train_9"
    )


def test_missing_and_misnamed_files_are_problems(recola):
    (recola.root / "features_audio/valence/dev_2.arff").rename(
        recola.root / "features_audio/valence/dev2.arff"
    )
    assert recola.register().problems == 2
    reason = "\"found the name 'dev2.arff', expected train_N, dev_N or test_N.arff: left out\""
    assert recola.problems() == [
        f"dev2,features_audio/valence/dev2.arff,{reason}",
        f"dev_2,features_audio/valence/dev_2.arff,{NO_FILE}",
    ]


def test_a_path_without_files_is_one_sentence(recola, own):
    recola.corpus = replace(recola.corpus, features={"geometric": entry("features_video_geometric")})
    recola.corpus = replace(recola.corpus, extract=("audio",))
    (recola.root / "recordings_audio").mkdir()
    (recola.root / "recordings_audio/train_1.wav").write_bytes(b"sound")
    sentence = (
        r"corpora\.c\.features\.geometric\.path: found no feature files at \S+/features_video_geometric, "
        r"expected the files arousal/<recording>\.arff .* take geometric out of `features`"
    )
    with pytest.raises(ValueError, match=sentence):
        recola.register()
    (own.root / "text.csv").unlink()
    with pytest.raises(
        ValueError, match=r"features\.text\.path: found no feature files .* a \.csv or \.parquet"
    ):
        own.register()


class TestClones:
    def test_a_clone_without_files_keeps_the_rows(self, recola, own, tmp_path):
        for number, sender in enumerate((recola, own)):
            sender.register()
            clone = sender.without_files(tmp_path / f"b{number}")
            before = clone.paths.feature_files.read_bytes()
            summary = clone.register()
            assert summary.without_media
            assert summary.feature_files == len(sender.files())
            assert clone.paths.feature_files.read_bytes() == before

    def test_a_clone_with_some_adds_and_updates(self, recola, tmp_path):
        recola.register()
        clone = recola.without_files(tmp_path / "b")
        write_features(clone.root, "features_audio", ["train_7", "dev_1"], frames=4)
        clone.register()
        assert clone.recordings() == [*NAMES, "train_7"]
        old, new = ({item[:4]: item.sha256 for item in each.files()} for each in (recola, clone))
        assert {key[2] for key in new.keys() - old.keys()} == {"train_7"}
        assert {key[:3] for key in old if old[key] != new[key]} == {
            ("avec_audio", "arousal", "dev_1"),
            ("avec_audio", "valence", "dev_1"),
        }
        # the colleagues hold no appearance of train_7 either
        missing = [line for line in clone.problems() if line.endswith(NO_FILE)]
        assert [line.split(",")[:2] for line in missing] == [
            ["train_7", f"features_video_appearance/{dimension}/train_7.arff"]
            for dimension in ("arousal", "valence")
        ]

    def test_rows_go_with_the_entry_its_path_and_the_recording(self, recola, tmp_path):
        recola.register()
        clone = recola.without_files(tmp_path / "b")
        clone.corpus = replace(clone.corpus, features={"appearance": entry("features_video_appearance")})
        clone.register()
        assert {item.features for item in clone.files()} == {"appearance"}
        write_features(clone.root, "features_audio", ["train_1"], frames=4)
        clone.corpus = replace(clone.corpus, features={"appearance": entry("features_audio")})
        clone.register()
        assert {item.recording for item in clone.files()} == {"train_1"}
        clone = recola.without_files(tmp_path / "c")
        (clone.root / "ratings_gold_standard").mkdir(parents=True)
        lines = clone.paths.manifest.read_text().splitlines(keepends=True)
        clone.paths.manifest.write_text("".join(line for line in lines if not line.startswith("dev_1")))
        clone.register()
        assert {item.recording for item in clone.files()} == set(NAMES) - {"dev_1"}

    def test_a_merge_conflict_is_named(self, own):
        own.register()
        with own.paths.feature_files.open("a") as file:
            file.write("<<<<<<< HEAD\n")
        with pytest.raises(
            ValueError, match=r"c\.features\.csv:5: found 1 cells \('<<<<<<< HEAD'\), expected 5"
        ):
            own.register()


class TestTable:
    def test_columns_of_media_that_are_extracted_are_needed(self, own):
        own.corpus = replace(own.corpus, extract=("audio",))
        with pytest.raises(ValueError, match="missing column audio in 'recording,partition,speaker,emotion'"):
            own.register()
        own.corpus = replace(own.corpus, features={})
        with pytest.raises(ValueError, match="missing column audio, video"):
            own.register()

    def test_a_recording_without_media_needs_features(self, own):
        path = own.root / "recordings.csv"
        path.write_text("recording,partition,speaker,audio,video\na,train,x,,\n")
        own.register()
        assert own.recordings() == ["a"]
        with path.open("a") as file:
            file.write("b,train,x,b.wav,b.mp4\n")
        (own.root / "b.wav").touch()
        assert own.register().problems == 0, "what is not extracted is not missed"
        (own.root / "b.mp4").touch()
        found = table.LAYOUT.read(own.root, Wanted())
        assert [problem.reason for problem in found.problems] == [
            "neither audio nor video is named: left out"
        ]

    def test_partitions_may_be_missing_where_folds_are_drawn(self, own):
        path = own.root / "recordings.csv"
        path.write_text("recording,speaker,emotion\na,x,1\nb,x,2\n")
        with pytest.raises(
            ValueError,
            match=r"missing column partition .*; partitions\.method cross_validation needs no partition",
        ):
            own.register()
        own.corpus = replace(own.corpus, partitions=Partitions(method="cross_validation", folds=3, seed=0))
        own.register()
        assert [item.partition for item in read_manifest(own.paths.manifest)] == ["train", "train"]
        path.write_text("recording,partition,speaker,emotion\na,dev,x,1\nb,,x,2\n")
        assert own.register().problems == 0, "who is in several partitions does not matter for folds"
        assert [item.partition for item in read_manifest(own.paths.manifest)] == ["dev", "train"]
        path.write_text("recording,partition,speaker,emotion\na,valid,x,1\nb,,x,2\n")
        with pytest.raises(ValueError, match="unknown partition 'valid'"):
            own.register()
        own.corpus = replace(own.corpus, partitions=Partitions(method="given", folds=None, seed=0))
        path.write_text("recording,partition,speaker,emotion\na,,x,1\n")
        with pytest.raises(ValueError, match="unknown partition ''"):
            own.register()


def test_omg_needs_no_clips_where_nothing_is_extracted(tmp_path):
    clone = Clone(tmp_path, Corpus("omg", Path("data/raw/c"), (), {"text": entry("text.csv")}))
    write_omg(clone.root)
    (clone.root / "text.csv").write_text("recording,f\n")
    shutil.rmtree(clone.root / "Train")
    summary = clone.register()
    assert (summary.recordings, summary.missing, summary.problems) == (5, 0, 1)
    rows = {item.recording: item for item in read_manifest(clone.paths.manifest)}
    assert rows["74de88564/utterance_1"].medium("audio") is None
    assert rows["5b44393ed/utterance_2"].medium("video") == Path("Validation/5b44393ed/utterance_2.mp4")
    assert len(OMG_ROWS["Train"]) == 3
    clone.corpus = replace(clone.corpus, extract=("audio",))
    clone.paths.manifest.unlink()
    assert clone.register().missing == 3


def test_a_feature_table_that_is_a_link_out_of_the_corpus_is_refused(tmp_path_factory, own):
    outside = tmp_path_factory.mktemp("outside") / "text.csv"
    (own.root / "text.csv").rename(outside)
    (own.root / "text.csv").symlink_to(outside)
    with pytest.raises(ValueError, match=r"c\.features\.text\.path: 'text\.csv' is a link to .*, outside"):
        own.register()
    own.corpus = replace(own.corpus, media_folders=(outside.parent,))
    own.register()
    assert [item.file for item in read_feature_files(own.paths.feature_files)].count("text.csv") == 1
