"""One script per stage of dvc.yaml."""

try:
    import pydantic  # noqa: F401  (any package of the environment would do)
except ModuleNotFoundError:
    raise SystemExit(
        "This Python lacks the project's packages: run `make setup`, then `source .venv/bin/activate` "
        "(or start DVC through `make repro`)."
    ) from None
