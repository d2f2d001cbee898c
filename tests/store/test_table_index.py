"""Tables that somebody edited: no name in an index is a path, and rows are those of their recording."""

import json

import pytest

from pipeline.store.adopt import adopt
from pipeline.store.packing import Unit
from pipeline.store.tables import FeatureTable, TableError, write_table
from pipeline.store.units import UnitStore
from tests.store.test_rows import make_rows


@pytest.fixture
def table(tmp_path):
    rows = {f"r{i}": make_rows(i + 1, seed=i) for i in range(3)}
    directory = tmp_path / "table"
    write_table(directory, [Unit(name, f"k{name}") for name in rows], lambda u: rows[u.recording], [], {})
    return directory


def edit(directory, change):
    path = directory / "index.json"
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))


def entry(index):
    return index["recordings"]["r1"]


FAULTS = {
    "file outside": lambda index: index["files"].update({"../../secret": "0" * 64}),
    "absolute file": lambda index: index["files"].update({"/etc/passwd": "0" * 64}),
    "no sha256": lambda index: index["files"].update({"part-000-of-001.parquet": "x"}),
    "file that is not listed": lambda index: entry(index).update(file="part-001-of-002.parquet"),
    "key outside": lambda index: entry(index).update(key="../../../../../tmp/unit"),
    "hidden key": lambda index: entry(index).update(key=".lock"),
    "no key": lambda index: entry(index).pop("key"),
    "key of a number": lambda index: entry(index).update(key=3),
    "row group": lambda index: entry(index).update(row_group="0"),
    "rows below 0": lambda index: entry(index).update(first=-1),
    "contents outside": lambda index: index.update(about={"contents": {"../x": 1}}),
    "files": lambda index: index.update(files=3),
    "recordings": lambda index: index.pop("recordings"),
    "entry": lambda index: index["recordings"].update(r1=[]),
    "features": lambda index: index.update(features=[1]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_index_that_was_edited_is_refused_and_writes_nothing(table, tmp_path, name):
    edit(table, FAULTS[name])
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    store = UnitStore(tmp_path / "store")
    for use in (lambda: FeatureTable.open(table), lambda: adopt(table, store, "audio")):
        with pytest.raises(TableError, match=r"index\.json: damaged or edited \(.*`emobed store repull"):
            use()
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before


def test_an_index_nested_without_end_is_refused(table):
    (table / "index.json").write_text("[" * 100_000)
    with pytest.raises(TableError, match=r"index\.json: damaged \(no JSON\)"):
        FeatureTable.open(table)


ELSEWHERE = {
    "others' rows": {"first": 0},
    "a part": {"rows": 1},
    "more": {"rows": 4},
    "more than there are": {"rows": 1 << 40},
    "none": {"rows": 0},
    "behind the end": {"first": 1 << 40},
    "no such row group": {"row_group": 7},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_rows_that_are_not_the_recordings_are_refused(table, name):
    edit(table, lambda index: entry(index).update(ELSEWHERE[name]))
    opened = FeatureTable.open(table)
    with pytest.raises(
        TableError, match=r"part-000-of-001\.parquet: (rows .* are not those of 'r1'|damaged)"
    ):
        opened.read("r1")
    assert len(opened.read("r2")) == 3


def test_features_that_were_renamed_are_refused(table):
    edit(table, lambda index: index["features"].reverse())
    with pytest.raises(TableError, match=r"index\.json: names other features than its files"):
        FeatureTable.open(table).read("r1")


@pytest.mark.parametrize("key", ["../../x", "/tmp/x", ".lock", "a/b"])
def test_a_key_is_never_a_path(tmp_path, key):
    store = UnitStore(tmp_path / "store")
    for use in (lambda: store.get("audio", key), lambda: store.put("audio", key, b"x")):
        with pytest.raises(ValueError, match="is no key of a unit"):
            use()
