"""How the help of `emobed` looks: usage as docs/ write it, and examples to copy."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

WIDTH = 100
"""Characters of a line of help, where the terminal has so many."""
BRACES = re.compile(r"\{(.+?)(?:\.\.\.)?\}(\.\.\.)?")
TYPE = re.compile(r" <[^>|]*>$")
"""A type of Python behind a name; `<train|dev>` says what can be chosen, and stays."""


class Command(TyperCommand):
    """A command whose help names what it takes in words, without braces and without types of Python."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage: `{RECOGNISER... INPUT...}...` -> `RECOGNISER... INPUT...`."""
        return [BRACES.sub(r"\1\2", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, a word for the value of each and what it does."""
        for kind, title in (("argument", "Arguments"), ("option", "Options")):
            own = [each for each in self.get_params(ctx) if each.param_type_name == kind]
            records = [record for record in (each.get_help_record(ctx) for each in own) if record]
            if records:
                with formatter.section(title):
                    formatter.write_dl([(TYPE.sub("", words), meaning) for words, meaning in records])


def examples(*calls: str) -> str:
    """Write calls as the end of a page of help, a line each and never broken."""
    return "\n".join(["\b", "Examples:", *(f"  {call}" for call in calls)])
