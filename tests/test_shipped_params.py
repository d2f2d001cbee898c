"""The params.yaml in the root: what holds of it after whatever a user may edit (README, "Your data").

A value of the file must not decide whether a test passes; such tests take tests/params.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from pipeline.params import load_params
from pipeline.params.profiles import Profiles
from stages.commands.corpus import SHIPPED
from tests import parameters
from tests.conftest import ROOT

WITH_THE_KEY_ABOVE = {
    "shared_layers", "weight_decay", "average_epochs", "margin", "beta", "scaling", "dev", "test",
}  # fmt: skip
"""Keys that one comment explains together with their neighbour."""

PATH = ROOT / "params.yaml"
TEXT = PATH.read_text(encoding="utf-8")


def test_it_loads():
    load_params(PATH)


def test_no_other_test_reads_it():
    """What a user wrote must not decide whether a test passes (tests/parameters.py says how to write one)."""
    reads = re.compile(
        r"""(ROOT|REPOSITORY|parents\[\d\]) / "params\.yaml"|(copy|copy2)\("params\.yaml"|Path\("params"""
    )
    found = [path.name for path in (ROOT / "tests").rglob("*.py") if reads.search(path.read_text())]
    assert sorted(found) == ["test_dvc_yaml.py", "test_shipped_params.py"]


def keys_without_comment(text: str, path: tuple[str, ...]) -> list[str]:
    """Return the keys with a value below the group at `path` that no comment is above or behind, dotted."""
    lines = text.splitlines()
    node = yaml.compose(text)
    for key in path:
        node = next(value for name, value in node.value if name.value == key)

    def walk(group: yaml.MappingNode, path: tuple[str, ...]) -> Iterator[str]:
        for name, value in group.value:
            here = (*path, name.value)
            if isinstance(value, yaml.MappingNode) and value.value:
                yield from walk(value, here)
                continue
            line = name.start_mark.line
            if "#" not in lines[line] and not lines[line - 1].lstrip().startswith("#"):
                yield ".".join(here)

    return list(walk(node, path))


def keys(tree: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, value in tree.items():
        yield above + key
        if isinstance(value, dict):
            yield from keys(value, f"{above}{key}.")


@pytest.mark.parametrize("path", [("run",), ("demo",), ("runtime",)])
def test_every_key_has_a_comment(path):
    if "#" not in TEXT:
        pytest.skip("a program wrote the file anew without its comments")
    known = set(keys(load_params(parameters.PATH).model_dump()))
    bare = [key for key in keys_without_comment(TEXT, path) if key in known]
    assert [key for key in bare if key.rpartition(".")[2] not in WITH_THE_KEY_ABOVE] == []


@pytest.mark.parametrize("corpus", ["demo_sessions", "demo_clips"])
def test_every_key_of_a_corpus_is_explained_where_it_is_shown(corpus):
    """By a comment of its own, of the defaults, or of the first profile that has one."""
    if "#" not in TEXT or not {corpus, "demo_sessions"} <= yaml.safe_load(TEXT)["corpora"].keys():
        pytest.skip("a profile was removed, or a program wrote the file anew without its comments")
    meanings = Profiles(TEXT).meanings(corpus)
    own = load_params(parameters.PATH).corpora[corpus].model_dump(exclude={"sources", "audformat"})
    groups = {key for key in keys(own) if any(other.startswith(f"{key}.") for other in keys(own))}
    bare = [key for key in keys(own) if key not in meanings and key not in groups]
    assert [key for key in bare if key.rpartition(".")[2] not in WITH_THE_KEY_ABOVE] == []


def test_a_key_without_a_comment_is_found():
    text = "a:\n  # explained\n  b: 1\n  c: 2\n  d:\n    e: [1]\n    f: 3  # explained\n"
    assert keys_without_comment(text, ("a",)) == ["a.c", "a.d.e"]


def comments(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


def test_groups_are_merged_and_never_one_and_the_same():
    """`audio: *audio` would let `dvc exp run -S` on one corpus change every other."""
    wrong = []

    def walk(node, seen):
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value == "<<":
                continue
            if id(value) in seen:
                wrong.append(f"line {key.start_mark.line + 1}: {key.value}")
            seen.add(id(value))
            walk(value, seen)

    walk(yaml.compose(TEXT), set())
    assert wrong == []


def test_an_experiment_keeps_the_comments_and_touches_one_corpus(tmp_path):
    """`dvc exp run -S` writes params.yaml anew: what it does to the file that is shipped."""
    if "<<: *optimiser" not in TEXT or "demo_sessions" not in yaml.safe_load(TEXT)["corpora"]:
        pytest.skip("the profiles were changed, or a program wrote the file anew")
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    changes = ["corpora.demo_sessions.learning.optimiser.epochs=31", "corpora.demo_sessions.report.seed=7"]
    apply_overrides(path, changes)
    before, after = yaml.safe_load(TEXT), yaml.safe_load(path.read_text())
    before["corpora"]["demo_sessions"]["learning"]["optimiser"]["epochs"] = 31
    before["corpora"]["demo_sessions"]["report"]["seed"] = 7
    assert after == before
    assert comments(path.read_text()) == comments(TEXT)


@pytest.mark.parametrize("layout", sorted(SHIPPED))
def test_entries_of_known_corpora_can_be_added_to_it(layout, tmp_path):
    entry = SHIPPED[layout].read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(Profiles(TEXT).with_entry("added_one", entry, "data/raw/added"), encoding="utf-8")
    found = load_params(path).corpora["added_one"]
    assert (found.layout, str(found.root)) == (layout, "data/raw/added")
    text = path.read_text(encoding="utf-8")
    bare = keys_without_comment(text, ("corpora", "added_one"))
    assert [key for key in bare if key.rpartition(".")[2] not in WITH_THE_KEY_ABOVE] == []
    assert entry.splitlines()[0] in text.splitlines()


def test_it_can_be_read_in_one_sitting():
    assert len(TEXT.splitlines()) <= 600
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) <= 310
