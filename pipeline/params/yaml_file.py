"""A YAML file -> plain values, with what YAML itself would swallow: keys that are written twice, octals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: every stage reads the whole file."""


NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
PLAIN = re.compile(
    r"[+-]?(0x[0-9a-fA-F]+|0|[1-9]\d*|(\d+\.\d*|\.\d+)([eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.(inf|nan))", re.I
)
"""Numbers that YAML and everybody else read alike; what is not finite is refused where it is validated."""
DEEPEST = 50
"""Groups and lists in one another: our own files have 6."""


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
        if wrong := _swallowed(root):
            raise YamlError(f"{path}: " + "; ".join(wrong))
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        raise YamlError(f"{path}: not valid YAML: {_flat(error)}") from None
    finally:
        loader.dispose()


def _swallowed(root: yaml.Node) -> list[str]:
    """Name the keys that occur twice in one group, and numbers that are not what they look like.

    Of two keys YAML would take the last and forget the other; `010` is 8 to it, `1:30` is 90 and `1_0` is 10.
    """
    found = []
    todo, seen = [(root, "")], set()
    while todo:
        node, where = todo.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if where.count(".") > DEEPEST:
            return [f"{where[:60]}...: groups or lists in one another without end"]
        if isinstance(node, yaml.SequenceNode):
            todo += [(item, f"{where}{place}.") for place, item in enumerate(node.value)]
        elif node.tag in NUMBERS and not PLAIN.fullmatch(str(node.value)):
            line = node.start_mark.line + 1
            found.append(
                (line, f"{where[:-1]}: found {node.value} in line {line}, expected a decimal number")
            )
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
