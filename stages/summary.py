"""Print where the reports are and their main tables, and lead to them: the end of every `dvc repro`.

What is printed is kept in a file as well, by which DVC knows that something comes after it.
"""

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
            all_corpora = Paths("")
            blocks = [f"\n{summary(Paths(name), params.corpus(name))}\n" for name in params.run.corpora]
            build_index(all_corpora.reports)
            blocks.append(
                f"\nall corpora: {all_corpora.reports / 'index.html'}\n"
                f"recognisers: {all_corpora.recognisers}; emobed predict --help says how to use one\n"
            )
            text = "".join(blocks)
            all_corpora.summary.write_text(text, encoding="utf-8")
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has seen enough (`| head`); Python would say so at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
