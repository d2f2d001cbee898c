"""Names of files as a table has them -> as they are on disk: Windows' separators, other forms of Unicode."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from pipeline.location import Location, RemoteError, RemotePath, as_location
from pipeline.names import composed


@dataclass(frozen=True)
class Spelling:
    """How the files below `root` are spelled; folders are listed once, and only if a name was not found."""

    root: Location
    listed: dict[Path, dict[str, str]] = field(default_factory=dict)

    def on_disk(self, cell: str) -> Location:
        r"""Return the path, relative to the root, of the file that a cell names, as spelled on disk.

        `clips\a.wav` is `clips/a.wav`; `é` finds a file with a composed or a decomposed one. A file that is
        not there keeps its name.
        """
        path = as_location(cell)
        if isinstance(path, RemotePath):
            return path
        if is_file(self.root / path):
            return path
        if "\\" in cell:
            path = Path(PureWindowsPath(cell).as_posix())
        if str(path).isascii():
            return path
        if isinstance(self.root, Path):
            return self._searched(self.root, path)
        forms = [as_location(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")]
        return next((form for form in forms if is_file(self.root / form)), path)

    def _searched(self, root: Path, path: Path) -> Path:
        found = Path(path.anchor)
        for part in path.parts[1 if path.anchor else 0 :]:
            folder = root / found
            found /= part if is_there(folder / part) else self._names(folder).get(composed(part), part)
        return found

    def _names(self, folder: Path) -> dict[str, str]:
        """Return the names in a folder by their composed form."""
        if folder not in self.listed:
            names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
            self.listed[folder] = {composed(name): name for name in names}
        return self.listed[folder]


def is_file(path: Location) -> bool:
    """Say whether a file can be seen there; none has a name that the system refuses."""
    try:
        return path.is_file()
    except RemoteError:
        raise
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Say whether a file or folder can be seen there; see `is_file`."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
