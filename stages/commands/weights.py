"""`emobed weights`: fetch VGG-Face's published files and turn them into the one that is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

weights_app = typer.Typer(help="VGG-Face weights: fetch a published file, import it.", no_args_is_help=True)

DEFAULT = Path("data/weights/vgg_face.safetensors")


@weights_app.command("import")
def import_weights(
    file: Annotated[Path, typer.Argument(help="vgg_face_dag.pth, VGG_FACE.t7 or one of the two .h5 files")],
    out: Annotated[Path, typer.Option(help="the safetensors file to write")] = DEFAULT,
) -> None:
    """Turn a published VGG-Face file, its format found by its content, into one safetensors file."""
    from pipeline.features.embeddings.vgg_architecture import WeightsError
    from pipeline.store.digest import sha256_of
    from pipeline.tools.vgg_weights.convert import convert

    try:
        replaced = sha256_of(out) if out.is_file() else None
        done = convert(file, out)
    except (WeightsError, OSError) as error:
        _fail(error)
    typer.echo(f"{file}: format {done.format}, sha256 {done.source_sha256}")
    typer.echo(f"{out}: sha256 {done.sha256}, of its tensors alone {done.tensors_sha256}")
    if replaced not in (None, done.sha256):
        typer.echo(
            f"It replaces other weights (sha256 {replaced}). DVC does not watch this file: run "
            "`dvc repro --force --single-item embed_faces@CORPUS`, then `dvc repro`."
        )
    typer.echo(f"In params.yaml: video.embedding.network: vgg_face, video.embedding.weights: {out}")


@weights_app.command()
def fetch(
    url: Annotated[str, typer.Option(help="where the file lies (docs/weights.md names addresses)")],
    sha256: Annotated[str | None, typer.Option(help="refuse a file with another hash")] = None,
    out: Annotated[Path | None, typer.Option(help="default: data/weights/<last part of the address>")] = None,
) -> None:
    """Download a published file; it appears under its name when it is whole, with the hash given."""
    from urllib.parse import unquote, urlparse

    from pipeline.tools.vgg_weights.download import DownloadError, download

    target = out or DEFAULT.parent / (Path(unquote(urlparse(url).path)).name or "weights")
    try:
        digest = download(url, target, sha256)
    except (DownloadError, OSError) as error:
        _fail(error)
    typer.echo(f"{target}: {target.stat().st_size:,} bytes, sha256 {digest}")
    if sha256 is None:
        typer.echo(
            "Its sha256 was not checked: name the one above with --sha256 wherever it is fetched again."
        )
    typer.echo(f"Next: emobed weights import {target}")


def _fail(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(1)
