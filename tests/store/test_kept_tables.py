"""The last version of a table: what did not change is copied, and only if it is what it should be."""

import pytest

from pipeline.store.adopt import adopt
from pipeline.store.kept_tables import KeptTable, kept_folder
from pipeline.store.packing import Unit
from pipeline.store.tables import FeatureTable, write_table
from pipeline.store.units import UnitStore
from tests.store.test_rows import assert_same, make_rows


def make(directory, store, count, kept=True):
    """Write a table of `count` recordings; returns which were read from their units."""
    read = []

    def rows(unit):
        read.append(unit.recording)
        return make_rows(3, seed=int(unit.key))

    units = [Unit(f"r{i}", str(i)) for i in range(count)]
    write_table(directory, units, rows, [], {}, KeptTable.open(store, directory) if kept else None)
    return read


@pytest.fixture
def store(tmp_path):
    """Return a store that keeps a table of 200 recordings in four files."""
    store = UnitStore(tmp_path / "store")
    for number in range(300):
        store.put("audio", str(number), b"is there")
    assert len(make(tmp_path / "t", store, 200)) == 200
    assert adopt(tmp_path / "t", store, "audio") == 0
    return store


def same_as_fresh(directory, tmp_path, store, count):
    make(tmp_path / "fresh", store, count, kept=False)
    names = sorted(path.name for path in directory.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "fresh").iterdir())
    return all((directory / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes() for name in names)


def test_one_more_recording_reads_the_units_of_one_file(tmp_path, store):
    read = make(tmp_path / "t", store, 201)
    assert "r200" in read
    assert len(read) < 80
    assert same_as_fresh(tmp_path / "t", tmp_path, store, 201)
    assert_same(FeatureTable.open(tmp_path / "t").read("r7"), make_rows(3, seed=7))


def test_nothing_is_read_where_nothing_changed_and_everything_where_nothing_is_kept(tmp_path, store):
    assert make(tmp_path / "t", store, 200) == []
    assert len(make(tmp_path / "elsewhere", store, 200)) == 200


def test_a_kept_file_that_was_damaged_is_written_anew(tmp_path, store):
    part = sorted(kept_folder(store, tmp_path / "t").glob("*.parquet"))[0]
    blob = part.read_bytes()
    part.unlink()
    part.write_bytes(blob[:-1] + b"?")
    assert 20 < len(make(tmp_path / "t", store, 200)) < 80
    assert same_as_fresh(tmp_path / "t", tmp_path, store, 200)


def test_what_is_done_to_the_table_does_not_reach_what_is_kept(tmp_path, store):
    make(tmp_path / "t", store, 200)
    part = sorted((tmp_path / "t").glob("*.parquet"))[0]
    part.write_bytes(b"edited in place")
    assert make(tmp_path / "t", store, 200) == []
    assert same_as_fresh(tmp_path / "t", tmp_path, store, 200)


def test_units_with_other_keys_are_read(tmp_path, store):
    index = KeptTable.open(store, tmp_path / "t").index
    name = sorted(index["files"])[0]
    inside = sorted(r for r, entry in index["recordings"].items() if entry["file"] == name)
    units = [Unit(f"r{i}", "299" if f"r{i}" == inside[0] else str(i)) for i in range(200)]
    read = []
    kept = KeptTable.open(store, tmp_path / "t")
    write_table(
        tmp_path / "t",
        units,
        lambda u: read.append(u.recording) or make_rows(3, seed=int(u.key)),
        [],
        {},
        kept,
    )
    assert sorted(read) == inside
    assert_same(FeatureTable.open(tmp_path / "t").read(inside[0]), make_rows(3, seed=299))
