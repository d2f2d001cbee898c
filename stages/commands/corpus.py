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
DISTRIBUTED = ("recola", "omg")
"""Corpora of others whose profiles stand in params.yaml."""
LONG = 4
"""Letters from which on a part of a profile's name tells it."""


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
        from pipeline.params.sentences import did_you_mean

        path = Path("params.yaml")
        before = path.read_bytes()
        profiles = Profiles(before.decode("utf-8-sig"))
        given = bool(like)
        like = like or (name if name in SHIPPED else "own")
        if not given:
            _require_no_lookalike(name)
        known = [*profiles.corpora, *(one for one in SHIPPED if one not in profiles.corpora)]
        if like not in known:
            raise ValueError(
                f"'{like}' is not under corpora, expected one of {', '.join(known)}"
                f"{did_you_mean(like.lower(), known)}"
            )
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
    source = "as the profile of that name has it" if like == name else f"a copy of {like}; edit it"
    typer.echo(
        f"params.yaml: corpora.{name} is {source}; `emobed corpus show {name}` prints it, "
        f"`emobed check {name}` looks at {folder}; then put {name} into run.corpora"
    )


def _require_no_lookalike(name: str) -> None:
    """Refuse to copy `own` for a corpus whose name says that it is one with a profile.

    Raises:
        ValueError: a profile has nearly this name.
    """
    plain = _plain(name)
    near = [
        known
        for known in (*SHIPPED, *DISTRIBUTED)
        if name != known and ((len(plain) >= LONG and plain in _plain(known)) or _plain(known) in plain)
    ]
    if near:
        profiles = " or ".join(f"`--like {known}`" for known in near)
        raise ValueError(
            f"'{name}' is the name of no profile and looks like that of {' and '.join(near)}: say "
            f"{profiles}, or `--like own` for a corpus of your own"
        )


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


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
