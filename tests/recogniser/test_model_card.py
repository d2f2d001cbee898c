"""MODEL_CARD.md: every number stands in the run's tables, and its example runs."""

from __future__ import annotations

import contextlib
import json
import re
import shutil

import pandas as pd
import pytest
import yaml

from pipeline.catalogue.systems import CROSSMODAL
from pipeline.paths import Paths
from pipeline.recogniser.card_terms import licence_lines
from pipeline.recogniser.card_uncertainty import uncertainty_text
from pipeline.recogniser.description import Calibration, Domain

NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.])")
MEASURED = ("## What it learnt from", "## Scores", "## How sure it is")
"""Sections with results of the run; the others have settings and paragraphs of law."""
SAID = {"0", "20", "1st", "99th"}
"""Numbers of sentences that are the same in every run."""


def sections(card: str) -> dict[str, str]:
    parts = re.split(r"^(## .+)$", card, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def own_rows(paths: Paths, name: str, about: dict) -> list[pd.DataFrame]:
    """Return the rows of the tables of scores about a recogniser and what it is compared to."""
    target, auxiliary = about["scenario"].split("+")
    found = []
    for table in ("intervals", "groups", "uncertainty"):
        rows = pd.read_csv(paths.scores / f"{table}.csv", dtype={"fold": str})
        rows = rows[(rows["target"] == target) & (rows["auxiliary"] == auxiliary)]
        rows = rows[rows["dimension"] == about["dimension"]]
        systems = [about["system"]]
        if table == "intervals":
            systems += ["classic", *(("placebo", "same_modality") if about["system"] in CROSSMODAL else ())]
        found.append(rows[rows["system"].isin(systems)])
    return found


def known_numbers(paths: Paths, name: str) -> list[float]:
    """Return every number that a card may show: of scores, of the description, and counts of recordings."""
    about = json.loads((paths.recognisers / name / "recogniser.json").read_text())
    tables = own_rows(paths, name, about)
    numbers = [float(v) for table in tables for v in table.select_dtypes("number").to_numpy().ravel()]
    numbers += [float(v) for part in ("calibration", "domain") for v in about[part].values() if _number(v)]
    numbers += [float(len(about["seeds"]))]
    manifest = pd.read_csv(paths.manifest)
    labels = pd.read_parquet(paths.label_table)
    labels = labels[labels["dimension"] == about["dimension"]]
    for _, part in manifest.groupby("partition"):
        own = labels[labels["recording"].isin(part["recording"])]
        numbers += [float(len(part)), float(part["speaker"].nunique())]
        for column in ("label", "gold_standard"):
            known = own[own[column].notna()]
            numbers += [float(len(known)), float(known["recording"].nunique())]
    return numbers


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def stands(word: str, numbers: list[float]) -> bool:
    digits = len(word.partition(".")[2])
    return any(f"{scale * value:.{digits}f}" == word for value in numbers for scale in (1, 100))


@pytest.mark.parametrize("corpus", ["sessions", "clips"])
def test_every_number_of_results_stands_in_the_tables_of_the_run(request, corpus):
    paths = request.getfixturevalue(corpus)
    for folder in sorted(paths.recognisers.iterdir()):
        own = sections((folder / "MODEL_CARD.md").read_text())
        numbers = known_numbers(paths, folder.name)
        for title in MEASURED:
            words = set(NUMBER.findall(own[title])) - SAID
            assert words
            assert [word for word in sorted(words) if not stands(word, numbers)] == []
        head = yaml.safe_load(own[""].split("---")[1])
        (result,) = head["model-index"][0]["results"]
        assert stands(f"{result['metrics'][0]['value']:.4f}", numbers)
    assert not stands("0.123", [0.1224, 1.23])  # what the check would find


def test_the_section_on_uncertainty_has_the_row_of_the_table(clips, sessions):
    for paths, keys in (
        (clips, ("ece_before", "ece_low", "ece_high", "ece", "ece_by_chance", "temperature")),
        (sessions, ("reach", "width", "gold_width")),
    ):
        for folder in sorted(paths.recognisers.iterdir()):
            about = json.loads((folder / "recogniser.json").read_text())
            row = own_rows(paths, folder.name, about)[2].iloc[0]
            text = sections((folder / "MODEL_CARD.md").read_text())["## How sure it is"]
            for key in keys:
                if pd.notna(row[key]) and not (key == "temperature" and row["dev_utterances"] == 0):
                    assert f"{row[key]:.3f}" in text, key
            if "coverage" in row and pd.notna(row["coverage"]):
                assert f"{100 * row['coverage']:.1f} % of frames" in text
            if pd.notna(row["partition"]):  # of small sessions dev has too few for an interval
                assert f"n = {int(row['n'])} " in text
            assert f"{100 * about['domain']['limit']:.1f} %" in text


def test_the_example_of_a_card_runs(sessions, tmp_path):
    name = "audio+video.arousal"
    shutil.copytree(sessions.recognisers / name, tmp_path / name)
    shutil.copy(sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav", tmp_path / "a.wav")
    (code,) = re.findall(r"```python\n(.+?)```", (tmp_path / name / "MODEL_CARD.md").read_text(), re.DOTALL)
    with contextlib.chdir(tmp_path):
        found: dict[str, object] = {}
        exec(code, found)
    table = found["table"]
    assert isinstance(table, pd.DataFrame)
    assert table.index.names == ["file", "start", "end"]
    assert table["arousal"].notna().all()


TRACES = {
    "partition": "", "n": 0, "unit": "recording", "units": 0, "confidence": 0.95, "reach": float("nan"),
}  # fmt: skip
UTTERANCES = TRACES | {"temperature": 1.0}
NO_DOMAIN = Domain(recordings=0, median=None, largest=None, limit=None, alarms=1.0)


def test_what_was_not_fitted_or_tested_is_said():
    none = Calibration(rule="none", dev=2, unit="recording")
    text = uncertainty_text(none, NO_DOMAIN, TRACES, "arousal", 1)
    assert "are empty: dev has a gold standard of 2 recordings" in text
    assert "There is one model" in text
    assert "is never set" in text
    uncalibrated = Calibration(rule="none", temperature=1.0, dev=0, unit="utterance")
    text = uncertainty_text(uncalibrated, NO_DOMAIN, UTTERANCES, "emotion", 3)
    assert "not calibrated: dev has fewer than 20 utterances" in text
    assert "not tested: neither test nor dev has a gold standard" in text
    assert "over the 3 models" in text


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ((0.3, 0.3), "was above 0.3 before that."),
        ((0.5, 0.62), "its threshold (fear 0.500, joy 0.620) before"),
    ],
)
def test_above_which_probability_each_of_several_classes_is_named(thresholds, said):
    row = TRACES | {"slope": 1.0, "offset": 0.0}
    several = row | {"by_class": [row | {"class": name} for name in ("fear", "joy")]}
    lines = Calibration(lines=((1.0, 0.0), (1.0, 0.0)), rule="none", dev=0, unit="utterance")
    assert said in uncertainty_text(lines, NO_DOMAIN, several, "emotion", 2, thresholds)


def test_what_was_tested_on_dev_says_how():
    row = TRACES | {
        "partition": "dev", "n": 90, "units": 3, "coverage": 0.9, "coverage_low": float("nan"),
        "coverage_high": float("nan"), "lowest": 0.8, "width": 0.5, "gold_width": 0.7,
    }  # fmt: skip
    known = Calibration(rule="conformal", reach=0.25, coverage=0.9, dev=3, unit="speaker")
    text = uncertainty_text(known, NO_DOMAIN, row | {"unit": "speaker"}, "arousal", 2)
    assert "dev, since test has no gold standard, each speaker with the reach that the others give" in text
    assert "n = 90 frames of 3 speakers" in text
    assert "(95 % interval: too few units %)" not in text
    assert "holds for a new speaker" in text


@pytest.mark.parametrize(
    ("rendered", "said"),
    [
        (True, "from demo_clips, which EmoBed draws itself (MIT)."),
        (False, "Its terms, which are not known here"),
    ],
)
def test_the_terms_of_a_corpus_are_known_where_it_is_drawn(params, rendered, said):
    lines = list(licence_lines(params.corpus("demo_clips"), ["audio"], "demo_clips", rendered))
    assert said in lines[-2]
