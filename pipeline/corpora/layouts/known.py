"""The one table of corpus layouts, by the name that `corpora.<name>.layout` of params.yaml uses.

A new layout is a file beside this one with a function `layout`, and an entry here; nothing here imports one
before it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from pipeline.corpora.interface import CorpusLayout

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

LAYOUTS = {
    "avec2016": "pipeline.corpora.layouts.avec2016",
    "omg": "pipeline.corpora.layouts.omg",
    "table": "pipeline.corpora.layouts.table",
    "audformat": "pipeline.corpora.layouts.audformat_layout",
    "mixed": "pipeline.corpora.layouts.mixed",
}
"""Name -> the module that holds its function `layout`, a `LayoutMaker`."""

NONE: Mapping[str, Corpus] = MappingProxyType({})


class LayoutMaker(Protocol):
    """The function `layout` of a layout's module."""

    def __call__(self, corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
        """Return the layout for a corpus; most need its parameters only for what `labels.absent` says.

        corpus: its parameters. paths: its paths. corpora: all corpora by name.
        """


def layout_of(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus] = NONE) -> CorpusLayout:
    """Return how a corpus is read.

    Args:
        corpus: its parameters.
        paths: its paths; a mixed corpus reads what was registered before.
        corpora: all corpora by name, from which a mixed one takes its sources.
    """
    maker: LayoutMaker = import_module(LAYOUTS[corpus.layout]).layout
    return maker(corpus, paths, corpora)
