"""Systems that predict fewer recordings than others, or have no reference: the page says so. Some 10 s."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.params import Scenario
from pipeline.params.emotion_words import EmotionWords
from pipeline.reporting.coverage import fewer_scored, not_chosen, of_all_folds
from tests.own_tables import TABLE, OwnTables, clips

KEY = {"target": "text", "auxiliary": "bio", "dimension": "emotion", "metric": "f1_macro_pr"} | {
    "postprocessed": 0
}


def inputs(counts, settings, folds=(), zero_shot=()):
    """counts: (system, partition) -> n. settings: system -> how many."""
    results = [KEY | {"system": s, "partition": p, "n": n} for (s, p), n in counts.items()]
    grid = [KEY | {"system": s, "setting": f"weight={k}"} for s, n in settings.items() for k in range(n)]
    scenario = Scenario(modalities=("text", "bio"))
    return SimpleNamespace(
        results=pd.DataFrame(results), grid=pd.DataFrame(grid), folds=folds, postprocessed=0,
        metric="f1_macro_pr",
        corpus=SimpleNamespace(
            scenarios=(scenario,), dimensions=("emotion",), grid=SimpleNamespace(utterances=True),
            learning=SimpleNamespace(emotion_words=EmotionWords(zero_shot=zero_shot)),
        ),
    )  # fmt: skip


def test_nothing_is_said_where_all_predict_the_same():
    every = {(s, p): 6 for s in ("classic", "late_fusion") for p in ("dev", "test")}
    given = inputs(every, {"classic": 1, "late_fusion": 3})
    assert (fewer_scored(given), not_chosen(given)) == ("", "")


def test_fewer_rows_are_counted_per_partition():
    given = inputs(
        {
            ("classic", "dev"): 6,
            ("classic", "test"): 8,
            ("late_fusion", "dev"): 6,
            ("late_fusion", "test"): 3,
        },
        {"classic": 1, "late_fusion": 3},
    )
    assert "on 3 of 8 utterances of test (text → emotion): in the table" in fewer_scored(given)
    assert not_chosen(given) == ""


def test_systems_by_words_lack_what_they_were_not_to_see_and_no_modality():
    words = ("emotion_words", "emotion_words_all")
    counts = {(system, "test"): 8 for system in ("classic", *words)} | {("classic", "dev"): 6}
    counts |= {(system, "dev"): 4 for system in words}
    given = inputs(counts, {"classic": 1}, zero_shot=("fear",))
    said = fewer_scored(given)
    assert said.startswith(
        "emotion words and words, all ◆ are scored on 4 of 6 utterances of dev (text → emotion): recordings "
        "of classes that they were not to see"
    )
    assert "all modalities are there" not in said
    assert fewer_scored(inputs(counts, {"classic": 1})) == ""  # folds that left them out


def test_what_some_folds_left_out_stands_beside_nothing():
    given = inputs({(s, "test"): 8 for s in ("classic", "taught")}, {"classic": 1}, folds=("fold1", "fold2"))
    given.results["folds"] = [2, 1]
    assert "those of taught of 1 of 2 (text → emotion), so they are not beside" in fewer_scored(given)
    assert of_all_folds(given.results)["system"].tolist() == ["classic"]
    given.results["folds"] = [2, 2]
    assert fewer_scored(given) == ""


def test_a_setting_that_no_dev_chose_is_named():
    given = inputs(
        {
            ("classic", "dev"): 6,
            ("classic", "test"): 8,
            ("late_fusion", "test"): 8,
            ("early_fusion", "test"): 8,
        },
        {"classic": 1, "late_fusion": 3, "early_fusion": 1},
    )
    assert "on 0 of 6 utterances of dev" in fewer_scored(given)
    assert not_chosen(given).startswith(
        "No recording of dev has all that late fusion ◆ (text → emotion) needs"
    )
    given.folds = ("fold1", "fold2", "fold3")
    assert not_chosen(given) == ""


def run(folder, systems, lacking=(), **learning):
    """Run an own corpus whose table bio lacks recordings of some partitions."""

    def change(own):
        own["features"]["bio"] = TABLE | {"path": "bio.csv", "max_failed_share": 1.0}
        own["scenarios"] = ["text+bio"]
        own["learning"] |= {"systems": systems, **learning}
        own["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}

    parts = ["train"] * 6 + ["dev"] * 4 + ["test"] * 4
    recordings, tables = clips(["happy", "sad"] * 7, parts)
    gone = {row["recording"] for row in recordings if row["partition"] in lacking}
    tables["bio"] = [row for row in tables["bio"] if row["recording"] not in gone]
    own = OwnTables(folder, change=change)
    own.write(recordings, tables)
    own.run()
    return own.paths.report.read_text()


def test_the_page_of_a_dev_without_all_modalities(tmp_path):
    page = run(tmp_path, ["classic", "late_fusion"], ["dev"])
    assert (
        "Systems with ◆ are scored only where all modalities are there, on 0 of 4 utterances of dev" in page
    )
    assert "No recording of dev has all that late fusion ◆ (text → emotion) needs" in page
    assert "Systems with ◆ use all of them together" in page


@pytest.mark.parametrize("systems", [["emobed", "placebo"], ["random_forest"]])
def test_the_page_without_the_reference(tmp_path, systems):
    page = run(tmp_path, systems)
    assert "No system is compared with classic, which was not trained (corpora.own.learning.systems)" in page
    assert "Without crossmodal training" not in page
    assert ("classic is not under" in page) == (systems == ["random_forest"])  # the placebo is a comparison
