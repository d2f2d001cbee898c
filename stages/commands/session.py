"""What every command does: read params.yaml, find the store, turn errors into one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

if TYPE_CHECKING:  # `emobed --help` waits for nothing of the pipeline
    from pipeline.params import Params
    from pipeline.store.units import UnitStore

SHORTEST, LONGEST = 0.001, 86_400.0
"""Seconds of what options may ask for: beyond them is a slip, no number, or a hop that fills the memory."""


@contextmanager
def sentences() -> Iterator[None]:
    """Print an error as one sentence and exit with 1; after Ctrl-C with 130."""
    from pipeline.paths import main_checkout
    from stages.ending import one_sentence

    log = main_checkout() / ".emobed/log/emobed.log"
    passing = (typer.Exit, typer.Abort, TyperException, BrokenPipeError)
    with one_sentence("emobed", log, partial(typer.echo, err=True), "run it again", passing):
        yield


class Commands(TyperGroup):
    """All commands of `emobed`, each ending in a sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the command line names."""
        with sentences():
            return super().invoke(ctx)


def corpus_names(incomplete: str) -> list[str]:
    """Return the corpora of params.yaml that begin with `incomplete`, for the shell; none if it is broken."""
    from pipeline.params.yaml_file import YamlError, read_yaml

    try:
        names = list(read_yaml(Path("params.yaml"))["corpora"])
    except (OSError, YamlError, KeyError, TypeError):
        return []
    return [name for name in names if isinstance(name, str) and name.startswith(incomplete)]


def parameters() -> Params:
    """Read the params.yaml of the current directory."""
    from pipeline.params import load_params
    from pipeline.paths import Paths

    return load_params(Paths("").params)


def unit_store(params: Params) -> UnitStore:
    """Return the store of finished units of this checkout."""
    from pipeline.paths import main_checkout
    from pipeline.store.units import UnitStore

    return UnitStore(main_checkout(Path()) / params.runtime.store)


def size(count: float) -> str:
    """Write a number of bytes for people: 1,234 -> 1.2 kB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
