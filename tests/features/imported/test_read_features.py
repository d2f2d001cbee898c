"""Feature files -> feature tables through the store: values, failures, what is not done twice, sharing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.feature_files import read_feature_files
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.features.extraction.engine import ExtractionError
from pipeline.features.imported import arff_features, table_features
from pipeline.features.imported.read_features import read_features
from pipeline.features.sources import open_features
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop
from pipeline.store import housekeeping
from pipeline.store.adopt import adopt_tables
from pipeline.store.tables import FeatureTable
from pipeline.store.units import UnitStore
from tests.conftest import ROOT
from tests.corpora.official_layouts import feature_arff, feature_names, features, write_features, write_recola
from tests.parameters import write_parameters

NAMES = ["dev_1", "dev_2", "test_1", "test_2", "train_1", "train_2"]
APPEARANCE = "features_video_appearance"


class Checkout:
    """A checkout with one corpus `c`, as register and the stage see it."""

    def __init__(self, root: Path, corpus: Corpus):
        self.paths, self.store = Paths("c", root), UnitStore(root / "store")
        self.corpus = corpus.model_copy(update={"root": root / "raw"})
        self.raw = root / "raw"

    def set(self, **updates) -> None:
        self.corpus = self.corpus.model_copy(update=updates)

    def entry(self, name: str, **updates) -> None:
        self.set(
            features={**self.corpus.features, name: self.corpus.features[name].model_copy(update=updates)}
        )

    def register(self) -> None:
        register(self.corpus, self.paths, self.paths.root / "hashes.json")
        adopt_tables(self.paths, self.store)

    def read(self, workers: int = 1) -> None:
        """Do as DVC does: register, remove the out, run the stage."""
        self.register()
        shutil.rmtree(self.paths.given, ignore_errors=True)
        recordings, files = read_manifest(self.paths.manifest), read_feature_files(self.paths.feature_files)
        read_features(self.corpus, recordings, files, self.paths, Workshop(self.store, workers))

    def table(self, name: str, dimension: str | None = None) -> FeatureTable:
        return FeatureTable.open(self.paths.given_table(name, dimension))

    def problems(self) -> list[str]:
        return (self.paths.given / "problems.csv").read_text().splitlines()[1:]

    def state(self) -> dict[str, bytes]:
        given = self.paths.given
        return {
            str(path.relative_to(given)): path.read_bytes() for path in given.rglob("*") if path.is_file()
        }

    def clone(self, root: Path) -> Checkout:
        """Bring what git and `dvc pull` bring."""
        shutil.copytree(self.paths.root / "data", root / "data")
        other = Checkout(root, self.corpus)
        other.corpus = self.corpus  # errors name the root of params.yaml, which is the same
        other.set(root=self.corpus.root.parent / "not here")
        return other


def entry(path: str, *statistics: str) -> dict:
    return {"path": path, "statistics": list(statistics), "max_failed_share": 0.0}


def corpus_of(params, profile: str, paths: str, entries: dict, scenarios: list[str]) -> Corpus:
    own = params.corpora[profile].model_dump()
    own |= {"layout": paths, "extract": [], "features": entries, "scenarios": scenarios, "root": "raw"}
    return Corpus.model_validate(own)


@pytest.fixture
def recola(tmp_path, params):
    entries = {"appearance": entry(APPEARANCE), "avec_audio": entry("features_audio")}
    corpus = corpus_of(params, "recola", "avec2016", entries, ["appearance+avec_audio"])
    checkout = Checkout(tmp_path / "a", corpus)
    checkout.set(grid=corpus.grid.model_copy(update={"window": 0.8}))
    write_recola(checkout.raw, media=False)
    for folder in (APPEARANCE, "features_audio"):
        write_features(checkout.raw, folder, NAMES, frames=26)
    return checkout


TEXT = pd.DataFrame({"recording": ["a", "b", "x"], "f": [1.0, 2.0, 9.0], "g": [3.5, np.nan, 9.0]})


@pytest.fixture
def clips(tmp_path, params):
    """Utterances with one row each."""
    corpus = corpus_of(params, "own", "table", {"text": entry("text.csv")}, [])
    checkout = Checkout(tmp_path / "a", corpus)
    checkout.raw.mkdir(parents=True)
    (checkout.raw / "recordings.csv").write_text("recording,partition,speaker\na,train,p\nb,dev,q\n")
    TEXT.to_csv(checkout.raw / "text.csv", index=False)
    return checkout


@pytest.fixture
def sessions(tmp_path, params):
    """Recordings of 4 s with rows every 0.1 s."""
    corpus = corpus_of(params, "demo_sessions", "table", {"pulse": entry("pulse")}, [])
    checkout = Checkout(tmp_path / "a", corpus)
    (checkout.raw / "pulse").mkdir(parents=True)
    (checkout.raw / "recordings.csv").write_text(
        "recording,partition,speaker\n" + "".join(f"s{k},train,p{k}\n" for k in range(4))
    )
    for part in range(2):
        rows = [
            (f"s{2 * part + half}", round(0.1 * k, 1), k + 100.0 * half)
            for half in range(2)
            for k in range(51)
        ]
        frame = pd.DataFrame(rows, columns=["recording", "time", "beat"])
        frame.to_parquet(checkout.raw / f"pulse/{part}.parquet", index=False)
    return checkout


@pytest.mark.parametrize("workers", [1, 2])
def test_avec_tables_hold_the_values_of_the_files_by_dimension(recola, workers):
    recola.read(workers)
    for modality, folder in (("appearance", APPEARANCE), ("avec_audio", "features_audio")):
        for dimension in ("arousal", "valence"):
            table = open_features(recola.paths, recola.corpus, modality, dimension)
            assert table.recordings == NAMES
            assert table.names == feature_names(folder)
            for name in NAMES:
                rows = table.read(name)
                np.testing.assert_array_equal(
                    rows.values, features(folder, name, dimension, 26).astype(np.float32)
                )
                np.testing.assert_allclose(rows.start, np.arange(26) * 0.04, atol=1e-9)
                assert rows.valid.all()
    tables = {
        f"{name}.{dimension}" for name in recola.corpus.features for dimension in ("arousal", "valence")
    }
    assert {path.name for path in recola.paths.given.iterdir()} == tables | {"problems.csv"}


def test_nothing_is_read_twice_and_bytes_are_the_same(recola, monkeypatch):
    recola.read()
    before = recola.state()
    read = arff_features.read_arff
    paths: list[str] = []
    monkeypatch.setattr(
        arff_features, "read_arff", lambda path, *exclude: paths.append(path.name) or read(path, *exclude)
    )
    recola.read()
    assert paths == []
    assert recola.state() == before
    write_features(recola.raw, APPEARANCE, ["train_3"], frames=26)
    recola.entry("avec_audio", max_failed_share=0.2)
    recola.read()
    assert paths == ["train_3.arff"] * 2
    assert recola.table("appearance", "arousal").recordings == [*NAMES, "train_3"]
    recola.entry("appearance", statistics=("mean",))
    recola.read()
    assert len(paths) == 2 + 14


def test_a_killed_stage_goes_on(recola, monkeypatch):
    read = arff_features.read_arff

    def dies(path, *exclude):
        if path.name == "train_1.arff":
            raise KeyboardInterrupt
        return read(path, *exclude)

    monkeypatch.setattr(arff_features, "read_arff", dies)
    with pytest.raises(KeyboardInterrupt):
        recola.read()
    assert len(recola.store.keys("given")) == 4
    paths: list[str] = []
    monkeypatch.setattr(
        arff_features, "read_arff", lambda path, *exclude: paths.append(path.name) or read(path, *exclude)
    )
    recola.read()
    assert len(paths) == 24 - 4


def test_missing_and_broken_files_are_failures_of_all_entries_at_once(recola):
    (recola.raw / APPEARANCE / "arousal/dev_2.arff").unlink()
    (recola.raw / "features_audio/valence/train_1.arff").write_text("@data\n")
    with pytest.raises(ExtractionError) as error:
        recola.read()
    text = str(error.value)
    assert "read_features appearance.arousal: 1 of 6 recordings failed, allowed is a share of 0" in text
    assert f"dev_2: no file {recola.raw}/{APPEARANCE}/arousal/dev_2.arff" in text
    assert "read_features avec_audio.valence: 1 of 6 recordings failed" in text
    assert "train_1.arff: found 0 time columns" in text
    recola.entry("appearance", max_failed_share=0.2)
    recola.entry("avec_audio", max_failed_share=0.2)
    recola.read()
    table = recola.table("appearance", "arousal")
    assert "dev_2" not in table.recordings
    (failure,) = table.failures()
    assert failure[:2] == ("dev_2", "read_features appearance.arousal")
    assert recola.table("appearance", "valence").recordings == NAMES


def test_a_file_that_came_after_register_is_not_kept_without_its_hash(recola):
    path = recola.raw / APPEARANCE / "arousal/dev_2.arff"
    blob = path.read_bytes()
    path.unlink()
    recola.register()
    path.write_bytes(blob)
    files = read_feature_files(recola.paths.feature_files)
    recordings = read_manifest(recola.paths.manifest)
    with pytest.raises(ExtractionError, match="dev_2: no file"):
        read_features(recola.corpus, recordings, files, recola.paths, Workshop(recola.store))


def test_other_names_in_one_recording_are_named(recola):
    names = list(feature_names(APPEARANCE))
    names[2] = "other"
    values = features(APPEARANCE, "dev_2", "arousal", 26)
    (recola.raw / APPEARANCE / "arousal/dev_2.arff").write_bytes(feature_arff("dev_2", tuple(names), values))
    with pytest.raises(
        ExtractionError,
        match=r"dev_2\.arff \(dev_2\) has other features than \S+dev_1\.arff \(dev_1\): feature 3 "
        r"is 'other', there 'appe_2\[x\]'",
    ):
        recola.read()


def test_entries_that_are_gone_leave_no_table(recola):
    recola.read()
    recola.set(features={"appearance": recola.corpus.features["appearance"]})
    recola.register()
    recordings, files = read_manifest(recola.paths.manifest), read_feature_files(recola.paths.feature_files)
    read_features(recola.corpus, recordings, files, recola.paths, Workshop(recola.store))
    assert not recola.paths.given_table("avec_audio", "arousal").exists()
    assert recola.table("appearance", "arousal").recordings == NAMES


def test_rows_of_utterances_csv_and_parquet_alike(clips):
    clips.read()
    table = clips.table("text")
    assert table.names == ("f", "g")
    np.testing.assert_array_equal(table.read("a").values, [[1, 3.5]])
    np.testing.assert_array_equal(table.read("b").values, [[2, np.nan]])
    assert table.read("b").valid.tolist() == [True]
    assert clips.problems() == ["x,text.csv,rows of a recording that the corpus does not have: left out"]
    TEXT.to_parquet(clips.raw / "text.parquet", index=False)
    clips.entry("text", path="text.parquet")
    clips.read()
    for name in "ab":
        assert clips.table("text").read(name).sha256() == table.read(name).sha256()


def test_several_rows_of_an_utterance_are_pooled_or_refused(clips):
    pd.concat([TEXT.iloc[:1]] * 3 + [TEXT.iloc[1:2]]).to_csv(clips.raw / "text.csv", index=False)
    with pytest.raises(
        ExtractionError, match=r"a: found 3 rows, expected one per utterance; `statistics: \[mean\]`"
    ):
        clips.read()
    clips.entry("text", statistics=("mean", "std"))
    clips.read()
    assert clips.table("text").names == ("f_mean", "g_mean", "f_std", "g_std")
    np.testing.assert_array_equal(clips.table("text").read("a").values, [[1, 3.5, 0, 0]])


def test_recordings_without_rows_are_failures_and_none_at_all_an_error(clips):
    TEXT[TEXT["recording"] != "b"].to_csv(clips.raw / "text.csv", index=False)
    with pytest.raises(
        ExtractionError, match=r"1 of 2 recordings failed.*\n  b: no rows of it in \S+/text\.csv"
    ):
        clips.read()
    clips.entry("text", max_failed_share=0.5)
    clips.read()
    assert clips.table("text").recordings == ["a"]
    TEXT.iloc[2:].to_csv(clips.raw / "text.csv", index=False)
    with pytest.raises(
        ExtractionError,
        match=r"none of the 1 recordings in \S+/text\.csv \(x\) is in the corpus \(a, b\); expected the same",
    ):
        clips.read()


def test_broken_tables_are_one_sentence(clips, sessions):
    (clips.raw / "text.csv").write_text("recording,f\na,1\nb,two\n")
    with pytest.raises(ExtractionError, match=r"text\.csv:3: found 'two' in column f, expected a number"):
        clips.read()


def test_labels_among_features_are_refused_and_can_be_left_out(clips):
    frame = TEXT.assign(emotion=[1.0, 2.0, 3.0], Speaker=["p", "q", "r"])
    frame.to_csv(clips.raw / "text.csv", index=False)
    with pytest.raises(
        ExtractionError,
        match=r"text\.csv: columns emotion, Speaker: named like .* `exclude: \[emotion, Speaker\]` under "
        r"features\.text leaves them out",
    ):
        clips.read()
    clips.entry("text", exclude=("emotion", "Speaker"))
    clips.read()
    assert clips.table("text").names == ("f", "g")
    clips.entry("text", exclude=("Speaker",), include=("emotion",))
    clips.read()
    assert clips.table("text").names == ("f", "g", "emotion")


def test_columns_of_the_listing_are_no_features(clips):
    (clips.raw / "recordings.csv").write_text("recording,partition,speaker,g\na,train,p,1\nb,dev,q,2\n")
    with pytest.raises(ExtractionError, match="column g: named like labels or facts of a recording"):
        clips.read()


def test_units_with_a_label_that_were_made_before_are_refused(clips, monkeypatch):
    """Their file is not opened again, or is on another machine."""
    TEXT.assign(valence=[1.0, 2.0, 3.0]).to_csv(clips.raw / "text.csv", index=False)
    clips.entry("text", statistics=("mean",), include=("valence",))
    clips.read()
    assert clips.table("text").names == ("f_mean", "g_mean", "valence_mean")
    clips.entry("text", include=())
    monkeypatch.setattr(table_features, "open_table", None)
    with pytest.raises(ExtractionError, match="read_features text: column valence: named like labels"):
        clips.read()


def test_attributes_of_arff_files_can_be_left_out_and_labels_are_refused(recola):
    path = recola.raw / APPEARANCE
    for file in path.rglob("*.arff"):
        file.write_text(file.read_text().replace(feature_names(APPEARANCE)[1], "arousal"))
    with pytest.raises(
        ExtractionError, match=r"column arousal: named like.*under features\.appearance leaves it"
    ):
        recola.read()
    recola.entry("appearance", exclude=("arousal",))
    recola.read()
    names = [name for place, name in enumerate(feature_names(APPEARANCE)) if place != 1]
    table = recola.table("appearance", "valence")
    assert list(table.names) == names
    expected = np.delete(features(APPEARANCE, "dev_1", "valence", 26), 1, axis=1).astype(np.float32)
    np.testing.assert_array_equal(table.read("dev_1").values, expected)


def test_recordings_are_the_same_in_every_form_of_unicode(clips):
    (clips.raw / "recordings.csv").write_text(
        "recording,partition,speaker\nJos\u00e9,train,p\nBa\u0308r,dev,q\n"
    )
    TEXT.assign(recording=["Jose\u0301", "B\u00e4r", "x"]).to_csv(clips.raw / "text.csv", index=False)
    clips.read()
    assert clips.table("text").recordings == ["B\u00e4r", "Jos\u00e9"]


def test_a_continuous_corpus_needs_times(sessions):
    TEXT.assign(recording=["s0", "s1", "s2"]).to_csv(sessions.raw / "pulse/2.csv", index=False)
    with pytest.raises(
        ExtractionError, match=r"2\.csv: found no times, expected the column time, or start and end"
    ):
        sessions.read()


def test_rows_on_the_grid_and_pooled_over_its_windows(sessions):
    sessions.read()
    rows = sessions.table("pulse").read("s3")
    np.testing.assert_array_equal(rows.values[:, 0], 100 + np.arange(0, 51, 2))
    np.testing.assert_allclose(rows.start, np.arange(26) * 0.2, atol=1e-9)
    sessions.entry("pulse", statistics=("mean",))
    sessions.read()
    rows = sessions.table("pulse").read("s3")
    beats = 100 + np.arange(51)
    for k in range(26):
        start = min(max(k * 0.2 - 2, 0), 1)
        inside = [beats[i] for i in range(51) if start - 1e-6 <= i * 0.1 <= start + 4 + 1e-6]
        assert rows.values[k, 0] == pytest.approx(np.mean(inside))
        assert (rows.start[k], rows.end[k]) == pytest.approx((start, start + 4))
    assert sessions.problems() == []


def test_one_recording_in_two_files_is_refused(sessions):
    shutil.copy(sessions.raw / "pulse/0.parquet", sessions.raw / "pulse/9.parquet")
    with pytest.raises(
        ExtractionError, match=r"'s0' are in pulse/0\.parquet and in pulse/9\.parquet, expected in"
    ):
        sessions.read()


def test_a_table_is_read_once_and_a_new_file_alone(sessions, monkeypatch):
    sessions.read()
    before = sessions.state()
    opened: list[str] = []
    original = table_features.open_table
    monkeypatch.setattr(
        table_features, "open_table", lambda path, choice: opened.append(path.name) or original(path, choice)
    )
    sessions.read()
    assert opened == []
    assert sessions.state() == before
    with (sessions.raw / "recordings.csv").open("a") as file:
        file.write("s9,dev,p9\n")
    (sessions.raw / "pulse/9.csv").write_text("recording,time,beat\ns9,0,1\ns9,4,2\n")
    sessions.read()
    assert opened == ["9.csv"]
    assert sessions.table("pulse").recordings == ["s0", "s1", "s2", "s3", "s9"]
    # a damaged unit is made again
    path = sessions.store.path("given", sessions.table("pulse").key("s1"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    shutil.rmtree(sessions.store.root / ".tables")
    expected = sessions.state()
    recordings = read_manifest(sessions.paths.manifest)
    files = read_feature_files(sessions.paths.feature_files)
    read_features(sessions.corpus, recordings, files, sessions.paths, Workshop(sessions.store))
    assert opened == ["9.csv", "0.parquet"]
    assert sessions.state() == expected


def test_a_file_with_times_that_the_medium_contradicts_is_looked_at_again(sessions, monkeypatch):
    with (sessions.raw / "recordings.csv").open("a") as file:
        file.write("s8,dev,p8\ns9,dev,p9\n")
    (sessions.raw / "pulse/8.csv").write_text("recording,time,beat\ns8,4,1\ns8,0,2\n")  # times fall
    (sessions.raw / "pulse/9.csv").write_text("recording,time,beat\ns9,0,1\ns9,90000000,2\n")
    sessions.entry("pulse", max_failed_share=0.5)
    sessions.read()
    assert [failure.recording for failure in sessions.table("pulse").failures()] == ["s8", "s9"]
    opened: list[str] = []
    original = table_features.open_table
    monkeypatch.setattr(
        table_features, "open_table", lambda path, choice: opened.append(path.name) or original(path, choice)
    )
    before = sessions.state()
    sessions.read()
    assert opened == ["9.csv"]
    assert sessions.state() == before


class TestSharing:
    def test_arff_tables_need_no_files_where_they_were_pulled(self, recola, tmp_path):
        (recola.raw / APPEARANCE / "arousal/dev_2.arff").unlink()
        recola.entry("appearance", max_failed_share=0.5)
        recola.read()
        b = recola.clone(tmp_path / "b")
        before = recola.state()
        b.set(root=recola.corpus.root)
        shutil.move(recola.raw, tmp_path / "away")
        b.read()
        assert b.state() == before
        b.set(grid=b.corpus.grid.model_copy(update={"hop": 0.08}))
        with pytest.raises(
            ExtractionError,
            match=r"read_features appearance\.arousal: 5 of 6 feature files are not on this machine and "
            r"there are no features of theirs with these parameters.*dev_1\.arff\), .*`git checkout params",
        ):
            b.read()

    def test_tables_need_no_files_where_they_were_pulled(self, clips, tmp_path):
        with (clips.raw / "recordings.csv").open("a") as file:
            file.write("c,test,r\nd,test,r\n")
        with (clips.raw / "text.csv").open("a") as file:
            file.write("c,1,2\nc,1,2\n")
        clips.entry("text", max_failed_share=0.5)
        clips.read()
        assert [failure.recording for failure in clips.table("text").failures()] == ["c", "d"]
        b = clips.clone(tmp_path / "b")
        (clips.raw / "text.csv").rename(tmp_path / "away.csv")
        b.set(root=clips.corpus.root)
        b.read()
        assert b.state() == clips.state()
        assert housekeeping.status(b.store, b.paths.root).kinds["given"].stale == 0
        b.entry("text", statistics=("mean",))
        with pytest.raises(
            ExtractionError, match=r"text\.csv is not on this machine and there are no features"
        ):
            b.read()

    def test_own_rows_are_added_to_the_colleagues(self, sessions, tmp_path):
        sessions.read()
        b = sessions.clone(tmp_path / "b")
        b.set(root=tmp_path / "b/raw")
        (tmp_path / "b/raw/pulse").mkdir(parents=True)
        listing = (sessions.raw / "recordings.csv").read_text() + "s9,dev,p9\n"
        (tmp_path / "b/raw/recordings.csv").write_text(listing)
        (tmp_path / "b/raw/pulse/9.csv").write_text("recording,time,beat\ns9,0,1\ns9,4,2\n")
        b.read()
        assert b.table("pulse").recordings == ["s0", "s1", "s2", "s3", "s9"]
        for name in ("s0", "s3"):
            assert b.table("pulse").read(name).sha256() == sessions.table("pulse").read(name).sha256()


def test_the_store_knows_what_is_in_use(clips):
    clips.read()
    TEXT.assign(f=0.0).to_csv(clips.raw / "text.csv", index=False)
    clips.read()
    found = housekeeping.status(clips.store, clips.paths.root)
    assert (found.kinds["given"].units, found.kinds["given"].used, found.missing["given"]) == (6, 3, 0)
    removed = housekeeping.prune(clips.store, clips.paths.root, 0, delete=True)
    assert len(removed.units) == 3
    assert list(housekeeping.damaged_tables(clips.paths.root)) == []
    (part,) = clips.paths.given.glob("text/*.parquet")
    part.write_bytes(b"damaged")
    ((directory, reason),) = housekeeping.damaged_tables(clips.paths.root)
    assert directory == clips.paths.given / "text"
    assert "damaged" in reason


def test_without_features_nothing_heavy_is_imported(tmp_path):
    manifest = tmp_path / "data/manifests/own.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("recording,partition,speaker,audio,video,audio_sha256,video_sha256\n")
    write_parameters(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['read_features.py', 'own']\n"
        "from stages.read_features import read_features; from stages.running import run\n"
        "run(read_features)\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'av', 'torch', 'joblib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    files = {path.name: path.read_text() for path in (tmp_path / "data/features/own/given").rglob("*")}
    assert files == {"problems.csv": "recording,file,reason\n"}
