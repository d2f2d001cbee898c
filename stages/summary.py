"""Print where the reports are and their main tables; no stage, the end of `make repro`."""

from pathlib import Path

from pipeline.layout import Layout
from pipeline.params import load_params
from pipeline.reporting.summary import summary


def main() -> None:
    """Print one block per corpus in run.corpora."""
    params = load_params(Path("params.yaml"))
    for name in params.run.corpora:
        print()
        print(summary(Layout(name), params.corpus(name)))


if __name__ == "__main__":
    main()
