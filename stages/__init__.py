"""One script per stage of dvc.yaml."""

from importlib.util import find_spec

if find_spec("pydantic") is None:  # any package of the environment would do
    raise SystemExit(
        "This Python lacks the project's packages: run `make setup`, then `source .venv/bin/activate` "
        "(or start DVC through `make repro`)."
    )
