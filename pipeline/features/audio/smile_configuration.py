"""openSMILE's own configuration of a feature set -> the part of it that the wanted level is made of.

The configurations that come with openSMILE compute more than anybody asks for: descriptors for a sink that
is not there beside functionals, functionals beside descriptors, and those of the sets that a set is built
upon. What is left out is not read by what stays, so that its numbers are the same to the last bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

COMMENT = (";", "#", "%", "//")
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INCLUDE = re.compile(r"\\\{(.*)\}$")
OPTION = re.compile(r"\\cm\[(\w+)(?:\{(.*?)\})?")
SECTION = re.compile(r"\[(.+?):\w+\]")
INSTANCE = re.compile(r"instance\[(.+?)\]")
LEVELS = re.compile(r"(\S*)\.dmLevel\s*=\s*(.*)")
SUMMARISED = re.compile(
    r"^\[.+?:cFunctionals\]\n(?:[^\[].*\n)*?reader\.dmLevel\s*=\s*([^\s;]+)", re.MULTILINE
)
BETWEEN = re.compile(r"\s*;\s*|\s*//.*|\s+$")
"""Between the names of levels, and after the last."""
INSTANCES = "componentInstances"
ENCODING = "latin-1"
"""Of openSMILE's files, comments included; every byte is a letter of it."""


def configuration(path: Path, parts: Mapping[str, str]) -> str:
    """Return a configuration in one piece: what the sinks read, directly or through others.

    path: of openSMILE's own. parts: the text of those files that it takes as options, by their names.
    """
    lines = list(_lines(path, parts, {}))
    needed = _needed(lines)
    kept, section = [], ""
    for line in lines:
        if found := SECTION.match(line):
            section = found[1]
        instance = INSTANCE.match(line)
        owner = instance[1] if instance else section
        if owner == INSTANCES or owner in needed:
            kept.append(line)
    return "\n".join(kept) + "\n"


def first_summarised(text: str) -> str:
    """Return the first level of frames that functionals are made of; text: of `configuration`."""
    found = SUMMARISED.search(text)
    assert found is not None  # each set has functionals
    return found[1]


def _lines(path: Path, parts: Mapping[str, str], defaults: dict[str, Path]) -> Iterator[str]:
    """Yield the lines of a file and of those that it includes, without comments.

    defaults: files of options, which are named where an option comes first.
    """
    yield from _expanded(_text(path), path.parent, parts, defaults)


def _expanded(text: str, folder: Path, parts: Mapping[str, str], defaults: dict[str, Path]) -> Iterator[str]:
    for raw in BLOCK_COMMENT.sub("", text).splitlines():
        line = raw.strip()
        if not line or line.startswith(COMMENT):
            continue
        included = INCLUDE.match(line)
        if included is None:
            yield line
            continue
        option = OPTION.match(included[1])
        if option is None:
            yield from _lines(folder / included[1], parts, defaults)
        elif option[1] in parts:
            yield from _expanded(parts[option[1]], folder, parts, defaults)
        else:
            if option[2]:
                defaults.setdefault(option[1], folder / option[2])
            yield from _lines(defaults[option[1]], parts, defaults)


@lru_cache(maxsize=64)
def _text(path: Path) -> str:
    return path.read_text(encoding=ENCODING)


def _needed(lines: list[str]) -> set[str]:
    """Return the components that end somewhere else than in a level, and those that they read from."""
    reads: dict[str, list[str]] = {}
    writer: dict[str, str] = {}
    writing, instances, section = set(), set(), ""
    for line in lines:
        if found := SECTION.match(line):
            section = found[1]
        elif found := INSTANCE.match(line):
            instances.add(found[1])
        elif found := LEVELS.match(line):
            if found[1] == "writer":
                writer[BETWEEN.split(found[2])[0]] = section
                writing.add(section)
            else:
                reads.setdefault(section, []).extend(BETWEEN.split(found[2]))
    needed = instances - writing
    waiting = list(needed)
    while waiting:
        # a level that nobody writes is openSMILE's to complain about
        sources = {writer[level] for level in reads.get(waiting.pop(), []) if level in writer} - needed
        needed |= sources
        waiting += sources
    return needed
