"""The one table of corpus layouts, by the name that `corpora.<name>.layout` of params.yaml uses.

A new layout is an entry here, and a file with a function `layout` (see `pipeline.corpora.layouts.known`).
"""

LAYOUTS = {
    "avec2016": "avec2016",
    "omg": "omg",
    "table": "table",
    "audformat": "audformat_layout",
    "crema_d": "crema_d",
    "iemocap4": "iemocap",
    "iemocap6": "iemocap",
    "meld": "meld",
    "cmu_mosei": "cmu_mosei",
    "ravdess": "ravdess",
    "mixed": "mixed",
}
"""Name -> the module below `pipeline.corpora.layouts` that reads it."""

WITH_SEVERAL = ("table", "cmu_mosei")
"""Those whose utterances may have several labels, for task multilabel."""

WITH_GROUPS = ("table", "audformat", "crema_d", "iemocap4", "iemocap6", "ravdess")
"""Those that know groups of recordings (sex, age), which `evaluation.groups` may name."""
