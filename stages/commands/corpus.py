"""`emobed corpus`: the entries of params.yaml: what is in force, and a new one beside the others."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from stages.commands.help import Command
from stages.commands.session import corpus_names, parameters, sentences

corpus_app = typer.Typer(
    no_args_is_help=True, help="The corpora of params.yaml: show what is in force, add one."
)
WIDTH = 100
SHIPPED = {path.stem: path for path in sorted(Path(__file__).with_name("profiles").glob("*.yaml"))}
"""Profiles of corpora that params.yaml has no room for: name -> a file with its entry, to be copied."""


def profile_names(incomplete: str) -> list[str]:
    """Return what can be copied: corpora of params.yaml, and profiles in files of their own."""
    return [*corpus_names(incomplete), *(name for name in SHIPPED if name.startswith(incomplete))]


@corpus_app.command(cls=Command)
def show(
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS", help="a corpus under `corpora` of params.yaml", autocompletion=corpus_names
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="the values alone, as JSON")] = False,
) -> None:
    """Print all values of a corpus, each with its meaning.

    Exit codes: 0 shown, 1 there is no such corpus or params.yaml is wrong.
    """
    with sentences():
        own = parameters().corpus(corpus)
        values = own.model_dump(mode="json")
        if as_json:
            typer.echo(json.dumps(values, indent=1, ensure_ascii=False))
            return
        from pipeline.params.profiles import Profiles

        values = {key: value for key, value in values.items() if value or key not in ("sources", "audformat")}
        meanings = Profiles(Path("params.yaml").read_text(encoding="utf-8-sig")).meanings(corpus)
        for line in _lines(values, meanings, 0, ""):
            typer.echo(line)


@corpus_app.command(cls=Command)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="of the new corpus")],
    like: Annotated[
        str,
        typer.Option(
            metavar="PROFILE",
            help=f"the corpus whose entry is copied: one of params.yaml, or {', '.join(SHIPPED)}; without it "
            "the one called NAME, else own",
            autocompletion=profile_names,
        ),
    ] = "",
    root: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="of its media; without it data/raw/NAME", show_default=False),
    ] = None,
) -> None:
    """Write a new corpus into params.yaml, a copy of another to be edited.

    Known corpora have entries of their own to copy (docs/corpora.md).

    Exit codes: 0 written, 1 the name is taken, there is no such profile, or the result would be wrong.
    """
    with sentences():
        parameters()
        from pipeline.corpora.atomic import write_if_changed
        from pipeline.params import load_params
        from pipeline.params.profiles import Profiles

        path = Path("params.yaml")
        before = path.read_bytes()
        profiles = Profiles(before.decode("utf-8-sig"))
        like = like or (name if name in SHIPPED else "own")
        folder = root or f"data/raw/{name}"
        if like in SHIPPED and like not in profiles.corpora:
            entry = SHIPPED[like].read_text(encoding="utf-8")
            text = profiles.with_entry(name, entry, folder)
        else:
            text = profiles.with_copy(name, like, folder)
        write_if_changed(path, text.encode())
        try:
            load_params(path)
        except ValueError:
            write_if_changed(path, before)
            raise
    typer.echo(
        f"params.yaml: corpora.{name} is a copy of {like}; edit it, then put {name} into run.corpora "
        f"(`emobed corpus show {name}`, `emobed check {name}`)"
    )


def _lines(values: dict[str, Any], meanings: dict[str, str], depth: int, above: str) -> Iterator[str]:
    indent = "  " * depth
    for key, value in values.items():
        path = f"{above}{key}"
        if path in meanings:
            yield from textwrap.wrap(
                meanings[path],
                WIDTH,
                initial_indent=f"{indent}# ",
                subsequent_indent=f"{indent}# ",
                break_on_hyphens=False,
            )
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, meanings, depth + 1, f"{path}.")
        else:
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"
