"""groups.csv beside the traces -> which recording is of which group: apart, since it needs no layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.corpora.text_table import text_table

if TYPE_CHECKING:
    from pipeline.paths import Paths

GROUPS = "groups.csv"
Groups = Mapping[str, Mapping[str, str]]
"""Column -> recording -> group, empty where it is not given."""


def read_groups(paths: Paths) -> dict[str, dict[str, str]]:
    """Read groups.csv as registered: column -> recording -> group; nothing where there is no such file.

    Raises:
        TableError: it is no table.
    """
    path = paths.groups / GROUPS
    if not path.is_file():
        return {}
    with text_table(path, ("recording",)) as table:
        found: dict[str, dict[str, str]] = {name: {} for name in table.header if name != "recording"}
        for line in table:
            for column, cells in found.items():
                cells[line.cells["recording"]] = line.cells[column]
    return found
