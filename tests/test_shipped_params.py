"""The params.yaml in the root: what holds of it after whatever a user may edit (README, "Your data").

A value of the file must not decide whether a test passes; such tests take tests/params.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipeline.params import load_params
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


@pytest.mark.parametrize("path", [("run",), ("corpora", "demo_sessions"), ("demo",), ("runtime",)])
def test_every_key_has_a_comment(path):
    """demo_sessions is the profile that explains; the others have keys "as above"."""
    if "#" not in TEXT or not set(path[1:]) <= yaml.safe_load(TEXT)["corpora"].keys():
        pytest.skip(f"{'.'.join(path)} was removed, or a program wrote the file anew without its comments")
    known = set(keys(load_params(parameters.PATH).model_dump()))
    # a user's own feature table or sub-sequences need none
    bare = [key for key in keys_without_comment(TEXT, path) if key in known]
    assert [key for key in bare if key.rpartition(".")[2] not in WITH_THE_KEY_ABOVE] == []


def test_a_key_without_a_comment_is_found():
    text = "a:\n  # explained\n  b: 1\n  c: 2\n  d:\n    e: [1]\n    f: 3  # explained\n"
    assert keys_without_comment(text, ("a",)) == ["a.c", "a.d.e"]
