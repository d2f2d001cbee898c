"""The page with folds, with scenarios that share a target, and on partitions and missing recordings."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.missing import Missing
from pipeline.corpora.partitions import Shared
from pipeline.params import FeatureFiles, Scenario
from pipeline.reporting.answer import answer
from pipeline.reporting.comparison_table import comparison_table
from pipeline.reporting.curve_figures import learning_curves
from pipeline.reporting.embedding_space import cross_retrieval, project, space_figure
from pipeline.reporting.fold_tables import fold_tables
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.latex import latex
from pipeline.reporting.page import build_report
from pipeline.reporting.published import published, published_note
from pipeline.reporting.score_tables import main_tables, of_case, summary_table
from pipeline.reporting.settings_shown import shown_setting
from pipeline.reporting.summary import summary
from pipeline.store.table_index import EMOTION_TRAINED
from pipeline.store.tables import write_table
from tests.reporting.made_up_report import embeddings, evaluated_paths, made_up_inputs
from tests.reporting.test_page import Page, small

FOUR = ("audio+appearance", "audio+geometric", "appearance+audio", "geometric+audio")
SIZES = pd.DataFrame({"fold": ["fold1", "fold2", "fold3"], "speakers": 3, "recordings": 3})


def scenarios(*names: str) -> tuple[Scenario, ...]:
    return tuple(Scenario(modalities=tuple(name.split("+"))) for name in names)


def changed(corpus, names, **partitions):
    own = corpus.partitions.model_copy(update=partitions)
    return small(corpus).model_copy(update={"scenarios": scenarios(*names), "partitions": own})


def page_of(inputs: ReportInputs, folder) -> str:
    build_report(inputs, folder / "report.html", folder / "figures")
    return Page((folder / "report.html").read_text()).text


@pytest.fixture(scope="module")
def crossed(tmp_path_factory, params):
    folder = tmp_path_factory.mktemp("crossed")
    corpus = changed(params.corpus("demo_sessions"), ["audio+video"], method="cross_validation", folds=3)
    inputs = made_up_inputs(
        folder, "demo_sessions", corpus, options={"frames": 80}, fold_sizes=SIZES, rendered=False
    )
    return inputs, folder, page_of(inputs, folder)


@pytest.fixture(scope="module")
def four(tmp_path_factory, params):
    folder = tmp_path_factory.mktemp("four")
    corpus = changed(params.corpus("demo_sessions"), FOUR).model_copy(update={"dimensions": ("arousal",)})
    inputs = made_up_inputs(folder, "demo_sessions", corpus, options={"frames": 80}, rendered=False)
    return inputs, folder, page_of(inputs, folder)


def three(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def test_folds_main_table_and_fold_table_are_the_results(crossed):
    inputs, _, text = crossed
    wanted = "dimension == 'valence' and system == 'joint' and metric == 'ccc' and partition == 'test'"
    row = inputs.results.query(wanted + " and postprocessed == 1").squeeze()
    table = main_tables(inputs)[1]
    names = [column.name for column in table.columns]
    interval = "95 % interval (pooled)"
    assert names == ["system", "test", "test, raw", "± seeds", "± folds", interval, "dev", "setting", "paper"]
    line = dict(zip(names, (cell.text for cell in table.rows[1]), strict=True))
    assert (line["test"], line["± seeds"], line["± folds"]) == (
        three(row["mean"]), three(row["std"]), three(row["std_folds"]),
    )  # fmt: skip
    single = inputs.fold_results.query(wanted + " and postprocessed == 1").set_index("fold")
    table = fold_tables(inputs)[1]
    assert table.caption == "audio → valence"
    assert [column.name for column in table.columns] == [
        "fold", "classic", "joint", "triplet", "EmoBed", "speakers", "recordings",
    ]  # fmt: skip
    assert [(line[0].text, line[5].text, line[6].text) for line in table.rows] == [
        ("fold1", "3", "3"), ("fold2", "3", "3"), ("fold3", "3", "3"), ("mean", "9", "9"),
    ]  # fmt: skip
    for line in table.rows[:3]:
        own = single.loc[line[0].text]
        assert (line[2].text, line[2].detail) == (three(own["mean"]), shown_setting(own["setting"]))
        assert line[2].text in text
    assert (table.rows[3][2].text, table.rows[3][2].detail) == (three(row["mean"]), "")
    assert row["mean"] == pytest.approx(single["mean"].mean(), abs=1e-5)


def test_folds_are_said_in_words(crossed):
    inputs, _, text = crossed
    found = answer(inputs)
    assert "(mean over 3 folds that together test every speaker once)." in found.scores[0]
    assert any(
        one.startswith("EmoBed’s mean over folds is above that of classic in ") for one in found.verdict
    )
    assert "a t-test over n = 9 recordings and 3 seeds, after Holm’s" in " ".join(found.verdict)
    assert found.basis[0].startswith(
        "Scores are means over 3 folds and 3 seeds; each of the 9 speakers (9 recordings) is tested exactly "
        "once, by models trained on others; intervals come from the jackknife over n = 9 recordings "
        "and the standard error over seeds, on the test predictions of all folds together"
    )
    assert "chosen in each fold by itself, on its dev only" in found.basis[0]
    for said in (
        "Cross-validation: 3 folds by speaker",
        "p, sign-flip",
        "the corrected resampled t-test (Nadeau and Bengio, 2003)",
        "test of all folds, each recording by the fold that tests it",
        "mean over seeds and folds",
        "Embeddings of test of fold1",
        "queries of test of fold1 only: each fold has a space of its own",
        "The paper’s partition is the official one, not the one used here.",
    ):
        assert said in " ".join(text.split()), said
    rows = inputs.significance.query("partition == 'test' and postprocessed == 1")
    for row, cells in zip(rows.to_dict("records"), comparison_table(inputs).rows, strict=True):
        # where its p is too small, and how many units it has if not all, stands behind it
        assert ("p too small" in cells[8].text) == (row["seed_share"] > 0.5)
        assert (f"n = {row['n_speakers']}" in cells[8].text) == (row["n_speakers"] != row["units"])
    without = dataclasses.replace(inputs, significance=inputs.significance.assign(p_holm=np.nan))
    for cells in comparison_table(without).rows:  # such as that of a control against classic
        assert (cells[6].text, cells[6].why.split(" is ")[0]) == ("–", "no verdict")


def test_one_fold_says_nothing_of_folds(four):
    _, _, text = four
    assert "fold" not in re.sub("partitions.folds|media_folders|certainty_folds", "", text.lower())


def test_folds_without_gold_standard_are_counted_out(crossed):
    inputs, _, _ = crossed
    fewer = dataclasses.replace(inputs, results=inputs.results.assign(folds=2))
    assert "means over 2 of 3 folds (the others have no gold standard) and 3 seeds" in answer(fewer).basis[0]


def test_learning_curves_average_folds_each_at_its_own_point():
    curves = pd.DataFrame(
        [
            (fold, "emobed", f"alpha={alpha}", seed, epoch, 10 * place + alpha + seed + epoch, 1.0)
            for place, fold in enumerate(("fold1", "fold2"))
            for alpha in (0.25, 0.5)
            for seed in (1, 3)
            for epoch in (1, 2)
        ],
        columns=["fold", "system", "setting", "seed", "epoch", "dev_score", "loss_target"],
    )
    points = pd.DataFrame(
        {"fold": ["fold1", "fold2"], "system": "emobed", "setting": ["alpha=0.5", "alpha=0.25"]}
    )
    axes = learning_curves(curves, points, "ccc")[0].axes[0]
    # fold1: .5 + (1, 3) + epoch; fold2: 10 + .25 + (1, 3) + epoch
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [8.375, 9.375])
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (2.5, 15.25)
    loss = learning_curves(curves.assign(dev_score=np.nan), points, "ccc")[0].axes
    assert [axes.get_ylabel() for axes in loss] == ["loss of the target"]


def test_scenarios_with_one_target_are_told_apart(four):
    inputs, folder, text = four
    titles = [table.caption for table in main_tables(inputs)]
    assert titles == [
        "audio (with appearance) → arousal", "audio (with geometric) → arousal", "appearance → arousal",
        "geometric → arousal",
    ]  # fmt: skip
    for place, scenario in enumerate(inputs.corpus.scenarios):
        row = (
            of_case(inputs.results, scenario, "arousal")
            .query("system == 'emobed' and metric == 'ccc' and partition == 'test' and postprocessed == 1")
            .squeeze()
        )
        assert main_tables(inputs)[place].rows[3][1].text == f"{three(row['mean'])} ± {three(row['std'])}"
    assert [row[0].text for row in comparison_table(inputs).rows[::3]] == titles
    emobed = answer(inputs).scores[1]
    assert "audio alone (with appearance) reaches" in emobed
    assert ", audio alone (with geometric) ." in emobed
    assert ", appearance alone ." in emobed
    assert text.count("Used alone: audio. In training only: appearance.") == 1
    names = {path.name for path in (folder / "figures").iterdir()}
    assert {f"audio-{other}.arousal.loss_weights.png" for other in ("appearance", "geometric")} <= names


def test_classic_is_said_once_where_the_auxiliary_changes_nothing(four):
    """Classic trains without the auxiliary: both scenarios give the same models, unless features differ."""
    inputs, _, _ = four
    same = inputs.results.copy()
    audio = (same["target"] == "audio") & (same["system"] == "classic")
    same.loc[audio, "mean"] = 0.5
    sentence = answer(dataclasses.replace(inputs, results=same)).scores[0]
    assert sentence.count("audio alone") == 1
    assert "audio alone reaches a CCC of .500 for arousal, appearance alone" in sentence


def test_the_papers_figures_stand_beside_each_scenario(params):
    recola = params.corpus("demo_sessions")
    found = {
        (name, dimension): published(recola, scenario, dimension)
        for name in (*FOUR, "audio+video", "video+audio")
        for scenario in scenarios(name)
        for dimension in ("arousal", "valence")
    }
    assert {key: list(scores.values()) for key, scores in found.items() if scores} == {
        ("audio+appearance", "arousal"): [".605", ".644"], ("audio+appearance", "valence"): [".381", ".434"],
        ("audio+geometric", "arousal"): [".605", ".639"], ("audio+geometric", "valence"): [".381", ".439"],
        ("appearance+audio", "arousal"): [".411", ".475"], ("geometric+audio", "arousal"): [".399", ".417"],
        ("audio+video", "arousal"): [".605", ".644 / .639"],
        ("audio+video", "valence"): [".381", ".434 / .439"],
        ("video+audio", "arousal"): [".411 / .399", ".475 / .417"],
    }  # fmt: skip
    assert "two figures" in published_note(recola)
    assert "own appearance and geometric" in published_note(changed(recola, FOUR))
    assert published_note(changed(recola, ["audio+depth"])) is None
    assert published(params.corpus("demo_clips"), scenarios("video+audio")[0], "emotion")["emobed"] == ".439"


def test_the_papers_figures_go_by_what_a_table_describes(params):
    """AVEC's own audio features are audio, whatever a user calls the table."""
    tables = {
        "avec_audio": FeatureFiles(path="a", statistics=(), max_failed_share=0, modality="audio"),
        "appearance": FeatureFiles(path="v", statistics=(), max_failed_share=0),
        "geometry": FeatureFiles(path="g", statistics=(), max_failed_share=0),
    }
    recola = params.corpus("demo_sessions").model_copy(update={"features": tables})
    scores = published(recola, scenarios("avec_audio+appearance")[0], "arousal")
    assert scores == {"classic": ".605", "emobed": ".644"}
    assert published(recola, scenarios("appearance+avec_audio")[0], "arousal")["classic"] == ".411"
    assert not published(recola, scenarios("avec_audio+geometry")[0], "arousal")
    assert "own appearance and geometric" in published_note(changed(recola, ["avec_audio+appearance"]))


def test_embedding_spaces_of_any_two_modalities(params):
    rows = embeddings(2, 3).replace({"modality": {"audio": "voice", "video": "depth"}})
    evaluation = params.corpus("demo_sessions").evaluation
    found = [(row.query, row.candidates) for row in cross_retrieval(rows, evaluation)]
    assert found == [("depth", "voice"), ("voice", "depth")] * 2
    same = [row.mean for row in cross_retrieval(embeddings(2, 3), evaluation)]
    assert [row.mean for row in cross_retrieval(rows, evaluation)] == [same[1], same[0], same[3], same[2]]
    kept, places = project(rows[rows["system"] == "emobed"], 60, 0)
    figure = space_figure(kept, places, ("low", "high"), "After")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["low", "high", "depth", "voice"]
    assert len({line.get_fillstyle() for line in figure.axes[0].lines}) == 2
    assert cross_retrieval(rows[rows["modality"] == "depth"], evaluation) == []


def test_missing_recordings_and_moves_are_counted(four, tmp_path):
    inputs, _, _ = four
    shared = Shared(12, 3, 8, {("train", "test"): 1, ("test", "dev"): 2})
    missing = [Missing("train", 40, 10), Missing("dev", 10, 0), Missing("test", 10, 5)]
    few = {"curves": {}, "traces": {}, "embeddings": {}, "missing": missing, "shared": shared}
    text = page_of(dataclasses.replace(inputs, **few), tmp_path)
    assert (
        "15 of 60 listed recordings (25.0 %) are not on disk: train 10 of 40 (25.0 %), dev 0 of 10 (0.0 %), "
        "test 5 of 10 (50.0 %)." in text
    )
    assert (
        "3 of 12 speakers, with 8 recordings, are in more than one partition: the partition is not "
        "speaker-independent. corpora.demo_sessions.partitions.method: speaker_disjoint" in text
    )
    moved = inputs.corpus.model_copy(
        update={"partitions": inputs.corpus.partitions.model_copy(update={"method": "speaker_disjoint"})}
    )
    text = page_of(dataclasses.replace(inputs, corpus=moved, **few), tmp_path)
    assert "not speaker-independent" not in text
    assert "Partition: speaker-disjoint. In the corpus as it came 3 of 12 speakers" in text
    assert "3 recordings (test to dev 2, train to test 1) moved." in text


def test_no_faces_no_section(four, tmp_path):
    inputs, _, text = four
    assert "Faces found" in text
    none = pd.DataFrame({"partition": ["train", "dev", "test"], "frames": 0, "found": 0})
    for faces in (none, none.head(0)):
        few = dataclasses.replace(inputs, faces=faces, curves={}, traces={}, embeddings={})
        assert "Faces found" not in page_of(few, tmp_path)


def test_summary_says_what_its_scores_rest_on(params, tmp_path):
    corpus = changed(params.corpus("demo_sessions"), ["audio+video"])
    scaling = corpus.learning.scaling.model_copy(update={"speaker": "centre"})
    centred = corpus.model_copy(update={"learning": corpus.learning.model_copy(update={"scaling": scaling})})
    paths = evaluated_paths(tmp_path, "demo_sessions", corpus, frames=60, labelled=("dev",))
    text = summary(paths, corpus)
    assert "dev by what its other recordings chose" in text
    assert "centred" not in text
    assert "emotion-trained" not in text
    write_table(paths.video, [], lambda unit: None, [], {EMOTION_TRAINED: True})
    line = "(emotion-trained: a network trained on emotions made the features of video)"
    assert line in summary(paths, corpus)
    said = "features centred on each speaker, by recordings of the dev speakers too"
    assert f"({said})" in summary(paths, centred)
    own = pd.DataFrame({"partition": ["dev", "test", "dev"], "fewest": [3, 1, 4], "most": [4, 90, 4]})
    own.to_csv(paths.enrolment, index=False)
    assert f"({said}: 3 to 4 recordings of each)" in summary(paths, centred)


def test_systems_that_need_all_modalities_are_marked_in_the_summary(params, tmp_path):
    corpus = changed(params.corpus("demo_sessions"), ["audio+video"])
    paths = evaluated_paths(tmp_path, "demo_sessions", corpus, frames=60)
    assert "◆" not in summary(paths, corpus)
    table = pd.read_csv(paths.results)
    own = table[table["system"] == "classic"]
    for count, system in enumerate(("early_fusion", "random_forest", "late_fusion")):
        table = pd.concat([table, own.assign(system=system, mean=0.1 * count + 0.2)])
        table.to_csv(paths.results, index=False)
        lines = summary(paths, corpus).splitlines()
        assert lines[2] == "  (◆ needs all modalities when it is used: a bound, no rival)"
        assert ("early fusion ◆" in lines[3]) == (count < 2)
    # many systems stand below each other
    assert lines[3].split() == ["used", "alone", "audio", "→", "arousal", "audio", "→", "valence"]
    names = [line[:20].strip() for line in lines[4:]]
    assert names == [
        "classic", "joint", "triplet", "EmoBed", "random forest", "early fusion ◆", "late fusion ◆",
    ]  # fmt: skip
    assert lines[-1].split("◆")[1].split()[0] == ".400"
    assert all(len(line) == len(lines[3]) for line in lines[4:])


def test_summary_and_metrics_name_the_scenarios(four, params, tmp_path):
    inputs, _, _ = four
    paths = evaluated_paths(tmp_path, "demo_sessions", inputs.corpus, frames=60)
    lines = summary(paths, inputs.corpus).splitlines()
    assert lines[2].split() == ["used", "alone", "classic", "joint", "triplet", "EmoBed"]
    titles = [table.caption for table in main_tables(inputs)]
    assert [line.split("   ")[0].strip() for line in lines[3:]] == titles
    assert list(json.loads(paths.metrics.read_text())) == ["score", *sorted(FOUR)]


def test_tables_of_scores_say_whose_recordings_scaled_the_features(four):
    inputs, _, _ = four
    assert [table.notes for table in main_tables(inputs)] == [()] * 4
    scaling = inputs.corpus.learning.scaling.model_copy(update={"speaker": "standardise"})
    learning = inputs.corpus.learning.model_copy(update={"scaling": scaling})
    own = pd.DataFrame(
        {"partition": ["test", "dev"], "enrolled": "all", "speakers": [6, 9], "fewest": 14, "most": [14, 99]}
    )
    corpus = inputs.corpus.model_copy(update={"learning": learning})
    found = dataclasses.replace(inputs, corpus=corpus, enrolment=own)
    said = (
        "Features were standardised for each speaker: the own recordings of test speakers (6 speakers, 14 "
        "recordings of each), without labels, scaled them."
    )
    tables = [*main_tables(found), summary_table(found)]
    assert {table.notes for table in tables} == {(said,)}
    assert f". {said}}}" in latex(tables[0])
