"""Labels, training, post-processing, scores and report over three folds, by the stages' own functions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.interface import GOLD
from pipeline.corpora.partitions import folds
from pipeline.corpora.recording import format_manifest, read_manifest
from pipeline.corpora.traces import format_traces, trace_table
from pipeline.paths import Paths
from pipeline.reporting.loading import load_report_inputs
from pipeline.reporting.summary import summary
from pipeline.scoring.folds import read_table
from pipeline.scoring.metrics import ccc, f1_macro_pr
from pipeline.store.packing import Unit
from pipeline.store.rows import Rows
from pipeline.store.tables import write_table
from stages.align_labels import align_labels
from stages.evaluate import evaluate
from stages.postprocess import postprocess
from stages.report import report
from stages.running import Context
from stages.train import train
from tests.detections import one_face
from tests.recordings import recording

FRAMES, HOP, LAG = 60, 0.2, 2
FOLDS = ("fold1", "fold2", "fold3")
CLASSES = ["angry", "calm", "happy"]
RECORDINGS = [
    # partitions of the corpus do not matter here, so all are the same
    recording(f"{speaker}_{number}", "train", speaker, Path(f"{speaker}_{number}.wav"), None)
    for speaker, count in (("a", 3), ("b", 3), ("c", 2), ("d", 2), ("e", 2), ("f", 1), ("g", 1), ("h", 1))
    for number in range(count)
]


def gold_of(place: int) -> np.ndarray:
    return 0.4 * np.sin(np.arange(FRAMES) / 5 + place) * (1 + 0.1 * place)


def small(params, name: str):
    corpus = params.corpus(name)
    learning = corpus.learning
    learning = learning.model_copy(
        update={
            "network": learning.network.model_copy(update={"hidden": 6}),
            "optimiser": learning.optimiser.model_copy(update={"epochs": 4, "average_epochs": 2}),
            "alpha": (0.0, 0.3, 1.0),
            "beta": (0.0, 0.1),
            "seeds": (1, 2),
        }
    )
    changes = {
        "learning": learning,
        "dimensions": corpus.dimensions[:1],
        "partitions": corpus.partitions.model_copy(update={"method": "cross_validation", "folds": 3}),
        "report": corpus.report.model_copy(update={"tsne_points": 50}),
        "labels": corpus.labels.model_copy(update={"annotation_delay": LAG * HOP}),
        "postprocessing": corpus.postprocessing.model_copy(
            update={"median_windows": (0.6,), "shifts": (0.2,)}
        ),
    }
    return corpus.model_copy(update=changes)


def write_corpus(paths: Paths, continuous: bool) -> None:
    """Write manifest, traces and feature tables; features follow the gold standard, video less than audio."""
    paths.manifest.parent.mkdir(parents=True)
    paths.manifest.write_bytes(format_manifest(RECORDINGS))
    frames = FRAMES if continuous else 1
    start = np.arange(frames) * HOP
    names = [item.recording for item in RECORDINGS]
    if continuous:
        values = {name: gold_of(place) for place, name in enumerate(names)}
    else:
        values = {name: np.array([float(place % 3)]) for place, name in enumerate(names)}
    traces = trace_table(
        np.repeat(np.array(names, dtype=object), frames),
        np.array(["arousal" if continuous else "emotion"] * frames * len(names), dtype=object),
        np.array([GOLD] * frames * len(names), dtype=object),
        np.tile(start, len(names)),
        np.concatenate(list(values.values())),
    )
    paths.traces.mkdir(parents=True)
    (paths.traces / "traces.parquet").write_bytes(format_traces(traces))
    (paths.traces / "classes.json").write_text(json.dumps(CLASSES))

    def rows(noise: float):
        def read(unit: Unit) -> Rows:
            rng = np.random.default_rng([names.index(unit.recording), int(10 * noise)])
            own = values[unit.recording]
            clean = own[:, None] * [1, -1] if continuous else np.eye(3)[own.astype(int)]
            array = (clean + noise * rng.normal(size=clean.shape)).astype(np.float32)
            columns = tuple(f"f{i}" for i in range(array.shape[1]))
            return Rows(start, start + HOP, array, np.ones(frames, bool), columns)

        return read

    units = [Unit(name, "key") for name in names]
    for directory, noise in ((paths.audio, 0.1), (paths.video, 0.4)):
        write_table(directory, units, rows(noise), [], {})
    write_table(paths.embeddings, units, rows(0.0), [], {})  # the page counts them, and faces
    write_table(paths.faces, units, lambda unit: one_face(start, start + HOP), [], {})


def run(folder: Path, params, name: str) -> tuple[Paths, Context]:
    corpus = small(params, name)
    paths = Paths(name, folder)
    write_corpus(paths, corpus.task == "regression")
    runtime = params.runtime.model_copy(update={"workers": 1, "device": "cpu"})
    own = params.model_copy(update={"corpora": {name: corpus}, "runtime": runtime})
    context = Context(name, own, paths, folder)
    for stage in (align_labels, train, postprocess, evaluate, report):
        stage(context)
    return paths, context


@pytest.fixture(scope="module", params=["demo_sessions", "demo_clips"])
def finished(request, tmp_path_factory, params):
    return run(tmp_path_factory.mktemp(request.param), params, request.param)


def test_every_speaker_is_tested_once_and_results_are_those_of_the_predictions(finished):
    paths, context = finished
    corpus = context.corpus
    regression = corpus.task == "regression"
    dimension = corpus.dimensions[0]
    headline = "metric == 'ccc' and postprocessed == 1"
    if not regression:
        headline = "metric == 'f1_macro_pr' and postprocessed == 0"
    directory = paths.predictions if regression else paths.raw_predictions
    every_fold = folds(read_manifest(paths.manifest), corpus.partitions)
    assert [fold.name for fold in every_fold] == list(FOLDS)
    wanted = f"target == 'audio' and partition == 'test' and {headline}"
    single = read_table(paths.results, "folds").query(wanted)
    result = read_table(paths.results, "result").query(wanted).set_index("system")
    assert list(result.index) == ["classic", "joint", "triplet", "emobed"]
    for system in result.index:
        means, by_seed, tested = [], {1: [], 2: []}, Counter()
        for fold in every_fold:
            table = pd.read_parquet(directory / f"audio+video.{dimension}.{fold.name}.parquet")
            here = {item.recording: item.partition for item in fold.recordings}
            assert (table["partition"] == table["recording"].map(here)).all()
            row = single.query("system == @system and fold == @fold.name").squeeze()
            table = table[(table["system"] == row["system"]) & (table["setting"] == row["setting"])]
            table = table[table["partition"] == "test"]
            tested.update(set(table["recording"]))
            scores = []
            for seed, rows in table.groupby("seed"):
                pair = rows["prediction"], rows["gold"]
                scores.append(ccc(*pair) if regression else f1_macro_pr(*pair))
                by_seed[seed].append(scores[-1])
            means.append(np.mean(scores))
            assert row["mean"] == pytest.approx(means[-1], abs=1e-5)
        assert tested == Counter(item.recording for item in RECORDINGS)
        assert result.loc[system, "mean"] == pytest.approx(np.mean(means), abs=1e-5)
        assert result.loc[system, "std_folds"] == pytest.approx(np.std(means, ddof=1), abs=1e-5)
        seeds = [np.mean(scores) for scores in by_seed.values()]
        assert result.loc[system, "std"] == pytest.approx(np.std(seeds, ddof=1), abs=1e-5)
        assert result.loc[system, "n"] == len(RECORDINGS) * (FRAMES if regression else 1)
    if regression:
        # The features hold the gold standard: fitted on other speakers, it is found.
        assert result.loc["classic", "mean"] > 0.3
    significance = read_table(paths.scores / "significance.csv", "result").query("partition == 'test'")
    assert set(significance["units"]) == {8}
    assert set(significance["n_speakers"]) == {8}
    assert set(significance["unit"]) == {"speaker"}


def test_the_report_says_folds_and_speakers(finished):
    paths, context = finished
    text = paths.report.read_text()
    assert "mean over 3 folds that together test every speaker once" in text
    assert "each of the 8 speakers (15 recordings) is tested exactly once" in text
    assert "Cross-validation: 3 folds by speaker" in text
    assert "Fold by fold" in text
    inputs = load_report_inputs(paths, context.corpus)
    assert inputs.fold_sizes.to_dict("list") == {
        "fold": list(FOLDS), "speakers": inputs.fold_sizes["speakers"].tolist(), "recordings": [5, 5, 5],
        "labelled": [5, 5, 5],
    }  # fmt: skip
    assert inputs.fold_sizes["speakers"].sum() == 8
    assert inputs.counts.iloc[0].to_dict()["recordings"] == 15
    assert inputs.counts["partition"].tolist() == inputs.faces["partition"].tolist() == ["all"]
    dimension = context.corpus.dimensions[0]
    if context.corpus.task == "regression":
        traces = inputs.traces[f"audio+video.{dimension}"]
        assert set(traces["partition"]) == {"test"}
        assert traces.groupby("system")["recording"].nunique().tolist() == [15, 15]
        assert not traces.duplicated(["system", "recording", "time"]).any()
    else:
        for counts in inputs.confusion[f"audio+video.{dimension}"].values():
            assert counts.sum() == 15 * 2  # every recording once, two seeds
    tested = {
        item.recording
        for item in folds(RECORDINGS, context.corpus.partitions)[0].recordings
        if item.partition == "test"
    }
    embeddings = inputs.embeddings[f"audio+video.{dimension}"]
    assert set(embeddings["recording"]) == tested
    curves = inputs.curves[f"audio+video.{dimension}"]
    assert set(curves["fold"]) == set(FOLDS)
    lines = summary(paths, context.corpus).splitlines()
    assert "mean over 3 folds ± std over 2 seeds" in lines[1]
