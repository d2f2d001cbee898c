"""Files whose names say what they are -> the media of each recording, and counts of what is wrong.

For corpora whose labels are in the names: a file that cannot be recognised by its name is left out and
counted, one sentence for all of a kind, since a corpus has thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import Wanted
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Medium, Partition, Recording

POINTER = b"version https://git-lfs"
LONGEST_POINTER = 1024
"""Bytes: a file that Git LFS left in the place of a medium has some 130."""


class Wrong(str):
    """What is wrong with a name, and what would be right."""

    __slots__ = ()


@dataclass
class NamedMedia:
    """Media by recording and modality, paths relative to the root, and what was left out on the way."""

    media: dict[str, dict[str, Path]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def recordings(self, wanted: Wanted, of: Callable[[str], tuple[Partition, str]]) -> Iterator[Recording]:
        """Give the recordings with a medium that is extracted, all of them where nothing is; sorted by name.

        of: name of a recording -> its partition and speaker. What the others lack is counted as a problem.
        """
        lacking: dict[str, list[str]] = {}
        for name, media in sorted(self.media.items()):
            if wanted.extract and set(wanted.extract).isdisjoint(media):
                continue
            for modality in wanted.extract:
                if modality in ("audio", "video") and modality not in media:
                    lacking.setdefault(modality, []).append(name)
            partition, speaker = of(name)
            yield Recording(name, partition, speaker, {key: Medium(path) for key, path in media.items()})
        for modality, names in lacking.items():
            reason = f"{len(names)} of {len(self.media)} recordings have no {modality}, such as {names[0]}"
            self.problems.append(Problem("", "", reason))


def named_media(
    root: Path,
    files: Mapping[str, Iterable[Path]],
    name_of: Callable[[Path], str | Wrong],
    wanted: Wanted,
) -> NamedMedia:
    """Sort files into recordings.

    Args:
        root: of the corpus.
        files: of each modality, relative to `root`; of several with one name the first counts.
        name_of: file -> name of its recording, or what is wrong with its name.
        wanted: says in which other folders links may lead.
    """
    found, inside = NamedMedia(), Inside(root, wanted.media_folders)
    left_out: dict[str, list[str]] = {}
    known: dict[Path, str] = {}
    for modality, paths in files.items():
        for path in paths:
            if path not in known:
                known[path] = _name(root, path, name_of, inside, left_out)
            if known[path]:
                found.media.setdefault(known[path], {}).setdefault(modality, path)
    for reason, places in left_out.items():
        more = f"; {len(places)} files like this" if len(places) > 1 else ""
        found.problems.append(Problem("", places[0], f"{reason}: left out{more}"))
    return found


def files_in(root: Path, folder: str, suffixes: Iterable[str]) -> list[Path]:
    """Return the files of a folder with one of the suffixes, relative to `root`, sorted; none without it.

    Hidden ones (`._1001_DFA_ANG_XX.wav` of macOS) are left out.
    """
    if not (root / folder).is_dir():
        return []
    return sorted(
        path.relative_to(root)
        for path in (root / folder).iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )


def _name(
    root: Path,
    path: Path,
    name_of: Callable[[Path], str | Wrong],
    inside: Inside,
    left_out: dict[str, list[str]],
) -> str:
    """Return the name of a file's recording; empty: it is left out, and `left_out` has it by the reason."""
    name = name_of(path)
    if isinstance(name, Wrong):
        reason = str(name)
    elif refused := inside.refusal(path):
        reason = refused
    elif _is_pointer(root / path):
        reason = "found a pointer of Git LFS, expected the medium itself; `git lfs pull` fetches it"
    else:
        return name
    left_out.setdefault(reason, []).append(path.as_posix())
    return ""


def _is_pointer(path: Path) -> bool:
    if path.stat().st_size > LONGEST_POINTER:
        return False
    with path.open("rb") as file:
        return file.read(len(POINTER)) == POINTER
