"""Report inputs -> one self-contained HTML page, and its figures as PNG."""

from __future__ import annotations

import logging
import math
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from pipeline.corpora.missing import missing_sentence
from pipeline.learning.systems.table import METHOD, REFERENCE, SYSTEMS, label, rank
from pipeline.params import Scenario
from pipeline.paths import experiment_name
from pipeline.reporting import embedding_space, score_figures, trace_figures
from pipeline.reporting.answer import answer, settings_chosen
from pipeline.reporting.drawing import NotDrawnError, Picture, picture, style
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.published import published_note
from pipeline.reporting.tables import (
    all_scores,
    case_name,
    comparison_table,
    face_rows,
    fold_table,
    frame_rows,
    main_table,
    of_case,
    parameter_rows,
)
from pipeline.reporting.verdicts import FEW_UNITS, comparisons
from pipeline.reporting.wording import METRIC_NAMES, number, spread, target_name
from pipeline.scoring.bootstrap import smallest_p
from pipeline.scoring.verdict import enough_units

TEMPLATE = "report.html.jinja"
MOST_FAILURES = 200
"""Failures named on the page; the rest is counted (all are in the failure tables)."""
DRAWN_SPACES = {REFERENCE: "Before", METHOD: "After"}
"""Systems whose embedding space is drawn, and the word for it."""

logger = logging.getLogger(__name__)


def build_report(inputs: ReportInputs, page: Path, figures: Path) -> None:
    """Write the page and, into `figures`, each of its figures as PNG.

    The page loads nothing: figures are SVG data URIs, the style is inline. Same inputs, same bytes. Text that
    comes from the corpus (names, reasons) is escaped.
    """
    sections = []
    figures.mkdir(parents=True, exist_ok=True)
    with style():
        for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
            about = {
                "title": case_name(inputs, scenario, dimension),
                "target": scenario.target,
                "others": scenario.others,
            }
            sections.append(about | _section(inputs, scenario, dimension, figures))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     lstrip_blocks=True)  # fmt: skip
    template = environment.from_string((files("pipeline.reporting") / TEMPLATE).read_text(encoding="utf-8"))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(template.render(_context(inputs, sections)) + "\n", encoding="utf-8")
    logger.info("%s: %d sections, %d kB", page, len(sections), page.stat().st_size // 1000)


def _context(inputs: ReportInputs, sections: list[dict[str, Any]]) -> dict[str, Any]:
    table = comparisons(inputs)
    header, rows = all_scores(inputs)
    confidence = inputs.corpus.evaluation.confidence
    problems = inputs.problems.groupby("reason", sort=True)["recording"].agg(["size", "first"])
    return {
        "inputs": inputs,
        "corpus": inputs.corpus,
        "metric": METRIC_NAMES[inputs.metric],
        "reference": label(REFERENCE),
        "method": label(METHOD),
        "answer": answer(inputs),
        "blocks": main_table(inputs),
        "fold_blocks": fold_table(inputs),
        "chosen": settings_chosen(inputs),
        "paper_note": None if inputs.rendered else published_note(inputs.corpus),
        "comparisons": comparison_table(inputs),
        "paper_test": str(table["test"].iloc[0]) if len(table) else "",
        "confidence": f"{confidence * 100:g} %",
        "unit": str(table["unit"].iloc[0]) if len(table) else "recording",
        "units": int(table["units"].max()) if len(table) else 0,
        "few_units": bool(len(table)) and int(table["units"].max()) < FEW_UNITS,
        "smallest_p": number(smallest_p(int(table["units"].max()))) if len(table) else "",
        "enough_units": bool(len(table)) and enough_units(int(table["n_speakers"].max()), confidence),
        "n_speakers": int(table["n_speakers"].max()) if len(table) else 0,
        "smallest_p_signs": number(smallest_p(int(table["n_speakers"].max()))) if len(table) else "",
        "level": number(1 - confidence),
        "scores_header": header,
        "scores": rows,
        "sections": sections,
        "counts": frame_rows(inputs.counts),
        "faces": face_rows(inputs.faces) if inputs.faces["frames"].sum() else [],
        "missing": missing_sentence(inputs.missing) if inputs.missing else "",
        "partitions": _partitions(inputs),
        "not_disjoint": _not_disjoint(inputs),
        "failures": inputs.failures.head(MOST_FAILURES).to_dict("records"),
        "more_failures": max(0, len(inputs.failures) - MOST_FAILURES),
        "problems": [
            (str(reason), int(row["size"]), str(row["first"])) for reason, row in problems.iterrows()
        ],
        "unlabelled": _unlabelled(inputs),
        "parameters": parameter_rows(inputs.corpus.model_dump(mode="json")),
        "versions": sorted(inputs.versions.items()),
    }


def _unlabelled(inputs: ReportInputs) -> list[str]:
    """Return the partitions that have predictions and no gold standard."""
    most = inputs.results.groupby("partition")["n"].max()
    return [str(partition) for partition, n in most.items() if n == 0]


def _partitions(inputs: ReportInputs) -> str:
    """Say who is in train, dev and test, where it is not as the corpus came."""
    if inputs.folds:
        return (
            f"Cross-validation: {len(inputs.folds)} folds by speaker, balanced by number of recordings. Each "
            "fold tests on one group of speakers, chooses settings and post-processing on another, and "
            "trains on the rest; labels, scaling and models are made anew in each."
            f"{_labelled(inputs)} For new "
            "recordings no single one of these models is the result: average the predictions of all folds’ "
            "models, or set partitions.method to given, with test speakers in train, and train once more."
        )
    if inputs.corpus.partitions.method == "speaker_disjoint" and inputs.shared is not None:
        return (
            f"Partition: speaker-disjoint. In the corpus as it came {inputs.shared.sentence()}; each is now "
            f"whole in the one with most of their recordings: {inputs.shared.moves()} moved."
        )
    return ""


def _labelled(inputs: ReportInputs) -> str:
    """Say how many recordings with labels each fold tests, where some have none."""
    sizes = inputs.fold_sizes
    if "labelled" not in sizes or (sizes["labelled"] == sizes["recordings"]).all():
        return ""
    counts = ", ".join(
        f"{fold} {own} of {every}"
        for fold, own, every in zip(sizes["fold"], sizes["labelled"], sizes["recordings"], strict=True)
    )
    return f" Of the recordings that are tested these have labels: {counts}; they were dealt evenly."


def _not_disjoint(inputs: ReportInputs) -> str:
    """Warn of speakers in several partitions, where nothing was done about it."""
    if inputs.corpus.partitions.method != "given" or inputs.rendered:
        return ""
    cause = ""
    if inputs.shared is not None and inputs.shared.shared:
        cause = f"{inputs.shared.sentence()}: the partition is not speaker-independent"
    elif inputs.corpus.layout == "omg" and inputs.shared is None:
        cause = (
            "Some YouTube links of OMG-Emotion occur in more than one official partition: the partition is "
            "not speaker-independent"
        )
    path = f"corpora.{inputs.name}.partitions.method"
    return f"{cause}. {path}: speaker_disjoint in params.yaml makes it so." if cause else ""


def _how_chosen(inputs: ReportInputs) -> str:
    if not settings_chosen(inputs):
        return "that of the smallest values, since there is no dev to choose on"
    return f"chosen on dev{', in any of the folds' if inputs.folds else ''}"


def _section(inputs: ReportInputs, scenario: Scenario, dimension: str, folder: Path) -> dict[str, Any]:
    """Return the pictures of one experiment and its retrieval scores."""
    name = experiment_name(scenario.name, dimension)
    about = f"{target_name(inputs.corpus, scenario.target, scenario.auxiliary)}, {dimension}"
    file = name.replace("+", "-")
    grid = of_case(inputs.grid, scenario, dimension)
    grid = grid[grid["postprocessed"] == inputs.postprocessed]
    own = of_case(inputs.fold_grid, scenario, dimension) if inputs.folds else grid
    points = own[(own["postprocessed"] == inputs.postprocessed) & (own["selected"] == 1)]
    points = points.sort_values(["system", "fold"], key=lambda names: names.map(_rank))
    over = "seeds and folds" if inputs.folds else "seeds"
    pictures: list[Picture] = []
    left_out: list[str] = []
    if len(inputs.curves.get(name, ())):
        figure = score_figures.learning_curves(inputs.curves[name], points, inputs.metric)
        pictures.append(
            picture(figure, folder, f"{file}.curves", f"Learning curves, {about}",
                    f"Learning curves of the selected points: mean over {over}, band from the lowest to the "
                    f"highest {'model' if inputs.folds else 'seed'}. Raw predictions.")
        )  # fmt: skip
    try:
        maps = score_figures.setting_maps(grid, inputs.metric)
    except NotDrawnError as reason:
        maps = {}
        left_out.append(f"The map of scores over the settings is not drawn: {reason}.")
    for settings, figure in maps.items():
        pictures.append(
            picture(figure, folder, f"{file}.{settings.replace(' ', '_')}",
                    f"{METRIC_NAMES[inputs.metric]} over {settings}, {about}",
                    f"Mean {METRIC_NAMES[inputs.metric]} over {over} on the grid of {settings}. Framed: each "
                    f"system’s point, {_how_chosen(inputs)}.")
        )  # fmt: skip
    if name in inputs.traces:
        try:
            pictures.append(_traces(inputs, inputs.traces[name], file, dimension, about, folder))
        except NotDrawnError as reason:
            left_out.append(f"The figure of predicted traces is not drawn: {reason}.")
    for system, counts in inputs.confusion.get(name, {}).items():
        figure = score_figures.confusion(counts, inputs.class_names, label(system))
        caption = f"{label(system)}: confusion on {inputs.partition}, share of each true class, all {over}."
        alt = f"Confusion matrix, {about}, {system}"
        pictures.append(picture(figure, folder, f"{file}.confusion.{system}", alt, caption))
    space: dict[str, Any] = {
        "spaces": [],
        "not_drawn": [],
        "retrieval": [],
        "embedded": "",
        "one_seed": [],
        "few_candidates": False,
    }
    if name in inputs.embeddings:
        space = _space(inputs, inputs.embeddings[name], file, about, folder)
    return {"pictures": pictures, "left_out": left_out} | space


def _rank(value: str) -> tuple[int, str]:
    """Order systems as everywhere, and folds by number."""
    return (rank(value), "") if value in SYSTEMS else (len(value), value)


def _tested(inputs: ReportInputs) -> str:
    return "test of all folds, each recording by the fold that tests it" if inputs.folds else inputs.partition


def _traces(
    inputs: ReportInputs, traces: pd.DataFrame, file: str, dimension: str, about: str, folder: Path
) -> Picture:
    systems = list(traces["system"].drop_duplicates())
    system = METHOD if METHOD in systems else systems[0]
    chosen = trace_figures.chosen_recordings(
        traces, inputs.partition, system, inputs.corpus.report.recordings
    )
    figure = trace_figures.traces_figure(traces, chosen, dimension)
    caption = (
        f"Prediction (mean over seeds) against gold standard on {_tested(inputs)}, from the recording with "
        f"the lowest to that with the highest CCC of {label(system)} post-processed (in brackets)."
    )
    return picture(figure, folder, f"{file}.traces", f"Predicted traces, {about}", caption)


def _space(
    inputs: ReportInputs, embeddings: pd.DataFrame, file: str, about: str, folder: Path
) -> dict[str, Any]:
    """Return t-SNE pictures before and after, why one is left out, and the retrieval table."""
    pictures, left_out = [], []
    of_fold = f" of {inputs.folds[0]}" if inputs.folds else ""
    for system, moment in DRAWN_SPACES.items():
        rows = embeddings[embeddings["system"] == system]
        if rows.empty:
            continue
        report = inputs.corpus.report
        title = f"{moment}: {label(system)}"
        try:
            kept, places = embedding_space.project(rows, report.tsne_points, report.seed)
        except NotDrawnError as reason:
            left_out.append(f"{title} is not drawn: {reason}.")
            continue
        figure = embedding_space.space_figure(kept, places, inputs.class_names, title)
        seeds = "first seed"
        if system in embedding_space.TRAINED_APART:
            seeds = " and ".join(
                f"{name} of {place} seed"
                for name, place in zip(
                    embedding_space.modalities(kept), ("the first", "another"), strict=False
                )
            )
        embedded = f"{kept['partition'].iloc[0]}{of_fold}"
        caption = f"{title}. Embeddings of {embedded}, {seeds}, {len(kept)} points, t-SNE."
        pictures.append(
            picture(figure, folder, f"{file}.space.{system}", f"Embedding space, {about}, {system}", caption)
        )
    retrieval = [
        {
            "system": label(row.system),
            "direction": f"{row.query} finds {row.candidates}",
            "precision": spread(row.mean, row.std),
            "interval": "–" if math.isnan(row.low) else f"{number(row.low)} to {number(row.high)}",
            "chance": number(row.chance),
            "queries": row.queries,
            "speakers": row.speakers,
        }
        for row in embedding_space.cross_retrieval(embeddings, inputs.corpus.evaluation)
    ]
    apart = embedding_space.TRAINED_APART
    alone = embeddings[embeddings["system"].isin(apart)].groupby("system")["seed"].nunique()
    return {
        "spaces": pictures,
        "not_drawn": left_out,
        "retrieval": retrieval,
        "embedded": f"{embeddings['partition'].iloc[0]}{of_fold}",
        "few_candidates": embedding_space.most_candidates(embeddings) <= embedding_space.NEIGHBOURS,
        "one_seed": [label(str(system)) for system, count in alone.items() if count < 2],
    }
