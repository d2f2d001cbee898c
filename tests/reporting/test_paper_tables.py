from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from pipeline.params import FeatureFiles
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.methods import methods
from pipeline.reporting.paper_tables import paper_tables
from pipeline.reporting.published import published
from tests.reporting.test_folds_and_modalities import scenarios


def inputs_of(corpus, systems, partition="test", postprocessed=1) -> ReportInputs:
    metric = "ccc" if corpus.task == "regression" else "f1_macro_pr"
    rows = [
        (s.target, s.auxiliary, d, system, "", postprocessed, part, metric, 0.1 * place + 0.5, 0.01, 3, 9)
        for s in corpus.scenarios
        for d in corpus.dimensions
        for place, system in enumerate(systems)
        for part in ("dev", "test")
    ]
    names = [
        "target",
        "auxiliary",
        "dimension",
        "system",
        "setting",
        "postprocessed",
        "partition",
        "metric",
        "mean",
        "std",
        "seeds",
        "n",
    ]
    results = pd.DataFrame(rows, columns=names)
    empty = pd.DataFrame()
    return ReportInputs(
        name="own", corpus=corpus, rendered=False, results=results, grid=empty, significance=empty,
        counts=empty, faces=empty, failures=empty, problems=empty, delay={"seconds": 2.4, "estimated": False},
        class_names=tuple("abcdefg"),
    )  # fmt: skip


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_tables_1_and_2_of_the_paper_with_rows_of_ours(params):
    """AVEC's tables go by their folder, whatever a user calls them."""
    tables = {
        "voice": FeatureFiles(path="features_audio"),
        "look": FeatureFiles(path="features_video_appearance"),
        "shape": FeatureFiles(path="features_video_geometric"),
    }
    update = {"features": tables, "scenarios": scenarios("voice+look", "look+voice", "shape+voice")}
    recola = params.corpus("demo_sessions").model_copy(update=update)
    audio, video = paper_tables(inputs_of(recola, ("classic", "emobed", "random_forest")))
    assert [column.name for column in audio.columns] == [
        "system", "arousal (with appearance), paper", "arousal (with appearance), here",
        "valence (with appearance), paper", "valence (with appearance), here",
    ]  # fmt: skip
    assert texts(audio) == [
        ["end-to-end (Tzirakis et al., 2017)", ".715", "–", "–", "–"],
        ["classic", ".605", ".500", ".381", ".500"],
        ["EmoBed", ".644", ".600", ".434", ".600"],
        ["random forest", "–", ".700", "–", ".700"],
    ]
    assert texts(video)[:3] == [
        ["end-to-end (Tzirakis et al., 2017)", "–", "–", ".620", "–", "–", "–", ".620", "–"],
        ["classic", ".411", ".500", "–", ".500", ".399", ".500", "–", ".500"],
        ["EmoBed", ".475", ".600", "–", ".600", ".417", ".600", "–", ".600"],
    ]
    assert published(recola, recola.scenarios[0], "arousal")["classic"] == ".605"


def test_table_3_of_the_paper_is_on_dev(params):
    (table,) = paper_tables(
        inputs_of(params.corpus("demo_clips"), ("classic", "support_vectors"), postprocessed=0)
    )
    assert table.caption == "Table 3 of the paper: F1 on dev"
    assert texts(table) == [
        ["classic", ".365", ".500", ".379", ".500"],
        ["joint", ".402", "–", ".421", "–"],
        ["EmoBed", ".417", "–", ".439", "–"],
        ["random forest", "–", "–", ".370", "–"],
        ["SVM", ".330", ".600", "–", ".600"],
    ]


def test_other_corpora_and_demos_have_no_such_table(params):
    found = inputs_of(params.corpus("demo_clips"), ("classic",), postprocessed=0)
    assert paper_tables(dataclasses.replace(found, rendered=True)) == []
    other = found.corpus.model_copy(update={"layout": "table"})
    assert paper_tables(dataclasses.replace(found, corpus=other)) == []


@pytest.mark.parametrize("name", ["demo_sessions", "demo_clips"])
def test_the_methods_paragraph_is_made_of_the_parameters(params, name):
    corpus = params.corpus(name)
    systems = ("classic", "joint", "triplet", "placebo", "random_forest", "late_fusion")
    learning = corpus.learning.model_copy(update={"systems": systems})
    corpus = corpus.model_copy(update={"learning": learning})
    text = " ".join(methods(inputs_of(corpus, ("classic",))))
    optimiser, network = corpus.learning.optimiser, corpus.learning.network
    for said in (
        f"learning rate {optimiser.learning_rate:g}, L2 {optimiser.weight_decay:g}",
        f"batches of {optimiser.batch}",
        f"{optimiser.epochs} epochs",
        f"{network.hidden} units each",
        "α (weight of the auxiliary loss) in {0, 0.3}, β (weight of the triplet loss) in {0, 0.1}",
        f"{len(corpus.learning.seeds)} seeds",
        "Systems: classic, joint, triplet, placebo, random forest and late fusion ◆.",
        "Placebo: EmoBed with labels of the auxiliary modality permuted",
        "random forest: trees 100, depth {4, 8}.",
        "late fusion ◆: weight {0.3, 0.5, 0.7}.",
        "95 % intervals",
    ):
        assert said in text, said
    if name == "demo_sessions":
        assert "windows of 4 s every 0.2 s" in text
        assert "annotation delay of 2.4 s (given)" in text
        assert (
            "median filter of {0.6, 1, 1.4, 1.8, 2.2} s, centring, scaling and shift by {0.2, 0.4, 0.6} s"
            in text
        )
    else:
        assert "each utterance" in text
        assert "one of 7 classes" in text
        assert "delay" not in text
    other = optimiser.model_copy(update={"clip_norm": None, "patience": 7, "weights": "best_dev_epoch"})
    learning = corpus.learning.model_copy(update={"optimiser": other})
    changed = " ".join(methods(inputs_of(corpus.model_copy(update={"learning": learning}), ("classic",))))
    assert "gradient norm" not in changed
    assert (
        "stopped after 7 epochs without a better dev score, the epoch with the best dev score kept" in changed
    )
