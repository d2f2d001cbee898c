import numpy as np
import pytest

from pipeline.features.rows import Rows, from_bytes, from_table, to_bytes, to_table


def make_rows(count=5, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 3)).astype(np.float32)
    values[0, 1] = np.nan
    start = np.arange(count) * 0.2
    return Rows(start, start + 4, values, np.arange(count) % 2 == 0, ("a", "b", "c"))


def assert_same(one, other):
    np.testing.assert_array_equal(one.start, other.start)
    np.testing.assert_array_equal(one.end, other.end)
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.valid, other.valid)
    assert one.names == other.names


def test_bytes_and_table_give_back_the_same_rows():
    rows = make_rows()
    assert_same(from_bytes(to_bytes(rows)), rows)
    assert_same(from_table(to_table("r", rows)), rows)


def test_same_rows_same_bytes_and_hash_other_rows_others():
    assert to_bytes(make_rows()) == to_bytes(make_rows())
    assert make_rows().sha256() == make_rows().sha256()
    changed = make_rows()
    changed.values[3, 2] += 1
    assert changed.sha256() != make_rows().sha256()


def test_table_has_the_columns_of_the_contract():
    table = to_table("session", make_rows())
    assert table.column_names == ["recording", "start", "end", "a", "b", "c", "valid"]
    assert [str(field.type) for field in table.schema] == [
        "string",
        "double",
        "double",
        *["float"] * 3,
        "bool",
    ]
    assert set(table.column("recording").to_pylist()) == {"session"}


def test_column_by_name():
    rows = make_rows()
    np.testing.assert_array_equal(rows.column("c"), rows.values[:, 2])
    with pytest.raises(KeyError, match="no feature 'd'"):
        rows.column("d")


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="rows do not fit"):
        Rows(np.zeros(2), np.zeros(2), np.zeros((3, 1), np.float32), np.ones(2, bool), ("a",))
