"""`emobed corpus`: what is in force, and a new entry that loses nothing."""

import json
import shutil

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.params import load_params
from stages.commands.app import app
from stages.commands.corpus import SHIPPED
from tests.conftest import ROOT

TEXT = """# on top
run:
  corpora: [one]
defaults:
  # of sound
  audio: &audio
    # of sets
    feature_set: eGeMAPSv02
    level: functionals  # of levels
corpora:
  # ---------
  # Heading of one.
  one: &one
    # where it lies
    root: data/raw/one
    audio:
      <<: *audio
  # Heading of two.
  two:
    root: data/raw/two   # elsewhere
    audio:
      <<: *audio
      # another level
      level: lld_statistics

# the rest
runtime: {workers: 2}
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "tests/params.yaml", tmp_path / "params.yaml")
    return tmp_path / "params.yaml"


def emobed(*arguments):
    done = CliRunner().invoke(app, ["corpus", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def comments(text):
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


def test_meanings_come_from_the_nearest_comment():
    from pipeline.params.profiles import Profiles

    assert Profiles(TEXT).meanings("two") == {
        "root": "elsewhere",
        "audio.level": "another level",
        "audio.feature_set": "of sets",
        "audio": "of sound",
    }
    assert Profiles(TEXT).meanings("one")["audio.level"] == "of levels"
    assert Profiles(TEXT).meanings("one")["root"] == "where it lies"


@pytest.mark.parametrize("like", ["one", "two"])
def test_a_copy_loses_and_changes_nothing_else(like):
    from pipeline.params.profiles import Profiles

    text = Profiles(TEXT).with_copy("new", like, "/data/new")
    before, after = yaml.safe_load(TEXT), yaml.safe_load(text)
    expected = before["corpora"][like] | {"root": "/data/new"}
    assert after == before | {"corpora": before["corpora"] | {"new": expected}}
    lines = text.splitlines()
    start = lines.index("  new:")
    kept = lines[: start - 1]  # and a blank line
    assert kept + lines[len(kept) + len(lines) - len(TEXT.splitlines()) :] == TEXT.splitlines()
    own = {"one": ["# where it lies"], "two": ["# another level"]}[like]
    assert comments(text) == sorted([*comments(TEXT), *own, "# of sound"])


def test_a_copy_says_what_each_key_means_that_its_model_left_to_another_profile():
    """Of keys that are written; those of merged groups are explained where they stand."""
    from pipeline.params.profiles import Profiles

    text = Profiles(TEXT).with_copy("new", "two", "/data/new")
    entry = text[text.index("  new:") : text.index("# the rest")]
    assert entry.rstrip().split("\n") == [
        "  new:",
        "    root: /data/new",
        "    # of sound",
        "    audio:",
        "      <<: *audio",
        "      # another level",
        "      level: lld_statistics",
    ]


def test_show_prints_what_is_in_force_with_defaults(checkout):
    code, text = emobed("show", "demo_clips", "--json")
    assert code == 0
    found = json.loads(text)
    assert found["learning"]["optimiser"]["epochs"] == 60
    assert found["labels"]["max_gap"] == 1.0  # not in the file
    assert found["scenarios"] == ["audio+video", "video+audio"]
    code, text = emobed("show", "demo_clips")
    assert code == 0
    assert "    epochs: 60\n" in text
    assert emobed("show", "nobody") == (
        1,
        f"emobed: 'nobody' is not under corpora; expected one of {sorted(load_params(checkout).corpora)}\n",
    )


def test_add_writes_a_corpus_that_loads(checkout):
    before = checkout.read_text()
    code, text = emobed("add", "third", "--like", "own", "--root", "/data/third")
    assert code == 0
    assert "corpora.third is a copy of own" in text
    params = load_params(checkout)
    assert str(params.corpora["third"].root) == "/data/third"
    assert params.corpora["third"].video == params.corpora["own"].video
    assert all(line in checkout.read_text().splitlines() for line in before.splitlines())
    for arguments, sentence in [
        (("third",), "corpora.third is in params.yaml already"),
        (("../x",), "'../x' is no name of a corpus"),
        (("fourth", "--like", "nobody"), "'nobody' is not under corpora, expected one of"),
        (("fourth", "--like", "MELD"), "did you mean 'meld'?"),
    ]:
        code, text = emobed("add", *arguments)
        assert code == 1
        assert sentence in text
    after = checkout.read_text()
    code, text = emobed("add", "fifth", "--like", "mixed_clips")  # whose root is always `.`
    assert (code, checkout.read_text()) == (1, after)
    assert "corpora.fifth.root: of layout mixed is '.'" in text


ENTRY = """  # Heading of known.
  known:
    root: data/raw/known
    audio: {<<: *audio}
"""


def test_an_entry_of_a_file_is_added_with_its_heading():
    from pipeline.params.profiles import Profiles

    text = Profiles(TEXT).with_entry("new", ENTRY, "/data/new")
    after = yaml.safe_load(text)["corpora"]
    assert after["new"] == {"root": "/data/new", "audio": after["one"]["audio"]}
    assert "known" not in after
    entry = text[text.index("  # Heading of known.") : text.index("# the rest")]
    assert entry.rstrip().split("\n") == [
        "  # Heading of known.",
        "  new:",
        "    # where it lies",
        "    root: /data/new",
        "    # of sound",
        "    audio: {<<: *audio}",
    ]


def test_an_entry_whose_groups_the_user_took_away_is_refused(checkout):
    before = checkout.read_text()  # has no group called partitions
    code, said = emobed("add", "ravdess")
    assert (code, checkout.read_text()) == (1, before)
    assert "params.yaml: the profile cannot be added (found undefined alias 'partitions')" in said


def test_the_entry_of_a_known_corpus_is_found_by_its_name(checkout, monkeypatch):
    path = checkout.with_name("known.yaml")
    monkeypatch.setitem(SHIPPED, "known", path)
    path.write_text("  # Heading of known.\n  known:\n    <<: *clips\n")
    assert emobed("add", "known")[0] == 0
    assert emobed("add", "other", "--like", "known", "--root", "/data/x")[0] == 0
    corpora = load_params(checkout).corpora
    assert corpora["known"].learning == corpora["other"].learning == corpora["demo_clips"].learning
    assert "  # Heading of known.\n  known:\n" in checkout.read_text()


@pytest.mark.parametrize(
    ("name", "profiles"),
    [
        ("MELD", ["meld"]),
        ("iemocap", ["iemocap4", "iemocap6"]),
        ("CREMA-D", ["crema_d"]),
        ("mosei", ["cmu_mosei"]),
        ("OMG-Emotion", ["omg"]),
        ("RECOLA_2016", ["recola"]),
    ],
)
def test_a_name_like_a_known_corpus_is_no_silent_copy_of_own(checkout, name, profiles):
    before = checkout.read_bytes()
    code, text = emobed("add", name)
    assert code == 1
    assert f"looks like that of {' and '.join(profiles)}" in text
    assert checkout.read_bytes() == before
    assert emobed("add", name, "--like", "own")[0] == 0  # who says so gets it


@pytest.mark.parametrize("name", ["third", "emotions", "ads", "clips2026"])
def test_other_names_are_copies_of_own(checkout, name):
    assert emobed("add", name)[0] == 0
