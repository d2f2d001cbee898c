"""`emobed predict`: recognisers and files -> a table of predictions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.commands.live import PIPE, listen
from stages.commands.session import sentences

NAMED = 10
"""Files that failed and are named at the end; all of them are in the list beside the table."""


def predict(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="RECOGNISER... INPUT...",
            help="folders of recognisers (with a recogniser.json), and what to predict: media files, folders "
            "of them, tables with a column `file` (csv, Parquet, of an audformat database)",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="the table, .csv, .jsonl or .parquet; without it csv is printed", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the unfinished table --out")] = False,
    hop: Annotated[
        float | None,
        typer.Option(
            help="seconds between two rows, if not those of training: traces are averaged or interpolated"
        ),
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="seconds of a window; other than those of training are refused")
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option(help="a table of embeddings beside that of --out", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="a picture of each file", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="processes that files are dealt to")] = 1,
    device: Annotated[str, typer.Option(help="of the networks: cpu, cuda or auto")] = "cpu",
    max_failed_share: Annotated[
        float, typer.Option(min=0, max=1, help="of the files that may fail before the exit code is 1")
    ] = 0.0,
    root: Annotated[
        Path | None,
        typer.Option(
            help="folder of the files that tables name; without it that of the table", show_default=False
        ),
    ] = None,
    enrol: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="recordings of the speaker of all inputs", show_default=False),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(help="the speaker of all inputs, as `emobed enrol` knows them", show_default=False),
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0, help="seconds that a file may take", show_default=False)
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="microphone or camera, microphone:NAME, camera:1: a JSON line for each row as it comes "
            "(docs/live.md); the input - does the same with sound from standard input",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="of sound without a header, or of a microphone, Hz", show_default=False)
    ] = None,
    channels: Annotated[int, typer.Option(min=1, max=64, help="of the same")] = 1,
) -> None:
    """Predict files with one recogniser or several, side by side in one table.

    Rows have audformat's index: file, start, end. A file that cannot be predicted is a line of failed.csv
    beside the table, and the others are done. Columns, and all else: docs/use.md.

    Whoever is heard or seen must be told that a system recognises emotions (EU AI Act, Article 50(3)); what
    a recogniser learnt from, and the licences of its features, are in its MODEL_CARD.md.

    Exit codes: 0 all is well, 1 more files failed than --max-failed-share, or nothing was predicted, 2 a
    wrong command line, 130 stopped by Ctrl-C.
    """
    if device not in ("cpu", "cuda", "auto"):
        raise typer.BadParameter(f"found {device}, expected cpu, cuda or auto", param_hint="--device")
    if live is not None or words[-1] == PIPE:
        with sentences():
            recognisers = [Path(word) for word in words if word != PIPE]
            known = None
            if enrol is not None or speaker is not None:
                from pipeline.predicting.run import Options, known_speaker

                asked = Options(device=device, enrol=enrol, speaker=speaker, time_limit=time_limit)
                known = known_speaker(recognisers, asked, _say)
            listen(recognisers, live or PIPE, rate, channels, window, hop, device, known)
        return
    with sentences():
        # imported here, so that `emobed --help` waits for nothing
        from pipeline.predicting.ahead import import_networks
        from pipeline.running.guarded import start_ahead

        start_ahead(import_networks)
        from pipeline.predicting.formats import FormatError
        from pipeline.predicting.inputs import InputError, NothingError
        from pipeline.predicting.journal import ResumeError
        from pipeline.predicting.run import OptionError, Options, predict_all
        from pipeline.predicting.side_by_side import NotOneTableError

        options = Options(
            out=out,
            embeddings=embeddings,
            plots=plot,
            window=window,
            hop=hop,
            workers=workers,
            device=device,
            resume=resume,
            max_failed_share=max_failed_share,
            root=root,
            time_limit=time_limit,
            enrol=enrol,
            speaker=speaker,
        )
        try:
            verdict = predict_all(words, options, _say, sys.stdout.buffer)
        except (FormatError, InputError, NotOneTableError, OptionError, ResumeError) as error:
            _say(str(error))
            raise typer.Exit(1 if isinstance(error, NothingError) else 2) from None
        except KeyboardInterrupt:
            go_on = "run it again" if out is None else "--resume goes on behind the files that are finished"
            _say(f"stopped by Ctrl-C; {go_on}")
            raise typer.Exit(130) from None
        for failure in verdict.failed[:NAMED]:
            _say(f"{failure.file}: {failure.reason}")
        _say(_sentence(verdict.files, verdict.done, len(verdict.failed), out))
    raise typer.Exit(0 if verdict.enough else 1)


def _say(sentence: str) -> None:
    typer.echo(f"predict: {sentence}", err=True)


def _sentence(files: int, done: int, failed: int, out: Path | None) -> str:
    """Return how it ended; a file may lack what one of several recognisers should say of it."""
    beside = "" if out is None else f" ({out.parent / 'failed.csv'})"
    wrong = f", {failed} failed or lack a part{beside}" if failed else ""
    return f"{done} of {files} file{'' if files == 1 else 's'} predicted{wrong}"
