"""Text through all stages: clips in OMG-Emotion's layout with their transcripts, own tables. Some 40 s."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.class_names import EMOTIONS
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.rendering.render import render
from pipeline.features.extraction.engine import ExtractionError
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from stages.align_labels import align_labels
from stages.detect_faces import detect_faces
from stages.embed_faces import embed_faces
from stages.evaluate import evaluate
from stages.extract_audio import extract_audio
from stages.extract_text import extract_text
from stages.pool_video import pool_video
from stages.postprocess import postprocess
from stages.read_features import read_features
from stages.register import register
from stages.report import report
from stages.running import Context
from stages.train import train
from tests.corpora.rendering.conftest import tiny_demo
from tests.features.text.vectors import glove
from tests.parameters import write_parameters

LEARNED = (align_labels, train, postprocess, evaluate, report)
VECTORS = {name: np.eye(len(EMOTIONS))[place] for place, name in enumerate(EMOTIONS)}


def context(folder: Path, **own) -> Context:
    def change(params):
        corpus = params["corpora"]["own"]
        corpus |= {"features": {}, **own}
        corpus["learning"]["network"]["hidden"] = 8
        corpus["learning"]["seeds"] = [1]
        corpus["report"]["tsne_points"] = 50
        corpus["video"]["faces"] |= {"min_face": 40, "max_failed_share": 1.0, "frame_rate_hz": 2.0}
        params["runtime"]["workers"] = 1

    return Context("own", load_params(write_parameters(folder, change)), Paths("own", folder), folder)


@pytest.mark.slow
def test_text_is_a_modality_beside_sound_and_pictures(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    root = Path("data/raw/clips")
    render("demo_clips", root, tiny_demo(), 1)
    lines = [f"{name} " + " ".join(map(str, vector)) for name, vector in VECTORS.items()]
    Path("vectors.txt").write_text("\n".join(lines) + "\n")
    for partition, suffix in (("Train", "csv"), ("Validation", "csv"), ("Test", "tsv")):
        rows = pd.read_csv(root / f"omg_{partition}Videos.csv")
        rows["transcript"] = ["So " + EMOTIONS[code].upper() + "!" for code in rows["EmotionMaxVote"]]
        rows.loc[0, "transcript"] = ""
        rows[["link", "video", "utterance", "transcript"]].to_csv(
            root / f"omg_{partition}Transcripts.{suffix}", index=False, quoting=csv.QUOTE_ALL
        )
    scenarios = ["audio+text", "text+audio", "video+text"]
    own = context(
        tmp_path,
        layout="omg",
        root=str(root),
        extract=["audio", "video", "text"],
        scenarios=scenarios,
        text={"file": "vectors.txt"},
    )
    extraction = (register, read_features, extract_audio, extract_text, detect_faces, embed_faces, pool_video)
    with caplog.at_level("INFO"):
        for stage in (*extraction, *LEARNED):
            stage(own)

    table = FeatureTable.open(own.paths.text)
    assert len(table.recordings) == 21
    assert sum(not table.read(name).valid.any() for name in table.recordings) == 3
    assert "on average 42.9 % of an utterance's words have no vector" in caplog.text  # of two, bar three
    manifest = own.paths.manifest.read_text()
    assert "omg_TestTranscripts.tsv#transcript" in manifest
    assert not any(name.upper() in manifest for name in EMOTIONS)

    results = pd.read_csv(own.paths.results).query("partition == 'test' and metric == 'accuracy'")
    text = results.query("target == 'text'") if "target" in results else results[results["target"] == "text"]
    assert (text["mean"] > 2 / 7).all()  # chance is 1/7; of the seven classes train names six
    metrics = json.loads(own.paths.metrics.read_text())
    assert set(metrics) >= set(scenarios)
    assert "Text: the mean of the vectors that vectors.txt has" in own.paths.report.read_text()


def tone(path: Path, hertz: float) -> None:
    from scipy.io import wavfile

    time = np.arange(16000) / 16000
    noise = np.random.default_rng(int(hertz)).normal(size=16000)
    wavfile.write(path, 16000, np.int16(8000 * np.sin(2 * np.pi * hertz * time) + 300 * noise))


def own_words(root: Path, words: list[str]) -> Context:
    """Write recordings.csv with a tone and words for each recording, and word vectors."""
    parts = ["train"] * 4 + ["dev"] * 2 + ["test"] * 2
    rows = []
    for k, (part, said) in enumerate(zip(parts, words, strict=True)):
        tone(root / f"{k}.wav", 200 + 300 * (k % 2) + k)
        rows.append(
            {"recording": f"r{k}", "partition": part, "speaker": f"s{k}", "audio": f"{k}.wav", "video": ""}
            | {"transcript": said, "emotion": ("happy", "sad")[k % 2]}
        )
    pd.DataFrame(rows).to_csv(root / "recordings.csv", index=False)
    return context(
        root,
        root=str(root),
        extract=["audio", "text"],
        scenarios=["audio+text", "text+audio"],
        text={"file": str(glove(root / "glove.txt"))},
    )


def test_an_own_table_of_words(tmp_path):
    own = own_words(
        tmp_path, ["I am happy", "sad", "happy happy", "not happy: sad", "so happy", "", "I am", "x"]
    )
    for stage in (register, read_features, extract_audio, extract_text, *LEARNED):
        stage(own)
    table = FeatureTable.open(own.paths.text)
    assert table.recordings == ["r0", "r1", "r2", "r3", "r4", "r6", "r7"]  # r5 has no transcript
    assert not table.read("r7").valid.any()
    assert table.index["recordings"]["r7"]["damage"] == [1.0, "1 of 1 words have no vector"]
    results = pd.read_csv(own.paths.results).query("partition == 'test'")
    assert set(results["target"]) == {"audio", "text"}

    # words that change are read anew, and nothing else
    before = {name: table.key(name) for name in table.recordings}
    listed = (tmp_path / "recordings.csv").read_text()
    (tmp_path / "recordings.csv").write_text(listed.replace("so happy", "so sad"))
    for stage in (register, extract_text):
        stage(own)
    after = FeatureTable.open(own.paths.text)
    assert [name for name in before if after.key(name) != before[name]] == ["r4"]


def test_words_that_are_not_here_are_a_colleague_s(tmp_path):
    own = own_words(tmp_path, ["I am happy", "sad"] * 4)
    register(own)
    manifest = own.paths.manifest.read_bytes()
    for path in (*tmp_path.glob("*.wav"), tmp_path / "recordings.csv"):
        path.unlink()
    register(own)
    assert own.paths.manifest.read_bytes() == manifest
    assert {item.media["text"].column for item in read_manifest(own.paths.manifest)} == {"transcript"}
    with pytest.raises(ExtractionError, match="the media of 8 of 8 recordings are not on this machine"):
        extract_text(own)
