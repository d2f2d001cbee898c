"""The commands of `emobed`, put together."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from pipeline import __name__ as LIBRARY  # noqa: N812  (in a wheel `emobed.pipeline`)
from stages.commands.check import check
from stages.commands.corpus import corpus_app
from stages.commands.enrol import enrol, speakers_app
from stages.commands.evaluate import evaluate
from stages.commands.export import export_app
from stages.commands.help import WIDTH, Command, examples
from stages.commands.iemocap import iemocap_app
from stages.commands.omg import omg_app
from stages.commands.predict import predict
from stages.commands.serve import serve
from stages.commands.session import Commands
from stages.commands.standard_streams import hold_places
from stages.commands.store import store_app
from stages.commands.weights import weights_app

EXAMPLES = {
    "predict": (
        "emobed predict data/recognisers/demo_clips/audio+video.emotion clips/ --out predictions.csv",
        "emobed predict AROUSAL VALENCE talk.mp4 --out talk.csv --plot pictures   # two recognisers",
        "emobed predict RECOGNISER list.csv --root media --out predictions.parquet --workers 4",
        "ffmpeg -loglevel error -i talk.mp4 -f wav - | emobed predict RECOGNISER -",
    ),
    "check": ("emobed check", "emobed check own --json"),
    "enrol": (
        "emobed enrol ann clips/ann/*.wav --recogniser data/recognisers/demo_clips/audio+video.emotion",
        "emobed predict data/recognisers/demo_clips/audio+video.emotion new.wav --speaker ann",
    ),
    "evaluate": (
        "emobed evaluate data/recognisers/demo_sessions/audio+video.arousal recola --out recola.csv",
        "emobed evaluate RECOGNISER podcasts --scale 1 7   # rated on another scale than -1 to 1",
    ),
    "serve": (
        "emobed serve data/recognisers/demo_sessions/*+*",
        "emobed serve RECOGNISER --port 0 --speaker ann",
    ),
}
"""Of each command that people type by hand: calls to copy."""

app = typer.Typer(
    name="emobed",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"max_content_width": WIDTH},
    help="Use trained emotion recognisers, anywhere: predict, serve, enrol, speakers, export.\n\n"
    "Look after a checkout that trains them, in its root: check, evaluate, corpus, store, weights, omg, "
    "iemocap. The training itself is `make repro`, or `dvc repro`.\n\n"
    "Exit codes: 0 all is well, 1 something is wrong and is named, 2 a wrong command line.",
    epilog=examples(*EXAMPLES["predict"][:1], "emobed predict --help   # more of them"),
)
app.command("predict", cls=Command, epilog=examples(*EXAMPLES["predict"]))(predict)
app.command("serve", cls=Command, epilog=examples(*EXAMPLES["serve"]))(serve)
app.command("enrol", cls=Command, epilog=examples(*EXAMPLES["enrol"]))(enrol)
app.add_typer(speakers_app, name="speakers")
app.add_typer(export_app, name="export")
app.command("evaluate", cls=Command, epilog=examples(*EXAMPLES["evaluate"]))(evaluate)
app.command("check", cls=Command, epilog=examples(*EXAMPLES["check"]))(check)
app.add_typer(corpus_app, name="corpus")
app.add_typer(store_app, name="store")
app.add_typer(weights_app, name="weights")
app.add_typer(omg_app, name="omg")
app.add_typer(iemocap_app, name="iemocap")


class Logged(logging.Formatter):
    """Writes what is logged as the command that runs says the rest: `predict: clips/a.mp4: ...`."""

    command = ""

    def format(self, record: logging.LogRecord) -> str:
        """Put the command's name before the message, unless that begins with it, as of progress."""
        said, name = super().format(record), f"{self.command}: "
        return said if said.startswith(name) else f"{name}{said}"


LOGGED = Logged()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"emobed {version('emobed')}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    LOGGED.command = context.invoked_subcommand or ""


def main() -> None:
    """Run the command line."""
    hold_places()
    printed = logging.StreamHandler(sys.stderr)
    printed.setFormatter(LOGGED)
    logging.basicConfig(level=logging.WARNING, handlers=[printed])
    logging.getLogger(f"{LIBRARY}.running.progress").setLevel(logging.INFO)
    app()
