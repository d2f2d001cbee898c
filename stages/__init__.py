"""One script per stage of dvc.yaml."""

import os
import sys
from pathlib import Path
from types import TracebackType

ENVIRONMENT = (
    "stages run in the project's environment: `make setup` makes it, `source .venv/bin/activate` enters it, "
    "`make repro` does both"
)
OURS = ("pipeline", "stages", "emobed")

if sys.version_info < (3, 11):  # `python` is whatever comes first in PATH
    found = ".".join(map(str, sys.version_info[:2]))
    raise SystemExit(f"{sys.executable} is Python {found}, expected 3.11 or later; {ENVIRONMENT}")


def _in_a_sentence(kind: type[BaseException], error: BaseException, way: TracebackType | None) -> None:
    """Say in a sentence what ends a stage while its modules are imported, before it could be caught.

    Ctrl-C, and a package that this Python lacks or has in another version.
    """
    checkout = (Path(__file__).parents[1] / "dvc.yaml").is_file()  # a wheel has another environment
    foreign = checkout and isinstance(error, ImportError) and (error.name or "").partition(".")[0] not in OURS
    if issubclass(kind, KeyboardInterrupt):
        print("stopped by Ctrl-C", file=sys.stderr)
    elif foreign and not os.environ.get("EMOBED_DEBUG"):
        print(f"{sys.executable}: {error}; {ENVIRONMENT}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, way)


sys.excepthook = _in_a_sentence
