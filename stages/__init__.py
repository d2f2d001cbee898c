"""One script per stage of dvc.yaml."""

import sys
from importlib.util import find_spec
from types import TracebackType

if find_spec("pydantic") is None:  # any package of the environment would do
    raise SystemExit(
        "This Python lacks the project's packages: run `make setup`, then `source .venv/bin/activate` "
        "(or start DVC through `make repro`)."
    )


def _quiet(kind: type[BaseException], error: BaseException, way: TracebackType | None) -> None:
    """Say Ctrl-C in a sentence also while the stage's modules are imported, before it could be caught."""
    if issubclass(kind, KeyboardInterrupt):
        print("stopped by Ctrl-C", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, way)


sys.excepthook = _quiet
