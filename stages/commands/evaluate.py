"""`emobed evaluate`: the scores of a recogniser on any registered corpus."""

from __future__ import annotations

import tempfile
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from stages.commands.session import corpus_names, parameters, sentences, unit_store


class Part(str, Enum):
    """What of a corpus is scored."""

    all = "all"
    train = "train"
    dev = "dev"
    test = "test"


def evaluate(
    recogniser: Annotated[
        Path,
        typer.Argument(
            metavar="RECOGNISER",
            help="folder of a recogniser, such as data/recognisers/demo_clips/audio+video.emotion",
        ),
    ],
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="a corpus of params.yaml that is registered",
            autocompletion=corpus_names,
        ),
    ],
    partition: Annotated[
        Part | None,
        typer.Option(
            show_default=False,
            help="what is scored; without it all labelled recordings of another corpus, and test of the one "
            "that the recogniser learnt from",
        ),
    ] = None,
    also_train: Annotated[
        bool, typer.Option("--also-train", help="score recordings that the recogniser learnt from, too")
    ] = False,
    scale: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="ends of the scale on which CORPUS is rated, such as 1 7: its traces are mapped to that of "
            "the recogniser",
            show_default=False,
        ),
    ] = None,
    trained_scale: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="with --scale: ends of the scale of the labels that the recogniser learnt from, -1 1 unless "
            "they are named",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write the scores there too, as .csv or .json", show_default=False),
    ] = None,
) -> None:
    """Score a recogniser on a corpus, as reports do.

    Features are read from the tables of the corpus where these were made with the recogniser's parameters;
    else they are extracted from its media, through the store.

    Exit codes: 0 scored, 1 nothing to score, or something is missing and is named.
    """
    with sentences():
        if out is not None and out.suffix not in (".csv", ".json"):
            raise ValueError(f"--out: found {out}, expected a file that ends in .csv or .json")
        params = parameters()
        own = params.corpus(corpus)
        # imported here, so that `emobed --help` waits for nothing
        from pipeline.corpora.atomic import write_if_changed
        from pipeline.cross.evaluation import evaluate_on
        from pipeline.cross.scale import Scale, Scales
        from pipeline.cross.shown import as_json, as_table, lines
        from pipeline.paths import Paths
        from pipeline.recogniser import Recogniser
        from pipeline.running.workshop import Workshop

        runtime, store = params.runtime, unit_store(params)
        shop = Workshop(store, runtime.workers, runtime.cluster, runtime.device, runtime.time_limit)
        loaded = Recogniser.load(recogniser, device=runtime.device)
        with store.in_use(), tempfile.TemporaryDirectory(prefix="emobed-") as scratch:
            tables, chosen = Path(scratch) / "tables", None if partition is None else partition.value
            scales = None if scale is None else Scales(Scale(*scale))
            if trained_scale is not None:
                if scales is None:
                    raise ValueError(f"--trained-scale needs --scale, the scale on which {corpus} is rated")
                scales = scales._replace(recogniser=Scale(*trained_scale))
            found = evaluate_on(
                loaded, own, Paths(corpus), shop, tables, chosen, also_train=also_train, scales=scales
            )
        typer.echo("\n".join(lines(found)))
        if out is not None:
            table = as_table([found]).to_csv(index=False, float_format="%.6g", lineterminator="\n")
            write_if_changed(out, (as_json(found) if out.suffix == ".json" else table).encode())
