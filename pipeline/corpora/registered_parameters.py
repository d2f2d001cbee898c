"""The parameters of a corpus -> one small file for each stage, with those that the stage reads.

A stage depends on `data/parameters/<corpus>/<stage>.json`, so an edit of params.yaml reaches the stages that
read what was edited, and no other. Were it params.yaml that they depend on, DVC would parse that file and
search it for every key once for each stage, write all values into `dvc.lock`, which it reads and writes anew
after each stage that runs, and end with an error where a corpus leaves a key out that has a default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.corpora.atomic import write_if_changed

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

READ = {
    "read_features": ("layout", "dimensions", "features", "grid"),
    "extract_audio": ("extract", "grid", "audio"),
    "extract_text": ("extract", "text"),
    "detect_faces": ("extract", "video.faces"),
    "embed_faces": ("video.faces", "video.embedding"),
    "pool_video": ("grid", "video.faces.max_failed_share", "video.pooling"),
    "align_labels": (
        "layout", "extract", "scenarios", "partitions", "task", "dimensions", "grid", "labels",
    ),
    "train": (
        "layout", "extract", "scenarios", "partitions", "task", "dimensions", "grid", "learning",
    ),
    "postprocess": ("scenarios", "partitions", "dimensions", "grid", "postprocessing"),
    "evaluate": (
        "layout", "extract", "scenarios", "partitions", "task", "dimensions", "grid", "evaluation",
        "postprocessing",
    ),
}  # fmt: skip
"""Stages that read some of the parameters below `corpora.<corpus>`, and which."""
READ_ALL = ("certainty", "export", "report")
"""Stages that read all, so that a new group of parameters reaches them."""
LEFT_OUT = {
    "evaluate": ("evaluation.certainty_folds", "evaluation.certainty_system"),
    "certainty": ("report", "export.networks", "evaluation.groups"),
}
"""What a stage does not read of these: what `certainty` trains once more takes minutes on a large corpus."""


def register_parameters(corpus: Corpus, paths: Paths) -> None:
    """Write what each stage reads, with all defaults, unless the files hold it; same parameters, same bytes.

    Raises:
        OSError: the folder cannot be written.
    """
    values = corpus.model_dump(mode="json")
    read = {stage: {key: _value(values, key) for key in keys} for stage, keys in READ.items()}
    for stage, own in (read | dict.fromkeys(READ_ALL, values)).items():
        kept = _without(own, LEFT_OUT.get(stage, ()))
        text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False)
        write_if_changed(paths.parameters / f"{stage}.json", f"{text}\n".encode())


def _value(values: Mapping[str, Any], key: str) -> Any:
    """Return what stands under a dotted key."""
    first, _, rest = key.partition(".")
    return _value(values[first], rest) if rest else values[first]


def _without(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return a group without what stands under the dotted keys."""
    kept = dict(values)
    for key in keys:
        first, _, rest = key.partition(".")
        if rest:
            kept[first] = _without(kept[first], (rest,))
        else:
            del kept[first]
    return kept
