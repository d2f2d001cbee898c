"""Print where the reports are and their main tables; no stage, the end of `make repro`."""

import os
import sys
from pathlib import Path

from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.reporting.summary import summary


def main() -> None:
    """Print one block per corpus in run.corpora."""
    params = load_params(Path("params.yaml"))
    try:
        for name in params.run.corpora:
            print()
            print(summary(Paths(name), params.corpus(name)))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough (`| head`); Python would say so at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
