"""Words for no label, in every layout that may hold some. Some 0.5 s."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.layouts import omg as omg_layout
from pipeline.corpora.layouts import table as table_layout
from pipeline.corpora.layouts.known import layout_of
from pipeline.corpora.layouts.mixed_parts import renamed
from pipeline.corpora.problems import NoLabel
from pipeline.corpora.register import register
from pipeline.paths import Paths
from pipeline.tools.checking import check
from tests.corpora.official_layouts import write_omg
from tests.corpora.register_corpus import Corpus
from tests.own_tables import OwnTables, clips

HEADER = "recording,partition,speaker,audio,video,emotion\n"


def table(root: Path, *emotions: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    lines = [f"r{k},train,s{k},r{k}.wav,,{emotion}\n" for k, emotion in enumerate(emotions)]
    (root / "recordings.csv").write_text(HEADER + "".join(lines))
    for k in range(len(emotions)):
        (root / f"r{k}.wav").write_bytes(b"x")
    return root


def classes_of(found):
    emotion = found.traces[found.traces["dimension"] == "emotion"]
    return {
        name: found.classes[int(c)] for name, c in zip(emotion["recording"], emotion["value"], strict=True)
    }


@pytest.mark.parametrize(
    ("cell", "absent"),
    [
        ("NA", True), ("na", True), ("NaN", True), ("None", True), ("NULL", True), ("xxx", True),
        ("-1", True), ("-1.0", True), ("", True), (" n/a ", True),
        ("happy", False), ("nap", False), ("0", False),
    ],
)  # fmt: skip
def test_words_for_nothing(cell, absent):
    assert Absent()(cell, "emotion", "r") is absent


def test_a_number_is_a_rating():
    absent = Absent()
    assert not absent("-1", "arousal", "r")
    assert not absent("-1.0", "valence", "r")
    assert absent("NA", "arousal", "r")
    assert absent("nan", "arousal", "r")


@pytest.mark.parametrize(
    ("cell", "bare"), [("3.0", "3"), ("3", "3"), (" 3.00 ", "3"), ("3.5", "3.5"), ("a.0", "a.0")]
)
def test_whole_numbers(cell, bare):
    assert plain(cell) == bare


def test_words_for_nothing_are_no_class_of_a_table(tmp_path):
    found = table_layout.LAYOUT.read(table(tmp_path, "happy", "sad", "NA", "sad", "None", "nan", ""))
    assert found.classes == ("happy", "sad")
    assert classes_of(found) == {"r0": "happy", "r1": "sad", "r3": "sad"}
    (problem,) = found.problems
    assert isinstance(problem, NoLabel)
    assert found.no_label == {(name, "emotion") for name in ("r2", "r4", "r5")}
    assert problem.reason == "no label of emotion where the cell is NA (1), None (1), nan (1): labels.absent"


def test_codes_beside_a_word_for_nothing_stay_codes(tmp_path):
    found = table_layout.LAYOUT.read(table(tmp_path, "3.0", "5.0", "NaN", "-1"))
    assert classes_of(found) == {"r0": "happy", "r1": "sad"}


def test_numbers_beyond_the_codes_are_classes_of_ones_own(tmp_path):
    found = table_layout.LAYOUT.read(table(tmp_path, "10", "9", "1", "-1"))
    assert found.classes == ("1", "9", "10")
    assert classes_of(found) == {"r0": "10", "r1": "9", "r2": "1"}


def test_the_list_is_the_users(tmp_path):
    root = table(tmp_path / "data", "happy", "other", "NA", "sad")
    corpus = Corpus("table", root)
    corpus.labels = corpus.labels.model_copy(update={"absent": ("other",)})
    found = layout_of(corpus, Paths("c", tmp_path)).read(root)
    assert found.classes == ("NA", "happy", "sad")


def test_register_reads_again_when_the_list_changes(tmp_path):
    root = table(tmp_path / "data", "happy", "other", "NA", "sad")
    corpus, paths = Corpus("table", root), Paths("c", tmp_path)
    register(corpus, paths, tmp_path / "hashes.json")
    assert (paths.traces / "classes.json").read_text() == '["happy", "other", "sad"]\n'
    corpus.labels = corpus.labels.model_copy(update={"absent": ("other", "NA")})
    assert register(corpus, paths, tmp_path / "hashes.json").traces_written
    assert (paths.traces / "classes.json").read_text() == '["happy", "sad"]\n'
    assert (
        "no label of emotion where the cell is NA (1), other (1)"
        in (paths.traces / "problems.csv").read_text()
    )


def test_absent_values_of_traces_are_no_ratings(tmp_path):
    root = table(tmp_path, "happy", "sad")
    (root / "traces.csv").write_text(
        "recording,dimension,rater,time,value\n"
        "r0,arousal,gold,0.0,-1\nr0,arousal,gold,0.5,NA\nr0,arousal,gold,1.0,\nr0,arousal,gold,1.5,0.25\n"
    )
    found = table_layout.LAYOUT.read(root)
    arousal = found.traces[found.traces["dimension"] == "arousal"]
    assert arousal[["time", "value"]].to_numpy().tolist() == [[0.0, -1.0], [1.5, 0.25]]
    assert found.no_label == {("r0", "arousal")}
    assert [(p.file, p.reason) for p in found.problems] == [
        ("traces.csv", "no label of arousal where the cell is NA (1), empty (1): labels.absent")
    ]


def test_a_code_in_traces_that_is_no_class_is_refused(tmp_path):
    root = table(tmp_path, "happy", "sad")
    (root / "traces.csv").write_text("recording,dimension,rater,time,value\nr0,emotion,r1,0.0,9\n")
    with pytest.raises(ValueError, match=r"traces\.csv: found emotion '9', expected a name or code out of"):
        table_layout.LAYOUT.read(root)


def test_words_for_nothing_in_omg(tmp_path):
    rows = [("x", 0.0, 1.0, "v1", f"u{n}.mp4", arousal, 0.1, code)
            for n, (arousal, code) in enumerate([(0.1, 3), ("NA", -1), (-1, "nan"), (0.2, 5)])]  # fmt: skip
    found = omg_layout.LAYOUT.read(write_omg(tmp_path, {"Train": rows}))
    assert classes_of(found) == {"v1/u0": "happy", "v1/u3": "sad"}
    arousal = found.traces[found.traces["dimension"] == "arousal"]
    assert dict(zip(arousal["recording"], arousal["value"], strict=True)) == {
        "v1/u0": 0.1, "v1/u2": -1.0, "v1/u3": 0.2,
    }  # fmt: skip
    assert found.no_label == {("v1/u1", "emotion"), ("v1/u2", "emotion"), ("v1/u1", "arousal")}
    assert {p.reason for p in found.problems} == {
        "no label of emotion where the cell is -1 (1), nan (1): labels.absent",
        "no label of arousal where the cell is NA (1): labels.absent",
    }


def test_check_says_what_is_absent_and_which_names_look_alike(tmp_path):
    own = OwnTables(tmp_path)
    own.write(*clips(["Glad", "glad", "gloomy", "NA"], ["train"] * 4))
    found = check(own.corpus, own.paths)
    reasons = {item.reason for item in found.findings}
    assert "recordings.csv: no label of emotion where the cell is NA (1): labels.absent" in found.notes
    assert any(reason.startswith("the classes 'Glad' (1 recordings) and 'glad' (1)") for reason in reasons)


def checked(own, emotions, traces=()):
    parts = ["train"] * 6 + ["dev"] * 4 + ["test"] * 4
    own.write(*clips(emotions, parts), traces)
    return check(own.corpus, own.paths)


def test_a_word_for_no_label_is_nothing_wrong_and_an_empty_or_unknown_cell_is(tmp_path):
    own = OwnTables(tmp_path)
    emotions = ["happy", "sad"] * 7
    assert checked(own, emotions).findings == []
    found = checked(own, ["NA", "xxx", *emotions[2:7], "na", *emotions[8:]])
    assert found.findings == []
    assert "recordings.csv: no label of emotion where the cell is NA (1), na (1), xxx (1): labels.absent" in (
        found.notes
    )
    assert checked(own, ["", *emotions[1:]]).findings == [("r00", "", "no labels of emotion")]
    with pytest.raises(ValueError, match="found emotion '77', expected a name or code out of"):
        checked(own, ["77", *emotions[1:]])


def test_a_problem_of_a_source_is_of_the_same_kind_under_its_other_name():
    part = SimpleNamespace(name="heard", root=Path("data/raw/own"))
    moved = renamed(part, NoLabel("r", "recordings.csv", "none"))
    assert (type(moved), *moved) == (NoLabel, "heard/r", "data/raw/own/recordings.csv", "none")
