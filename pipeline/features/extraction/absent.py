"""A medium that is not here -> what to do, which depends on where it is instead."""

from __future__ import annotations

from pathlib import Path

from pipeline.location import Location
from pipeline.paths import main_checkout


def way_out(path: Location, otherwise: str) -> str:
    """Return what to do about a medium that is not on this machine: `otherwise`, unless it is known to be.

    `dvc exp run --temp` and `--queue` work in a copy of the checkout that holds what git tracks, and media
    rarely are. path: of the first one that is not here.
    """
    main = main_checkout()
    if not isinstance(path, Path) or main == Path().resolve() or not (main / path).is_file():
        return otherwise
    return (
        f"They are in {main}, and this is a copy of it with what git tracks only, as `dvc exp run --temp` "
        f"and `--queue` make it (the first: {main / path}). Write `root` of the corpus in params.yaml as an "
        "absolute path, or run without --temp and --queue"
    )
