"""csv and Parquet tables of features: the same values, recording after recording."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.features import table_rows
from pipeline.features.media import MediaError
from pipeline.features.table_rows import FeatureTableError, open_table


def table(times: str = "time", rows: int = 50) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    names = ["b"] * rows + ["a"] * 2 + ["c c"] * (rows // 2)
    count = len(names)
    time = np.concatenate([np.arange(names.count(n)) * 0.25 for n in ("b", "a", "c c")])
    facts = {"time": {"time": time}, "pair": {"start": time, "end": time + 0.5}, "none": {}}[times]
    values = draw.normal(size=(count, 2)) * 10.0 ** draw.integers(-6, 6, (count, 2))
    return pd.DataFrame({"f1": values[:, 0], "recording": names, **facts, "f, 2": values[:, 1]})


def write(frame: pd.DataFrame, path):
    frame.to_parquet(path, index=False) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet", "CSV"])
@pytest.mark.parametrize("times", ["time", "pair", "none"])
def test_values_times_and_names_are_those_of_the_file(tmp_path, suffix, times, monkeypatch):
    monkeypatch.setattr(table_rows, "BLOCK", 2000)
    monkeypatch.setattr(table_rows, "BATCH_ROWS", 7)
    frame = table(times)
    opened = open_table(write(frame, tmp_path / f"t.{suffix}"))
    found = {name: rows() for name, rows in opened.recordings()}
    assert list(found) == ["b", "a", "c c"]
    for name, rows in found.items():
        own = frame[frame["recording"] == name]
        assert rows.names == ("f1", "f, 2")
        np.testing.assert_array_equal(rows.values, own[["f1", "f, 2"]].to_numpy(np.float32))
        start = own["time" if times == "time" else "start"] if times != "none" else np.zeros(len(own))
        np.testing.assert_array_equal(rows.start, start)
        np.testing.assert_array_equal(rows.end, own["end"] if times == "pair" else start)
        assert rows.valid.all()


def test_csv_and_parquet_give_the_same_rows(tmp_path):
    frame = table(rows=500)
    frame.loc[3, "f1"] = np.nan
    frame["f, 2"] = frame["f, 2"].round()
    frame["whole"] = np.arange(len(frame))
    both = [open_table(write(frame, tmp_path / f"t.{suffix}")) for suffix in ("csv", "parquet")]
    for (name, one), (other, two) in zip(*(opened.recordings() for opened in both), strict=True):
        assert name == other
        assert one().sha256() == two().sha256()
        assert np.isnan(one().values).sum() == (name == "b")


def test_csv_with_bom_crlf_blanks_and_missing_values(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfrecording, time ,f\r\n a , 0.0, 1\r\n\r\na,1,\r\na,2,NaN\r\na,3,inf\r\n")
    ((name, rows),) = open_table(path).recordings()
    assert name == "a"
    np.testing.assert_array_equal(rows().values[:, 0], [1, np.nan, np.nan, np.inf])
    assert rows().valid.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found the columns '', expected recording"),
        (
            "name,f\na,1\n",
            r"found the columns 'name,f', expected recording\[,time or start,end\] and features",
        ),
        ("recording;f\na;1\n", "found the columns 'recording;f', expected recording"),
        ("recording,f,f\na,1,2\n", "column 'f' occurs twice"),
        (",recording,f\n0,a,1\n", "column '' is an index, expected none"),
        ("recording,start,f\na,1,2\n", "expected either time, or start and end, or none of them"),
        ("recording,time,start,end,f\na,1,1,1,2\n", "expected either time, or start and end"),
        ("recording,time,valid,f\na,1,1,2\n", "column 'valid' is a name that feature tables use themselves"),
        ("recording,time\na,1\n", "expected features beside them"),
        ("recording,f\na,1\na,x\n", r"t\.csv: line 3: found 'x' in column f, expected a number"),
        ("recording,f,g\na,1,happy\n", "found 'happy' in column g, expected a number"),
        ("recording,f\na,1\na\n", "not a table .*Expected 2 columns, got 1"),
        ("recording,f\n,1\n", "found a row with an empty recording"),
        (
            "recording,f\na,1\nb,1\na,2\n",
            "the rows of recording 'a' stand in several places, expected together",
        ),
    ],
)
def test_a_wrong_csv_is_one_sentence(tmp_path, text, reason):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FeatureTableError, match=reason) as error:
        list(open_table(path).recordings())
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (
            pd.DataFrame({"recording": ["a"], "f": ["x"]}),
            r"column 'f' holds (large_)?string, expected numbers",
        ),
        (pd.DataFrame({"recording": ["a"], "f": [[1.0]]}), "column 'f' holds list"),
        (pd.DataFrame({"recording": ["a", None], "f": [1.0, 2.0]}), "found a row with an empty recording"),
        (pd.DataFrame({"f": [1.0]}), "found the columns 'f', expected recording"),
    ],
)
def test_a_wrong_parquet_is_one_sentence(tmp_path, frame, reason):
    path = write(frame, tmp_path / "t.parquet")
    with pytest.raises(FeatureTableError, match=reason):
        list(open_table(path).recordings())


def test_what_pandas_writes_of_an_index_is_refused(tmp_path):
    frame = pd.DataFrame({"recording": ["a", "b"], "f": [1.0, 2.0]}, index=[5, 7])
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(FeatureTableError, match="column '__index_level_0__' is an index"):
        open_table(tmp_path / "t.parquet")
    (tmp_path / "text.parquet").write_text("recording,f\n")
    with pytest.raises(FeatureTableError, match="not a Parquet file"):
        open_table(tmp_path / "text.parquet")


def test_integers_categories_and_truths_are_numbers_and_names(tmp_path):
    frame = pd.DataFrame({"recording": pd.Categorical(["a", "a"]), "f": [1, 2], "g": [True, False]})
    ((name, rows),) = open_table(write(frame, tmp_path / "t.parquet")).recordings()
    assert (name, rows().values.tolist()) == ("a", [[1, 1], [2, 0]])


def test_times_that_fall_are_the_recordings_failure(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("recording,time,f\na,0,1\na,0,2\nb,0,1\n")
    found = dict(open_table(path).recordings())
    with pytest.raises(MediaError, match=r"t\.csv: a: row 2 lies at 0 s, the row before at 0 s"):
        found["a"]()
    assert len(found["b"]()) == 1
