"""The commands of `emobed`, put together."""

from __future__ import annotations

import logging
import sys

import typer

from stages.commands.check import check
from stages.commands.omg import omg_app
from stages.commands.store import store_app
from stages.commands.weights import weights_app

app = typer.Typer(
    name="emobed",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="House-keeping of an EmoBed checkout. Run it from the root of the repository; the pipeline itself "
    "runs with `dvc repro`. Exit codes: 0 all is well, 1 something is wrong and is named, 2 a wrong command "
    "line.",
)
app.command("check")(check)
app.add_typer(store_app, name="store")
app.add_typer(omg_app, name="omg")
app.add_typer(weights_app, name="weights")


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    app()
