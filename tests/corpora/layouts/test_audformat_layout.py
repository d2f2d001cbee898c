"""Databases written by audformat itself: who, which partition, which labels, and what is refused."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from types import SimpleNamespace

import audformat
import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.class_names import EMOTIONS
from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import audformat_reading
from pipeline.corpora.layouts.known import layout_of
from pipeline.corpora.problems import NotOnDisk
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.params import ABSENT, Audformat, Partitions
from pipeline.paths import Paths

FILES = {"train": ("wav/a1.wav", "wav/a2.wav", "wav/b1.wav"), "dev": ("wav/c1.wav",), "test": ("wav/d1.wav",)}
EMOTION = {"wav/a1.wav": "happy", "wav/a2.wav": "anger", "wav/b1.wav": "sad", "wav/c1.wav": None,
           "wav/d1.wav": "neutral"}  # fmt: skip
SECONDS = 2.0


def parameters(settings: Audformat | None = None, dimension: str = "emotion", **changes):
    given = {
        "layout": "audformat",
        "root": Path("db"),
        "task": "classification" if dimension == "emotion" else "regression",
        "dimensions": (dimension,),
        "scenarios": ("audio+video",),
        "audformat": settings,
        "extract": ("audio",),
        "features": {},
        "partitions": Partitions(method="given", folds=None, seed=0),
        "labels": SimpleNamespace(absent=ABSENT),
        "media_folders": (),
    }
    return SimpleNamespace(**given | changes)


def reader(settings: Audformat | None = None, dimension: str = "emotion", **changes):
    return layout_of(parameters(settings, dimension, **changes), Paths("own"))


def read(root: Path, settings: Audformat | None = None, dimension: str = "emotion", **changes):
    return reader(settings, dimension, **changes).read(root)


def labels_of(found) -> dict[str, float]:
    return dict(zip(found.traces["recording"].astype(str), found.traces["value"], strict=True))


def write_media(root: Path, files) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(root / file), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(np.zeros(round(SECONDS * 8000), np.int16).tobytes())


@pytest.fixture
def database() -> audformat.Database:
    """Return a database with a table of emotions per split and a table that says who speaks."""
    db = audformat.Database("made up")
    db.media["microphone"] = audformat.Media(type="audio", format="wav", sampling_rate=8000, channels=1)
    db.schemes["emotion"] = audformat.Scheme(labels=[*EMOTIONS, "bored"])
    db.schemes["speaker"] = audformat.Scheme(labels=["anna", "ben", "cem", "dora"])
    for split, files in FILES.items():
        db.splits[split] = audformat.Split(type=split)
        table = db[f"emotion.categories.{split}"] = audformat.Table(
            audformat.filewise_index(files), split_id=split, media_id="microphone"
        )
        table["emotion"] = audformat.Column(scheme_id="emotion")
        table["emotion"].set([EMOTION[file] for file in files])
    files = [file for own in FILES.values() for file in own]
    db["files"] = audformat.Table(audformat.filewise_index(files))
    db["files"]["who"] = audformat.Column(scheme_id="speaker")
    db["files"]["who"].set(["anna", "anna", "ben", "cem", "dora"])
    return db


def save(db: audformat.Database, root: Path, storage_format: str = "parquet") -> Path:
    db.save(str(root), storage_format=storage_format)
    write_media(root, [file for own in FILES.values() for file in own])
    return root


@pytest.mark.parametrize("storage_format", ["csv", "parquet"])
def test_everything_is_found_where_there_is_no_doubt(database, tmp_path, storage_format):
    found = read(save(database, tmp_path, storage_format))
    assert [
        (r.recording, r.partition, r.speaker, r.medium("audio"), r.medium("video")) for r in found.recordings
    ] == [
        ("wav/a1", "train", "anna", Path("wav/a1.wav"), None),
        ("wav/a2", "train", "anna", Path("wav/a2.wav"), None),
        ("wav/b1", "train", "ben", Path("wav/b1.wav"), None),
        ("wav/c1", "dev", "cem", Path("wav/c1.wav"), None),
        ("wav/d1", "test", "dora", Path("wav/d1.wav"), None),
    ]
    assert found.classes == ("anger", "happy", "neutral", "sad")
    assert labels_of(found) == {"wav/a1": 1.0, "wav/a2": 0.0, "wav/b1": 3.0, "wav/d1": 2.0}
    assert set(found.traces["time"]) == {0.0}
    assert found.problems == []


def test_groups_are_a_column_or_what_is_said_of_speakers(database, tmp_path):
    sexes = {"anna": "female", "ben": "male", "cem": None, "dora": "female"}
    database.schemes["speaker"] = audformat.Scheme(labels={who: {"sex": sex} for who, sex in sexes.items()})
    table = database["files"]
    table["room"] = audformat.Column()
    table["room"].set(["1.0", "2", "1", None, "NA"])
    groups = reader().read_groups
    root = save(database, tmp_path)
    names = ("wav/a1", "wav/a2", "wav/b1", "wav/c1", "wav/d1")
    assert groups(root, "room") == dict(zip(names, ("1", "2", "1", "", ""), strict=True))
    assert groups(root, "sex") == dict(zip(names, ("female", "female", "male", "", "female"), strict=True))
    with pytest.raises(KeyError, match=r"neither a column nor a scheme 'age'.*of speakers sex"):
        groups(root, "age")


def test_groups_may_stand_in_a_table_of_speakers(database, tmp_path):
    who = pd.Index(["anna", "ben", "cem", "dora"], name="speaker", dtype="string")
    database["speakers"] = audformat.MiscTable(who)
    database["speakers"]["language"] = audformat.Column()
    database["speakers"]["language"].set(["de", "de", "tr", "en"])
    database.schemes["speaker"] = audformat.Scheme("str", labels="speakers")
    found = reader().read_groups(save(database, tmp_path), "language")
    assert list(found.values()) == ["de", "de", "de", "tr", "en"]


def test_tables_and_columns_can_be_named(database, tmp_path):
    train = database["emotion.categories.train"]
    train["perceived"] = audformat.Column(scheme_id="emotion")
    train["perceived"].set(["bored", "bored", "sad"])
    settings = Audformat(tables=["emotion.categories.train"], labels={"emotion": "perceived"}, speaker="who")
    found = read(save(database, tmp_path), settings)
    assert found.classes == ("bored", "sad")
    assert labels_of(found) == {"wav/a1": 0.0, "wav/a2": 0.0, "wav/b1": 1.0}


def test_labels_that_are_numbers_go_by_their_names(tmp_path):
    db = audformat.Database("numbers")
    db.schemes["emotion"] = audformat.Scheme("int", labels={0: "neutral", 1: "happy", 2: "anger"})
    db["t"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    db["t"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["t"]["emotion"].set([0, 2])
    db["t"]["speaker"] = audformat.Column()
    db["t"]["speaker"].set(["x", "y"])
    db.save(str(tmp_path))
    reading = reader(partitions=Partitions(method="cross_validation", folds=3, seed=0))
    listing = reading.list_recordings(tmp_path, Wanted(partitions_given=False))
    assert {r.partition for r in listing.recordings} == {"train"}
    assert [p.reason for p in listing.problems] == [NotOnDisk.REASON, NotOnDisk.REASON]
    traces = reading.read_traces(tmp_path, {"a", "b"})
    assert traces.traces["value"].tolist() == [EMOTIONS.index("neutral"), EMOTIONS.index("anger")]


def regression(values_of: dict[str, list[tuple[float, float, float]]]) -> audformat.Database:
    """Return a database of arousal in segments: file -> (start, end, value); an end of NaN is open."""
    db = audformat.Database("traces")
    rows = [(file, *row) for file, own in values_of.items() for row in own]
    db.splits["train"] = audformat.Split(type="train")
    index = audformat.segmented_index(
        [row[0] for row in rows],
        [pd.Timedelta(seconds=row[1]) for row in rows],
        [pd.NaT if np.isnan(row[2]) else pd.Timedelta(seconds=row[2]) for row in rows],
    )
    db.schemes["arousal"] = audformat.Scheme("float", minimum=-1, maximum=1)
    db["segments"] = audformat.Table(index, split_id="train")
    db["segments"]["arousal"] = audformat.Column(scheme_id="arousal")
    db["segments"]["arousal"].set([row[3] for row in rows])
    db["segments"]["speaker"] = audformat.Column()
    db["segments"]["speaker"].set(["x" for _ in rows])
    return db


def test_values_of_segments_lie_in_their_middle(tmp_path):
    db = regression({"wav/a1.wav": [(0.0, 1.0, 0.5), (1.0, 2.0, -0.25)], "wav/a2.wav": [(0.0, np.nan, 0.75)]})
    traces = read(save(db, tmp_path), dimension="arousal").traces
    assert traces[["recording", "time", "value"]].astype({"recording": str}).to_numpy().tolist() == [
        ["wav/a1", 0.5, 0.5],
        ["wav/a1", 1.5, -0.25],
        ["wav/a2", 0.0, 0.75],
    ]
    assert set(traces["rater"]) == {"gold"}


def test_an_open_segment_among_others_is_refused(tmp_path):
    db = regression({"wav/a1.wav": [(0.0, 1.0, 0.5), (1.0, np.nan, -0.25)]})
    with pytest.raises(ValueError, match="table segments has a segment of wav/a1 without end among others"):
        read(save(db, tmp_path), dimension="arousal")


def segment_classes(*segments: tuple[str, float, float]) -> audformat.Database:
    db = regression({file: [(start, end, 0.0)] for file, start, end in segments})
    db.schemes["emotion"] = audformat.Scheme(labels=["calm", "tense"])
    db["segments"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["segments"]["emotion"].set(["calm"] * len(segments))
    return db


def test_a_class_of_a_whole_file_may_be_a_segment(tmp_path):
    db = segment_classes(("wav/a1.wav", 0.0, SECONDS), ("wav/a2.wav", 0.0, np.nan))
    found = read(save(db, tmp_path))
    assert labels_of(found) == {"wav/a1": 0.0, "wav/a2": 0.0}
    assert found.classes == ("calm",)


@pytest.mark.parametrize(("start", "end"), [(0.5, SECONDS), (0.0, 1.0), (0.5, np.nan)])
def test_a_class_of_a_part_says_that_clips_must_be_cut(tmp_path, start, end):
    with pytest.raises(ValueError, match=r"a class for a part of wav/a1.wav .* cut the clips, one file each"):
        read(save(segment_classes(("wav/a1.wav", start, end)), tmp_path))


def test_video_where_the_media_say_so(database, tmp_path):
    database.media["microphone"] = audformat.Media(type="video", format="mp4", video_fps=25)
    found = read(save(database, tmp_path))
    assert {(r.medium("audio"), r.medium("video")) for r in found.recordings if r.recording == "wav/a1"} == {
        (Path("wav/a1.wav"), Path("wav/a1.wav"))
    }


def test_what_is_not_on_disk_is_listed(database, tmp_path):
    root = save(database, tmp_path)
    (root / "wav/a1.wav").unlink()
    assert read(root).problems == [("wav/a1", "wav/a1.wav", NotOnDisk.REASON)]


def no_split(db):
    for split in FILES:
        db[f"emotion.categories.{split}"].split_id = None


def two_speakers(db):
    db["other"] = audformat.Table(audformat.filewise_index(["wav/a1.wav"]))
    db["other"]["speaker"] = audformat.Column()
    db["other"]["speaker"].set(["zoe"])


def nobody(db):
    db["files"]["who"].set(["anna", "anna", None, "cem", "dora"])


def two_values(db):
    db["again"] = audformat.Table(audformat.filewise_index(["wav/a1.wav"]), split_id="train")
    db["again"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["again"]["emotion"].set(["sad"])


def two_splits(db):
    db["again"] = audformat.Table(audformat.filewise_index(["wav/a1.wav"]), split_id="dev")


def two_suffixes(db):
    db["again"] = audformat.Table(audformat.filewise_index(["wav/a1.mp3"]), split_id="train")
    db["again"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["again"]["emotion"].set(["sad"])
    db["files"].extend_index(audformat.filewise_index(["wav/a1.mp3"]), inplace=True)
    db["files"]["who"].set(["anna", "anna", "ben", "cem", "dora", "anna"])


def unchanged(db):
    pass


THERE = r"table emotion.categories.dev \(split dev\) with the columns emotion; "


@pytest.mark.parametrize(
    ("change", "settings", "sentence"),
    [
        (no_split, {}, r"file wav/a1.wav has no split: set corpora.own.partitions.method to cross_valid"),
        (two_speakers, {}, "file wav/a1.wav has the speakers 'anna' and 'zoe' "),
        (nobody, {}, r"file wav/b1.wav has no speaker \(column or scheme 'speaker'\); the tables are"),
        (two_values, {}, "wav/a1 has two values of emotion at 0.0 s in the tables .*name the one that"),
        (two_splits, {}, r"file wav/a1.wav is in the splits dev and train \(table emotion.* expected one"),
        (two_suffixes, {}, "the tables list wav/a1 with two suffixes"),
        (unchanged, {"tables": ["emotion"]}, f"tables: found 'emotion', expected out of: {THERE}"),
        (unchanged, {"labels": {"emotion": "mood"}}, f"scheme 'mood' for emotion; name one of: {THERE}"),
        (unchanged, {"speaker": "rater"}, f"name or the scheme 'rater'; name one of: {THERE}"),
    ],
)
def test_doubt_is_one_sentence_that_lists_what_there_is(database, tmp_path, change, settings, sentence):
    change(database)
    root = save(database, tmp_path)
    with pytest.raises(ValueError, match=sentence):
        read(root, Audformat(**settings))


def test_numbers_are_no_classes(tmp_path):
    db = regression({"wav/a1.wav": [(0.0, np.nan, 0.5)]})
    with pytest.raises(ValueError, match=r"column arousal of table segments holds numbers such as 0\.5"):
        read(save(db, tmp_path), Audformat(labels={"emotion": "arousal"}))


def test_names_are_no_ratings(database, tmp_path):
    with pytest.raises(ValueError, match=r"column emotion of table .* holds 'neutral', expected finite"):
        read(save(database, tmp_path), Audformat(labels={"arousal": "emotion"}), "arousal")


def test_features_only_need_no_labels(database, tmp_path):
    found = read(save(database, tmp_path), dimension="arousal", scenarios=())
    assert len(found.recordings) == 5
    assert len(found.traces) == 0


def test_a_pickle_is_not_read(database, tmp_path):
    root = save(database, tmp_path, "pkl")
    with pytest.raises(ValueError, match=r"a pickle \(pkl\) is not read, since it can run code: save"):
        read(root)


def test_a_pickle_beside_a_table_is_left_alone(database, tmp_path):
    root = save(database, tmp_path)
    expected = read(root)
    for table in root.glob("db.*.parquet"):  # audformat itself would take the pickle
        table.with_suffix(".pkl").write_bytes(b"not a pickle")
        os.utime(table.with_suffix(".pkl"), (2e9, 2e9))
    found = read(root)
    assert found.recordings == expected.recordings
    pd.testing.assert_frame_equal(found.traces, expected.traces)


@pytest.mark.parametrize(
    "header",
    [
        "a: [",
        "just text",
        "name: x\n",
        "!!python/object/apply:os.getcwd []\n",
        "",
        "[" * 5000,
        "name: !!python/name:os.system\n",
        "x: !!python/object/new:os.system [echo]\n",
    ],
)
def test_a_header_that_is_none(tmp_path, header):
    (tmp_path / "db.yaml").write_text(header)
    with pytest.raises(ValueError, match=r"db\.yaml: not the header of an audformat database"):
        read(tmp_path)


def test_a_folder_without_a_header(tmp_path):
    with pytest.raises(ValueError, match=r"expected an audformat database: a file db\.yaml and its tables"):
        read(tmp_path)


def test_register_reads_again_what_other_parameters_name(database, tmp_path):
    save(database, tmp_path / "db")
    paths = Paths("own", tmp_path)

    def run(settings=None):
        return register(parameters(settings), paths, tmp_path / "hashes.json")

    assert run().recordings == 5
    assert [len(item.sha256("audio")) for item in read_manifest(paths.manifest)] == [64] * 5
    assert run().traces_written is False
    changed = run(Audformat(tables=["emotion.categories.train", "emotion.categories.dev"]))
    assert (changed.recordings, changed.dropped, changed.traces_written) == (4, 1, True)


def small(files, speakers=None, classes=None) -> audformat.Database:
    """Return a database of one table whose names nobody checked."""
    db = audformat.Database("small")
    db.splits["train"] = audformat.Split(type="train")
    db["t"] = audformat.Table(audformat.filewise_index(files), split_id="train")
    for column, values in (
        ("emotion", classes or ["calm"] * len(files)),
        ("speaker", speakers or ["a"] * len(files)),
    ):
        db["t"][column] = audformat.Column()
        db["t"][column].set(values)
    return db


@pytest.mark.parametrize("storage_format", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("../out.wav", "leads out of its folder by '..'"),
        ("wav/../../out.wav", "leads out of its folder by '..'"),
        ("/etc/passwd", "is an absolute path, outside the corpus"),
        ("link.wav", "is a link to "),
        ("=cmd.wav", "which a spreadsheet takes for a formula"),
        ("a\x1b.wav", "the control character U\\+001B"),
    ],
)
def test_files_outside_the_database_and_harmful_names_are_refused(tmp_path, storage_format, file, what):
    root = tmp_path / "db"
    small([file, "ok.wav"]).save(str(root), storage_format=storage_format)
    (tmp_path / "out.wav").write_bytes(b"x")
    (root / "link.wav").symlink_to(tmp_path / "out.wav")
    with pytest.raises(ValueError, match=what) as error:
        read(root)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["=1+1", "@SUM(1)", "a\x07b"])
def test_harmful_speakers_and_classes_are_refused(tmp_path, name):
    for number, given in enumerate(({"speakers": [name, "b"]}, {"classes": [name, "b"]})):
        root = tmp_path / str(number)
        small(["a.wav", "b.wav"], **given).save(str(root), storage_format="parquet")
        with pytest.raises(ValueError, match=r"takes for a formula|the control character"):
            read(root)


def test_names_in_any_form_of_unicode_are_found(tmp_path):
    small(["Jos\u00e9.wav"], classes=["fro\u0308hlich"]).save(str(tmp_path), storage_format="parquet")
    (tmp_path / "Jose\u0301.wav").write_bytes(b"x")
    found = read(tmp_path)
    assert found.problems == []
    assert [(item.recording, item.medium("audio")) for item in found.recordings] == [
        ("Jos\u00e9", Path("Jose\u0301.wav"))
    ]
    assert found.classes == ("fr\u00f6hlich",)
    assert set(found.traces["recording"]) == {"Jos\u00e9"}


def test_a_table_that_is_not_utf8_is_refused_with_the_line(tmp_path):
    small(["a.wav", "b.wav"], speakers=["Müller", "b"]).save(str(tmp_path), storage_format="csv")
    path = tmp_path / "db.t.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    with pytest.raises(
        ValueError, match=r"db\.t\.csv:2: byte 0xfc is not UTF-8; save the table as 'CSV UTF-8'"
    ):
        read(tmp_path)


def test_a_table_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    files = [f"{number}.wav" for number in range(20_000)]
    small(files).save(str(tmp_path), storage_format="parquet")
    monkeypatch.setattr(audformat_reading, "MOST_BYTES", 50_000)
    with pytest.raises(
        ValueError, match=r"db\.t\.parquet: holds 20000 rows and \d columns in \d+ bytes once"
    ):
        read(tmp_path)
    (tmp_path / "db.t.parquet").write_bytes(b"PAR1 no Parquet PAR1")
    with pytest.raises(ValueError, match=r"db\.t\.parquet: not a Parquet file"):
        read(tmp_path)
