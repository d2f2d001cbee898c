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
from stages.commands.omg import omg_app
from stages.commands.predict import predict
from stages.commands.serve import serve
from stages.commands.session import Commands
from stages.commands.store import store_app
from stages.commands.weights import weights_app

app = typer.Typer(
    name="emobed",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Trained recognisers on files, streams and web pages (predict, serve, enrol, speakers, export: "
    "anywhere), and the house-keeping of a checkout that trains them (check, corpus, store, weights, omg, "
    "evaluate: in its root; the pipeline itself runs with `dvc repro`). Exit codes: 0 all is well, 1 "
    "something is wrong and is named, 2 a wrong command line.",
)
app.command("predict")(predict)
app.command("check")(check)
app.command("enrol")(enrol)
app.add_typer(speakers_app, name="speakers")
app.command("evaluate")(evaluate)
app.command("serve")(serve)
app.add_typer(corpus_app, name="corpus")
app.add_typer(store_app, name="store")
app.add_typer(export_app, name="export")
app.add_typer(omg_app, name="omg")
app.add_typer(weights_app, name="weights")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"emobed {version('emobed')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger(f"{LIBRARY}.running.progress").setLevel(logging.INFO)
    app()
