"""Traces of a mixed corpus' sources -> traces of the corpus, with the classes that all of them have."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from pipeline.corpora.class_names import EMOTIONS, ordered
from pipeline.corpora.interface import Annotations
from pipeline.corpora.layouts.mixed_parts import Part, renamed
from pipeline.corpora.problems import Problem
from pipeline.corpora.registered_traces import CLASSES, TRACES, require_traces
from pipeline.corpora.traces import join_traces, load_traces, trace_table
from pipeline.location import Location
from pipeline.params import Corpus
from pipeline.paths import Paths


def read_mixed_traces(
    corpus: Corpus,
    paths: Paths,
    used: Sequence[Part],
    here: Sequence[Part],
    root: Location,
    recordings: Collection[str],
) -> Annotations:
    """Read the traces of what is predicted; classes are matched by name, and those that all sources have.

    A recording of another class has no label. Ratings are taken as they are, whatever their scale.

    Args:
        corpus: parameters of the mixed corpus.
        paths: its paths: a colleague who holds the annotations of a source has registered them.
        used: the sources whose recordings are taken.
        here: those of them that are on this machine.
        root: of the checkout.
        recordings: names in the mixed corpus.

    Raises:
        ValueError: a source is not annotated with what is predicted, the sources share fewer than two
            classes, or as the source's own layout.
    """
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    names: dict[str, tuple[str, ...]] = {}
    no_label: set[tuple[str, str]] = set()
    for part in here:
        own = part.own(recordings)
        found = part.reader.read_traces(root / part.root, own.keys())
        chosen = found.traces[found.traces["dimension"].isin(corpus.dimensions)]
        tables[part.name] = chosen.assign(recording=chosen["recording"].astype(object).map(own))
        names[part.name] = found.classes
        no_label |= {(own[name], dimension) for name, dimension in found.no_label if name in own}
        problems += [
            renamed(part, item) for item in found.problems if not item.recording or item.recording in own
        ]
    if corpus.scenarios:
        for part in here:
            _require_annotations(corpus, paths, part, tables[part.name])
    classes: tuple[str, ...] = EMOTIONS
    if corpus.task == "classification":
        found_names = {
            name: _class_names(table["value"], names[name]) for name, table in tables.items() if len(table)
        }
        classes = _shared(corpus, paths, used, found_names)
        for name, values in found_names.items():
            tables[name], left_out = _onto(classes, tables[name], values)
            problems += [
                Problem(
                    "",
                    "params.yaml",
                    f"source '{name}': recordings without label, since not all sources have their class "
                    f"{other}: {count}",
                )
                for other, count in left_out.items()
            ]
    traces = join_traces([trace_table([], [], [], [], []), *tables.values()])
    return Annotations(traces, problems, classes, no_label=frozenset(no_label))


def _require_annotations(corpus: Corpus, paths: Paths, part: Part, table: pd.DataFrame) -> None:
    for dimension in corpus.dimensions:
        if not (table["dimension"] == dimension).any() and not _registered(paths, part, dimension):
            raise ValueError(
                f"corpora.{paths.corpus}.dimensions: found {dimension}, but no recording of source "
                f"{part.name} (corpus {part.corpus}) is annotated with it; all sources must be"
            )


def _registered(paths: Paths, part: Part, dimension: str) -> bool:
    """Say whether a colleague who holds the annotations of a source has registered some."""
    path = paths.traces / TRACES
    if not path.is_file():
        return False
    traces = load_traces(path)
    known = traces.loc[traces["dimension"] == dimension, "recording"].astype(str)
    return bool(known.str.startswith(f"{part.name}/").any())


def _class_names(codes: pd.Series, classes: tuple[str, ...]) -> pd.Series:
    return codes.map(lambda code: classes[int(code)]).astype(object)


def _shared(
    corpus: Corpus, paths: Paths, used: Sequence[Part], found: Mapping[str, pd.Series]
) -> tuple[str, ...]:
    """Return the classes that occur in every source, OMG-Emotion's in its order, others by the alphabet.

    found: source -> the classes of its recordings, by name; without sources whose annotations are not here.
    """
    if any(part.name not in found for part in used) and corpus.scenarios:
        # somebody else holds the annotations of these: what was shared where all were
        require_traces(paths)
        return tuple(json.loads((paths.traces / CLASSES).read_text(encoding="utf-8")))
    occurring = {name: set(values) for name, values in found.items()}
    shared = set.intersection(*occurring.values()) if occurring else set()
    if len(shared) < 2 and corpus.scenarios:
        seen = "; ".join(f"{name} has {', '.join(sorted(own))}" for name, own in occurring.items())
        raise ValueError(
            f"corpora.{paths.corpus}.sources: found {len(shared)} classes that all sources have, expected "
            f"two or more of the same names: {seen}"
        )
    return ordered(shared)


def _onto(
    classes: tuple[str, ...], table: pd.DataFrame, names: pd.Series
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return traces in the codes of `classes`, and how many recordings have each other class.

    names: the class of each row.
    """
    known = names.isin(classes)
    others = table.loc[~known, "recording"].groupby(names[~known]).nunique().to_dict()
    codes = names[known].map(classes.index).astype(float)
    return table[known].assign(value=codes), {str(name): int(count) for name, count in others.items()}
