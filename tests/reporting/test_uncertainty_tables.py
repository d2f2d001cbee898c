from __future__ import annotations

import re

import pandas as pd
import pytest

from pipeline.reporting.page import build_report
from pipeline.reporting.uncertainty_tables import calibration_table, coverage_note, coverage_table
from tests.reporting.made_up_report import made_up_inputs


@pytest.fixture(scope="module")
def pages(tmp_path_factory, params):
    found = {}
    for name in ("demo_clips", "demo_sessions"):
        folder = tmp_path_factory.mktemp(name)
        corpus = params.corpus(name)
        corpus = corpus.model_copy(update={"scenarios": corpus.scenarios[:1]})
        inputs = made_up_inputs(folder, name, corpus, options={"speakers": 6} if "clips" in name else {})
        build_report(inputs, folder / "report.html", folder / "figures")
        found[name] = (inputs, (folder / "report.html").read_text(encoding="utf-8"))
    return found


def test_the_tables_say_what_evaluation_found(pages):
    rows = pages["demo_clips"][0].uncertainty
    table = calibration_table(rows, "x")
    assert [row[0].text for row in table.rows] == ["classic", "joint", "triplet", "EmoBed"]
    assert [row[3].value for row in table.rows] == pytest.approx(rows["ece"].tolist())
    assert [row[6].value for row in table.rows] == pytest.approx(rows["debiased"].tolist())
    assert table.rows[0][8].text == "84"
    rows = pages["demo_sessions"][0].uncertainty
    first = rows[rows["dimension"] == "arousal"]
    table = coverage_table(first, "x")
    assert [row[2].value for row in table.rows] == pytest.approx(first["coverage"].tolist())
    assert [row[6].text for row in table.rows] == ["600"] * 4
    assert "widened by Student’s t since 3 recordings of dev are too few" in coverage_note(first)


def test_the_page_has_tables_curve_and_notes(pages):
    clips, sessions = (pages[name][1] for name in ("demo_clips", "demo_sessions"))
    assert "Calibration on test: the mean over seeds before and after a temperature fitted on dev" in clips
    assert "By chance: what a perfectly calibrated system would show with 84 utterances" in clips
    assert re.search(r"EmoBed, calibrated \(ECE \.\d{3}\)", clips)
    assert "Coverage of 90 % intervals on test, fitted on dev" in sessions
    assert "Coverage of 90 %" not in clips


def test_few_units_and_folds_are_said():
    row = {
        "system": "classic", "partition": "dev", "unit": "recording", "reach": float("nan"), "rule": "none",
        "dev_units": 2.0, "nominal": 0.9, "coverage": 0.9, "coverage_low": float("nan"), "coverage_high": 1.0,
        "lowest": 0.8, "width": 0.4, "gold_width": 0.7, "confidence": 0.95, "n": 10, "units": 2,
        "recordings": 2,
    }  # fmt: skip
    (cells,) = coverage_table(pd.DataFrame([row]), "x").rows
    assert cells[1].text == "none: 2 of dev"
    assert (cells[3].text, bool(cells[3].why)) == ("–", True)
    (cells,) = coverage_table(pd.DataFrame([row | {"rule": float("nan")}]), "x").rows
    assert cells[1].text == "by fold"
    assert "dev, each recording by what the others give" in coverage_table(pd.DataFrame([row]), "x").caption
