"""What each stage script imports of this project, directly or not: what its deps in dvc.yaml must be.

`python -m tests.stage_imports --write` puts the lists into dvc.yaml (`make deps`).
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_STAGES = {"__init__", "ending", "running", "summary"}


def stage_names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "stages").glob("*.py") if path.stem not in NOT_STAGES)


def imported_files(script: Path) -> list[str]:
    """Return the project's files that a script runs, itself included, relative to the root, sorted."""
    seen: set[Path] = set()
    todo = [script]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        todo += [
            package / "__init__.py" for package in path.parents if package != ROOT and ROOT in package.parents
        ]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            todo += [file for name in names for file in [_file(name)] if file is not None]
    templates = {t for p in seen for t in p.parent.glob("*.jinja") if "reporting" in p.parts}
    return sorted(str(path.relative_to(ROOT)) for path in seen | templates)


def _file(module: str) -> Path | None:
    if module.split(".")[0] not in ("pipeline", "stages"):
        return None
    base = ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def write() -> None:
    """Replace the code files among each stage's deps in dvc.yaml."""
    path = ROOT / "dvc.yaml"
    text = path.read_text(encoding="utf-8")
    for name in stage_names():
        block = re.search(rf"(?ms)^  {name}:\n.*?(?=^  \w|^\w|\Z)", text)
        if block is None:
            raise SystemExit(f"dvc.yaml: no stage {name}")
        kept = re.sub(r"(?m)^      - (pipeline|stages)/\S+\n", "", block.group())
        lines = "".join(f"      - {file}\n" for file in imported_files(ROOT / "stages" / f"{name}.py"))
        text = text.replace(block.group(), kept.replace("    deps:\n", "    deps:\n" + lines, 1))
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        for stage in stage_names():
            files = imported_files(ROOT / "stages" / f"{stage}.py")
            sys.stdout.write("\n  ".join([stage, *files]) + "\n")
