"""A small corpus through the real stages, in this process: what a recogniser is exported from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.params import load_params
from pipeline.paths import Paths
from stages.running import Context
from tests.parameters import write_parameters

STAGES = (
    "render_demo", "register", "read_features", "extract_audio", "extract_text", "detect_faces",
    "embed_faces", "pool_video", "align_labels", "train", "postprocess", "evaluate",
    "certainty", "export",
)  # fmt: skip


def run_stages(
    root: Path, corpus: str, edit: Callable[[dict[str, Any]], None], first: str = STAGES[0]
) -> Paths:
    """Run the stages of a corpus from `first` on, with the tests' parameters as changed by `edit`."""
    write_parameters(root, edit)
    with contextlib.chdir(root):
        paths = Paths(corpus)
        context = Context(corpus, load_params(paths.params), paths, root)
        for name in STAGES[STAGES.index(first) :]:
            getattr(import_module(f"stages.{name}"), name)(context)
    return Paths(corpus, root)
