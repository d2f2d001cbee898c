"""The parameters of a corpus -> small files, on which stages depend that read all of them, or nearly all.

`data/parameters/<corpus>.json` has them with all defaults. DVC would write each of them into
`dvc.lock`, once for each such stage, and reads and writes that file anew after each stage that runs.
What reads few of them depends on a file with no others, so that an edit runs again only what it touches:
`<corpus>.certainty.json` lacks those that only say what is shown and what is copied, since what trains once
more takes minutes on a large corpus; `<corpus>.evaluation.json` has those of `evaluation` that say how
predictions are scored. DVC itself could name keys of params.yaml, but ends with an error where one is left
out, and most have defaults.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.corpora.atomic import write_if_changed

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.params import Corpus
    from pipeline.paths import Paths

NOT_OF_CERTAINTY: dict[str, Any] = {"report": True, "export": {"networks"}, "evaluation": {"groups"}}
"""Parameters on which it does not depend how sure recognisers may be."""
NOT_OF_SCORES = {"certainty_folds", "certainty_system"}
"""Parameters of `evaluation` that say how certainty is tested, for which no prediction is scored."""


def register_parameters(corpus: Corpus, paths: Paths) -> None:
    """Write the parameters of a corpus unless the files hold them already; same parameters, same bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(paths.parameters, corpus.model_dump(mode="json"))
    _write(paths.certainty_parameters, corpus.model_dump(mode="json", exclude=NOT_OF_CERTAINTY))
    _write(paths.evaluation_parameters, corpus.evaluation.model_dump(mode="json", exclude=NOT_OF_SCORES))


def _write(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)
    write_if_changed(path, f"{text}\n".encode())
