"""What every command does: read params.yaml, find the store, turn errors into one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:  # `emobed --help` waits for nothing of the pipeline
    from pipeline.features.store import UnitStore
    from pipeline.params import Params


@contextmanager
def sentences() -> Iterator[None]:
    """Print an error meant for the user as one sentence, and exit with 1."""
    try:
        yield
    except (ValueError, RuntimeError, OSError) as error:
        typer.echo(f"emobed: {error}", err=True)
        raise typer.Exit(1) from None


def parameters() -> Params:
    """Read the params.yaml of the current directory."""
    from pipeline.layout import Layout
    from pipeline.params import load_params

    return load_params(Layout("").params)


def unit_store(params: Params) -> UnitStore:
    """Return the store of finished units of this checkout."""
    from pipeline.features.store import UnitStore
    from pipeline.layout import main_checkout

    return UnitStore(main_checkout(Path()) / params.runtime.store)


def size(count: float) -> str:
    """Write a number of bytes for people: 1,234 -> 1.2 kB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
