"""`emobed enrol` and `emobed speakers`: keep what recognisers need of a speaker; list and forget speakers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.commands.help import Command

Folder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="folder of speakers; without it what EMOBED_SPEAKERS names, or ~/.local/share/emobed/speakers",
        show_default=False,
    ),
]
speakers_app = typer.Typer(help="Speakers that were enrolled: list them, forget one.", no_args_is_help=True)


def enrol(
    speaker: Annotated[str, typer.Argument(metavar="NAME", help="what the speaker is called from now on")],
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="recordings of this speaker alone, a few seconds each"),
    ],
    recogniser: Annotated[
        list[Path],
        typer.Option(
            "--recogniser",
            metavar="FOLDER",
            help="a recogniser that is to know the speaker; may be repeated",
        ),
    ],
    out: Folder = None,
) -> None:
    """Make a speaker known, by whom recognisers then scale features.

    Kept are count, mean and deviation of the features of some recordings, whatever is said in them. `emobed
    predict --speaker NAME` then scales by them.

    More files of a speaker who is known are added, the same file once. What is kept holds no recording and no
    file name. It is personal data all the same: tell the speaker, and remove it when it is no longer needed.
    """
    from pipeline.features.media.opening import MediaError
    from pipeline.recogniser import Recogniser
    from pipeline.recogniser.enrolment import Enrolment, enrol_file, enrolled_modalities
    from pipeline.recogniser.speakers import (
        checked_name,
        read_speaker,
        speakers,
        speakers_folder,
        write_speaker,
    )

    name, folder = checked_name(speaker), out or speakers_folder()
    recognisers = [Recogniser.load(path) for path in recogniser]
    for path, own in zip(recogniser, recognisers, strict=True):
        if not enrolled_modalities(own.models):
            typer.echo(
                f"{path}: does not scale by speaker (scaling.speaker: none), so it needs no enrolment",
                err=True,
            )
            raise typer.Exit(1)
    enrolment = read_speaker(folder, name) if name in speakers(folder) else Enrolment(name)
    failed = 0
    for file in files:
        try:
            enrolment = enrol_file(recognisers, file, enrolment)
        except (MediaError, OSError) as error:
            typer.echo(f"{file}: {error}" if str(file) not in str(error) else str(error), err=True)
            failed += 1
    if failed < len(files):
        path = write_speaker(folder, enrolment)
        counts = sorted({(own.modality, own.recordings) for own in enrolment.entries.values()})
        said = [f"{modality} of {number} recording{'s' * (number != 1)}" for modality, number in counts]
        typer.echo(f"{path}: {', '.join(said)}")
    if failed:
        typer.echo(f"{failed} of {len(files)} files could not be used", err=True)
        raise typer.Exit(1)


@speakers_app.command("list", cls=Command)
def list_speakers(out: Folder = None) -> None:
    """Print who is enrolled: name, modality and number of recordings."""
    from pipeline.recogniser.error import RecogniserError
    from pipeline.recogniser.speakers import read_speaker, speakers, speakers_folder

    folder, broken = out or speakers_folder(), False
    names = speakers(folder)
    if not names:
        typer.echo(f"{folder}: nobody is enrolled")
    for name in names:
        try:
            entries = read_speaker(folder, name).entries.values()
        except RecogniserError as error:
            typer.echo(str(error), err=True)
            broken = True
            continue
        typer.echo(f"{name}\t" + ", ".join(f"{own.modality} {own.recordings}" for own in entries))
    if broken:
        raise typer.Exit(1)


@speakers_app.command("remove", cls=Command)
def remove(
    speaker: Annotated[str, typer.Argument(metavar="NAME", help="who is forgotten")], out: Folder = None
) -> None:
    """Delete what is kept of a speaker."""
    from pipeline.recogniser.speakers import remove_speaker, speakers_folder

    remove_speaker(out or speakers_folder(), speaker)
    typer.echo(f"{speaker}: forgotten")
