"""`emobed check`: what is wrong with a corpus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from stages.commands.session import parameters, sentences

if TYPE_CHECKING:
    from tqdm import tqdm

    from pipeline.checking import Checked


def check(
    corpus: Annotated[
        str | None,
        typer.Argument(help="a corpus under `corpora` of params.yaml; without it, params.yaml alone"),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(min=0, show_default=False, help="processes; without it as many as runtime.workers says"),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Look at params.yaml, and at every recording of a corpus, before hours are spent on it.

    Decodes the first seconds of sound and the first pictures, reads the end of each file, and lists per
    recording: media missing, empty, broken off, without the stream, shorter than a window; sound and video of
    different length; labels missing or shorter; feature files without a recording's rows. Nothing is changed.

    Exit codes: 0 nothing is wrong, 1 something is, or there is no such corpus.
    """
    # imported here, so that `emobed --help` waits for nothing
    from tqdm import tqdm

    from pipeline.checking import check as check_corpus
    from pipeline.layout import Layout

    with sentences():
        params = parameters()
        if corpus is None:
            running = ", ".join(params.run.corpora)
            typer.echo(f"params.yaml: {len(params.corpora)} corpora, nothing wrong; run.corpora: {running}")
            return
        own = params.corpus(corpus)
        with tqdm(desc=f"check {corpus}", unit="rec", disable=None) as bar:
            processes = workers or params.runtime.workers
            found = check_corpus(own, Layout(corpus), processes, lambda: _step(bar), params.corpora)
    typer.echo(_json(found) if as_json else _table(corpus, found))
    raise typer.Exit(1 if found.findings else 0)


def _step(bar: tqdm) -> None:
    bar.update()


def _json(found: Checked) -> str:
    findings = [item._asdict() for item in found.findings]
    return json.dumps(
        {"recordings": found.recordings, "findings": findings, "notes": list(found.notes)}, indent=1
    )


def _table(corpus: str, found: Checked) -> str:
    """Return one line per finding: recording, file, reason, in columns; then the notes, then the count."""
    notes = [f"{corpus}: {note}" for note in found.notes]
    if not found.findings:
        return "\n".join([*notes, f"{corpus}: {found.recordings} recordings, nothing wrong"])
    concerned = len({item.recording for item in found.findings if item.recording})
    rows = [("recording", "file", "what is wrong")]
    rows += [(item.recording or "(corpus)", item.file or "-", item.reason) for item in found.findings]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows]
    return "\n".join(
        [*lines, *notes, f"{corpus}: something is wrong with {concerned} of {found.recordings} recordings"]
    )
