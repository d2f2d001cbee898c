"""The one table of corpus layouts, by the name that `corpora.<name>.layout` of params.yaml uses.

A new layout is an entry here, and a file with a function `layout` (see `pipeline.corpora.layouts.known`).
"""

LAYOUTS = {
    "avec2016": "pipeline.corpora.layouts.avec2016",
    "omg": "pipeline.corpora.layouts.omg",
    "table": "pipeline.corpora.layouts.table",
    "audformat": "pipeline.corpora.layouts.audformat_layout",
    "mixed": "pipeline.corpora.layouts.mixed",
}
"""Name -> the module that reads it."""
