"""Names of files in a corpus' tables -> why a file is not to be read, since it lies outside the corpus.

A table may come from somebody else, and what it names is read, hashed and shared as features. So a name stays
below the root of the corpus, whether by `..`, by a path from `/` or by a link; `media_folders` of the corpus'
parameters are the exception. URLs: `location.url_refusal`.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from pipeline.location import Location, RemotePath, url_refusal


@dataclass(frozen=True)
class Inside:
    """What lies inside a corpus: below `root`, or below one of `folders` elsewhere."""

    root: Location
    folders: Collection[Path] = ()
    real: dict[Path, Path] = field(default_factory=dict)

    def refusal(self, path: Location) -> str:
        """Say why a file is not to be read; empty if it lies inside, whether it is there or not.

        path: relative to the root, absolute or a URL.
        """
        if isinstance(path, RemotePath):
            return url_refusal(path.url)
        if ".." in path.parts:
            return f"'{path}' leads out of its folder by '..', expected a path below {self.root}"
        if PureWindowsPath(str(path)).is_absolute() and not path.is_absolute():
            return f"'{path}' is a path of another machine, expected one below {self.root}"
        if isinstance(self.root, RemotePath) and not path.is_absolute():
            return ""
        whole = path if isinstance(self.root, RemotePath) else self.root / path
        real = self._resolved(whole.parent) / whole.name
        if real.is_symlink():
            real = Path(os.path.realpath(real))
        if any(real.is_relative_to(base) for base in self._bases()):
            return ""
        what = "is an absolute path" if path.is_absolute() else f"is a link to {real}"
        return (
            f"'{path}' {what}, outside the corpus; expected a path below {self.root}, or `media_folders: "
            f"[{real.parent}]` among the parameters of the corpus"
        )

    def _bases(self) -> list[Path]:
        own = [] if isinstance(self.root, RemotePath) else [self.root]
        return [self._resolved(base) for base in (*own, *self.folders)]

    def _resolved(self, folder: Path) -> Path:
        """Return a folder without links, each resolved once."""
        if folder not in self.real:
            self.real[folder] = Path(os.path.realpath(folder))
        return self.real[folder]
