"""`emobed check` on corpora with feature tables: what is missing is named, media are not asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from stages.commands.app import app
from tests.commands.checkout import make_checkout, set_params
from tests.corpora.mosei_layout import VIDEOS, write_folds, write_labels
from tests.corpora.mosei_layout import write_features as write_csd_features
from tests.corpora.official_layouts import write_features, write_recola

NAMES = [f"{partition}_{number}" for partition in ("dev", "test", "train") for number in (1, 2)]


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Return a function that checks a corpus with some parameters changed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    make_checkout(tmp_path)

    def check(profile, **updates):
        set_params(tmp_path, lambda params: params["corpora"][profile].update(updates, root="raw"))
        done = CliRunner().invoke(app, ["check", profile, "--json", "--workers", "1"])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        found = json.loads(done.stdout)
        assert done.exit_code == bool(found["findings"])
        return found["recordings"], [tuple(item.values()) for item in found["findings"]]

    return check


def entry(path):
    return {"path": path, "statistics": [], "max_failed_share": 0.0}


def test_recola_of_features_only(check, tmp_path):
    root = write_recola(tmp_path / "raw", media=False)
    write_features(root, "features_audio", NAMES, frames=3)
    write_features(root, "features_video_appearance", NAMES[1:], frames=3)
    features = {"a": entry("features_audio"), "v": entry("features_video_appearance")}
    only = {"extract": [], "scenarios": ["a+v"], "features": features}
    folder = "features_video_appearance"
    missing = [
        ("dev_1", f"{folder}/{dimension}/dev_1.arff", "its feature file is not on disk")
        for dimension in ("arousal", "valence")
    ]
    assert check("recola", **only) == (6, missing)
    only["features"] = features | {"g": entry("features_video_geometric")}
    _, found = check("recola", **only)
    (corpus,) = [item for item in found if not item[0]]
    assert corpus[1] == "features_video_geometric"
    assert corpus[2].startswith(
        "corpora.recola.features.g.path: found no feature files at raw/features_video_g"
    )
    # media that are there and not extracted are not looked at
    (root / "recordings_video").mkdir()
    (root / "recordings_video/train_1.mp4").write_text("no video")
    only["features"] = {"a": entry("features_audio")}
    assert check("recola", **(only | {"scenarios": []})) == (6, [])


def test_rows_of_tables(check, tmp_path):
    root = tmp_path / "raw"
    root.mkdir()
    (root / "recordings.csv").write_text("recording,partition,speaker,emotion\na,train,p,1\nb,dev,q,1\n")
    (root / "text.csv").write_text("recording,f\nb,1\nc,2\n")
    only = {"extract": [], "scenarios": [], "features": {"text": entry("text.csv")}}
    assert check("own", **only) == (
        2,
        [
            ("a", "text.csv", "no rows of it"),
            ("c", "text.csv", "rows of a recording that the corpus does not have: left out"),
        ],
    )
    (root / "text.csv").write_text("recording,f\na,1\nb,x\n")
    _, found = check("own", **only)
    way_out = "`exclude: [f]` under features.text leaves the column out"
    assert found == [("", "text.csv", f"line 3: found 'x' in column f, expected a number; {way_out}")]
    (root / "text.csv").write_text("recording,f\na,1\nb,2\n")
    assert check("own", **only) == (2, [])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            "recording,f\nn1,\xfc\n".encode("cp1252"),
            "line 2: byte 0xfc is not UTF-8; save the table as 'CSV UTF-8'",
        ),
        (
            "recording,f\nn1,1\n".encode("utf-16"),
            "line 1: the table is UTF-16, expected UTF-8; save the table as",
        ),
        (b"name,f\nn1,1\n", "found the columns 'name,f', expected recording"),
        (b"recording,f\nn1\nn2,1,2\n", "line 2: found 1 cells ('n1'), expected 2; line 3: found 3 cells"),
        (b"recording,valence,f\nn1,1,2\n", "column valence: named like labels"),
        (b"PAR1", "found the columns 'PAR1', expected recording"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line_however_many_recordings(check, tmp_path, content, reason):
    root = tmp_path / "raw"
    root.mkdir()
    names = "".join(f"n{k},train,p,1\n" for k in range(300))
    (root / "recordings.csv").write_text(f"recording,partition,speaker,emotion\n{names}")
    (root / "text").mkdir()
    (root / "text/a.csv").write_text("recording,f\nn0,1\n")
    (root / "text/b.csv").write_bytes(content)
    count, found = check("own", extract=[], scenarios=[], features={"text": entry("text")})
    assert count == 300
    ((recording, file, text),) = found
    assert (recording, file) == ("", "text/b.csv")
    assert text.startswith(reason)


def test_a_table_without_any_number_is_found(check, tmp_path):
    root = tmp_path / "raw"
    root.mkdir()
    (root / "recordings.csv").write_text(
        "recording;partition;speaker;emotion;stimulus\na;train;p;sad;1\nb;train;q;happy;2\n"
    )
    (root / "text.csv").write_text("recording,f,g\na,,1e39\nb,nan,inf\n")
    own = {"layout": "table", "extract": [], "features": {"text": entry("text.csv"), "bio": entry("bio.csv")}}
    own |= {"scenarios": ["text+bio"]}
    (root / "bio.csv").write_text("recording,f,stimulus\na,1,1\nb,2,2\n")
    _, findings = check("own", **own)
    assert ("", "text.csv", "no row has a number, expected features") in findings
    assert any(file == "bio.csv" and "column stimulus: named like" in reason for _, file, reason in findings)
    (root / "text.csv").write_text("recording,f,g\na,,1\nb,nan,2\n")
    (root / "bio.csv").write_text("recording,f\na,1\nb,2\n")
    assert check("own", **own) == (2, [])


def test_statistics_and_share_of_failures_have_defaults(check, tmp_path):
    root = tmp_path / "raw"
    root.mkdir()
    (root / "recordings.csv").write_text("recording,partition,speaker,emotion\na,train,p,1\n")
    (root / "text.csv").write_text("recording;f;emotion\na;1;2\n;;\n")
    only = {"extract": [], "scenarios": []}
    assert check("own", features={"text": {"path": "text.csv", "exclude": ["emotion"]}}, **only) == (1, [])


def test_names_of_files_are_shown_without_control_characters(check, tmp_path):
    root = write_recola(tmp_path / "raw", media=False)
    write_features(root, "features_audio", NAMES, frames=3)
    for dimension in ("arousal", "valence"):
        (root / f"features_audio/{dimension}/=a\x1b[2J\u202eb.arff").write_text("x")
    _, found = check("recola", extract=[], scenarios=[], features={"a": entry("features_audio")})
    assert {item[0] for item in found} == {"'=a [2J b"}
    assert all("\x1b" not in cell and "\u202e" not in cell for item in found for cell in item)


def test_files_of_the_cmu_sdk(check, tmp_path):
    root = tmp_path / "raw"
    labels = np.array([[0.0, 1, 0, 0, 0, 0, 0], [0.0, 0, 1, 0, 0, 0, 0]])
    write_labels(root, dict.fromkeys(VIDEOS, labels))
    write_folds(root)
    rows = {video: [np.ones((4, 3)), np.ones((4, 3))] for video in VIDEOS}
    rows["12345"][0][1, 2] = -np.inf  # counts as 0, and is said
    write_csd_features(root, "sound.csd", rows)
    del rows["Test-c"]
    write_csd_features(root, "face.csd", rows)
    set_params(
        tmp_path, lambda params: params["corpora"]["own"]["learning"].update(loss="binary_cross_entropy")
    )
    only = {
        "layout": "cmu_mosei",
        "task": "multilabel",
        "extract": [],
        "scenarios": [],
        "features": {"sound": entry("sound.csd") | {"statistics": ["mean"]}},
    }
    assert check("own", **only) == (8, [])
    only["features"]["face"] = entry("face.csd") | {"statistics": ["mean"]}
    found = [
        (f"Test-c[{place}]", "face.csd", f"found neither Test-c[{place}] nor Test-c") for place in (0, 1)
    ]
    assert check("own", **only) == (8, found)
    (root / "face.csd").write_bytes(b"<html>404 Not Found</html>")
    _, [(recording, file, reason)] = check("own", **only)
    assert (recording, file) == ("", "face.csd")
    assert reason.startswith("cannot be read as HDF5 (")
