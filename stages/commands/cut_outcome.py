"""What became of clips that were cut out of longer media, for people, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipeline.tools.clips import Outcome


def say(outcome: Outcome, media: str, where: str = "", more: str = "") -> None:
    """Print what is missing and what failed, a line each, and the counts.

    media: what clips are cut from, such as `films`. where: behind each that is missing. more: behind the
    counts.

    Raises:
        typer.Exit: with 1, since an utterance failed.
    """
    for medium, recordings in sorted(outcome.missing.items()):
        typer.echo(f"missing: {medium} ({len(recordings)} utterances){where}")
    for recording, reason in sorted(outcome.failed.items()):
        typer.echo(f"failed: {recording}: {reason}")
    typer.echo(outcome.counted(media) + more)
    if outcome.failed:
        raise typer.Exit(1)
