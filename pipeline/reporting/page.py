"""Report inputs -> one self-contained HTML page, its figures as PNG and SVG, its tables as LaTeX."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

from pipeline.catalogue.systems import MARK, METHOD, REFERENCE, label
from pipeline.corpora.missing import missing_sentence
from pipeline.params import Scenario
from pipeline.reporting.answer import answer, settings_chosen
from pipeline.reporting.certainty_table import certainty_table, certainty_words
from pipeline.reporting.compared import reported
from pipeline.reporting.comparison_table import comparison_table
from pipeline.reporting.corpus_tables import (
    MOST_FAILURES,
    counts_table,
    distribution_table,
    face_table,
    failure_table,
    parameter_rows,
    problem_table,
    unlabelled,
)
from pipeline.reporting.coverage import fewer_scored
from pipeline.reporting.drawing import of_svg, style
from pipeline.reporting.fold_tables import fold_tables
from pipeline.reporting.group_tables import group_tables
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.latex import document
from pipeline.reporting.methods import methods
from pipeline.reporting.paper_tables import paper_tables
from pipeline.reporting.partition_wording import not_disjoint, partitions
from pipeline.reporting.published import published_note
from pipeline.reporting.reading import reading_sentences
from pipeline.reporting.rendering import render
from pipeline.reporting.score_tables import (
    all_scores,
    main_tables,
    marks_explained,
    summary_table,
)
from pipeline.reporting.section import Section
from pipeline.reporting.set_tables import together_table
from pipeline.reporting.table import Table, texts
from pipeline.reporting.teaching_table import teachings
from pipeline.reporting.wording import METRIC_MEANINGS, METRIC_NAMES, counted
from pipeline.running.parallel import run_tasks
from pipeline.scoring.verdict import fewest_units
from pipeline.wording import listed

logger = logging.getLogger(__name__)


def build_report(inputs: ReportInputs, page: Path, figures: Path, workers: int = 1) -> None:
    """Write the page, beside it `results.tex`, into `figures` each figure as PNG and beside it as SVG.

    workers: processes, each of which draws sections.

    The page loads nothing: figures are SVG elements, style and script are inline. Same inputs, same bytes.
    Text that comes from the corpus (names, reasons) is escaped.
    """
    for folder in (figures, of_svg(figures)):
        folder.mkdir(parents=True, exist_ok=True)
    page.parent.mkdir(parents=True, exist_ok=True)
    corpus = inputs.corpus
    experiments = list(enumerate(product(corpus.scenarios, corpus.dimensions)))
    workers = max(1, min(workers, len(experiments)))
    drawn = dict(run_tasks(_section, (inputs, figures), experiments, workers=workers))
    sections = [drawn[place] for place, _ in experiments]
    context = _context(inputs)
    text = render("report.html.jinja", context | {"sections": sections})
    page.write_text(text + "\n", encoding="utf-8")
    tables = [*context["scores"], *context["paper"], context["differences"], *context["groups"]]
    tables += [*(own.table for own in context["teachings"]), context["certainty"], *context["folds"]]
    tables += [table for section in sections for table in (*section["tables"], section["retrieval"])]
    latex = document([table for table in tables if table is not None], f"EmoBed, {inputs.name}")
    page.with_name("results.tex").write_text(latex, encoding="utf-8")
    logger.info("%s: %d sections, %d kB", page, len(sections), page.stat().st_size // 1000)


def _section(
    inputs: ReportInputs, figures: Path, experiment: tuple[int, tuple[Scenario, str]]
) -> tuple[int, dict[str, Any]]:
    """Return what the template shows of one experiment, with its place on the page."""
    place, (scenario, dimension) = experiment
    with style():
        return place, Section(inputs, scenario, dimension, figures).context()


def _context(inputs: ReportInputs) -> dict[str, Any]:
    corpus = inputs.corpus
    scores = main_tables(inputs)
    summary = summary_table(inputs) if corpus.scenarios else None
    differences = comparison_table(inputs)
    return {
        "inputs": inputs,
        "corpus": corpus,
        "metric": METRIC_NAMES[inputs.metric],
        "meaning": METRIC_MEANINGS[corpus.task],
        "reference": label(REFERENCE),
        "reference_trained": REFERENCE in corpus.learning.systems,
        "mark": MARK,
        "method": label(METHOD),
        "seeds": counted(len(corpus.learning.seeds), "seed"),
        "answer": answer(inputs),
        "summary": summary,
        "scores": scores,
        "marks": marks_explained(scores),
        "summary_marks": marks_explained([summary] if summary else []),
        "fewer_scored": fewer_scored(inputs),
        "paper": paper_tables(inputs),
        "paper_note": None if inputs.rendered else published_note(corpus),
        "emotion_trained": listed(inputs.emotion_trained) if inputs.emotion_trained else "",
        "folds": fold_tables(inputs),
        "chosen": settings_chosen(inputs),
        "all_scores": all_scores(inputs),
        "differences": differences,
        "teachings": teachings(inputs),
        "groups": group_tables(inputs),
        "certainty": certainty_table(inputs),
        "certainty_words": certainty_words(inputs),
        **_comparison_words(inputs, differences),
        "counts": counts_table(inputs),
        "distribution": distribution_table(inputs),
        "together": together_table(inputs),
        "faces": face_table(inputs),
        "missing": missing_sentence(inputs.missing) if inputs.missing else "",
        "partitions": partitions(inputs),
        "not_disjoint": not_disjoint(inputs),
        "failures": failure_table(inputs),
        "more_failures": max(0, len(inputs.failures) - MOST_FAILURES),
        "problems": problem_table(inputs),
        "unlabelled": unlabelled(inputs.results),
        "methods": methods(inputs),
        "parameters": texts(
            ("parameter", "value"), parameter_rows(corpus.model_dump(mode="json")), "parameters", "Parameters"
        ),
        "versions": texts(("package", "version"), sorted(inputs.versions.items()), "versions", "Versions"),
        "version": _version(),
    }


def _comparison_words(inputs: ReportInputs, differences: Table | None) -> dict[str, Any]:
    """Return what the text around the table of differences says of its tests."""
    confidence = f"{inputs.corpus.evaluation.confidence * 100:g} %"
    fewest = fewest_units(inputs.corpus.evaluation.confidence)
    if differences is None:
        return {"confidence": confidence, "unit": _unit(inputs), "fewest": fewest}
    table = reported(inputs)
    return {
        "confidence": confidence,
        "fewest": fewest,
        "unit": _unit(inputs),
        "units": int(table["units"].max()),
        "reading": reading_sentences(inputs),
    }


def _unit(inputs: ReportInputs) -> str:
    """Return the word for what intervals leave out."""
    return str(inputs.intervals["unit"].iloc[0]) if len(inputs.intervals) else "recording"


def _version() -> str:
    try:
        return version("emobed")
    except PackageNotFoundError:
        return "(not installed)"
