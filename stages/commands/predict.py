"""`emobed predict`: recognisers and files -> a table of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stages.commands.live import PIPE, listen
from stages.commands.session import LONGEST, SHORTEST, sentences
from stages.commands.standard_streams import standard_output

if TYPE_CHECKING:
    from pipeline.predicting.run import Verdict

NAMED = 10
"""Files that failed and are named at the end; all of them are in the list beside the table."""


def predict(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="RECOGNISER... INPUT...",
            help="folders of recognisers (each has a recogniser.json), then what to predict: media files, "
            "folders of them, or tables (csv, Parquet, audformat) that list them in a column `file`",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="write the table there, as .csv, .jsonl or .parquet; without it csv is printed",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="finish a table --out that was stopped")] = False,
    hop: Annotated[
        float | None,
        typer.Option(
            min=SHORTEST,
            max=LONGEST,
            metavar="SECONDS",
            help="time between two rows of a trace, averaged or interpolated; without it that of training",
            show_default=False,
        ),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(
            min=SHORTEST,
            max=LONGEST,
            metavar="SECONDS",
            help="live, with --hop: every so many seconds are an utterance of their own (3 and 1, say); of "
            "files it can only be the window of training",
            show_default=False,
        ),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="a second table, .csv, .jsonl or .parquet: the embedding of each row, of every seed",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="draw a PNG of each file there", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="files that are predicted at once")] = 1,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="what networks run on: cpu, cuda or auto")
    ] = "cpu",
    max_failed_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="the exit code is 1 if a larger share of the files fails",
        ),
    ] = 0.0,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="where the files lie that a table names; without it beside the table",
            show_default=False,
        ),
    ] = None,
    enrol: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="all inputs are of the speaker whose recordings lie there (--speaker, for this call alone)",
            show_default=False,
        ),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="all inputs are of this speaker, whom `emobed enrol` knows",
            show_default=False,
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            min=SHORTEST,
            max=LONGEST,
            metavar="SECONDS",
            help="a file that takes longer has failed",
            show_default=False,
        ),
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="instead of INPUT, microphone or camera (microphone:NAME, camera:1): a line of JSON as soon "
            "as a row is known; the input - does so with sound from standard input",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="HZ",
            help="samples a second, of a microphone or of raw sound from -",
            show_default=False,
        ),
    ] = None,
    channels: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="channels, of the same")] = 1,
) -> None:
    """Predict files, folders, tables or a microphone.

    Each recogniser adds its columns; a row is a file, or a time in it (docs/use.md says what each column
    means). A file that cannot be predicted is a line of failed.csv beside the table; the others are done.

    Whoever is heard or seen must be told that a system recognises emotions (EU AI Act, Article 50(3)); what
    a recogniser learnt from, and the licences of its features, are in its MODEL_CARD.md.

    Exit codes: 0 all is well, 1 more files failed than --max-failed-share, or nothing was predicted, 2 a
    wrong command line, 130 stopped by Ctrl-C.
    """
    if device not in ("cpu", "cuda", "auto"):
        raise typer.BadParameter(f"found {device}, expected cpu, cuda or auto", param_hint="--device")
    if live is not None or PIPE in words:
        _require_of_live(
            {
                "--out": out is not None,
                "--resume": resume,
                "--embeddings": embeddings is not None,
                "--plot": plot is not None,
                "--root": root is not None,
                "--workers": workers != 1,
                "--max-failed-share": max_failed_share != 0,
            }
        )
        with sentences():
            recognisers = [Path(word) for word in words if word != PIPE]
            known = None
            if enrol is not None or speaker is not None:
                from pipeline.predicting.options import Options, known_speaker

                asked = Options(device=device, enrol=enrol, speaker=speaker, time_limit=time_limit)
                known = known_speaker(recognisers, asked, _say)
            listen(recognisers, live or PIPE, rate, channels, window, hop, device, known)
        return
    if rate is not None or channels != 1:
        raise typer.BadParameter(
            "is of what comes live (the input -, or --live); a file says so itself",
            param_hint="--channels" if rate is None else "--rate",
        )
    with sentences():
        # imported here, so that `emobed --help` waits for nothing
        from pipeline.predicting.ahead import import_networks
        from pipeline.running.guarded import start_ahead

        start_ahead(import_networks)
        from pipeline.predicting.formats import FormatError
        from pipeline.predicting.journal import ResumeError
        from pipeline.predicting.medium import InputError, NothingError
        from pipeline.predicting.options import OptionError, Options
        from pipeline.predicting.run import predict_all
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
            printed = standard_output().buffer if out is None else BytesIO()
            verdict = predict_all(words, options, _say, printed)
        except (FormatError, InputError, NotOneTableError, OptionError, ResumeError) as error:
            _say(str(error))
            raise typer.Exit(1 if isinstance(error, NothingError) else 2) from None
        except KeyboardInterrupt:
            go_on = "run it again" if out is None else "--resume goes on behind the files that are finished"
            _say(f"stopped by Ctrl-C; {go_on}")
            raise typer.Exit(130) from None
        for failure in verdict.failed[:NAMED]:
            _say(f"{failure.file}: {failure.reason}")
        for sentence in ending(verdict, out):
            _say(sentence)
    raise typer.Exit(0 if verdict.enough else 1)


def _require_of_live(given: Mapping[str, bool]) -> None:
    """Refuse what would do nothing to rows that are printed as they come; given: by option, whether it is.

    Raises:
        typer.BadParameter: an option is.
    """
    for name, is_given in given.items():
        if is_given:
            raise typer.BadParameter(
                "is of files; what comes live (-, --live) is printed row by row: `> rows.jsonl` keeps it",
                param_hint=name,
            )


def _say(sentence: str) -> None:
    typer.echo(f"predict: {sentence}", err=True)


def ending(verdict: Verdict, out: Path | None) -> Iterator[str]:
    """Yield how it ended: what was predicted, what was not, and what of it is to be doubted."""
    files, missing = verdict.files, verdict.files - verdict.done
    said = [f"{verdict.done} of {files} file{'' if files == 1 else 's'} predicted"]
    said += [f"{verdict.in_part} of them in part"] if verdict.in_part else []
    said += [f"{missing} failed"] if missing else []
    beside = "" if out is None or not verdict.failed else f" ({out.parent / 'failed.csv'} says why)"
    yield ", ".join(said) + beside
    if verdict.unlike:
        are = "is" if verdict.unlike == 1 else "are"
        them = f"the {verdict.done - verdict.earlier} predicted now" if verdict.earlier else "them"
        yield (
            f"{verdict.unlike} of {them} {are} unlike the recordings of training (out_of_domain.flag): doubt "
            "what is said there"
        )
