import csv

from pipeline.cross.columns import COLUMNS
from pipeline.reporting.cross_table import cross_table
from pipeline.reporting.index import build_index

CLIPS = {"recogniser": "audio+video.emotion", "trained_on": "clips", "system": "classic", "setting": ""}
ROWS = (
    CLIPS
    | {"corpus": "clips", "partition": "test", "metric": "f1_macro_pr", "value": 0.7, "low": 0.5, "high": 0.8}
    | {"confidence": 0.95, "n": 1500, "unit": "speaker", "units": 6, "classes": "anger, sad", "chance": 0.5},
    CLIPS | {"corpus": "clips", "metric": "uar", "value": 0.6},
    CLIPS | {"corpus": "clips", "metric": "f1_macro_pr", "column": "sex", "group": "f", "value": 0.1},
    CLIPS | {"corpus": "sessions", "n": 0, "note": "nothing in common: sessions has no classes"},
    CLIPS | {"corpus": "far", "n": 0, "note": "extract_audio: the media are not on this machine"},
)


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)


def test_each_pair_has_its_score_or_why_there_is_none(tmp_path):
    write(tmp_path / "cross.csv", ROWS)
    (row,) = cross_table(tmp_path / "cross.csv").rows
    assert [cell.text for cell in row] == [
        "clips", "audio+video.emotion", "F1 .700", "nothing in common", "not scored",
    ]  # fmt: skip
    assert row[2].detail == (
        "95% interval .500 to .800, n = 1\u2009500, 6 speakers, 2 common classes, chance UAR .500"
    )
    assert row[3].detail == "sessions has no classes"
    assert row[4].detail.startswith("extract_audio")
    build_index(tmp_path)
    assert "Trained on one corpus, tested on another" in (tmp_path / "index.html").read_text()


def test_without_rows_there_is_no_table_and_no_heading(tmp_path):
    assert cross_table(tmp_path / "cross.csv") is None
    write(tmp_path / "cross.csv", ())
    assert cross_table(tmp_path / "cross.csv") is None
    build_index(tmp_path)
    assert "tested on another" not in (tmp_path / "index.html").read_text()
