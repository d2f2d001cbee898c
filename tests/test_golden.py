"""Every VERSION against its golden numbers: what moves without it, or it without them, fails here."""

from __future__ import annotations

import ast
import json
import re

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.golden import comparison
from tests.golden.cases import CASES
from tests.golden.comparison import Case, Numbers, moved, verdict, write


@pytest.mark.filterwarnings("ignore:Feature set")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_numbers_and_version_belong_together(case, tmp_path):
    wrong = verdict(case, case.compute(tmp_path))
    assert not wrong, wrong


def versions() -> set[str]:
    """Return every VERSION of pipeline/, and every key of a VERSIONS, as cases are named."""
    found = set()
    for path in (ROOT / "pipeline").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for name in (target.id for target in targets if isinstance(target, ast.Name)):
                if not re.search(r"(^|_)VERSIONS?$", name):
                    continue
                assert name in ("VERSION", "VERSIONS"), f"{path}: call {name} VERSION, so that it is guarded"
                keys = node.value.keys if isinstance(node.value, ast.Dict) else [None]
                found |= {module if key is None else f"{module}.{key.value}" for key in keys}
    return found


def test_every_version_has_golden_numbers():
    """A new extractor or learner needs a case in tests/golden/cases.py."""
    assert {case.name for case in CASES} == versions()
    assert {case.path for case in CASES} == set(comparison.FOLDER.iterdir())


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """Return a function that says what the guard says of a module with a version and numbers."""
    monkeypatch.setattr(comparison, "FOLDER", tmp_path)
    case = Case("pipeline.features.pooling.pooling", lambda folder: {})

    def at(version: int) -> Case:
        monkeypatch.setattr("pipeline.features.pooling.pooling.VERSION", version)
        return case

    return at


def numbers(*values: float, tolerance: float = 1e-3) -> dict[str, Numbers]:
    return {"a": Numbers(np.array(values)[None], tolerance)}


def test_numbers_that_move_without_their_version(guarded):
    case = guarded(3)
    assert "has a VERSION and no golden numbers" in verdict(case, numbers(1.0))
    write(case, numbers(1.0, 10.0))
    assert verdict(case, numbers(1.0009, 9.991)) == ""
    wrong = verdict(case, numbers(1.0, 10.02))
    assert wrong.startswith("numbers of pipeline.features.pooling.pooling moved and its VERSION is still 3")
    assert "`python -m tests.golden --write pipeline.features.pooling.pooling`" in wrong
    assert "'a' row 0, column 1 was 10, is 10.02" in wrong
    with pytest.raises(ValueError, match="its VERSION is still 3: raise it first"):
        write(case, numbers(1.0, 10.02))
    assert "'a' had the shape (1, 2), has (1, 1)" in verdict(case, numbers(1.0))
    assert "'b' is computed only" in verdict(case, numbers(1.0, 10.0) | {"b": "x"})


def test_a_version_that_moves_without_numbers(guarded):
    write(guarded(3), numbers(1.0))
    wrong = verdict(guarded(4), numbers(2.0))
    assert "is 4 and its golden numbers are those of version 3: run `python -m tests.golden" in wrong
    write(guarded(4), numbers(2.0))
    assert verdict(guarded(4), numbers(2.0)) == ""


def test_more_numbers_under_the_same_version_leave_the_others(guarded):
    """Written again and again within the tolerance, numbers must not wander."""
    case = guarded(3)
    write(case, numbers(1.0))
    assert write(case, numbers(1.0009)) == "pipeline.features.pooling.pooling: as it was"
    write(case, numbers(1.0009) | {"b": "x"})
    assert json.loads(case.path.read_text())["numbers"] == {"a": [[1.0]], "b": "x"}


def test_tolerance_is_a_share_of_the_column():
    kept = {"a": [[1.0, 0.0], [100.0, 0.0]]}
    close = {"a": Numbers([[1.09, 0.0], [100.0, 0.0]], 1e-3)}
    assert moved(kept, close) == []
    assert moved(kept, {"a": Numbers([[1.0, 1e-9], [100.0, 0.0]], 1e-3)})
    assert moved(kept, {"a": Numbers([[1.0, np.nan], [100.0, 0.0]], 1e-3)})
    assert moved({"a": [[np.nan]]}, {"a": Numbers([[np.nan]], 1e-3)}) == []
