"""results.csv -> the main table as plain text, for the end of a run."""

from __future__ import annotations

import csv

from pipeline.catalogue.systems import MARKED, any_marked, in_order, label
from pipeline.features.sources import emotion_trained
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.reporting.wording import METRIC_NAMES, SPEAKER_SCALING, counted, of_each, spread, target_name
from pipeline.scoring.headline import headline
from pipeline.wording import listed

USED = "used alone"
WIDTH = 14
"""Of a column of scores, at least."""
MOST_COLUMNS = 6
"""Systems beside each other; more stand below each other."""
Row = tuple[str, list[str]]
"""What a row is called, and its cells."""


def summary(paths: Paths, corpus: Corpus) -> str:
    """Return where the report of a corpus is and its headline scores, one line per scenario and dimension.

    Raises:
        FileNotFoundError: the pipeline has not run for this corpus.
    """
    lines = [f"{paths.corpus}: {paths.report}"]
    found = headline(paths.results, corpus.task)
    scores = [score for systems in found.scores.values() for score in systems.values()]
    if not scores:
        return lines[0] + "\n  features only: nothing was trained"
    keys = [(s.target, s.auxiliary, dimension) for s in corpus.scenarios for dimension in corpus.dimensions]
    cases = [f"{target_name(corpus, target, other)} → {dimension}" for target, other, dimension in keys]
    seeds, n, folds = (max(getattr(score, name) for score in scores) for name in ("seeds", "n", "folds"))
    unit = "utterances" if corpus.grid.utterances else "frames"
    runs = counted(seeds, "seed")
    over = f"mean over {folds} folds ± std over {runs}" if folds > 1 else f"mean ± std over {runs}"
    lines.append(f"  {METRIC_NAMES[found.metric]} on {found.partition}, {over}, n = {n} {unit}")
    if corpus.learning.scaling.speaker != "none":
        done = SPEAKER_SCALING[corpus.learning.scaling.speaker]
        known = f"recordings of the {found.partition} speakers too{_own_recordings(paths, found.partition)}"
        lines.append(f"  (features {done} each speaker, by {known})")
    if trained := emotion_trained(paths, corpus):
        lines.append(
            f"  (emotion-trained: a network trained on emotions made the features of {listed(trained)})"
        )
    if found.partition == "dev":
        lines.append("  (test has no gold standard; dev by what its other recordings chose)")
    shown = in_order(system for systems in found.scores.values() for system in systems)
    if any_marked(shown):
        lines.append(f"  ({MARKED})")
    rows = [(USED, [label(system) for system in shown])]
    for case, key in zip(cases, keys, strict=True):
        own = found.scores.get(key, {})
        rows.append((case, [spread(own[s].mean, own[s].std) if s in own else "–" for s in shown]))
    # the longer side downwards: a terminal is wide enough for the other
    return "\n".join([*lines, *_in_columns(_turned(rows) if len(shown) > MOST_COLUMNS else rows)])


def _own_recordings(paths: Paths, partition: str) -> str:
    """Write `: 14 recordings of each`, read without a library that computes; empty if it is not known."""
    if not paths.enrolment.is_file():
        return ""
    with paths.enrolment.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["partition"] == partition]
    if not rows:
        return ""
    fewest, most = min(int(row["fewest"]) for row in rows), max(int(row["most"]) for row in rows)
    return f": {of_each(fewest, most)}"


def _turned(rows: list[Row]) -> list[Row]:
    """Return a table with its rows as columns."""
    (corner, above), *others = rows
    names = [name for name, _ in others]
    columns = zip(*(cells for _, cells in others), strict=True)
    return [(corner, names), *((name, list(cells)) for name, cells in zip(above, columns, strict=True))]


def _in_columns(rows: list[Row]) -> list[str]:
    """Return a table of text as lines; its corner says that the first modality is used alone."""
    first = max(len(name) for name, _ in rows) + 2
    widths = [max(WIDTH, len(name) + 2) for name in rows[0][1]]
    return [
        "  " + name.ljust(first) + "".join(cell.rjust(w) for cell, w in zip(cells, widths, strict=True))
        for name, cells in rows
    ]
