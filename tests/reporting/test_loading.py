"""The files of a whole small run, trained in the test -> report inputs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue.systems import DEFAULT
from pipeline.corpora.recording import format_manifest
from pipeline.features.faces.face_table import NAMES
from pipeline.learning.speaker_statistics import Values
from pipeline.params import Classic, FeatureFiles, OwnSetting
from pipeline.paths import Paths, experiment_name
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.reporting.embedding_space import cross_retrieval
from pipeline.reporting.embeddings import load_embeddings
from pipeline.reporting.loading import load_report_inputs
from pipeline.reporting.loading_predictions import load_traces, selected_points
from pipeline.reporting.page import build_report
from pipeline.scoring.evaluation import evaluate
from pipeline.scoring.postprocessing import postprocess_experiment
from pipeline.scoring.selection import Point
from pipeline.store.packing import Unit
from pipeline.store.rows import Rows
from pipeline.store.tables import Failure, FeatureTable, write_table
from tests.learning.run_experiment import run_experiment
from tests.recordings import recording

FRAMES, HOP = 40, 0.2
RECORDINGS = [
    recording(f"{partition}_{k}", partition, f"P{partition}{k}", Path("a.wav"), Path("v.mp4"))
    for partition in ("train", "dev", "test")
    for k in (1, 2)
]


def table(directory: Path, columns: int, seed: int, failures=(), names=()) -> None:
    start = np.arange(FRAMES) * HOP

    def rows(unit: Unit) -> Rows:
        rng = np.random.default_rng([seed, len(unit.recording), int(unit.recording[-1])])
        values = rng.normal(size=(FRAMES, columns)).astype(np.float32)
        valid = np.arange(FRAMES) >= 4
        return Rows(start, start + HOP, values, valid, names or tuple(f"f{i}" for i in range(columns)))

    write_table(directory, [Unit(item.recording, "key") for item in RECORDINGS], rows, failures, {})


@pytest.fixture(scope="module")
def run(tmp_path_factory, params):
    paths = Paths("demo_sessions", tmp_path_factory.mktemp("run"))
    corpus = params.corpus("demo_sessions")
    learning = corpus.learning
    learning = learning.model_copy(
        update={
            "network": learning.network.model_copy(update={"hidden": 4}),
            "optimiser": learning.optimiser.model_copy(update={"epochs": 2, "average_epochs": 1}),
            "scaling": learning.scaling.model_copy(update={"speaker": "centre"}),
            "seeds": (1, 2),
            "systems": DEFAULT,
            "classic": Classic(settings=(OwnSetting(learning_rate=0.02, weight_decay=0.0),)),
        }
    )
    corpus = corpus.model_copy(update={"learning": learning, "dimensions": ("arousal",)})
    paths.manifest.parent.mkdir(parents=True)
    paths.manifest.write_bytes(format_manifest(RECORDINGS))
    failure = Failure("test_9", "detect_faces", "no video stream")
    for modality, columns in (("audio", 3), ("video", 5), ("embeddings", 2)):
        table(getattr(paths, modality), columns, columns)
    table(paths.faces, len(NAMES), 2, [failure], NAMES)
    rng = np.random.default_rng(0)
    labels = pd.concat(
        pd.DataFrame(
            {
                "recording": item.recording, "partition": item.partition, "speaker": item.speaker,
                "dimension": "arousal", "time": np.arange(FRAMES) * HOP,
                "gold_standard": rng.normal(size=FRAMES), "label": rng.normal(size=FRAMES),
            }
        ).assign(triplet_class=lambda rows: (rows["label"] > 0).astype(int))
        for item in RECORDINGS
    )  # fmt: skip
    paths.labels.mkdir(parents=True)
    labels.to_parquet(paths.labels / "labels.parquet", index=False)
    facts = {"annotation_delay": {"seconds": 0.4, "estimated": True}, "thresholds": {"arousal": [0.0]}}
    (paths.labels / "labels.json").write_text(json.dumps(facts))
    tables = {
        modality: FeatureTable.open(paths.audio if modality == "audio" else paths.video)
        for modality in ("audio", "video")
    }
    for scenario in corpus.scenarios:
        name = experiment_name(scenario.name, "arousal")
        raw, final = (folder / f"{name}.parquet" for folder in (paths.raw_predictions, paths.predictions))
        run_experiment(
            recordings=RECORDINGS,
            sources={"target": tables[scenario.target], "auxiliary": tables[scenario.auxiliary]},
            labels=labels, dimension="arousal", task="regression", grid=corpus.grid, delay_frames=2,
            learning=learning, models_directory=paths.models / name, predictions_path=raw,
            scenario=scenario.name,
        )  # fmt: skip
        postprocess_experiment(raw, final, corpus.postprocessing, HOP)
    evaluate(paths, corpus, {item.recording: item.speaker for item in RECORDINGS})
    return paths, corpus, load_report_inputs(paths, corpus)


def test_counts_faces_and_failures(run):
    _, _, inputs = run
    assert inputs.counts.to_dict("records")[2] == {
        "partition": "test", "recordings": 2, "speakers": 2, "with_labels": 2, "audio_frames": 80,
        "video_frames": 80,
    }  # fmt: skip
    own = inputs.faces.to_dict("records")[0]
    assert own.pop("changes") == 70  # random boxes: each is another face's
    assert own == {
        "partition": "train", "recordings": 2, "frames": 80, "found": 72, "faces": 72, "persons": None
    }  # fmt: skip
    assert inputs.failures.to_numpy().tolist() == [["test_9", "detect_faces", "no video stream"]]
    assert inputs.delay["seconds"] == 0.4
    assert inputs.class_names == ("low", "high")
    assert inputs.rendered
    assert inputs.versions["numpy"] == np.__version__


def test_a_corpus_with_the_media_of_a_demo_is_rendered_too(run, tmp_path):
    """The receipt of `render_demo` says so, whatever the corpus is called."""
    paths, corpus, _ = run
    shutil.copytree(paths.root / "data", tmp_path / "data")
    for path in list((tmp_path / "data").rglob("demo_sessions*")):
        path.rename(path.with_name(path.name.replace("demo_sessions", "few")))
    own = Paths("few", tmp_path)
    assert not load_report_inputs(own, corpus).rendered
    own.rendered.parent.mkdir(parents=True, exist_ok=True)
    for drawn in (False, True):
        own.rendered.write_text(json.dumps({"rendered": drawn}))
        assert load_report_inputs(own, corpus).rendered is drawn


def test_encoders_that_were_all_trained_apart_are_not_embedded(run):
    paths, corpus, inputs = run
    assert len(inputs.embeddings)
    alone = corpus.learning.model_copy(update={"systems": ("classic", "same_modality")})
    assert load_report_inputs(paths, corpus.model_copy(update={"learning": alone})).embeddings == {}


def test_traces_are_means_over_seeds_of_the_prediction_files(run):
    paths, corpus, inputs = run
    traces, name = inputs.traces["audio+video.arousal"], "audio+video.arousal"
    (point,) = selected_points(paths, corpus, ("classic",))[name][name]
    assert set(traces["system"]) == {"classic", "emobed"}
    raw = pd.read_parquet(paths.raw_predictions / "audio+video.arousal.parquet")
    raw = raw[(raw["setting"] == point.setting) & (raw["system"] == "classic")]
    expected = raw.query("recording == 'test_2'").groupby("time")["prediction"].mean()
    found = traces.query("system == 'classic' and recording == 'test_2'").set_index("time")["raw"]
    assert found.to_numpy() == pytest.approx(expected.to_numpy())


def test_before_is_each_modalitys_own_classic_system_and_after_one_emobed_model(run):
    paths, _, inputs = run
    table = inputs.embeddings["audio+video.arousal"]
    assert set(zip(table["system"], table["modality"], table["seed"], strict=True)) == {
        (system, modality, seed) for system in DEFAULT for modality in ("audio", "video") for seed in (1, 2)
    }
    assert len(table) == 6 * 2 * 2 * 2 * FRAMES
    assert tuple(table["system"].drop_duplicates()) == DEFAULT
    assert set(table["partition"]) == {"test"}
    # The same classic video encoder in the experiment where audio is the target and in its own.
    names = [name for name in table.columns if name.startswith("e_")]
    chosen = "system == 'classic' and modality == 'video'"
    other = inputs.embeddings["video+audio.arousal"].query(chosen)[names].to_numpy()
    assert (table.query(chosen)[names].to_numpy() == other).all()
    # Against inference by hand: first test recording, its speaker enrolled with this one recording.
    (point,) = selected_points(paths, inputs.corpus, ("classic",))["video+audio.arousal"][
        "video+audio.arousal"
    ]
    model = ModelsOfSetting.load(paths.models / "video+audio.arousal/models.safetensors", *point)
    rows = FeatureTable.open(paths.video).read("test_1")
    expected = model.embed(rows.values, "target", rows.valid, [Values(rows.values, rows.valid)])[0]
    found = table.query(chosen + " and recording == 'test_1' and seed == 1")[names].to_numpy()
    assert found == pytest.approx(expected)


def test_encoders_trained_apart_are_of_the_experiment_that_has_the_modality_as_its_target(run):
    """At the point that is given for it; without one the other modality has no encoder."""
    paths, corpus, _ = run
    audio, video = "audio+video.arousal", "video+audio.arousal"
    own = [Point("classic", ""), Point("same_modality", "alpha=0.3 beta=0.1")]
    names = [f"e_{i}" for i in range(4)]
    tuned = [Point("classic", "lr=0.02 weight_decay=0"), own[1]]
    found = []
    for points in ((own, own), (own, tuned), (own, ())):
        given = dict(zip((audio, video), map(tuple, points), strict=True))
        table = load_embeddings(paths, corpus, given, RECORDINGS)[audio]
        found.append({key: rows[names].to_numpy() for key, rows in table.groupby(["system", "modality"])})
    shared, other, alone = found
    assert alone.keys() == {("classic", "audio"), ("same_modality", "audio")}
    assert cross_retrieval(table, corpus.evaluation) == []
    assert (shared["classic", "audio"] == other["classic", "audio"]).all()
    assert (shared["same_modality", "video"] == other["same_modality", "video"]).all()
    assert not np.allclose(shared["classic", "video"], other["classic", "video"])
    model = ModelsOfSetting.load(paths.models / video / "models.safetensors", *tuned[0])
    rows = FeatureTable.open(paths.video).read("test_1")
    expected = model.embed(rows.values, "target", rows.valid, [Values(rows.values, rows.valid)])[0]
    assert other["classic", "video"][: len(expected)] == pytest.approx(expected)


def test_the_page_can_be_built_from_the_files(run, tmp_path):
    _, _, inputs = run
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    text = (tmp_path / "report.html").read_text()
    assert "moved by an annotation delay of 0.4 s" in text
    assert "estimated on train and dev" in text
    assert len(list((tmp_path / "figures").glob("*.png"))) == 2 * 5


def test_failures_of_given_tables_and_tables_without_any_row(run, tmp_path):
    """Recordings without video: the table of the modality is empty and counts 0; there are no faces."""
    paths, corpus, _ = run
    shutil.copytree(paths.root, tmp_path / "copy")
    for path in (paths.results, paths.grid_scores, paths.scores / "significance.csv"):
        copied = tmp_path / "copy" / path.relative_to(paths.root)
        copied.write_text(path.read_text().splitlines()[0] + "\n")  # nothing was trained
    own = Paths(paths.corpus, tmp_path / "copy")
    for directory in (own.faces, own.embeddings, own.video):
        shutil.rmtree(directory)
        write_table(directory, [], lambda unit: None, [], {})
    table(own.given / "appearance.arousal", 4, 4, [Failure("dev_1", "read_features", "no such file")])
    features = {"appearance": FeatureFiles(path="x", statistics=(), max_failed_share=0.0)}
    audio_only = corpus.model_copy(update={"scenarios": (), "features": features})
    inputs = load_report_inputs(own, audio_only)
    assert inputs.failures.to_numpy().tolist() == [["dev_1", "read_features", "no such file"]]
    counts = inputs.counts.set_index("partition")
    assert counts["video_frames"].tolist() == [0, 0, 0]
    assert counts["appearance_frames"].tolist() == counts["audio_frames"].tolist() == [80, 80, 80]
    assert inputs.faces["frames"].sum() == 0
    shutil.rmtree(own.faces)
    assert load_report_inputs(own, audio_only.model_copy(update={"extract": ("audio",)})).faces.empty
    assert inputs.shared.shared == 0
    assert list(inputs.missing) == []
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    assert "Faces found" not in (tmp_path / "report.html").read_text()


def test_without_reference_and_method_no_trace_is_shown(tmp_path, params, monkeypatch):
    points = {"audio+video.arousal": {"audio+video.arousal": []}}
    monkeypatch.setattr("pipeline.reporting.loading_predictions.selected_points", lambda *_: points)
    assert load_traces(Paths("demo_sessions", tmp_path), params.corpus("demo_sessions")) == {}
