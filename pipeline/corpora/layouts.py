"""The table of corpus layouts, by the name that `corpora.<name>.layout` of params.yaml uses."""

from __future__ import annotations

from pipeline.corpora import avec2016, omg, table
from pipeline.corpora.interface import CorpusLayout

LAYOUTS: dict[str, CorpusLayout] = {
    "avec2016": avec2016.LAYOUT,
    "omg": omg.LAYOUT,
    "table": table.LAYOUT,
}
