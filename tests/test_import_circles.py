"""Imports go one way: no module is needed by what it needs, neither at its top nor within a function.

An import that waits within a function hides a circle from Python, not from whoever reads. What stands under
`if TYPE_CHECKING` is not run, and counts as no import; nor do modules count that a table names
(`pipeline/catalogue`), since who adds one there changes nothing that reads it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.stage_imports import executed_nodes

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "stages", "emobed")
LEVELS = 2
"""Parts of the name of a room: `pipeline.features` is one, with all that lies in it."""


def modules(root: Path) -> dict[str, Path]:
    """Return the modules below the packages of a root, by name; a package is its `__init__`."""
    paths = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }


def imports(root: Path) -> dict[str, set[str]]:
    """Return module -> the modules that it imports, at its top or within a function."""
    known = modules(root)
    found: dict[str, set[str]] = {}
    for module, path in known.items():
        own = found[module] = set()
        for node in executed_nodes(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                deeper = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in known else node.module for name in deeper]
            else:
                continue
            own |= {name for name in names if name in known and name != module}
    return found


def rooms(graph: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """Return room -> the rooms that its modules import."""
    found: dict[str, set[str]] = {}
    for module, needed in graph.items():
        room = room_of(module)
        found.setdefault(room, set()).update(other for name in needed if (other := room_of(name)) != room)
    return found


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:LEVELS])


def circle(graph: Mapping[str, Set[str]]) -> list[str]:
    """Return the nodes of a circle, the first again at the end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_needs_what_needs_it():
    graph = imports(ROOT)
    assert len(graph) > 500, "expected all modules of the project"
    assert circle(graph) == []


def test_no_room_needs_what_needs_it():
    graph = rooms(imports(ROOT))
    assert {"pipeline.corpora", "pipeline.store", "pipeline.features", "pipeline.learning"} <= set(graph)
    assert circle(graph) == []


def test_rooms_need_none_but_those_before_them_as_contributing_says():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^    (\w+(?:, \w+){5,})$", text, re.MULTILINE)
    order = line.split(", ")
    folders = {path.parent.name for path in (ROOT / "pipeline").glob("*/__init__.py")}
    assert set(order) == folders
    graph = rooms(imports(ROOT))
    for place, room in enumerate(order):
        needed = {other.removeprefix("pipeline.") for other in graph[f"pipeline.{room}"]}
        assert needed & folders <= set(order[:place]), room
    below = {path.stem for path in (ROOT / "pipeline").glob("*.py")} - {"__init__"}
    assert {name for name in below if f"`{name}.py`" not in text} == set()
    assert {name for name in below if graph[f"pipeline.{name}"]} == set(), "what all use needs nothing"


def test_learning_opens_no_medium():
    found = {
        (module, name)
        for module, needed in imports(ROOT).items() if module.startswith("pipeline.learning.")
        for name in needed if name.startswith("pipeline.features.media.")
    }  # fmt: skip
    assert found == set()


def test_the_readme_names_every_room():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+)`", "".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))))
    packages = {path.parent for path in ROOT.glob("*/__init__.py")}
    folders = {path.parent for path in (ROOT / "pipeline").glob("*/__init__.py")}
    expected = {str(path.relative_to(ROOT)) for path in folders | packages} - {"pipeline"}
    assert expected - named == set()
    features = next(row for row in text.splitlines() if row.startswith("| `pipeline/features`"))
    inner = {path.parent.name for path in (ROOT / "pipeline/features").glob("*/__init__.py")}
    assert {name for name in inner if f"`{name}/`" not in features} == set()


def test_a_circle_is_found_within_functions_too(tmp_path):
    room = tmp_path / "pipeline" / "labels"
    room.mkdir(parents=True)
    (room / "gold.py").write_text("def read():\n    from pipeline.labels import raters\n    return raters\n")
    (room / "raters.py").write_text("from pipeline.labels.gold import read\n")
    (room / "types.py").write_text(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import pipeline.labels.types\n"
        "    from pipeline.labels.gold import read\n"
    )
    found = circle(imports(tmp_path))
    assert found[0] == found[-1]
    assert set(found) == {"pipeline.labels.gold", "pipeline.labels.raters"}
    (room / "raters.py").write_text("from pipeline.labels.types import x\n")
    assert circle(imports(tmp_path)) == []
