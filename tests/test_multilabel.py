"""Utterances with any number of labels through all stages: what is scored, said and exported. Some 30 s."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from pipeline.corpora.label_sets import matrix_of
from pipeline.cross.evaluation import evaluate_on
from pipeline.cross.shown import as_json, lines
from pipeline.features.sources import open_features
from pipeline.learning.prediction_file import score_column
from pipeline.recogniser.onnx_file import to_onnx
from pipeline.recogniser.recogniser import Recogniser
from pipeline.running.workshop import Workshop
from pipeline.scoring.platt import on_lines
from pipeline.store.units import UnitStore
from stages.export import export
from tests.own_tables import OwnTables

CLASSES = ("anger", "fear", "happy")
SYSTEMS = [
    "classic",
    "joint",
    "triplet",
    "emobed",
    "random_forest",
    "support_vectors",
    "early_fusion",
    "late_fusion",
]


def multilabel(own):
    own |= {"task": "multilabel", "dimensions": ["emotion"]}
    own["learning"] |= {
        "loss": "binary_cross_entropy",
        "threshold": "dev",
        "systems": SYSTEMS,
        "alpha": [0.0, 0.3],
        "beta": [0.0, 0.1],
    }
    own["learning"]["optimiser"] |= {"epochs": 12, "average_epochs": 3, "batch": 16, "learning_rate": 0.01}
    own["learning"]["seeds"] = [1, 2]


def write(own: OwnTables) -> np.ndarray:
    """Write 96 recordings of 12 speakers, the last ones without labels; return who has which label."""
    random = np.random.default_rng(0)
    matrix = random.random((96, 3)) < [0.5, 0.2, 0.35]
    parts = np.repeat(["train", "dev", "test"], [48, 24, 24])
    recordings = [
        {"recording": f"r{k:02d}", "partition": parts[k], "speaker": f"s{k // 8:02d}"}
        | {
            f"emotion.{name}": ("" if k in (46, 47) else f"{0.66 * matrix[k, c]:g}")
            for c, name in enumerate(CLASSES)
        }
        for k in range(96)
    ]
    centres = {name: 2 * random.normal(size=(3, 5)) for name in ("text", "bio")}
    tables = {
        name: [
            {"recording": f"r{k:02d}"}
            | {f"x{i}": v for i, v in enumerate(matrix[k] @ centre + 0.6 * random.normal(size=5))}
            for k in range(96)
        ]
        for name, centre in centres.items()
    }
    own.write(recordings, tables)
    return matrix


@pytest.mark.slow
def test_several_labels_from_the_table_to_the_report(tmp_path):
    own = OwnTables(tmp_path, change=multilabel)
    matrix = write(own)
    own.run()
    labels = own.labels()
    assert len(labels) == 94  # two are unlabelled, which is not none of them
    assert (labels["label"] == 0).sum() == (~matrix[:46].any(axis=1)).sum() + (~matrix[48:].any(axis=1)).sum()
    assert json.loads(own.paths.label_facts.read_text())["unlabelled"] == {"emotion": ["r46", "r47"]}
    results = own.results()
    test = results[(results["partition"] == "test") & (results["metric"] == "wacc")]
    assert set(test["system"]) == set(SYSTEMS)
    assert (test["mean"] > 0.75).all()
    assert set(results["metric"]) == {"wacc", "f1_binary", "f1_weighted_binary", "auc", "hamming", "exact"}
    by_class = pd.read_csv(own.paths.class_scores)
    assert set(by_class["class"]) == set(CLASSES)
    here = by_class[by_class["class"] == "fear"]
    assert (here["present"] == matrix[72:, 1].sum()).all()
    assert (here["n"] == 24).all()
    sure = pd.read_csv(own.paths.uncertainty)
    assert len(sure) == 2 * len(SYSTEMS) * 3
    significance = pd.read_csv(own.paths.scores / "significance.csv")
    assert set(significance["speaker_metric"]) == {"hamming"}
    page = own.paths.report.read_text()
    for words in ("anger", "none of them", "WAcc", "Labels together"):
        assert words in page
    assert "Confusion matrix" not in page
    recogniser_is_what_was_trained(own)


def recogniser_is_what_was_trained(own: OwnTables) -> None:
    """Export, and compare what a recogniser says with the predictions of the stage postprocess."""
    own.paths.rendered.write_text(json.dumps({"rendered": False}))
    own.run(export)
    folder = own.paths.recognisers / "text+bio.emotion"
    recogniser = Recogniser.load(folder)
    about = recogniser.description
    assert about.calibration.lines is not None
    assert "ECE as given out" in (folder / "MODEL_CARD.md").read_text()
    rows = pd.read_parquet(own.paths.predictions / "text+bio.emotion.parquet")
    rows = rows[(rows["system"] == about.system) & (rows["setting"] == about.setting)]
    scores = rows.groupby("recording")[[f"score_{code}" for code in range(3)]].mean()
    evaluated_as_the_stage_does(own, recogniser, rows)
    source = open_features(own.paths, own.corpus, "text", "emotion")
    session = onnxruntime.InferenceSession(to_onnx(recogniser))
    for name in ("r50", "r80", "r95"):
        prediction = recogniser.predict_rows(source.read(name))
        expected = scores.loc[name].to_numpy()
        np.testing.assert_allclose(prediction.by_seed.mean(axis=0)[0], expected, atol=1e-5)
        line = prediction.table(name, "emotion", CLASSES).iloc[0]
        above = zip(CLASSES, expected, about.thresholds, strict=True)
        named = [label for label, own_score, threshold in above if own_score > threshold]
        assert line["emotion"] == (";".join(named) or "none")
        given = [line[f"emotion.{label}"] for label in CLASSES]
        np.testing.assert_allclose(given, on_lines(expected, about.calibration.lines), atol=1e-5)
        values = source.read(name)
        (found,) = session.run(["probabilities"], {"text": values.values, "valid.text": values.valid})
        np.testing.assert_allclose(found[0], given, atol=1e-5)


def evaluated_as_the_stage_does(own: OwnTables, recogniser: Recogniser, rows: pd.DataFrame) -> None:
    """Score the recogniser on test of its corpus: the numbers of its stored predictions, mean over seeds."""
    shop = Workshop(UnitStore(own.paths.root / "empty"))
    found = evaluate_on(recogniser, own.corpus, own.paths, shop, own.paths.root / "scratch")
    test = (
        rows[rows["partition"] == "test"].groupby("recording")[["gold", *map(score_column, range(3))]].mean()
    )
    truth = matrix_of(test["gold"], 3)
    named = test.to_numpy()[:, 1:] > recogniser.description.thresholds
    value = {row["metric"]: row["value"] for row in found.scores}
    recalls = [balanced_accuracy_score(truth[:, k], named[:, k]) for k in range(3)]
    assert value["wacc"] == pytest.approx(np.mean(recalls))
    assert value["exact"] == pytest.approx((truth == named).all(axis=1).mean())
    areas = [roc_auc_score(truth[:, k], test[score_column(k)]) for k in range(3)]
    assert value["auc"] == pytest.approx(np.mean(areas))  # a line of positive slope keeps the order
    assert found.chance == 0.5
    assert "  chance is a WAcc of .500 (3 labels)" in lines(found)
    assert json.loads(as_json(found))["classes"] == list(CLASSES)
