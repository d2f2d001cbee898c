"""What the page says of certainty over all speakers, beside that of what is exported on test."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from pipeline.recogniser.card_uncertainty import uncertainty_text
from pipeline.recogniser.certainty_file import uncalibrated_words
from pipeline.recogniser.description import Calibration, Domain
from pipeline.reporting.certainty_table import certainty_table, certainty_words
from pipeline.reporting.page import build_report
from tests.reporting.made_up_report import made_up_inputs

ORIGIN = {"target": "audio", "auxiliary": "video", "why": "", "fold": "", "setting": "", "uncalibrated": 0}


def inputs_of(folder, params, name: str, system: str = "exported"):
    corpus = params.corpus(name)
    evaluation = corpus.evaluation.model_copy(update={"certainty_folds": 5, "certainty_system": system})
    update = {
        "scenarios": corpus.scenarios[:1],
        "dimensions": corpus.dimensions[:1],
        "evaluation": evaluation,
    }
    options = {"speakers": 6} if name == "demo_clips" else {"frames": 60}
    inputs = made_up_inputs(folder, name, corpus.model_copy(update=update), options=options)
    dimension = corpus.dimensions[0]
    rows = inputs.uncertainty[inputs.uncertainty["system"] == "joint"].assign(**ORIGIN, dimension=dimension)
    rows = rows.assign(n=392, units=28, **({"ece": 0.031} if name == "demo_clips" else {"coverage": 0.911}))
    folds = rows.assign(fold="fold1", n=84)
    return dataclasses.replace(
        inputs, certainty=pd.concat([rows, folds]), exported={f"audio+video.{dimension}": "joint"}
    )


@pytest.mark.parametrize(("name", "value"), [("demo_clips", ".031"), ("demo_sessions", ".911")])
def test_test_and_all_speakers_stand_below_each_other_with_how_many_there_are(tmp_path, params, name, value):
    inputs = inputs_of(tmp_path, params, name)
    table = certainty_table(inputs)
    assert table is not None
    first, second = ([cell.text for cell in row] for row in table.rows)
    assert first[:3] == [first[0], "joint", "test, as exported"]
    own = inputs.uncertainty[inputs.uncertainty["system"] == "joint"].iloc[0]
    assert [cell.value for cell in table.rows[0]][3] == own["ece" if name == "demo_clips" else "coverage"]
    assert second[1:4] == ["joint", "all speakers, 5 folds", value]
    assert second[-2:] == ["392", "28"]
    words = " ".join(certainty_words(inputs))
    assert "in 5 folds by speaker over train, dev and test" in words
    assert "not these very weights" in words
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'href="#certainty"' in page
    assert "The system is the one that is exported" in page


def test_a_system_that_was_named_and_reasons_are_said(tmp_path, params):
    inputs = inputs_of(tmp_path, params, "demo_clips", "joint")
    assert "The system is joint, as evaluation.certainty_system asks" in " ".join(certainty_words(inputs))
    row = ORIGIN | {"dimension": "emotion", "why": "no recording has a speaker"}
    without = dataclasses.replace(inputs, certainty=pd.DataFrame([row]))
    table = certainty_table(without)
    assert table is not None
    assert len(table.rows) == 1
    assert certainty_words(without) == ["Not measured over all speakers: no recording has a speaker."]
    assert certainty_table(dataclasses.replace(inputs, exported={})) is None
    assert certainty_words(dataclasses.replace(inputs, exported={})) == []


def test_the_card_says_the_figure_over_all_speakers_or_why_there_is_none(tmp_path, params):
    domain = Domain(limit=None, median=None, largest=None, alarms=0.0, recordings=0)
    clips = inputs_of(tmp_path / "clips", params, "demo_clips")
    calibration = Calibration(temperature=0.9, rule="likelihood", dev=84, unit="utterance")
    tested = clips.uncertainty.iloc[0].to_dict()
    row = clips.certainty[clips.certainty["fold"] == ""].iloc[0].to_dict()
    text = uncertainty_text(calibration, domain, tested, "emotion", 3, (), [row])
    assert "**Over all speakers**: 0.031 ECE (95 % interval: " in text
    assert f"by chance {row['ece_by_chance']:.3f}), n = 392 utterances of 28 speakers" in text
    assert "joint and its calibration, not of these weights" in text
    sessions = inputs_of(tmp_path / "sessions", params, "demo_sessions")
    calibration = Calibration(reach=0.2, coverage=0.9, rule="widened", dev=3, unit="recording")
    tested = sessions.uncertainty.iloc[0].to_dict()
    row = sessions.certainty[sessions.certainty["fold"] == ""].iloc[0].to_dict()
    text = uncertainty_text(calibration, domain, tested, "arousal", 3, (), [row])
    assert "**Over all speakers**: 91.1 % of frames held (95 % interval: " in text
    why = [{"why": "evaluation.certainty_folds is null"}]
    text = uncertainty_text(calibration, domain, tested, "arousal", 3, (), why)
    assert "Over all speakers this was not measured: evaluation.certainty_folds is null." in text


def test_folds_that_were_not_calibrated_are_said(tmp_path, params):
    domain = Domain(limit=None, median=None, largest=None, alarms=0.0, recordings=0)
    sessions = inputs_of(tmp_path, params, "demo_sessions")
    certainty = sessions.certainty.assign(uncalibrated=2)
    said = "In 2 folds dev was too small to calibrate on: there is no interval, and whoever is tested there"
    words = certainty_words(dataclasses.replace(sessions, certainty=certainty))
    assert f"audio → arousal: {said} is not counted." in words
    calibration = Calibration(reach=0.2, coverage=0.9, rule="widened", dev=3, unit="recording")
    row = certainty[certainty["fold"] == ""].iloc[0].to_dict()
    tested = sessions.uncertainty.iloc[0].to_dict()
    assert said in uncertainty_text(calibration, domain, tested, "arousal", 3, (), [row])
    assert said not in " ".join(certainty_words(sessions))


@pytest.mark.parametrize(
    ("folds", "task", "said"),
    [
        (0, "multilabel", ""),
        (1, "classification", "In 1 fold dev was too small to calibrate on: probabilities are tested there"),
        (
            2,
            "multilabel",
            "In 2 folds dev was too small to calibrate one label or more on: the probabilities of ",
        ),
    ],
)
def test_what_a_fold_lacks_is_said_of_each_task(folds, task, said):
    """With several labels a fold counts where one of them is lacking, which is all that is said."""
    words = uncalibrated_words(folds, task)
    assert words.startswith(said)
    assert bool(words) == bool(folds)
