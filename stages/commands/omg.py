"""`emobed omg`: prepare OMG-Emotion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.commands.cut_outcome import say
from stages.commands.help import Command

omg_app = typer.Typer(help="OMG-Emotion: cut utterances out of whole videos.", no_args_is_help=True)


@omg_app.callback()
def _group() -> None:
    """Keep `cut` a sub-command although it is the only one."""


@omg_app.command(cls=Command)
def cut(
    videos: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="of whole videos: <YouTube id>.mp4 or as yt-dlp names them"),
    ],
    root: Annotated[
        Path, typer.Option(metavar="FOLDER", help="has omg_*Videos.csv, and gets the clips")
    ] = Path("data/raw/omg"),
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="clips that are cut at once")] = 2,
) -> None:
    """Cut the utterances of the official csv files out of whole videos.

    A second call does only the rest.

    Exit codes: 0 what has a video is cut, 1 an utterance failed, or files are missing and are named.
    """
    from pipeline.tools.omg_cut import cut_utterances

    try:
        outcome = cut_utterances(root, videos, workers)
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    say(outcome, "whole videos", where=f": no whole video in {videos}")
