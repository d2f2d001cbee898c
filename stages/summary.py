"""Print where the reports are and their main tables, and lead to them: the end of every `dvc repro`."""

import os
import sys
from functools import partial
from pathlib import Path

from pipeline.params import load_params
from pipeline.paths import Paths, main_checkout
from pipeline.reporting.index import build_index
from pipeline.reporting.summary import summary
from stages.ending import one_sentence


def main() -> None:
    """Print one block per corpus in run.corpora."""
    log = main_checkout() / ".emobed/log/summary.log"
    say = partial(print, file=sys.stderr)
    with one_sentence("summary", log, say, "`dvc repro` shows it again", (BrokenPipeError,)):
        try:
            params = load_params(Path("params.yaml"))
            for name in params.run.corpora:
                print(f"\n{summary(Paths(name), params.corpus(name))}")
            build_index(Paths("").reports)
            print(f"\nall corpora: {Paths('').reports / 'index.html'}")
            print(f"recognisers: {Paths('').recognisers}; emobed predict --help says how to use one")
            sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has seen enough (`| head`); Python would say so at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
