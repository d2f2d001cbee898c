"""ARFF files of features: the values of the file, whatever its header looks like."""

from __future__ import annotations

import arff
import numpy as np
import pytest

from pipeline.corpora import arff as arff_file
from pipeline.features.imported.arff_rows import read_arff
from pipeline.features.media.opening import MediaError
from tests.corpora.official_layouts import HEADERS, STEP, feature_arff, feature_names, features

FOLDER = "features_video_appearance"
NAMES = feature_names(FOLDER)
VALUES = features(FOLDER, "train_1", "arousal", 30)


@pytest.fixture
def write(tmp_path):
    def write(blob):
        path = tmp_path / "train_1.arff"
        path.write_bytes(blob if isinstance(blob, bytes) else blob.encode())
        return path

    return write


@pytest.mark.parametrize("header", range(len(HEADERS)))
def test_columns_that_are_no_features_are_told_by_name_wherever_they_stand(write, header):
    rows = read_arff(write(feature_arff("train_1", NAMES, VALUES, header)))
    assert rows.names == NAMES
    np.testing.assert_array_equal(rows.values, VALUES.astype(np.float32))
    np.testing.assert_allclose(rows.start, np.arange(30) * STEP, atol=1e-9)
    np.testing.assert_array_equal(rows.start, rows.end)
    assert rows.valid.all()


def test_as_an_independent_reader_reads_it(write):
    blob = feature_arff("train_1", NAMES, VALUES, 1)
    theirs = arff.loads(blob.decode().replace(" \r\n@data", "\r\n@data"))
    rows = read_arff(write(blob))
    assert [name for name, _ in theirs["attributes"][2:]] == list(rows.names)
    np.testing.assert_array_equal(np.array([row[2:] for row in theirs["data"]], np.float32), rows.values)
    np.testing.assert_array_equal([row[1] for row in theirs["data"]], rows.start)


def test_a_missing_value_is_nan_and_a_row_without_any_value_not_valid(write):
    values = VALUES.copy()
    values[3, 1] = np.nan
    values[5] = np.nan
    rows = read_arff(write(feature_arff("train_1", NAMES, values)))
    np.testing.assert_array_equal(rows.values, values.astype(np.float32))
    assert np.flatnonzero(~rows.valid).tolist() == [5]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\r\n", "\n"),
        lambda text: "\ufeff" + text,
        lambda text: "% AVEC\r\n\r\n" + text.replace("@data\r\n", "@DATA \r\n% rows\r\n"),
        lambda text: text.replace("@attribute", "  @ATTRIBUTE\t"),
        lambda text: text.replace("train_1,0.40,", "\r\n \t\r\ntrain_1 , 0.40,\t"),
        lambda text: text.replace(",?", ", ?"),
        lambda text: text.rstrip("\r\n"),
        lambda text: text + "\r\n\r\n",
        lambda text: text.replace("name string", "TIMESTAMP_ string").replace("TIMESTAMP_", "Name"),
    ],
    ids=["lf", "bom", "comments", "attribute", "blank", "blank ?", "no end", "blank end", "case"],
)
def test_variants_read_the_same(write, change):
    rows = read_arff(write(change(feature_arff("train_1", NAMES, VALUES).decode())))
    assert rows.names == NAMES
    np.testing.assert_array_equal(rows.values, VALUES.astype(np.float32))


def test_quoted_names_keep_blanks_and_quotes(write):
    names = "@attribute 'F0 (semi\\'tone)' numeric\n@attribute \"a,b\" real\n"
    rows = read_arff(write(f"@attribute time real\n{names}@data\n0,1,2\n1,3,4\n"))
    assert rows.names == ("F0 (semi'tone)", "a,b")
    assert rows.values.tolist() == [[1, 2], [3, 4]]


GOOD = """@relation x
@attribute name string
@attribute frameTime numeric
@attribute f numeric
@data
a,0,1
a,1,2
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("@data", "@dta", "found no line @data"),
        ("a,0,1\na,1,2\n", "", r"no rows below line 5 \(@data\)"),
        ("a,1,2", "a,1", r"line 7: found 2 cells \('a,1'\), expected 3"),
        ("a,1,2", "a,1,x", "line 7: found f 'x', expected a number"),
        ("a,1,2", "a, 1, x", "line 7: found f 'x', expected a number"),
        ("a,1,2", "a,1,1_0", "line 7: found f '1_0', expected a number"),
        ("a,1,2", "a,1,", "line 7: found f '', expected a number"),
        ("a,1,2", "a,,2", "line 7: found frameTime '', expected a number"),
        ("a,1,2", "a,?,2", "row 2 has the times nan to nan s, expected finite ones"),
        ("a,1,2", "a,0,2", "row 2 lies at 0 s, the row before at 0 s; expected rising times"),
        ("a,1,2", "{1 1, 2 2}", r"line 7: found a sparse row \('{1 1, 2 2}'\)"),
        (
            "f numeric",
            "f {low, high}",
            r"line 4: attribute 'f' is '{low, high}', expected numeric, or one of class",
        ),
        ("f numeric", "f", "line 4: attribute 'f' is '', expected numeric"),
        ("frameTime", "when", "found 0 time columns among 3 attributes"),
        ("name string", "timestamp numeric", "found 2 time columns"),
        ("f numeric", "class numeric", "found no features among the attributes name, frameTime, class"),
        ("f numeric", "valid numeric", "line 4: the attribute name 'valid' is used by feature tables"),
        ("@attribute name string", "@attribute f real", "line 4: the attribute name 'f' occurs twice"),
        ("@attribute f numeric", "@attribute", "line 4: found '@attribute', expected @attribute NAME TYPE"),
    ],
)
def test_a_broken_file_says_what_and_where(write, old, new, reason):
    assert read_arff(write(GOOD)).values.tolist() == [[1], [2]]
    path = write(GOOD.replace(old, new))
    with pytest.raises(MediaError, match=reason) as error:
        read_arff(path)
    assert str(error.value).startswith(f"{path}: ")


def test_no_such_file_and_binary_files(write, tmp_path):
    with pytest.raises(MediaError, match="no such file"):
        read_arff(tmp_path / "nowhere.arff")
    with pytest.raises(MediaError, match="found no line @data"):
        read_arff(write(b"\xff\xfe\x00\x01"))


@pytest.mark.parametrize("name", ["'=1+1'", "'@SUM(1)'", '"a\x07b"', "'\u202eb'"])
def test_harmful_names_of_attributes_are_refused(write, name):
    text = f"@relation x\n@attribute frameTime numeric\n@attribute {name} numeric\n@data\n0,1\n"
    with pytest.raises(MediaError, match=r"train_1\.arff: line 3: found .* of an attribute"):
        read_arff(write(text))


def test_a_header_of_more_attributes_than_any_file_has_is_refused(write, monkeypatch):
    monkeypatch.setattr(arff_file, "MOST_COLUMNS", 50)
    names = "".join(f"@attribute f{k} numeric\n" for k in range(100))
    with pytest.raises(MediaError, match="found more than 50 attributes, expected fewer"):
        read_arff(write(f"@attribute frameTime numeric\n{names}@data\n0\n"))


def test_a_header_that_is_not_utf8_is_refused_with_the_line(write):
    text = "@relation x\n@attribute frameTime numeric\n@attribute höhe numeric\n@data\n0,1\n"
    assert read_arff(write(text)).names == ("höhe",)
    with pytest.raises(
        MediaError, match=r"train_1\.arff: line 3: byte 0xf6 is not UTF-8; save the header as UTF-8"
    ):
        read_arff(write(text.encode("latin-1")))
