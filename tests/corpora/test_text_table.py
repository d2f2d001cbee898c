"""Text tables as spreadsheets, statistics programs and people save them."""

from __future__ import annotations

import csv

import pytest

from pipeline.corpora import text_table as module
from pipeline.corpora.cell_numbers import finite, no_number
from pipeline.corpora.text_table import LONGEST, MOST, TableError, text_table

COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


def read(path, required=("recording", "value"), **options):
    with text_table(path, required, **options) as table:
        return [(line.number, line.cells) for line in table]


def write(tmp_path, content, encoding="utf-8"):
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def refused(path, **options) -> list[str]:
    """Return the sentences of the refusal, without the folder."""
    with pytest.raises(TableError) as error:
        read(path, **options)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path.parent}/") for line in lines]


PLAIN = [(2, {"recording": "a b", "value": "1"}), (3, {"recording": "c,d", "value": ""})]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("tail", ["", "{e}", "{s}{e}{s}{e}", " {e} {s} {e}"])
def test_however_a_program_saves_it(tmp_path, end, separator, mark, tail):
    text = 'recording{s}value{e}"a b"{s} 1{e}"c,d" {s}{e}' + tail
    text = text.replace('"c,d" ', '"c,d"').replace("{s}", separator).replace("{e}", end)
    assert read(write(tmp_path, mark + text.encode())) == PLAIN


@pytest.mark.parametrize("dialect", ["excel", "excel-tab", "unix"])
def test_what_the_csv_module_writes_is_read(tmp_path, dialect):
    rows = [["recording", "value", "note"], ["a", "1", 'says "x", then\nsomething'], ["b", "2", "; ,\t."]]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, dialect).writerows(rows)
    found = read(path)
    assert [[*cells.values()] for _, cells in found] == [*rows[1:]]
    assert [number for number, _ in found] == [2, 4]


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        ("recording,value\nMüller,1\n".encode("cp1252"), 2, "0xfc"),
        (b"recording,value\n" + b"a,1\n" * 100_000 + b"\xe9,1\n", 100_002, "0xe9"),
        (b"r\xe9cording,value\na,1\n", 1, "0xe9"),
        (b"recording,value\ra,1\rb\xff,1\r", 3, "0xff"),
        ("recording,value\n名,1\n".encode("gb18030"), 2, "0xc3"),
    ],
)
def test_a_byte_that_is_not_utf8_is_named(tmp_path, content, line, byte):
    sentence = f"t.csv:{line}: byte {byte} is not UTF-8; save the table as 'CSV UTF-8'"
    assert refused(write(tmp_path, content)) == [sentence]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_two_byte_text_is_refused(tmp_path, encoding):
    (sentence,) = refused(write(tmp_path, "recording,value\na,1\n", encoding))
    assert "UTF-16" in sentence or "UTF-32" in sentence
    assert sentence.endswith("save the table as 'CSV UTF-8'")


def test_a_text_that_breaks_off_within_a_character(tmp_path):
    (sentence,) = refused(write(tmp_path, "recording,value\na,é".encode()[:-1]))
    assert sentence.startswith("t.csv:2: byte 0xc3 is not UTF-8")


def test_names_are_composed_and_paths_are_as_written(tmp_path):
    text = f"recording,value\n{DECOMPOSED},{DECOMPOSED}\n"
    assert read(write(tmp_path, text), as_written=("value",)) == [
        (2, {"recording": COMPOSED, "value": DECOMPOSED})
    ]
    with pytest.raises(TableError, match=f"column '{COMPOSED}' occurs twice"):
        read(write(tmp_path, f"recording,value,{DECOMPOSED},{COMPOSED}\n"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "missing column recording, value in '', expected recording, value"),
        ("recording\n", "missing column value in 'recording', expected recording, value"),
        ("recording|value\n", "missing column recording, value in 'recording|value'"),
        ("recording;valor\n", "missing column value in 'recording,valor'"),
        ("recording,value,value\n", "column 'value' occurs twice, expected once"),
        ("recording,value,=1+1\n", "found '=1+1', which a spreadsheet takes for a formula"),
        ("recording,value,a\x07b\n", "found the control character U+0007 in 'a\\u0007b'"),
        ("recording,va\0lue\n", "found a NUL byte: not a table of text, or UTF-16"),
    ],
)
def test_a_wrong_header_is_one_sentence(tmp_path, text, sentence):
    (found,) = refused(write(tmp_path, text))
    assert found.startswith(f"t.csv:1: {sentence}")


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    text = (
        "recording,value\n"
        "a\n"
        "b,2,3\n"
        "\n"
        ",\n"
        "d,1\n"
        '=HYPERLINK("x"),1\n'
        "-2+3+cmd|' /C calc'!A0,1\n"
        "-3g5yACwYnA,-0.5\n"
        "e\x1bf,1\n"
        "g\u202eh,1\n"
    )
    assert refused(write(tmp_path, text)) == [
        "t.csv:2: found 1 cells ('a'), expected 2",
        "t.csv:3: found 3 cells ('b,2,3'), expected 2",
        "t.csv:5: found a line of separators only, expected such lines at the end alone",
        "t.csv:7: found '=HYPERLINK(\"x\")', which a spreadsheet takes for a formula; expected a name in "
        "the column recording",
        "t.csv:8: found '-2+3+cmd|' /C calc'!A0', which a spreadsheet takes for a formula; expected a name "
        "in the column recording",
        "t.csv:10: found the control character U+001B in 'e\\u001bf', expected text in the column recording",
        "t.csv:11: found the control character U+202E in 'g\\u202eh', expected text in the column recording",
    ]


def test_many_faults_are_counted(tmp_path):
    lines = refused(write(tmp_path, "recording,value\n" + "a\n" * (MOST + 7)))
    assert len(lines) == MOST + 1
    assert lines[-1] == "t.csv: and 7 more"


def test_a_quote_that_is_not_closed_does_not_swallow_the_rest(tmp_path):
    (sentence,) = refused(write(tmp_path, 'recording,value\na,1\nb,"2\n' + "c,3\n" * 5))
    assert sentence.startswith("t.csv:3: not a line of a table (unexpected end of data)")


def test_a_line_without_end_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 1000)
    (sentence,) = refused(write(tmp_path, "recording,value\na,1\nb," + "x" * 5000 + "\n"))
    assert sentence.startswith("t.csv:3: a line of more than 1000 characters")
    assert LONGEST == 1 << 24


def test_a_column_without_a_name_is_passed_over(tmp_path):
    assert read(write(tmp_path, ",recording,value,,\n0,a,1,,\n")) == [(2, {"recording": "a", "value": "1"})]


def test_faults_can_be_reported_instead(tmp_path):
    found = []
    path = write(tmp_path, "Recording,VALUE\na\nb,2\n")
    lines = read(path, small=True, report=lambda line, text: found.append((line, text)))
    assert lines == [(3, {"recording": "b", "value": "2"})]
    assert found == [(2, "found 1 cells ('a'), expected 2")]


@pytest.mark.parametrize(
    ("cell", "value"), [("1", 1.0), ("-2.5e-3", -0.0025), (" 3 ", 3.0), ("1,5", None), ("1_000", None),
                        ("nan", None), ("-inf", None), ("", None), ("x", None)],
)  # fmt: skip
def test_numbers(cell, value):
    assert finite(cell) == value


def test_a_decimal_comma_is_named():
    assert no_number("-1,5") == "'-1,5', expected a finite number with a decimal point"
    assert no_number("high") == "'high', expected a finite number"
