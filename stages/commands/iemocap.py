"""`emobed iemocap`: prepare IEMOCAP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.commands.cut_outcome import say
from stages.commands.help import Command

iemocap_app = typer.Typer(help="IEMOCAP: cut utterances out of dialogues.", no_args_is_help=True)


@iemocap_app.callback()
def _group() -> None:
    """Keep `cut` a sub-command although it is the only one."""


@iemocap_app.command(cls=Command)
def cut(
    root: Annotated[
        Path, typer.Option(metavar="FOLDER", help="has Session1 to Session5, and gets clips and words")
    ] = Path("data/raw/iemocap"),
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="clips that are cut at once")] = 2,
) -> None:
    """Cut clips of each utterance and its speaker, and write its words.

    A second call does only the rest.

    Exit codes: 0 what has a film is cut, 1 an utterance failed, or films are missing and are named.
    """
    from pipeline.tools.iemocap_cut import cut_utterances, write_words

    try:
        words = write_words(root)
        outcome = cut_utterances(root, workers)
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for sentence in words.problems:
        typer.echo(sentence)
    say(outcome, "films", more=f"; words of {words.written} utterances")
