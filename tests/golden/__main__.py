"""`python -m tests.golden [--write] [NAME ...]`: compare the golden numbers, or keep new ones."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.golden.cases import CASES
from tests.golden.comparison import verdict, write


def main(arguments: list[str]) -> int:
    names = {argument for argument in arguments if argument != "--write"}
    unknown = names - {case.name for case in CASES}
    if unknown:
        print(f"no golden numbers are called {sorted(unknown)[0]}; there are:")  # noqa: T201
        print("\n".join(case.name for case in CASES))  # noqa: T201
        return 2
    wrong = 0
    for case in CASES:
        if names and case.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            computed = case.compute(Path(folder))
        try:
            sentence = write(case, computed) if "--write" in arguments else verdict(case, computed)
        except ValueError as error:
            sentence, wrong = str(error), wrong + 1
        else:
            wrong += bool(sentence) and "--write" not in arguments
        print(sentence or f"{case.name}: as it was")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
