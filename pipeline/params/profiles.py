"""params.yaml as text: what its comments say of each key, and a new corpus written beside the others.

The file is a user's: it is never written anew by a program that would lose comments or order. Lines are found
by the places that the YAML parser gives.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import yaml

from pipeline.params.file import CORPUS_NAME, ParamsError

MERGE = "<<"
"""YAML's key whose groups are taken over, each key that is not written beside it."""
WIDTH = 118
"""Of a comment that is written."""


class Profiles:
    """The corpora of a params.yaml, as they are written."""

    def __init__(self, text: str) -> None:
        """Take the text of a file that `load_params` accepts."""
        self.lines = text.splitlines()
        self.root = yaml.compose(text, yaml.SafeLoader)
        self.defaults = {
            id(value): key.start_mark.line
            for key, value in (_pairs(self._group("defaults")) if self._has("defaults") else ())
        }
        self.corpora: dict[str, tuple[yaml.ScalarNode, Any]] = {
            key.value: (key, value) for key, value in _pairs(self._group("corpora"))
        }

    def meanings(self, name: str) -> dict[str, str]:
        """Return dotted key -> what comments say of it: its own, else those of the first profile that does.

        name: of a corpus. Keys that no comment explains are left out.
        """
        found: dict[str, str] = {}
        for profile in (name, *self.corpora):
            for path, place in self._keys(self.corpora[profile][1]):
                comment = self._comment(place)
                if comment and path not in found:
                    found[path] = comment
        return found

    def with_copy(self, name: str, like: str, root: str) -> str:
        """Return the text with a new corpus `name` after the last one: a copy of `like` with another root.

        A key of it without a comment gets that of the first profile that has one: whoever edits the entry
        needs no other.

        Raises:
            ParamsError: the name is taken or can be no folder, or there is no such profile.
        """
        self._require_new(name)
        if like not in self.corpora:
            raise ParamsError(f"'{like}' is not under corpora, expected one of {', '.join(self.corpora)}")
        return self._with(self._copied(name, like, root))

    def with_entry(self, name: str, entry: str, root: str) -> str:
        """Return the text with a new corpus `name` after the last one: a copy of an entry that is not in it.

        entry: text of a corpus, as it would stand under `corpora`; it may begin with comments, which are
        copied, and take over groups of `defaults`.

        Raises:
            ParamsError: the name is taken or can be no folder, or the entry needs a group that is not in
                `defaults`.
        """
        self._require_new(name)
        lines = entry.splitlines()
        comments = list(takewhile(lambda line: line.lstrip().startswith("#"), lines))
        try:
            lent = Profiles(self._with([f"  {name}:", *lines[len(comments) + 1 :]]))
        except yaml.MarkedYAMLError as error:
            raise ParamsError(
                f"params.yaml: the profile cannot be added ({error.problem}); expected the groups of "
                "`defaults` as they are distributed"
            ) from None
        return self._with([*comments, *lent._copied(name, name, root)])

    def _require_new(self, name: str) -> None:
        if not CORPUS_NAME.fullmatch(name):
            raise ParamsError(
                f"'{name}' is no name of a corpus, expected letters, digits, _ and -, beginning with a letter"
            )
        if name in self.corpora:
            raise ParamsError(f"corpora.{name} is in params.yaml already, expected a new name")

    def _with(self, lines: Sequence[str]) -> str:
        """Return the text with the lines of a corpus after the last one."""
        end = max(self._end(node) for _, node in self.corpora.values())
        return "\n".join([*self.lines[:end], "", *lines, *self.lines[end:]]) + "\n"

    def _copied(self, name: str, like: str, root: str) -> list[str]:
        """Return the lines of an entry under another name, with another root."""
        key, group = self.corpora[like]
        first = key.start_mark.line
        lines = self.lines[first : self._end(group)]
        lines[0] = f"{' ' * key.start_mark.column}{name}:"  # without the anchor, which names one group only
        for own, value in _pairs(group):
            if own.value == "root" and first <= own.start_mark.line:
                place = value.start_mark.line - first
                lines[place] = f"{' ' * own.start_mark.column}root: {root}"
        meanings, explained = self.meanings(like), set()
        for path, line in sorted(self._keys(group), key=lambda found: -found[1]):
            written = first < line < first + len(lines) and self._comment(line) == ""
            indent = " " * (len(self.lines[line]) - len(self.lines[line].lstrip()))
            alone = self.lines[line].startswith(f"{indent}{path.rpartition('.')[2]}:")
            if written and alone and path in meanings and line not in explained:
                explained.add(line)
                lines[line - first : line - first] = textwrap.wrap(
                    meanings[path],
                    WIDTH,
                    initial_indent=f"{indent}# ",
                    subsequent_indent=f"{indent}# ",
                    break_on_hyphens=False,
                    break_long_words=False,
                )
        return lines

    def _has(self, name: str) -> bool:
        return any(key.value == name for key, _ in _pairs(self.root))

    def _group(self, name: str) -> Any:
        return next(value for key, value in _pairs(self.root) if key.value == name)

    def _keys(self, group: yaml.MappingNode, above: str = "") -> Iterator[tuple[str, int]]:
        """Give each key below a group, dotted, with the line that it stands in; merged ones last."""
        for key, value in _pairs(group):
            path = f"{above}{key.value}"
            yield path, key.start_mark.line
            if isinstance(value, yaml.MappingNode):
                # what the whole group is stands above the default that it starts from
                lines = (self.defaults.get(id(merged)) for merged in _merged(value))
                yield from ((path, line) for line in lines if line is not None)
                yield from self._keys(value, f"{path}.")

    def _comment(self, line: int) -> str:
        """Return the comment behind a key or right above it, in one line."""
        behind = self.lines[line].partition(" # ")[2].strip()
        found: list[str] = []
        indent = len(self.lines[line]) - len(self.lines[line].lstrip())
        for above in reversed(self.lines[:line]):
            text = above.strip()
            if (
                not text.startswith("#")
                or len(above) - len(above.lstrip()) != indent
                or set(text) <= set("# -")
            ):
                break
            found.insert(0, text.lstrip("# "))
        return " ".join([*found, behind]).strip()

    def _end(self, node: yaml.Node) -> int:
        """Return the line after the last one of a group, comments and blank lines behind it left out."""
        # the mark of a group in lines of its own is where the next one begins
        end = node.end_mark.line + (1 if getattr(node, "flow_style", None) else 0)
        while end and (not self.lines[end - 1].strip() or self.lines[end - 1].lstrip().startswith("#")):
            end -= 1
        return end


def _merged(group: yaml.MappingNode) -> list[yaml.Node]:
    """Return the groups that a group takes over."""
    return [value for key, value in group.value if key.value == MERGE]


def _pairs(group: Any) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Give keys and values of a group: those written in it, then those that it takes over."""
    own = [(key, value) for key, value in group.value if key.value != MERGE]
    yield from own
    seen = {key.value for key, _ in own}
    for key, value in group.value:
        if key.value == MERGE:
            for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                yield from ((k, v) for k, v in _pairs(merged) if k.value not in seen)
