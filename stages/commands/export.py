"""`emobed export`: a recogniser in the format of another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.commands.help import Command
from stages.commands.session import sentences, size

export_app = typer.Typer(no_args_is_help=True, help="Write a recogniser for another runtime: ONNX.")


@export_app.callback()
def _export() -> None:
    pass


@export_app.command("onnx", cls=Command)
def onnx(
    recogniser: Annotated[
        Path,
        typer.Argument(
            metavar="RECOGNISER",
            help="folder of a recogniser, such as data/recognisers/demo_sessions/audio+video.arousal",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="without it <name>.onnx in this folder", show_default=False),
    ] = None,
    step: Annotated[
        bool,
        typer.Option(
            "--step", help="for streams: takes some frames at a time, and a state that it gives back"
        ),
    ] = False,
) -> None:
    """Write a recogniser as one ONNX file.

    It takes raw features and gives predictions (docs/onnx.md shows how). Scaling, the networks of all seeds,
    the annotation delay and post-processing are in the file.

    Exit codes: 0 written, 1 the recogniser cannot be used, or its system cannot be written.
    """
    with sentences():
        # imported here, so that `emobed --help` waits for nothing
        from pipeline.corpora.atomic import write_if_changed
        from pipeline.recogniser import Recogniser
        from pipeline.recogniser.onnx_file import left_out, to_onnx

        loaded = Recogniser.load(recogniser)
        path = out or Path(f"{loaded.name}{'.step' if step else ''}.onnx")
        content = to_onnx(loaded, step)
        write_if_changed(path, content)
        typer.echo(f"{path}: {size(len(content))}, {loaded.dimension} from {' and '.join(loaded.needed)}")
        if note := left_out(loaded, step):
            typer.echo(f"{path}: {note}", err=True)
