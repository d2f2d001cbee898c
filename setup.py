"""What a wheel holds: the one package `emobed`, with the rooms `pipeline` and `stages` inside it.

In a checkout these rooms lie at top level and import each other as `pipeline.…` and `stages.…`. A wheel must
not put such names into anybody's environment, so they move below `emobed` while it is built, and their import
statements with them. An editable installation is the checkout itself and stays as it is.
"""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = "emobed"
ROOMS = ("pipeline", "stages")
START = re.compile(rf"(?:from\s+)?(?=(?:{'|'.join(ROOMS)})\b)".encode())
"""What stands before the name of a module, from where the syntax tree says that an import begins."""


class BuildBelowPackage(build_py):
    """Copies the packages as setuptools does, then moves the rooms below the package."""

    def run(self) -> None:
        """Build; what an earlier build left in the same folder goes."""
        if self.editable_mode:
            super().run()
            return
        library = Path(self.build_lib)
        for name in (PACKAGE, *ROOMS):
            shutil.rmtree(library / name, ignore_errors=True)
        super().run()
        for room in ROOMS:
            (library / room).rename(library / PACKAGE / room)
        for path in (library / PACKAGE).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            path.write_text(moved_imports(source, str(path)), encoding="utf-8")


def moved_imports(source: str, name: str = "<source>") -> str:
    """Return a module's source with its imports of the rooms below the package; all else as it was.

    Raises:
        SyntaxError: `import pipeline.x` without `as` binds a name that would be another one afterwards.
    """
    lines = source.encode().splitlines(keepends=True)  # columns of the syntax tree count bytes
    places = []
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.ImportFrom) and not node.level and _in_room(node.module):
            places.append((node.lineno, node.col_offset))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _in_room(alias.name) and not alias.asname:
                    raise SyntaxError(
                        f"{name}, line {alias.lineno}: import {alias.name}; expected `from … import …` or "
                        "`as`, which stay right below another package"
                    )
                if _in_room(alias.name):
                    places.append((alias.lineno, alias.col_offset))
    for line, column in sorted(places, reverse=True):
        before, rest = lines[line - 1][:column], lines[line - 1][column:]
        found = START.match(rest)
        if found is None:
            raise SyntaxError(f"{name}, line {line}: expected the module behind `from` on the same line")
        lines[line - 1] = before + found.group() + f"{PACKAGE}.".encode() + rest[found.end() :]
    return b"".join(lines).decode()


def _in_room(module: str | None) -> bool:
    return (module or "").partition(".")[0] in ROOMS


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildBelowPackage})
