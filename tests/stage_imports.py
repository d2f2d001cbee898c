"""What each stage script imports of this project, directly or not: what its deps in dvc.yaml must be.

A stage depends on whole rooms (folders): what is in one of them belongs together, and a needless run of a
stage takes its units from the store. `python -m tests.stage_imports --write` puts the lists into dvc.yaml
(`make deps`).
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pipeline.catalogue.extractors import EXTRACTORS

ROOT = Path(__file__).parents[1]
FILES = ("dvc.yaml", "stages/dvc.yaml")
"""Of stages that run when something changed, and of those that run each time, which depend on no code."""
EXTRACTING_ANY = {"cross"}
"""Scripts that may extract with whatever a recogniser was trained with."""
NOT_STAGES = {"__init__", "ending", "running", "summary"}
EACH_TIME = {"register"}
"""Scripts that run at each `dvc repro`, whatever changed: they depend on no code."""


ROOMS = (
    "pipeline/catalogue",
    "pipeline/corpora",
    "pipeline/cross",
    "pipeline/features/audio",
    "pipeline/features/embeddings",
    "pipeline/features/extraction",
    "pipeline/features/faces",
    "pipeline/features/imported",
    "pipeline/features/media",
    "pipeline/features/networks",
    "pipeline/features/pooling",
    "pipeline/features/streams",
    "pipeline/features/text",
    "pipeline/labels",
    "pipeline/learning",
    "pipeline/params",
    "pipeline/recogniser",
    "pipeline/reporting",
    "pipeline/scoring",
    "pipeline/store",
)
"""Folders that a stage depends on as a whole if it imports anything of them; else it depends on files.

`dvc.lock` has four lines for each, and DVC reads and writes it anew after each stage that runs.
"""
WITHOUT_RESULT = ("pipeline/running/", "stages/__init__.py", "stages/ending.py", "stages/running.py")
"""How a stage is run, spread over processes and ended: as the parameters of `runtime:`, no dependency."""


def stage_names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "stages").glob("*.py") if path.stem not in NOT_STAGES)


def imported_files(script: Path) -> list[str]:
    """Return the project's files that a script runs, itself included, relative to the root, sorted.

    Of the extractors those count that the table names for its stage: they are imported by name.
    """
    seen: set[Path] = set()
    chosen = [
        _file(f"pipeline.features.{entry.module}")
        for entry in EXTRACTORS
        if entry.stage == script.stem or script.stem in EXTRACTING_ANY
    ]
    todo = [script, *(file for file in chosen if file is not None)]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        todo += [
            package / "__init__.py" for package in path.parents if package != ROOT and ROOT in package.parents
        ]
        for node in executed_nodes(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            todo += [file for name in names for file in [_file(name)] if file is not None]
    templates = {t for p in seen for t in p.parent.glob("*.jinja") if "reporting" in p.parts}
    return sorted(str(path.relative_to(ROOT)) for path in seen | templates)


def executed_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Give a node and all below it that is run: not what stands under `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        of_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        for part in child.orelse if of_types else [child]:
            yield from executed_nodes(part)


def imported_rooms(script: Path) -> list[str]:
    """Return the rooms that a script imports from, and the files outside of rooms, sorted.

    Without what changes no result.
    """
    found = set()
    for file in imported_files(script):
        if file.startswith(WITHOUT_RESULT):
            continue
        room = next((room for room in ROOMS if file.startswith(f"{room}/")), None)
        if room is not None or not file.endswith("__init__.py"):  # the others hold nothing but a docstring
            found.add(room or file)
    return sorted(found)


def _file(module: str) -> Path | None:
    if module.split(".")[0] not in ("pipeline", "stages"):
        return None
    base = ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def write() -> None:
    """Replace the code among each stage's deps in dvc.yaml, which stands before the data."""
    file = ROOT / FILES[0]
    text = file.read_text(encoding="utf-8")
    for name in set(stage_names()) - EACH_TIME:
        found = [
            (block, deps)
            for block in re.findall(rf"(?ms)^  {name}:\n.*?(?=^  \w|^\w|\Z)", text)
            for deps in re.finditer(r"(?ms)^    deps: \[(.*?)\]\n", block)
        ]
        if len(found) != 1:
            raise SystemExit(f"{file}: expected one stage {name} with deps: [...]")
        ((block, deps),) = found
        data = [dep for dep in re.split(r"[,\s]+", deps.group(1)) if "data/" in dep]
        listed = ", ".join([*imported_rooms(ROOT / "stages" / f"{name}.py"), *data])
        lines = textwrap.fill(
            f"deps: [{listed}]", 118, initial_indent="    ", subsequent_indent="      ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        text = text.replace(block, block.replace(deps.group(), f"{lines}\n"))
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        for stage in stage_names():
            files = imported_files(ROOT / "stages" / f"{stage}.py")
            sys.stdout.write("\n  ".join([stage, *files]) + "\n")
