"""The ONNX file of a recogniser: what it says, that it equals the recogniser, and the example in the docs."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from pipeline.recogniser import Recogniser
from pipeline.recogniser.description import Calibration
from pipeline.recogniser.onnx_file import to_onnx
from pipeline.store.rows import Rows
from stages.commands.app import app

ROOT = Path(__file__).parents[2]
WITHOUT_US = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "pipeline", "emobed", "stages", "onnx"):
            raise ImportError(f"{name} is not to be used")
sys.meta_path.insert(0, Refuse())
"""


def recording(paths, name):
    return paths.root / "data/raw" / paths.corpus / name


@pytest.fixture
def wav(sessions) -> Path:
    return sorted(recording(sessions, "recordings_audio").glob("test_*.wav"))[0]


def test_a_file_equals_its_recogniser_and_says_what_it_is(sessions, wav):
    recogniser = Recogniser.load(sessions.recognisers / "audio+video.arousal")
    content = to_onnx(recogniser)
    assert content == to_onnx(recogniser)
    session = onnxruntime.InferenceSession(content)
    rows = recogniser.features(wav)
    (found,) = session.run(None, {"audio": rows.values, "valid.audio": rows.valid})
    np.testing.assert_allclose(found, recogniser.predict_rows(rows).values, atol=1e-5)
    about = {k: json.loads(v) for k, v in session.get_modelmeta().custom_metadata_map.items()}
    description = recogniser.description
    assert about["features.audio"] == list(rows.names)
    assert about["recogniser_sha256"] == description.sha256
    assert about["dimension"] == "arousal"
    assert about["classes"] == []
    assert (about["window"], about["hop"], about["annotation_delay"]) == (2.4, 0.4, 2.4)
    assert about["extraction.audio"] == description.extraction["audio"]
    assert about["seeds"] == list(description.seeds)
    assert about["output"] == session.get_outputs()[0].name
    assert about["opset"] == {"": 17, "ai.onnx.ml": 3}
    assert "MODEL_CARD.md" in about["licence"]


def test_classes_are_probabilities_in_their_order(clips):
    recogniser = Recogniser.load(clips.recognisers / "video+audio.emotion")
    warm = Calibration(temperature=2.5, rule="likelihood", dev=9, unit="utterance")
    description = recogniser.description.model_copy(update={"calibration": warm})
    recogniser = replace(recogniser, description=description)
    session = onnxruntime.InferenceSession(to_onnx(recogniser))
    names = recogniser.models.features("video")
    features = recogniser.models.scalers["target"].arrays["centre"][None].astype(np.float32)
    (found,) = session.run(None, {"video": features, "valid.video": np.ones(1, bool)})
    rows = Rows(np.zeros(1), np.ones(1), features, np.ones(1, bool), names)
    np.testing.assert_allclose(found, recogniser.predict_rows(rows).values, atol=1e-5)
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == list(recogniser.classes)
    assert json.loads(about["inputs"]) == ["video"]


def test_utterances_are_predicted_one_by_one_and_never_as_a_sequence(clips):
    recogniser = Recogniser.load(clips.recognisers / "video+audio.emotion")
    names = recogniser.models.features("video")
    centre = recogniser.models.scalers["target"].arrays["centre"]
    features = (centre + np.random.default_rng(1).normal(size=(9, len(names)))).astype(np.float32)
    rows = [Rows(np.zeros(1), np.ones(1), own[None], np.ones(1, bool), names) for own in features]
    session = onnxruntime.InferenceSession(to_onnx(recogniser))
    (found,) = session.run(None, {"video": features, "valid.video": np.ones(9, bool)})
    expected = np.concatenate([recogniser.predict_rows(own).values for own in rows])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    together = Rows(np.arange(9.0), np.arange(9.0) + 1, features, np.ones(9, bool), names)
    with pytest.raises(ValueError, match="each from one row, found 9 rows"):
        recogniser.predict_rows(together)
    done = run(recogniser.folder, "--step")
    assert (done.exit_code, "each utterance by itself" in done.output) == (1, True)
    assert "Traceback" not in done.output


def run(*arguments):
    return CliRunner().invoke(app, ["export", "onnx", *map(str, arguments)])


def test_the_command_writes_whole_and_step_and_says_what_a_step_leaves_out(sessions, tmp_path):
    folder = sessions.recognisers / "audio+video.arousal"
    with contextlib.chdir(tmp_path):
        done = run(folder)
        assert done.exit_code == 0, done.output
        assert "arousal from audio" in done.output
        done = run(folder, "--step", "--out", "a/b.onnx")
        assert done.exit_code == 0, done.output
    assert (tmp_path / "audio+video.arousal.onnx").read_bytes() == to_onnx(Recogniser.load(folder))
    step = onnxruntime.InferenceSession(tmp_path / "a/b.onnx")
    assert [own.name for own in step.get_inputs()] == ["audio", "valid.audio", "state"]
    chains = Recogniser.load(folder).description.chains or ()
    filtered = any(chain.median > 1 for chain in chains)
    assert ("median filter" in done.output) == filtered
    said = json.loads(step.get_modelmeta().custom_metadata_map["postprocessing"])
    assert isinstance(said, str) == filtered


def test_no_recogniser_is_one_sentence(tmp_path):
    with contextlib.chdir(tmp_path):
        done = run(tmp_path / "none")
    assert done.exit_code == 1
    assert "none: no such folder" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("corpus", ["sessions", "clips", "finished_clips_by_speaker"])
def test_the_example_of_the_docs_predicts_as_the_recogniser_with_nothing_of_ours(corpus, request, tmp_path):
    paths = request.getfixturevalue(corpus)
    text = (ROOT / "docs/onnx.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    name = "audio+video.arousal" if corpus == "sessions" else "audio+video.emotion"
    recogniser = Recogniser.load(paths.recognisers / name)
    (tmp_path / "r.onnx").write_bytes(to_onnx(recogniser))
    random = np.random.default_rng(1)
    for seconds in (4.0, 7.31):
        tone = np.sin(np.cumsum(0.05 + 0.02 * np.sin(np.arange(int(seconds * 16000)) / 900)))
        signal = tone * (0.2 + 0.1 * np.sin(np.arange(len(tone)) / 5000)) + 0.01 * random.normal(
            size=len(tone)
        )
        with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes((signal * 32767).astype("<i2").tobytes())
        command = [
            sys.executable,
            "-I",
            "-c",
            WITHOUT_US + example,
            tmp_path / "r.onnx",
            tmp_path / "speech.wav",
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        expected = recogniser.predict_rows(recogniser.features(tmp_path / "speech.wav")).values
        np.testing.assert_allclose(json.loads(done.stdout), expected, atol=1e-5)
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(88200))
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "expected one channel of 16 bits: ffmpeg -i FILE -ac 1 -ar 16000 speech.wav\n"
