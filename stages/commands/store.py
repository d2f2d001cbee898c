"""`emobed store`: status, verify, prune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from pipeline import housekeeping
from stages.commands.cache import drop_table, pull_again
from stages.commands.session import parameters, sentences, size, unit_store

store_app = typer.Typer(
    no_args_is_help=True,
    help="The store of finished units (.emobed/store): what is there, is it whole, what may go.",
)


@store_app.command()
def status() -> None:
    """Show per kind how many units there are, how large, and how many are stale.

    In use is what the feature tables and models on disk were made from; everything else is stale: results of
    other parameters, which are computed again if you go back to them after a prune.

    Exit code: 0; 1 if params.yaml or an index cannot be read.
    """
    with sentences():
        store = unit_store(parameters())
        found = housekeeping.status(store, Path())
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


@store_app.command()
def verify(
    remove: Annotated[bool, typer.Option("--remove", help="delete what is damaged; it is made anew")] = False,
) -> None:
    """Read every unit and every feature table and compare their hashes.

    With --remove, damaged units are deleted, and damaged tables together with their damaged objects in DVC's
    cache; the next `dvc repro` makes them anew (or `dvc pull` brings them again).

    Exit codes: 0 all is whole, 1 something is damaged (also if it was removed).
    """
    with sentences():
        store = unit_store(parameters())
        with tqdm(desc="verify", unit="unit", disable=None) as bar:
            units = list(housekeeping.damaged_units(store, lambda: _step(bar)))
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


@store_app.command()
def repull(
    table: Annotated[Path, typer.Argument(metavar="PATH", help="such as data/features/recola/audio")],
) -> None:
    """Fetch a damaged feature table again from the DVC remote.

    Its damaged objects are removed from DVC's cache first: DVC believes them, whatever they hold.

    Exit codes: 0 fetched, 1 it is no out of the pipeline or not in the remote.
    """
    with sentences():
        for path in pull_again(table):
            typer.echo(f"removed {path}")
    typer.echo(f"{table}: fetched again")


@store_app.command()
def prune(
    older_than: Annotated[
        float, typer.Option(min=0.0, metavar="DAYS", help="only units written at least so long ago")
    ] = 30.0,
    yes: Annotated[bool, typer.Option("--yes", help="really delete; without it nothing is touched")] = False,
) -> None:
    """Delete stale units, and what killed processes left behind.

    Never deletes a unit that a table or model on disk here names. Other checkouts that share the store are
    not known: what only they use counts as stale. Waits for nobody: while a stage runs it refuses.

    Exit codes: 0 done (or shown), 1 a stage is running or the store cannot be written.
    """
    with sentences():
        store = unit_store(parameters())
        found = housekeeping.prune(store, Path(), older_than, yes)
    done = "deleted" if yes else "would be deleted (add --yes)"
    typer.echo(
        f"{len(found.units)} stale units older than {older_than:g} days, {size(found.payload)}, and "
        f"{len(found.leftovers)} leftovers {done}"
    )


def _step(bar: tqdm) -> None:
    bar.update()
