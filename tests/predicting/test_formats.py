"""Tables are what audformat and pandas read, with the values that were predicted."""

import io
import json

import audformat
import numpy as np
import pandas as pd
import pytest

from pipeline.predicting.block import NUMBER, TIME, Block, Column
from pipeline.predicting.formats import (
    CSV,
    FORMATS,
    format_of,
    nanoseconds,
    parquet_from_stream,
    stream_from_parquet,
)
from tests.predicting.blocks import block

BLOCKS = [block("a, b.wav"), block("ä.wav", rows=1), block("a, b.wav", rows=2, first=86_400.5)]
INDEX = audformat.segmented_index(
    ["a, b.wav"] * 3 + ["ä.wav"] + ["a, b.wav"] * 2,
    pd.to_timedelta([0, 40, 80, 0, 86_400_500, 86_400_540], unit="ms"),
    pd.to_timedelta([40, 80, 120, 40, 86_400_540, 86_400_580], unit="ms"),
)
AROUSAL = np.float32([-1 / 3, 0, 1 / 3, -1 / 3, -1 / 3, 1 / 3])


def written(path, blocks=BLOCKS):
    own = format_of(path)
    path.write_bytes(own.head(blocks[0].schema) + b"".join(map(own.body, blocks)))
    return path


def test_csv_is_read_by_audformat(tmp_path):
    found = audformat.utils.read_csv(str(written(tmp_path / "a.csv")))
    pd.testing.assert_index_equal(found.index, INDEX)
    np.testing.assert_array_equal(found["arousal"].to_numpy(np.float32), AROUSAL)
    assert found["arousal.seed_spread"].isna().all()
    assert found["valid"].tolist() == [True, False, True, True, True, False]
    assert found["emotion"].fillna("-").tolist() == ["joy", "-", "no, never", "joy", "joy", "-"]
    assert found["id"].tolist() == [7] * 6


def test_csv_has_the_bytes_that_audformat_writes(tmp_path):
    """Times as audformat has them: a table of one column, there and here."""
    columns = {"arousal": Column(NUMBER, np.array([0.5, 0.25]))}
    start = np.array([0.0, 1.5])
    own = Block.indexed("a.wav", start, start + 1.5, columns, {})
    table = audformat.Table(audformat.segmented_index(["a.wav"] * 2, ["0s", "1.5s"], ["1.5s", "3s"]))
    audformat.Database("x")["t"] = table
    table["arousal"] = audformat.Column()
    table["arousal"].set([0.5, 0.25])
    table.save(str(tmp_path / "t"), storage_format="csv")
    assert (CSV.head(own.schema) + CSV.body(own)).decode() == (tmp_path / "t.csv").read_text()


@pytest.mark.parametrize("seconds", [0.0, 0.04, 1.2345678, 59.999999, 3599.96, 90_061.000_000_001, 1 / 3])
def test_times_are_those_of_pandas(seconds):
    own = Block({"start": Column(TIME, np.array([seconds]))})
    (text,) = CSV.body(own).decode().split()[:1] and [CSV.body(own).decode().strip()]
    assert pd.Timedelta(text) == pd.Timedelta(nanoseconds(seconds), unit="ns")
    assert abs(pd.Timedelta(text).total_seconds() - seconds) < 1e-9


def test_json_lines_have_seconds_and_null(tmp_path):
    lines = [json.loads(line) for line in written(tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    assert lines[1] == {
        "file": "a, b.wav", "start": 0.04, "end": 0.08, "arousal": 0.0, "arousal.seed_spread": None,
        "valid": False, "emotion": None, "id": "7",
    }  # fmt: skip
    table = pd.read_json(io.StringIO((tmp_path / "a.jsonl").read_text("utf-8")), lines=True)
    times = [pd.to_timedelta(table[name], unit="s") for name in ("start", "end")]
    pd.testing.assert_index_equal(audformat.segmented_index(table["file"], *times), INDEX)
    np.testing.assert_array_equal(table["arousal"].to_numpy(np.float32), AROUSAL)


def test_parquet_is_read_by_pandas_with_the_index_of_audformat(tmp_path):
    stream = tmp_path / "stream"
    stream.write_bytes(written(tmp_path / "x.parquet").read_bytes())
    parquet_from_stream(stream, tmp_path / "a.parquet")
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert audformat.is_segmented_index(table.set_index(["file", "start", "end"]).index)
    index = audformat.segmented_index(table["file"], table["start"], table["end"])
    pd.testing.assert_index_equal(index, INDEX)
    np.testing.assert_array_equal(table["arousal"].to_numpy(np.float32), AROUSAL)
    assert table["valid"].dtype == bool
    stream_from_parquet(tmp_path / "a.parquet", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == stream.read_bytes()


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a.xlsx: expected a name that ends in .csv, .jsonl, .parquet"):
        format_of(tmp_path / "a.xlsx")
    assert set(FORMATS) == {".csv", ".jsonl", ".parquet"}
