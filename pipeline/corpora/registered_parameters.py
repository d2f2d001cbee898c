"""The parameters of a corpus -> one small file, on which stages depend that read all of them.

`data/parameters/<corpus>.json` has them with all defaults. DVC would write each of them into
`dvc.lock`, once for each such stage, and reads and writes that file anew after each stage that runs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.corpora.atomic import write_if_changed

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths


def register_parameters(corpus: Corpus, paths: Paths) -> None:
    """Write the parameters of a corpus unless the file holds them already; same parameters, same bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    text = json.dumps(corpus.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False)
    write_if_changed(paths.parameters, f"{text}\n".encode())
