import csv
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.store.adopt import adopt
from pipeline.store.packing import PackingError, Unit
from pipeline.store.partial import clear_partial
from pipeline.store.tables import Failure, FeatureTable, TableError, write_failures, write_table
from pipeline.store.units import UnitStore
from tests.store.test_rows import assert_same, make_rows


def write(directory, count, failures=()):
    units = [Unit(f"recording_{i}", f"key{i}") for i in range(count)]
    rows = {unit: make_rows(3 + i % 4, seed=i) for i, unit in enumerate(units)}
    write_table(directory, units, rows.__getitem__, failures, {"extractor": "none"})
    return {unit.recording: row for unit, row in rows.items()}


def test_what_was_written_is_read(tmp_path):
    rows = write(tmp_path / "t", 7, [Failure("bad", "extract_audio", "is, empty")])
    table = FeatureTable.open(tmp_path / "t")
    assert table.recordings == sorted(rows)
    assert table.names == ("a", "b", "c")
    for name, row in rows.items():
        assert_same(table.read(name), row)
        assert table.index["recordings"][name]["sha256"] == row.sha256()
        assert table.key(name) == f"key{name.removeprefix('recording_')}"
    assert table.failures() == [Failure("bad", "extract_audio", "is, empty")]


def test_same_units_same_bytes(tmp_path):
    write(tmp_path / "one", 9)
    write(tmp_path / "two", 9)
    files = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert files == sorted(p.name for p in (tmp_path / "two").iterdir())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_one_more_recording_changes_one_data_file(tmp_path):
    write(tmp_path / "one", 200)
    write(tmp_path / "two", 201)
    one, two = (json.loads((tmp_path / d / "index.json").read_text())["files"] for d in ("one", "two"))
    assert len(one) == 4  # 200 recordings at 64 a file, a power of two
    assert sum(one[name] != two[name] for name in one) == 1


def test_recordings_of_a_file_can_be_read_as_plain_parquet(tmp_path):
    rows = write(tmp_path / "t", 3)
    (path,) = (tmp_path / "t").glob("*.parquet")
    frame = pq.read_table(path).to_pandas()
    assert list(frame.columns) == ["recording", "start", "end", "a", "b", "c", "valid"]
    np.testing.assert_array_equal(
        frame[frame.recording == "recording_1"]["b"], rows["recording_1"].values[:, 1]
    )


def test_a_damaged_file_is_named(tmp_path):
    write(tmp_path / "t", 3)
    (path,) = (tmp_path / "t").glob("*.parquet")
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(bytes(blob))
    with pytest.raises(TableError, match=rf"{path.name}: damaged"):
        FeatureTable.open(tmp_path / "t")
    path.unlink()
    with pytest.raises(TableError, match=rf"{path.name}: missing"):
        FeatureTable.open(tmp_path / "t")


def test_an_unknown_recording_is_named(tmp_path):
    write(tmp_path / "t", 2)
    with pytest.raises(TableError, match="no recording 'other'"):
        FeatureTable.open(tmp_path / "t").read("other")


def test_recordings_with_other_features_are_refused(tmp_path):
    one, other = make_rows(), make_rows()
    object.__setattr__(other, "names", ("a", "b", "x"))
    rows = {"k1": one, "k2": other}
    with pytest.raises(PackingError, match="its features differ"):
        write_table(tmp_path / "t", [Unit("r1", "k1"), Unit("r2", "k2")], lambda u: rows[u.key], [], {})
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("name", ["index.json", "part-000-of-001.parquet"])
def test_a_damaged_table_is_named_with_the_command_that_helps(tmp_path, name):
    write(tmp_path / "table", 3)
    path = tmp_path / "table" / name
    path.write_bytes(path.read_bytes()[:-5])
    store = UnitStore(tmp_path / "store")
    for use in (lambda: FeatureTable.open(tmp_path / "table"), lambda: adopt(tmp_path / "table", store, "x")):
        with pytest.raises(TableError, match=rf"{name}: damaged .*`emobed store repull \S+/table`"):
            use()


def test_no_cell_of_a_failure_table_is_a_formula(tmp_path):
    failures = [
        Failure("=cmd|' /C calc'!A0", "stage", "+SUM(1)\x1b[2J"),
        Failure("-3g5yACwYnA", "stage", "@A1()"),
    ]
    write_failures(tmp_path / "failures.csv", failures)
    with (tmp_path / "failures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["recording", "stage", "reason"],
        ["-3g5yACwYnA", "stage", "'@A1()"],
        ["'=cmd|' /C calc'!A0", "stage", "'+SUM(1) [2J"],
    ]


def test_what_killed_writers_left_half_written_is_removed_and_what_others_write_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (f".audio.{ended.pid}.partial", ".audio.partial", f".faces.{os.getpid()}.partial", "audio"):
        (tmp_path / name).mkdir()
    clear_partial(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".faces.{os.getpid()}.partial", "audio"]
