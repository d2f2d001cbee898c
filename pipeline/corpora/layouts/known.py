"""How a corpus is read, by the layout that its parameters name: none is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from pipeline.catalogue.layouts import LAYOUTS
from pipeline.corpora.interface import CorpusLayout

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

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
    maker: LayoutMaker = import_module(f".{LAYOUTS[corpus.layout]}", __package__).layout
    return maker(corpus, paths, corpora)
