"""Columns of a corpus that name groups (sex, language, age group) -> groups.csv beside its traces.

`data/labels/<corpus>/groups/groups.csv` has the column `recording` and those of `evaluation.groups`, no
others: what is said of people is kept only where it is asked for, and never in git. An empty cell: not given.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.group_file import GROUPS, Groups, read_groups
from pipeline.corpora.layouts.known import NONE, layout_of
from pipeline.names import refusal

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

MOST = 12
"""Values of a column that are categories; more are ages, names, or something else that is counted."""


def register_groups(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus] = NONE) -> None:
    """Write the groups that `evaluation.groups` asks for; on a clone without the corpus keep what was pulled.

    Raises:
        ValueError: see `listed_groups`; or neither the corpus nor a table with these columns is here.
    """
    columns = corpus.evaluation.groups
    reader, root = layout_of(corpus, paths, corpora), paths.root / corpus.root
    path = paths.groups / GROUPS
    if columns and not reader.found(root):
        here = read_groups(paths)
        lacking = [column for column in columns if column not in here]
        if lacking:
            raise ValueError(
                f"corpora.{paths.corpus}.evaluation.groups: {path} has no column {', '.join(lacking)}, and "
                "the corpus is not here: fetch the table with `dvc pull`, or name columns that it has"
            )
        return
    groups = listed_groups(corpus, paths, corpora) if columns else {}
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["recording", *columns])
    for name in sorted(set().union(*groups.values())):
        rows.writerow([name, *(groups[column].get(name, "") for column in columns)])
    write_if_changed(path, text.getvalue().encode())


def listed_groups(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus] = NONE) -> Groups:
    """Read the groups of `evaluation.groups` from the corpus.

    Raises:
        ValueError: the corpus has no such column, it gives no recording a group, or more than `MOST` groups,
            or a cell is what a spreadsheet would compute.
    """
    reader, root = layout_of(corpus, paths, corpora), paths.root / corpus.root
    where = f"corpora.{paths.corpus}.evaluation.groups"
    if reader.read_groups is None:
        raise ValueError(
            f"{where}: layout {corpus.layout} has no table with columns of recordings, expected []"
        )
    groups = {}
    for column in corpus.evaluation.groups:
        try:
            cells = reader.read_groups(root, column)
        except KeyError as error:
            raise ValueError(f"{where}: {error.args[0]}") from None
        values = set(cells.values()) - {""}
        for value in sorted(values):
            if refused := refusal(value):
                raise ValueError(f"{where}: {refused} (column {column})")
        if not values:
            raise ValueError(f"{where}: the column {column} is empty, expected a group of some recordings")
        if len(values) > MOST:
            numbers = all(finite(value) is not None for value in values)
            instead = " (of an age, for example, 18 to 30)" if numbers else ""
            raise ValueError(
                f"{where}: the column {column} has {len(values)} different values, such as "
                f"'{sorted(values)[0]}', expected at most {MOST} categories{instead}"
            )
        groups[column] = cells
    return groups
