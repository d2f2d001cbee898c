"""What stands on the command line of `emobed predict` -> recognisers, and the files to predict.

A recogniser is a folder with a `recogniser.json`, everything else is an input: a file of media, a folder
of them, a table that names them (`input_tables`). A file is predicted once, however often it is named.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.corpora.spelling import is_file, is_there
from pipeline.predicting.medium import Failure, InputError, Medium, NothingError, Part
from pipeline.recogniser.folder import meant

RECOGNISER = "recogniser.json"
"""The file that makes a folder a recogniser."""
MEDIA = (
    ".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma", ".w64", ".mka",
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".3gp", ".mpg", ".mpeg", ".mts", ".m2ts",
)  # fmt: skip
"""Files that are taken from a folder; a file that is named itself is opened whatever it is called."""
TEXT = ".txt"
"""A transcript: the input of a recogniser of text, or beside a medium of the same name its words."""
TABLES = (".csv", ".tsv", ".parquet")
NAMED = 4
"""Kinds of files passed over that are named."""


@dataclass
class Inputs:
    """What is to be predicted.

    media: each file once. columns: of tables, beside those that are read, in the order of the first table.
    failures: rows of tables that name no file that may be read. notes: what was passed over, in sentences.
    """

    media: tuple[Medium, ...] = ()
    columns: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def apart(words: Iterable[str]) -> tuple[list[Path], list[Path]]:
    """Tell recognisers from inputs, each in its order.

    Raises:
        InputError: one of both is missing, or there is no such file.
    """
    recognisers: list[Path] = []
    inputs: list[Path] = []
    for word in dict.fromkeys(words):
        path = Path(word)
        if path.name == RECOGNISER and is_file(path):
            path = path.parent
        is_one = is_file(path / RECOGNISER)
        if not is_one and not is_there(path):
            instead = meant(path)
            raise InputError(
                f"{word}: no such file or folder" + (f"; did you mean {instead}?" if instead else "")
            )
        (recognisers if is_one else inputs).append(path)
    if not recognisers:
        instead = next((found for path in inputs if (found := meant(path))), None)
        raise InputError(
            f"no recogniser among {', '.join(map(str, inputs)) or 'nothing'}: expected a folder with a "
            f"{RECOGNISER}, "
            + (f"such as {instead}" if instead else "as the stage `export` writes them to data/recognisers")
        )
    if not inputs:
        raise InputError("nothing to predict: expected files, folders or a table behind the recognisers")
    return recognisers, inputs


def listed(paths: Sequence[Path], *, root: Path | None = None, text: bool = False) -> Inputs:
    """List what inputs hold.

    root: folder below which files that tables name lie; None: that of the table. text: whether a recogniser
    of text is among the recognisers, which makes transcripts inputs too.

    Raises:
        InputError: there is nothing to predict, or a folder cannot be listed.
        TableError: a table cannot be read.
    """
    found = _Found()
    for path in paths:
        if path.is_dir() and not (path / "db.yaml").is_file():
            _take_folder(found, path, text)
        elif path.is_dir() or path.suffix.lower() in TABLES:
            from pipeline.predicting.input_tables import read_table

            listed_there = read_table(path, root)
            if not listed_there.rows:
                found.notes.append(f"{path}: the table has no rows")
            listed_there.into(found.table)
        else:
            found.take(path.as_posix(), path, Part())
    return found.inputs(paths)


@dataclass
class _Parts:
    """Parts of a file as they are named.

    bare: named without a table. rows: of tables, by all that they say: two rows of one part (of two raters)
    are two rows of the output.
    """

    bare: dict[tuple[float, float | None], Part] = field(default_factory=dict)
    rows: dict[tuple[Any, ...], Part] = field(default_factory=dict)
    segments: set[tuple[float, float | None]] = field(default_factory=set)

    def take(self, part: Part, cells: Mapping[str, str] | None) -> bool:
        """Take a part; return whether it, or this row of a table, was here already."""
        segment = (part.start, part.end)
        again = segment in self.segments
        if cells is None:
            if not again:
                self.bare[segment] = part
        else:
            bare = self.bare.pop(segment, None)  # a row says more than the name of the file
            row = (segment, part.words, *sorted(cells.items()))
            again = bare is not None or row in self.rows
            self.rows.setdefault(row, part)
        self.segments.add(segment)
        return again

    @property
    def every(self) -> Iterator[Part]:
        """Give them all."""
        yield from self.bare.values()
        yield from self.rows.values()


@dataclass
class _Found:
    """Files as they are found, each part of each once, or once for each row of a table that names it."""

    media: dict[str, tuple[str, Path, _Parts]] = field(default_factory=dict)
    columns: dict[str, None] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unnamed: set[str] = field(default_factory=set)
    twice: int = 0

    def take(self, name: str, path: Path, part: Part, cells: dict[str, str] | None = None) -> None:
        """Take a part of a file unless it is here; cells: of its table's other columns, None: no table."""
        if not name.isascii():
            try:
                name.encode()
            except UnicodeEncodeError:
                self._refuse_name(name, os.path.realpath(path))
                return
        self.columns |= dict.fromkeys(cells or ())
        own = cells or {}
        # columns of later tables come behind: shorter cells are filled up when all is known
        given = part._replace(given=tuple(own.get(key, "") for key in self.columns))
        known = self.media.setdefault(os.path.realpath(path), (name, path, _Parts()))[2]
        self.twice += known.take(given, cells)

    def _refuse_name(self, name: str, real: str) -> None:
        """Refuse a file whose name no table can hold, once, however many ways lead to it."""
        if real in self.unnamed:
            self.twice += 1
            return
        self.unnamed.add(real)
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        self.failures.append(Failure(shown, "its name is not UTF-8, rename it"))

    def table(self, name: str, path: Path | None, part: Part, cells: dict[str, str], reason: str) -> None:
        """Take a row of a table, or why it names no file that may be read."""
        self.columns |= dict.fromkeys(cells)
        if path is None:
            self.failures.append(Failure(name, reason))
        else:
            self.take(name, path, part, cells)

    def inputs(self, paths: Sequence[Path]) -> Inputs:
        """Return all that was found.

        Raises:
            NothingError: there is nothing to predict.
        """
        width = len(self.columns)
        media = tuple(
            Medium(name, path, tuple(_filled(part, width) for part in parts.every))
            for name, path, parts in self.media.values()
        )
        if not media and not self.failures:
            more = f" ({'; '.join(self.notes)})" if self.notes else ""
            raise NothingError(
                f"no recording in {', '.join(map(str, paths))}{more}: expected files such as "
                f"{', '.join(kind[1:] for kind in MEDIA)}"
            )
        _require_unlike(media)
        if self.twice:
            times = f"{self.twice} times" if self.twice > 1 else "once"
            self.notes.append(f"files named again ({times}) are predicted once")
        return Inputs(media, tuple(self.columns), tuple(self.failures), tuple(self.notes))


def _require_unlike(media: Sequence[Medium]) -> None:
    """Refuse different files that the output would call the same.

    Raises:
        InputError: two are.
    """
    known: dict[str, Path] = {}
    for medium in media:
        other = known.setdefault(medium.name, medium.path)
        if other != medium.path:
            raise InputError(
                f"'{medium.name}' names two files, {other} and {medium.path}: predict their tables one by one"
            )


def _filled(part: Part, width: int) -> Part:
    return part._replace(given=(*part.given, *[""] * (width - len(part.given))))


def _take_folder(found: _Found, folder: Path, text: bool) -> None:
    """Take the media below a folder, sorted; name once how many other files there are."""
    files = list(_files(folder))
    kinds = (*MEDIA, TEXT) if text else MEDIA
    media = [path for path in files if path.suffix.lower() in kinds]
    if text:  # a transcript beside a medium of the same name is its words and no input of its own
        stems = {path.with_suffix("") for path in media if path.suffix.lower() != TEXT}
        media = [path for path in media if path.suffix.lower() != TEXT or path.with_suffix("") not in stems]
    for path in media:
        found.take(path.as_posix(), path, Part())
    others = [path for path in files if path.suffix.lower() not in kinds]
    if others:
        counts = Counter(path.suffix.lower() or "without ending" for path in others).most_common()
        shown = ", ".join(f"{count} {kind}" for kind, count in counts[:NAMED])
        more = " and more" if len(counts) > NAMED else ""
        what = "1 other file is" if len(others) == 1 else f"{len(others)} other files are"
        found.notes.append(f"{folder}: {what} passed over ({shown}{more})")


def _files(folder: Path) -> Iterator[Path]:
    """Give the files below a folder, sorted, without hidden ones and without recognisers.

    Links to folders are followed, and no folder is entered twice, so that links in a circle end.

    Raises:
        InputError: a folder cannot be listed.
    """
    entered: set[str] = set()

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot be listed ({error.strerror})") from None

    for where, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        here = Path(where)
        real = os.path.realpath(here)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(
            name for name in folders
            if not name.startswith(".") and not (here / name / RECOGNISER).is_file()
        )  # fmt: skip
        yield from (here / name for name in sorted(names) if not name.startswith("."))
