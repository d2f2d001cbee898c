"""The parameters of the tests: tests/params.yaml, never the params.yaml in the root, which is the user's.

How to write a test: take the fixture `params` (validated models) and change a copy by
`model_copy(update=...)`, or write a file of your own by `write_parameters(folder, change)`, or, for whole
runs of DVC, let `tests.project.Project.create` do that. Only tests/test_shipped_params.py and
tests/test_dvc_yaml.py read the file in the root, and ask of it what is true after whatever a user may edit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).parent / "params.yaml"


def parameters() -> dict[str, Any]:
    """Return the file as plain values; no two corpora share a group, so each can be changed alone."""
    return _unshared(yaml.safe_load(PATH.read_text(encoding="utf-8")))


def write_parameters(folder: Path, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
    """Write the parameters, changed in place by `change`, as params.yaml into `folder`; return its path."""
    values = parameters()
    if change is not None:
        change(values)
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(_unshared(values), sort_keys=False), encoding="utf-8")
    return path


def _unshared(node: Any) -> Any:
    """Return a copy in which every list and group is its own, so that YAML writes no anchors."""
    if isinstance(node, dict):
        return {key: _unshared(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_unshared(value) for value in node]
    return node
