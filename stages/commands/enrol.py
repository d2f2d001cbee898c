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
        typer.Argument(metavar="FILE", help="recordings of this speaker alone, or folders of them"),
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

    More files of a speaker who is known are added, the same file once, also where several are enrolled at
    the same time. Of a file without sound, or without a face, what it has is used. What is kept holds no
    recording and no file name. It is personal data all the same: tell the speaker, and remove it when it is
    no longer needed.
    """
    from pipeline.predicting.ahead import import_networks
    from pipeline.running.guarded import start_ahead

    start_ahead(import_networks)
    from pipeline.predicting.inputs import listed
    from pipeline.predicting.speaker import by_speaker, recordings_of
    from pipeline.recogniser.folder import read_folder
    from pipeline.recogniser.speaker_files import checked_name, speakers, speakers_folder
    from pipeline.recogniser.speakers import add_to_speaker, read_speaker

    name, folder = checked_name(speaker), out or speakers_folder()
    needed: dict[str, None] = {}
    for path in recogniser:
        about = read_folder(path)
        if not by_speaker(about):
            _say(f"{path}: does not scale by speaker (scaling.speaker: none), so it needs no enrolment")
            raise typer.Exit(1)
        needed |= dict.fromkeys(about.needed)
    if name in speakers(folder):
        read_speaker(folder, name)  # what cannot be added to is said before files are read
    named = [[medium.path for medium in listed([path]).media] if path.is_dir() else [path] for path in files]
    every = list(dict.fromkeys(path for paths in named for path in paths))
    found = recordings_of([path.absolute() for path in recogniser], "cpu", every, _say)
    lacking: list[str] = []
    if found:
        path, enrolment = add_to_speaker(folder, name, found)
        counts = sorted({(own.modality, own.recordings) for own in enrolment.entries.values()})
        said = [f"{modality} of {number} recording{'s' * (number != 1)}" for modality, number in counts]
        typer.echo(f"{path}: {', '.join(said)}")
        lacking = [modality for modality in needed if modality not in dict(counts)]
    if failed := len(every) - len(found):
        _say(f"{failed} of {len(every)} files could not be used")
    if lacking:
        _say(f"{name}: no {' and no '.join(lacking)} is enrolled yet, which the recognisers named here need")
    if failed or lacking:
        raise typer.Exit(1)


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


@speakers_app.command("list", cls=Command)
def list_speakers(out: Folder = None) -> None:
    """Print who is enrolled: name, modality and number of recordings."""
    from pipeline.recogniser.error import RecogniserError
    from pipeline.recogniser.speaker_files import speakers, speakers_folder
    from pipeline.recogniser.speakers import read_speaker

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
    from pipeline.recogniser.speaker_files import remove_speaker, speakers_folder

    remove_speaker(out or speakers_folder(), speaker)
    typer.echo(f"{speaker}: forgotten")
