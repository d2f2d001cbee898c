"""A YAML file -> plain values, with what YAML itself would swallow: a key that is written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: every stage reads the whole file."""


class YamlError(ValueError):
    """Report a file that is no YAML of plain values, or holds a key twice: line and what was found."""


def read_yaml(path: Path) -> Any:
    """Return the values of a YAML file.

    Raises:
        FileNotFoundError: no such file.
        YamlError: not UTF-8, not YAML, tags that ask for Python objects, or keys that are written twice in
            one group, each with its lines.
    """
    try:
        loader = SafeLoader(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise YamlError(f"{path}: byte {error.object[error.start]:#04x} is not UTF-8") from None
    except yaml.YAMLError as error:
        raise YamlError(f"{path}: not valid YAML: {_flat(error)}") from None
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        if twice := list(_twice(root)):
            raise YamlError(f"{path}: " + "; ".join(twice))
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        raise YamlError(f"{path}: not valid YAML: {_flat(error)}") from None
    finally:
        loader.dispose()


def _twice(root: yaml.Node) -> list[str]:
    """Name the keys that occur twice in one group: YAML would take the last and forget the others."""
    found = []
    todo, seen = [(root, "")], set()
    while todo:
        node, where = todo.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += [(item, f"{where}{place}.") for place, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in lines:
                    found.append((line, f"{where}{name} is written twice, in lines {lines[name]} and {line}"))
                lines[name] = line
                todo.append((value, f"{where}{name}."))
    return [text for _, text in sorted(found)]


def _flat(error: yaml.YAMLError) -> str:
    """Return an error of the parser in one line: what, where."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None)
    if mark is None or problem is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
