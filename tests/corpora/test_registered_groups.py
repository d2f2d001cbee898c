"""Columns of a corpus that name groups, from the user's table to groups.csv."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.corpora.group_file import read_groups
from pipeline.corpora.registered_groups import MOST, register_groups
from pipeline.corpora.text_table import TableError
from pipeline.params import ABSENT
from pipeline.paths import Paths

HEADER = "recording,partition,speaker,audio,video,sex,language,age\n"
ROWS = (
    'a,train,s1,a.wav,,female,Deutsch,31\nb,train,s2,b.wav,,male,,NA\nc,test,s3,c.wav,,"male",English,1.0\n'
)


def corpus(*groups: str, layout: str = "table"):
    return SimpleNamespace(
        layout=layout,
        root="own",
        evaluation=SimpleNamespace(groups=groups),
        labels=SimpleNamespace(absent=ABSENT),
        task="classification",
    )


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/recordings.csv").write_text(HEADER + ROWS, encoding="utf-8")
    return Paths("own", tmp_path)


def test_only_the_columns_that_are_asked_for_are_kept(paths):
    register_groups(corpus("sex", "language"), paths)
    assert (paths.groups / "groups.csv").read_text(encoding="utf-8") == (
        "recording,sex,language\na,female,Deutsch\nb,male,\nc,male,English\n"
    )
    found = read_groups(paths)
    assert found["sex"] == {"a": "female", "b": "male", "c": "male"}
    assert found["language"]["b"] == ""
    register_groups(corpus(), paths)
    assert (paths.groups / "groups.csv").read_text(encoding="utf-8") == "recording\n"
    assert read_groups(paths) == {}


def test_words_for_nothing_are_not_given_and_whole_numbers_have_no_point(paths):
    register_groups(corpus("age"), paths)
    assert read_groups(paths) == {"age": {"a": "31", "b": "", "c": "1"}}


def test_an_unknown_column_is_named_with_those_that_there_are(paths):
    with pytest.raises(
        ValueError, match=r"corpora.own.evaluation.groups: .*recordings.csv has no column 'Sex'"
    ) as e:
        register_groups(corpus("sex", "Sex"), paths)
    assert "partition, speaker, audio, video, sex, language, age" in str(e.value)
    assert "\n" not in str(e.value)


def test_what_is_no_category_is_refused(paths):
    file = paths.root / "own/recordings.csv"
    many = "".join(f"r{i},train,s{i},r{i}.wav,,,,{20 + i}\n" for i in range(MOST + 1))
    file.write_text(HEADER + many, encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"column age has 13 different values, such as '20', expected at most 12"
    ) as e:
        register_groups(corpus("age"), paths)
    assert "18 to 30" in str(e.value)
    with pytest.raises(ValueError, match="column sex is empty"):
        register_groups(corpus("sex"), paths)
    file.write_text(HEADER + "a,train,s1,a.wav,,=1+1,,\n", encoding="utf-8")
    with pytest.raises(TableError, match="takes for a formula"):
        register_groups(corpus("sex"), paths)


def test_a_clone_without_the_corpus_keeps_what_it_pulled(paths):
    register_groups(corpus("sex"), paths)
    before = (paths.groups / "groups.csv").read_bytes()
    (paths.root / "own/recordings.csv").unlink()
    register_groups(corpus("sex"), paths)
    assert (paths.groups / "groups.csv").read_bytes() == before
    with pytest.raises(ValueError, match=r"no column language, and the corpus is not here: .*dvc pull"):
        register_groups(corpus("sex", "language"), paths)
