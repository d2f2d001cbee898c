"""`emobed check`: what is wrong with params.yaml, and with a corpus."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stages.commands.session import corpus_names, parameters, sentences

if TYPE_CHECKING:
    from pipeline.tools.checking import Checked
    from pipeline.tools.finding import Finding

MANY = 10
"""Findings with the same words above which they share one line; the list then goes to a file."""


def check(
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS",
            help="a corpus under `corpora` of params.yaml; without it, params.yaml alone",
            autocompletion=corpus_names,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            show_default=False,
            help="processes; without it as many as runtime.workers says",
        ),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Look for what is wrong in params.yaml or in a corpus.

    Lists per recording: media missing, empty, broken off, damaged, without the stream, shorter than a window;
    sound and video of different length; labels missing, shorter, with holes; feature files without
    rows of a recording. Counts classes and speakers by partition and says what is doubtful about them.
    Nothing is changed.

    Exit codes: 0 nothing is wrong (doubts are none), 1 something is, or there is no such corpus.
    """
    with sentences():
        params = parameters()
        if corpus is None:
            from pipeline.features.prerequisites import require_files
            from pipeline.paths import Paths

            for name in params.run.corpora:
                require_files(params.corpus(name), Paths(name))
            running = ", ".join(params.run.corpora)
            typer.echo(f"params.yaml: {len(params.corpora)} corpora, nothing wrong; run.corpora: {running}")
            return
        # imported here, so that `emobed --help` waits for nothing
        from pipeline.names import harmless
        from pipeline.paths import Paths
        from pipeline.running.progress import counted
        from pipeline.tools.checking import check as check_corpus

        own = params.corpus(corpus)
        with counted(f"check {corpus}", "recordings") as advance:
            found = check_corpus(
                own,
                Paths(corpus),
                workers or params.runtime.workers,
                advance,
                params.corpora,
                params.runtime.time_limit,
            )
        # names of files and words of decoders come from the corpus, and go to a terminal or a spreadsheet
        found = found._replace(findings=[type(item)(*map(harmless, item)) for item in found.findings])
        typer.echo(_json(found) if as_json else _table(corpus, found))
    raise typer.Exit(1 if found.findings else 0)


def _json(found: Checked) -> str:
    counts = [{"name": row.name, **dict(row.by_partition)} for row in found.overview.rows]
    findings = [item._asdict() for item in found.findings]
    return json.dumps(
        {
            "recordings": found.recordings,
            "counts": counts,
            "findings": findings,
            "doubts": found.overview.doubts,
            "notes": list(found.notes),
        },
        indent=1,
        ensure_ascii=False,
    )


def _table(corpus: str, found: Checked) -> str:
    """Return the counts, one line per finding or per many of a kind, doubts, notes, and the verdict."""
    blocks = [found.overview.table(), _findings(corpus, found.findings)]
    lines = [line for block in blocks if block for line in [*block, ""]]
    lines += [f"{corpus}: doubtful: {doubt}" for doubt in found.overview.doubts]
    lines += [f"{corpus}: {note}" for note in found.notes]
    return "\n".join([*lines, f"{corpus}: {_verdict(found)}"])


def _verdict(found: Checked) -> str:
    concerned = len({item.recording for item in found.findings if item.recording})
    whole = any(not item.recording for item in found.findings)
    count = f"{found.recordings} recording{'' if found.recordings == 1 else 's'}"
    doubts = len(found.overview.doubts)
    doubtful = f"; {doubts} doubt{'' if doubts == 1 else 's'}" if doubts else ""
    if not found.findings:
        return f"{count}, nothing wrong{doubtful}"
    of = f"{concerned} of {count}"
    wrong = f"the corpus and {of}" if whole and concerned else "the corpus itself" if whole else of
    return f"something is wrong with {wrong}{doubtful}"


def _findings(corpus: str, findings: list[Finding]) -> list[str]:
    """Return recording, file and reason in columns; many of one reason share a line and go to a file."""
    by_reason: dict[str, list[Finding]] = defaultdict(list)
    for item in findings:
        by_reason[item.reason if item.recording else f"{item.reason} ({item.file})"].append(item)
    shared = {reason: items for reason, items in by_reason.items() if len(items) > MANY}
    single = [item for items in by_reason.values() if len(items) <= MANY for item in items]
    rows = [(item.recording or "(corpus)", item.file or "-", item.reason) for item in sorted(single)]
    rows += [
        (
            f"({len({i.recording for i in items})} recordings)",
            f"{items[0].file}, ..." if items[0].file else "-",
            items[0].reason,
        )
        for items in shared.values()
    ]
    if not rows:
        return []
    rows.insert(0, ("recording", "file", "what is wrong"))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows]
    if shared:
        lines.append(f"all of them, one by one: {_write(corpus, findings)}")
    return lines


def _write(corpus: str, findings: list[Finding]) -> Path:
    """Write all findings as csv beside the store and return its path."""
    path = Path(".emobed/check") / f"{corpus}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("recording", "file", "reason"))
        writer.writerows(findings)
    return path
