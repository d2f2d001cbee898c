import numpy as np
import pyarrow as pa
import pytest

from pipeline.store.rows import Rows, from_bytes, from_table, to_bytes, to_table


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


@pytest.mark.parametrize("count", [0, 1, 8, 13])
def test_the_table_is_the_one_that_arrow_makes_of_the_same_arrays(count):
    rows = make_rows(max(count, 1))
    rows = Rows(rows.start[:count], rows.end[:count], rows.values[:count], rows.valid[:count], rows.names)
    columns = {"recording": pa.array(["é"] * count, pa.string())}
    columns |= {"start": pa.array(rows.start), "end": pa.array(rows.end)}
    columns |= {name: pa.array(rows.column(name)) for name in rows.names}
    expected, found = pa.table(columns | {"valid": pa.array(rows.valid)}), to_table("é", rows)
    assert found.schema == expected.schema
    for name in expected.column_names:
        np.testing.assert_array_equal(found.column(name).to_numpy(), expected.column(name).to_numpy())


def test_a_part_of_a_table_in_several_pieces_is_read():
    pieces = pa.concat_tables([to_table("r", make_rows(13)), to_table("r", make_rows(5, seed=1))])
    found = from_table(pieces.slice(3, 12))
    first, second = make_rows(13), make_rows(5, seed=1)
    np.testing.assert_array_equal(found.values, np.concatenate([first.values[3:], second.values[:2]]))
    np.testing.assert_array_equal(found.valid, np.concatenate([first.valid[3:], second.valid[:2]]))
    np.testing.assert_array_equal(found.start, np.concatenate([first.start[3:], second.start[:2]]))


def test_a_table_with_other_types_or_missing_values_is_refused():
    table = to_table("r", make_rows())
    with pytest.raises(ValueError, match="columns of types"):
        from_table(table.set_column(4, "b", table.column("b").cast(pa.float64())))
    with pytest.raises(ValueError, match="1 of 5 values are missing"):
        from_table(table.set_column(4, "b", pa.array([0, 1, None, 3, 4], pa.float32())))
