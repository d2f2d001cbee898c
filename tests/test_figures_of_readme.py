"""What README and docs/use.md show of a run: the places that `make figures` writes."""

from __future__ import annotations

import importlib.util
import re

import pandas as pd
import pytest

from pipeline.paths import Paths
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


def test_the_page_on_use_has_one_place_for_each_table_of_enrolment_and_no_figure_beside():
    text = (ROOT / "docs/use.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- made by make figures: (.+) -->", text) == list(figures.ENROLMENT)
    for name in figures.ENROLMENT:
        assert figures.replaced(text, name, "x") != text
    by_hand = re.sub(r"<!-- made by make figures.*?<!-- end -->", "", text, flags=re.DOTALL)
    assert not re.findall(r"(?<![\d.])\.\d{3}", by_hand)


def test_the_tables_of_enrolment_are_those_of_the_scores(tmp_path):
    paths = Paths("demo_clips", tmp_path)
    paths.scores.mkdir(parents=True)
    rows = []
    for target, partition in (("audio", "dev"), ("audio", "test")):
        for place, system in enumerate(("classic", "emobed", "multi_task")):
            for step, enrolled in enumerate(("0", "1", "3", "5", "all")):
                rows.append(
                    {"target": target, "partition": partition, "metric": "uar", "system": system}
                    | {"enrolled": enrolled, "value": 0.5 + 0.1 * place + 0.01 * step, "most": 7}
                    | {"gain": -0.01 * place * step, "gain_low": -0.2, "gain_high": 0.1}
                )
                rows.append({**rows[-1], "metric": "accuracy", "value": 0.99, "gain": -9.0})
    pd.DataFrame(rows).to_csv(paths.enrolment, index=False)
    folder = paths.recognisers / "audio+video.emotion"
    folder.mkdir(parents=True)
    (folder / "recogniser.json").write_text('{"system": "multi_task"}')
    scores, least = figures.enrolment_tables(paths).values()
    assert scores.splitlines()[0] == "| UAR | partition | system | 0 | 1 | 3 | 5 | all 7 |"
    assert scores.splitlines()[2] == "| audio | dev | classic | .500 | .510 | .520 | .530 | .540 |"
    assert scores.splitlines()[4].startswith("| audio | dev | multi-task (exported) | .700 | .710 |")
    assert len(scores.splitlines()) == 2 + 6
    assert least.splitlines()[2:] == [
        f"| audio | {partition} | multi-task −.020 (−.200 to +.100) | multi-task −.040 (−.200 to +.100) "
        "| multi-task −.060 (−.200 to +.100) |"
        for partition in ("dev", "test")
    ]
