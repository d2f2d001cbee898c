"""A card says whose recordings scaled the features that were scored, and what a stranger gets."""

from __future__ import annotations

import re

import pandas as pd
import yaml

from tests.recogniser_fixtures import exported


def test_a_card_says_what_a_stranger_gets(finished_clips_by_speaker, tmp_path):
    paths = finished_clips_by_speaker
    card = (exported(paths, "emobed", tmp_path) / "audio+video.emotion/MODEL_CARD.md").read_text()
    table = pd.read_csv(paths.enrolment, dtype={"enrolled": str})
    here = (table["system"] == "emobed") & (table["partition"] == "test") & (table["target"] == "audio")
    f1 = table[here & (table["metric"] == "f1_macro_pr")].set_index("enrolled")["value"]
    uar = table[here & (table["metric"] == "uar")].set_index("enrolled")["value"]
    assert "all recordings of each test speaker (7 of each), without their labels" in card
    assert f"known, gets F1 {f1['0']:.3f} in place of {f1['all']:.3f}.**" in card
    (result,) = yaml.safe_load(card.split("---\n")[1])["model-index"][0]["results"]
    assert {own["name"]: own["value"] for own in result["metrics"]} == {
        "F1 (speakers who are known)": round(f1["all"], 4),
        "F1 (a stranger)": round(f1["0"], 4),
    }
    rows = re.findall(
        r"^\| (none: a stranger|\d+|all, [^|]*) \| 1 \| (\S+) \| [^|]* \| (\S+) \|", card, re.MULTILINE
    )
    assert [number for number, *_ in rows] == [
        "none: a stranger", "1", "2", "3", "5", "all, itself among them",
    ]  # fmt: skip
    assert [row[1:] for row in rows] == [
        (f"{f1[number]:.3f}", f"{uar[number]:.3f}") for number in ("0", "1", "2", "3", "5", "all")
    ]


def test_without_scaling_by_speaker_there_is_no_such_word(finished_clips):
    card = (finished_clips.recognisers / "audio+video.emotion/MODEL_CARD.md").read_text()
    assert "tranger" not in card
    (result,) = yaml.safe_load(card.split("---\n")[1])["model-index"][0]["results"]
    assert [own["name"] for own in result["metrics"]] == ["F1"]
