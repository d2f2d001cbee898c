"""The parameters of a corpus -> small files, on which stages depend that read all of them, or nearly all.

`data/parameters/<corpus>.json` has them with all defaults. DVC would write each of them into
`dvc.lock`, once for each such stage, and reads and writes that file anew after each stage that runs.
`data/parameters/<corpus>.certainty.json` lacks those that only say what is shown and what is copied: what
trains once more because of an edit takes minutes on a large corpus.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.corpora.atomic import write_if_changed

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.params import Corpus
    from pipeline.paths import Paths

SHOWN: dict[str, Any] = {"report": True, "export": {"networks"}}
"""Parameters that no result depends on."""


def register_parameters(corpus: Corpus, paths: Paths) -> None:
    """Write the parameters of a corpus unless the files hold them already; same parameters, same bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(paths.parameters, corpus.model_dump(mode="json"))
    _write(paths.certainty_parameters, corpus.model_dump(mode="json", exclude=SHOWN))


def _write(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)
    write_if_changed(path, f"{text}\n".encode())
