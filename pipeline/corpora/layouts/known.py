"""The table of corpus layouts, by the name that `corpora.<name>.layout` of params.yaml uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline.corpora.interface import CorpusLayout
from pipeline.corpora.layouts import audformat_layout, avec2016, omg, table
from pipeline.corpora.layouts.mixed import Part, mixed

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

LAYOUTS: dict[str, CorpusLayout] = {
    "avec2016": avec2016.LAYOUT,
    "omg": omg.LAYOUT,
    "table": table.LAYOUT,
}
"""Layouts that are the same for every corpus; the others follow from its parameters: `layout_of`."""

ABSENT_IN = {"omg": omg.read_traces, "table": table.read_traces}
"""Those whose label cells may hold a word for nothing."""

NONE: Mapping[str, Corpus] = MappingProxyType({})


def layout_of(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus] = NONE) -> CorpusLayout:
    """Return how a corpus is read.

    Args:
        corpus: its parameters.
        paths: its paths; a mixed corpus reads what was registered before.
        corpora: all corpora by name, from which a mixed one takes its sources.
    """
    if corpus.layout == "mixed":
        return mixed(corpus, [_part(corpus, paths, name, corpora) for name in corpus.sources], paths)
    if corpus.layout == "audformat":
        return audformat_layout.audformat_layout(corpus, paths)
    own = LAYOUTS[corpus.layout]
    if corpus.layout in ABSENT_IN:
        words = corpus.labels.absent
        return replace(
            own,
            read_traces=partial(ABSENT_IN[corpus.layout], absent=words),
            parameters=(*own.parameters, list(words)),
        )
    return own


def _part(corpus: Corpus, paths: Paths, name: str, corpora: Mapping[str, Corpus]) -> Part:
    source = corpus.sources[name]
    own = corpora[source.corpus]
    named = tuple(modality for modality in corpus.extract if f"{modality}@{name}" in corpus.inputs)
    return Part(
        name,
        source.corpus,
        own.root,
        layout_of(own, replace(paths, corpus=source.corpus), corpora),
        source.half,
        named if corpus.scenarios else corpus.extract,
        own.media_folders,
    )
