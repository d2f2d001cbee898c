"""Many recordings in one Parquet file."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.store import packing
from pipeline.store.packing import Place, Unit, spread, write_file
from tests.store.test_rows import assert_same, make_rows


@pytest.mark.parametrize(("values", "groups"), [(1 << 21, 1), (30, 4), (1, 7)])
def test_recordings_share_row_groups_up_to_a_number_of_values(tmp_path, monkeypatch, values, groups):
    """Seven recordings of four rows and three features: twelve values each."""
    monkeypatch.setattr(packing, "GROUP_VALUES", values)
    rows = {f"r{i}": make_rows(4, seed=i) for i in range(7)}
    path = tmp_path / "part.parquet"
    entries, names = write_file(path, [Unit(name, "k") for name in rows], lambda u: rows[u.recording], None)
    assert pq.ParquetFile(path).num_row_groups == groups
    assert names == ("a", "b", "c")
    for name, entry in entries.items():
        assert entry["rows"] == 4
        assert_same(Place(path, entry["row_group"], entry["first"], entry["rows"], name).read(), rows[name])


def test_100000_utterances_are_256_files_of_even_load():
    packed = spread([Unit(f"utterance_{i}", "k") for i in range(100_000)])
    assert len(packed) == 256
    counts = np.array([len(units) for units in packed.values()])
    assert counts.sum() == 100_000
    assert counts.max() < 2 * counts.min()
    assert next(iter(packed)) == "part-000-of-256.parquet"
