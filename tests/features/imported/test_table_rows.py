"""csv and Parquet tables of features: the same values, recording after recording."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.features.imported import csv_table, parquet_table, table_columns, table_rows
from pipeline.features.imported.table_columns import Choice, FeatureTableError
from pipeline.features.imported.table_rows import open_table
from pipeline.features.media.opening import MediaError


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
    monkeypatch.setattr(csv_table, "BLOCK", 2000)
    monkeypatch.setattr(parquet_table, "BATCH_ROWS", 7)
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
        ("recording|f\na|1\n", r"found the columns 'recording\|f', expected recording"),
        ("name;f\na;1\n", "found the columns 'name;f', expected recording"),
        ("recording,f,f\na,1,2\n", "column 'f' occurs twice"),
        (",recording,f\n0,a,1\n", "column '' is an index, expected none"),
        ("recording,start,f\na,1,2\n", "expected either time, or start and end, or none of them"),
        ("recording,time,start,end,f\na,1,1,1,2\n", "expected either time, or start and end"),
        ("recording,time,valid,f\na,1,1,2\n", "column 'valid' is a name that feature tables use themselves"),
        ("recording,time\na,1\n", "expected features beside them"),
        ("recording,f\na,1\na,x\n", r"t\.csv:3: found 'x' in column f, expected a number"),
        ("recording,f,g\na,1,happy\n", "found 'happy' in column g, expected a number"),
        ("recording,f\na,1\na\n", r"t\.csv:3: found 1 cells \('a'\), expected 2"),
        ("recording,f\n,1\n", "found an empty recording, expected a name"),
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
    assert str(error.value).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (
            pd.DataFrame({"recording": ["a"], "f": ["x"]}),
            r"column 'f' holds (large_)?string, expected numbers",
        ),
        (pd.DataFrame({"recording": ["a"], "f": [[1.0]]}), "column 'f' holds list"),
        (
            pd.DataFrame({"recording": ["a", None], "f": [1.0, 2.0]}),
            "found an empty recording, expected a name",
        ),
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


COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("tail", ["", "{s}{s}{e}{s}{s}{e}", "{e}  {e}{s}{e}"])
def test_a_csv_however_a_program_saves_it(tmp_path, end, separator, tail):
    text = f'recording,time,f 1{{e}}{DECOMPOSED},0,1.5{{e}}"{COMPOSED}" ,1, {{e}}b,0,2{{e}}'.replace(
        ",", "{s}"
    )
    text = (text + tail).replace('" {s}', '"{s}').replace("{s}", separator).replace("{e}", end)
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = {name: rows() for name, rows in open_table(tmp_path / "t.csv").recordings()}
    assert list(found) == [COMPOSED, "b"]
    np.testing.assert_array_equal(found[COMPOSED].values, [[1.5], [np.nan]])
    np.testing.assert_array_equal(found[COMPOSED].start, [0, 1])
    assert found["b"].names == ("f 1",)


def test_names_of_a_parquet_file_are_trimmed_and_composed(tmp_path):
    frame = pd.DataFrame(
        {" recording": [DECOMPOSED, f" {COMPOSED}", None], f"f{DECOMPOSED}": [1.0, 2.0, np.nan]}
    )
    ((name, rows),) = open_table(write(frame, tmp_path / "t.parquet")).recordings()
    assert (name, rows().names) == (COMPOSED, (f"f{COMPOSED}",))
    assert rows().values.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("recording,f\nMüller,1\n".encode("cp1252"), "t.csv:2: byte 0xfc is not UTF-8; save the table as"),
        ("recording,f\na,1\nb,\u00fc\n".encode("cp1252"), "t.csv:3: byte 0xfc is not UTF-8"),
        ("recording,f\na,1\n".encode("utf-16"), "t.csv:1: the table is UTF-16, expected UTF-8"),
        ("recording;f\na;1,5\n", "t.csv:2: found '1,5' in column f, expected a number with a decimal point"),
        ("recording,f\na,1\n,\nb,2\n,\n", "t.csv:3: found a line of separators only"),
        (
            "recording,f\n=1+cmd|' /C calc'!A0,1\n",
            "t.csv:2: found '=1\\+cmd.*a spreadsheet takes for a formula",
        ),
        ("recording,f\na\x1b[2J,1\n", "t.csv:2: found the control character U\\+001B"),
        ('recording,f\n"a,1\nb,2\n', "t.csv:2: not a line of a table"),
        ("recording,f,\u202eg\na,1,2\n", "t.csv:1: found the control character U\\+202E"),
    ],
)
def test_what_is_no_text_table_is_refused_with_the_line(tmp_path, content, sentence):
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FeatureTableError, match=sentence) as error:
        list(open_table(tmp_path / "t.csv").recordings())
    assert "\n" not in str(error.value)


def test_all_that_is_wrong_with_a_csv_is_said_at_once(tmp_path):
    text = "recording,f,g\na,1,x\n,3,4\nb,2\n" + "c,2,word\n" * 5
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(FeatureTableError) as error:
        list(open_table(tmp_path / "t.csv").recordings())
    assert [line.split("t.csv:")[1].split("; `")[0] for line in str(error.value).splitlines()] == [
        "2: found 'x' in column g, expected a number",
        "3: found an empty recording, expected a name",
        "4: found 2 cells ('b,2'), expected 3",
        "5: found 'word' in column g, expected a number",
        "6: found 'word' in column g, expected a number",
    ]


LEAKS = [
    *(
        "emotion",
        "Emotion",
        "emotion_code",
        "EmotionMaxVote",
        "label",
        "label2",
        "class",
        "valence",
        "mean_valence",
    ),
    *("gold_arousal", "arousal-mean", "actor", "Actor_ID", "speakerID", "Subject", "gender", "rater3", "id"),
    *("partition", "split"),
]
FEATURES = [
    *("f", "0", "F0semitoneFrom27.5Hz_sma3nz_amean", "valence_of_words", "happy", "loudness_mean", "AU01_r"),
    *("classical_music", "intensity", "pose_Rx", "std", "labelled_share", "audiospec_lengthL1norm"),
]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_that_describe_recordings_are_no_features(tmp_path, suffix):
    for name in LEAKS:
        frame = pd.DataFrame({"recording": ["a"], name: [1.0], "f": [2.0]})
        path = write(frame, tmp_path / f"t.{suffix}")
        with pytest.raises(
            FeatureTableError, match=rf"column {name}: named like labels.*`exclude: \[{name}\]`"
        ):
            open_table(path)
        ((_, rows),) = open_table(path, Choice(exclude=[name])).recordings()
        assert (rows().names, rows().values.tolist()) == (("f",), [[2]])
        ((_, rows),) = open_table(path, Choice(include=[name])).recordings()
        assert rows().names == (name, "f")
    for name in FEATURES:
        frame = pd.DataFrame({"recording": ["a"], name: [1.0], "g": [2.0]})
        ((_, rows),) = open_table(write(frame, tmp_path / f"t.{suffix}")).recordings()
        assert rows().names == (name, "g")


def test_an_excluded_column_may_hold_anything(tmp_path):
    frame = pd.DataFrame({"recording": ["a", "b"], "words": ["x, y", "="], "valid": [1, 0], "f": [1.0, 2.0]})
    for suffix in ("csv", "parquet"):
        path = write(frame, tmp_path / f"t.{suffix}")
        opened = open_table(path, Choice(exclude=["words", "valid"]))
        assert [rows().values.tolist() for _, rows in opened.recordings()] == [[[1]], [[2]]]
        with pytest.raises(FeatureTableError, match=r"t\.\w+: no column word, which features excludes, in"):
            open_table(path, Choice(exclude=["word"]))


def test_columns_of_the_own_listing_are_no_features(tmp_path):
    (tmp_path / "t.csv").write_text("recording,Duration,f\na,1,2\n")
    with pytest.raises(FeatureTableError, match="column Duration: named like labels or facts"):
        open_table(tmp_path / "t.csv", Choice(described=("recording", "duration")))


def test_a_recording_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    """A few kB of Parquet may stand for any number of equal rows."""
    frame = pd.DataFrame({"recording": ["a"] * 300_000, "f": 0.0, "g": 1.0})
    path = write(frame, tmp_path / "t.parquet")
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(table_rows, "MOST_VALUES", 500_000)
    with pytest.raises(
        FeatureTableError, match="recording 'a' has more than 500000 values, which would fill"
    ):
        list(open_table(path).recordings())
    monkeypatch.setattr(table_rows, "MOST_VALUES", 600_000)
    assert len(list(open_table(path).recordings())) == 1


def test_more_columns_than_any_table_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_columns, "MOST_COLUMNS", 50)
    monkeypatch.setattr(parquet_table, "MOST_COLUMNS", 50)
    frame = pd.DataFrame({"recording": ["a"], **{f"f{k}": [1.0] for k in range(60)}})
    for suffix in ("csv", "parquet"):
        with pytest.raises(FeatureTableError, match="found 61 columns, expected at most 50"):
            open_table(write(frame, tmp_path / f"t.{suffix}"))


def test_a_damaged_parquet_file_is_one_sentence_wherever_a_byte_is_wrong(tmp_path):
    path = write(table(rows=200), tmp_path / "t.parquet")
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    refused = 0
    for place in draw.integers(0, len(whole), 150):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ int(draw.integers(1, 256))]) + whole[place + 1 :]
        )
        try:
            for _, rows in open_table(path).recordings():
                rows()
        except FeatureTableError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017
            refused += 1
        except MediaError:
            pass
    assert refused > 5


def test_a_time_that_is_no_number_is_asked_for_in_seconds(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("recording,time,f\na,00:00:01.000,1\n")
    with pytest.raises(
        FeatureTableError, match=r"t.csv:2: found '00:00:01.000' in column time, expected seconds"
    ):
        list(open_table(path).recordings())
