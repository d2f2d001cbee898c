"""What README shows of a run: the places that `make figures` writes."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.stage_imports import ROOT

pytest.importorskip("playwright.sync_api")
spec = importlib.util.spec_from_file_location("figures", ROOT / "docs/figures.py")
assert spec is not None
assert spec.loader is not None
figures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(figures)


def test_readme_has_one_place_for_each_block_and_no_other_figures_of_a_run():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = re.findall(r"<!-- made by make figures: (.+) -->", text)
    assert sorted(names) == sorted(["main tables", *figures.SHOWN])
    for name in names:
        assert figures.replaced(text, name, "x") != text
    by_hand = re.sub(r"<!-- made by make figures.*?<!-- end -->", "", text, flags=re.DOTALL)
    assert not re.findall(r"\.\d+ ± \.\d", by_hand)
    assert not re.findall(r"\.\d\d to \.\d\d", by_hand)


def test_a_block_is_written_between_its_marks_alone():
    text = "a\n<!-- made by make figures: x -->\nold | \\1\n<!-- end -->\nb <!-- end -->"
    found = figures.replaced(text, "x", r"new \1")
    assert found == "a\n<!-- made by make figures: x -->\nnew \\1\n<!-- end -->\nb <!-- end -->"
    with pytest.raises(ValueError, match="expected one place between <!-- made by make figures: y -->"):
        figures.replaced(text, "y", "")
    assert figures.markdown([["a", "b"], ["1\n2", "3"]]) == "| a | b |\n|---|---|\n| 1 2 | 3 |"
