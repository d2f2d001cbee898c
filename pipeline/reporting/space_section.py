"""Embeddings of one experiment -> its pictures before and after, and the table of retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import METHOD, REFERENCE, label
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.label_sets import joined, matrix_of
from pipeline.reporting import embedding_space
from pipeline.reporting.drawing import NotDrawnError, picture
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.table import Cell, Column, Table, interval, score
from pipeline.reporting.wording import spread

DRAWN_SPACES = {REFERENCE: "Before", METHOD: "After"}
"""Systems whose embedding space is drawn, and the word for it."""
MOST_SETS = 8
"""Sets of labels that have a colour of their own."""
NO_SPACE: dict[str, Any] = {
    "spaces": [], "not_drawn": [], "retrieval": None, "queries": 0, "speakers": 0, "embedded": "",
    "one_seed": [], "few_candidates": False,
}  # fmt: skip
"""Of an experiment without embeddings."""


def space_section(
    inputs: ReportInputs, embeddings: pd.DataFrame, file: str, key: str, about: str, folder: Path
) -> dict[str, Any]:
    """Return t-SNE pictures before and after, why one is left out, and the retrieval table.

    file: start of the names of the pictures' files. key: id of the experiment. about: its name in words.

    Raises:
        ValueError: report.classes names a class that there is none of.
    """
    pictures, left_out = [], []
    of_fold = f" of {inputs.folds[0]}" if inputs.folds else ""
    report = inputs.corpus.report
    drawn = _of_classes(inputs, embeddings)
    names: Sequence[str] = inputs.class_names
    if TASKS[inputs.corpus.task].several:
        drawn, names = _as_sets(drawn, names)
    for system, moment in DRAWN_SPACES.items():
        rows = drawn[drawn["system"] == system]
        if rows.empty:
            continue
        title = f"{moment}: {label(system)}"
        try:
            kept, places = embedding_space.project(rows, report.tsne_points, report.seed)
        except NotDrawnError as reason:
            left_out.append(f"{title} is not drawn: {reason}.")
            continue
        figure = embedding_space.space_figure(kept, places, names, title)
        embedded = f"{kept['partition'].iloc[0]}{of_fold}"
        only = f", of the classes {', '.join(report.classes)}" if len(drawn) < len(embeddings) else ""
        caption = (
            f"{title}. Embeddings of {embedded}{only}, {_seeds(system, kept)}, {len(kept)} points, t-SNE."
        )
        alt = f"Embedding space, {about}, {system}"
        pictures.append(picture(figure, folder, f"{file}.space.{system}", alt, caption))
    found = embedding_space.cross_retrieval(embeddings, inputs.corpus.evaluation)
    apart = embedding_space.TRAINED_APART
    alone = embeddings[embeddings["system"].isin(apart)].groupby("system")["seed"].nunique()
    return {
        "spaces": pictures,
        "not_drawn": left_out,
        "retrieval": _retrieval(found, key, inputs.corpus.evaluation.confidence) if found else None,
        "queries": found[0].queries if found else 0,
        "speakers": found[0].speakers if found else 0,
        "embedded": f"{embeddings['partition'].iloc[0]}{of_fold}",
        "few_candidates": embedding_space.most_candidates(embeddings) <= embedding_space.NEIGHBOURS,
        "one_seed": [label(str(system)) for system, count in alone.items() if count < 2],
    }


def _of_classes(inputs: ReportInputs, embeddings: pd.DataFrame) -> pd.DataFrame:
    """Return the embeddings of the classes in `report.classes`, of all classes where it is empty."""
    wanted = inputs.corpus.report.classes
    for name in wanted:
        if name not in inputs.class_names:
            raise ValueError(
                f"corpora.{inputs.name}.report.classes: found '{name}', expected some of "
                f"{list(inputs.class_names)}"
            )
    codes = [code for code, name in enumerate(inputs.class_names) if name in wanted]
    if wanted and TASKS[inputs.corpus.task].several:
        shown = matrix_of(embeddings["class"], len(inputs.class_names))[:, codes].any(axis=1)
        return embeddings.iloc[np.flatnonzero(shown)]
    return embeddings[embeddings["class"].isin(codes)] if wanted else embeddings


def _as_sets(embeddings: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return embeddings whose class is a place in the second list, of the most frequent sets of labels."""
    frequent = list(embeddings["class"].value_counts().index[:MOST_SETS])
    place = {code: number for number, code in enumerate(frequent)}
    places = embeddings["class"].map(place).fillna(len(frequent)).astype(int)
    return embeddings.assign(**{"class": places}), [*joined(frequent, names), "other sets"]


def _seeds(system: str, rows: pd.DataFrame) -> str:
    """Say of which seeds the encoders are."""
    if system not in embedding_space.TRAINED_APART:
        return "first seed"
    names = embedding_space.modalities(rows)
    return " and ".join(f"{n} of {p} seed" for n, p in zip(names, ("the first", "another"), strict=False))


def _retrieval(found: list[embedding_space.CrossRetrieval], key: str, confidence: float) -> Table:
    names = ("precision at 10", f"{confidence * 100:g} % interval", "chance", "modality told")
    columns = [Column("system", False), Column("query", False), *map(Column, names)]
    rows = [
        [
            Cell(label(row.system)), Cell(f"{row.query} finds {row.candidates}"),
            score(row.mean, spread(row.mean, row.std)),
            interval(row.low, row.high),
            score(row.chance), score(row.told_apart),
        ]
        for row in found
    ]  # fmt: skip
    return Table(f"retrieval-{key}", "Emotion retrieval across modalities", columns, rows)
