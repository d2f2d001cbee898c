"""`emobed store`: status, verify, prune."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import Annotated

import typer

from pipeline.store.roots import FORGET_AFTER, Checkout
from pipeline.store.units import DAY
from stages.commands.help import Command
from stages.commands.session import parameters, sentences, size, unit_store

store_app = typer.Typer(
    no_args_is_help=True,
    help="Finished units (.emobed/store): show, verify, delete.",
)


def _bytes(text: str) -> float:
    """Return a size in bytes: 20GB, 500 MB, 1.5TiB.

    Raises:
        BadParameter: it is none.
    """
    # imported here, as all of the pipeline below: `emobed --help` waits for none of it
    from pydantic import ByteSize, TypeAdapter

    # a unit is asked for: 20 would be twenty bytes, and delete all that is stale
    if not re.fullmatch(r"\s*\d+(\.\d+)?\s*([kmgt]i?)?b\s*", text, re.IGNORECASE | re.ASCII):
        raise typer.BadParameter(
            f"'{text}' is no size; expected a number and a unit (kB, MB, GB, TB), such as 500MB or 20GB"
        )
    return float(TypeAdapter(ByteSize).validate_python(text))


def _days(number: float | None) -> float | None:
    """Refuse a number of days that is none (nan, inf).

    Raises:
        BadParameter: it is none.
    """
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter(f"{number} is no number of days")
    return number


Forget = Annotated[
    float,
    typer.Option(
        "--forget",
        min=0.0,
        callback=_days,
        metavar="DAYS",
        help="other checkouts without a stage for so long do not count",
    ),
]


@store_app.command(cls=Command)
def status(forget: Forget = FORGET_AFTER) -> None:
    """Show how many units there are, and how large.

    Also how many are stale, and who shares the store. In use is what the feature tables and models on disk
    were made from, here and in the other checkouts that share the store; everything else is stale: results of
    other parameters, which are computed again if you go back to them after a prune.

    Exit code: 0; 1 if params.yaml or an index cannot be read.
    """
    from pipeline.store import housekeeping

    with sentences():
        store = unit_store(parameters())
        found = housekeeping.status(store, Path(), forget)
    typer.echo(f"{store.root}")
    typer.echo(f"{'kind':12}{'units':>8}{'in use':>8}{'stale':>8}{'size':>10}{'of it stale':>13}")
    for kind, entry in found.kinds.items():
        typer.echo(
            f"{kind:12}{entry.units:8}{entry.used:8}{entry.stale:8}{size(entry.payload):>10}"
            f"{size(entry.stale_payload):>13}"
        )
    for kind, count in found.missing.items():
        if count:
            typer.echo(f"{count} units of {kind} that tables here name are not in the store")
    typer.echo(f"{len(found.leftovers)} leftovers of killed writers")
    typer.echo("checkouts that share the store:")
    for checkout in found.checkouts:
        typer.echo(f"  {_line(checkout)}")


@store_app.command(cls=Command)
def verify(
    remove: Annotated[bool, typer.Option("--remove", help="delete what is damaged; it is made anew")] = False,
) -> None:
    """Read every unit and every feature table and compare their hashes.

    With --remove, damaged units are deleted, and damaged tables together with their damaged objects in DVC's
    cache; the next `dvc repro` makes them anew (or `dvc pull` brings them again).

    Exit codes: 0 all is whole, 1 something is damaged (also if it was removed).
    """
    from pipeline.running.progress import counted
    from pipeline.store import housekeeping
    from stages.commands.cache import drop_table

    with sentences():
        store = unit_store(parameters())
        with counted("verify", "units") as advance:
            units = list(housekeeping.damaged_units(store, advance))
        tables = list(housekeeping.damaged_tables(Path()))
        for path in units:
            typer.echo(f"damaged unit: {path}")
        for _, reason in tables:
            typer.echo(f"damaged table: {reason}")
        if remove:
            removed = list(units)
            for path in units:
                path.unlink(missing_ok=True)
            for directory, _ in tables:
                removed += drop_table(directory)
            for path in removed:
                typer.echo(f"removed {path}")
    if not units and not tables:
        typer.echo("all units and feature tables are whole")
    raise typer.Exit(1 if units or tables else 0)


@store_app.command(cls=Command)
def repull(
    table: Annotated[Path, typer.Argument(metavar="PATH", help="such as data/features/recola/audio")],
) -> None:
    """Fetch a damaged feature table again from the DVC remote.

    Its damaged objects are removed from DVC's cache first: DVC believes them, whatever they hold.

    Exit codes: 0 fetched, 1 it is no out of the pipeline or not in the remote.
    """
    from stages.commands.cache import pull_again

    with sentences():
        for path in pull_again(table):
            typer.echo(f"removed {path}")
    typer.echo(f"{table}: fetched again")


@store_app.command(cls=Command)
def prune(
    older_than: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            callback=_days,
            metavar="DAYS",
            show_default=False,
            help="only units that nobody wrote or used for so long; without it 30, with --max-size 0",
        ),
    ] = None,
    max_size: Annotated[
        float | None,
        typer.Option(
            parser=_bytes,
            metavar="SIZE",
            help="such as 20GB: no more than it takes to get the store down to it",
        ),
    ] = None,
    forget: Forget = FORGET_AFTER,
    yes: Annotated[bool, typer.Option("--yes", help="really delete; without it nothing is touched")] = False,
) -> None:
    """Delete stale units, and what killed processes left behind.

    Those not used for longest go first. Never deletes a unit that a table or model names, here or in another
    checkout that shares the store (`emobed store status` lists them). Waits for nobody: while a stage runs it
    refuses.

    Exit codes: 0 done (or shown), 1 a stage is running, the store cannot be written, or the units in use are
    larger than SIZE, 2 wrong command line.
    """
    days = older_than if older_than is not None else 30.0 if max_size is None else 0.0
    from pipeline.store import housekeeping

    with sentences():
        store = unit_store(parameters())
        found = housekeeping.prune(store, Path(), days, yes, max_size, forget)
    done = "deleted" if yes else "would be deleted (add --yes)"
    typer.echo(
        f"{len(found.units)} stale units older than {days:g} days, {size(found.payload)}, and "
        f"{len(found.leftovers)} leftovers {done}"
    )
    for checkout in found.forgotten:
        typer.echo(f"counts no longer: {_line(checkout)}")
    if max_size is not None and found.kept > max_size:
        young = found.kept - found.used
        also = f", {size(young)} are stale and younger than {days:g} days" if young else ""
        typer.echo(
            f"emobed: {store.root}: cannot get below {size(max_size)}: {size(found.used)} are in use and "
            f"never deleted{also}",
            err=True,
        )
        raise typer.Exit(1)


def _line(checkout: Checkout) -> str:
    """Describe a checkout in a line: what it is to the store, when it was last used, where it lies."""
    days = (time.time() - checkout.used) / DAY
    last = f"last stage {days:.0f} days ago" if checkout.registered else "no stage yet"
    where = f"{checkout.root} on {checkout.host}"
    return f"{checkout.standing}{'' if checkout.counts else ', counts no longer'}: {where}, {last}"
