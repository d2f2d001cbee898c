"""Folders that are damaged, of another version, or made to do harm: one sentence each."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from pipeline.features.media.opening import MediaError
from pipeline.learning.model_file import read_models, to_bytes
from pipeline.recogniser import Recogniser, RecogniserError
from pipeline.recogniser.description import DESCRIPTION, own_sha256
from pipeline.recogniser.folder import LARGEST, read_folder
from pipeline.store.digest import sha256_of
from stages.commands.app import app
from tests.recogniser_fixtures import exported


def rewrite(folder: Path, change) -> None:
    """Change the description and state its hash anew, as somebody does who wants to be believed."""
    path = folder / DESCRIPTION
    about = json.loads(path.read_text())
    change(about)
    about["sha256"] = own_sha256(about)
    path.write_text(json.dumps(about))


def reweigh(folder: Path, change) -> None:
    """Change tensors and their description, and state all hashes anew."""
    path = folder / "weights.safetensors"
    tensors, about = read_models(path)
    change(tensors, about)
    path.write_bytes(to_bytes(tensors, about))
    entry = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    rewrite(folder, lambda own: own["files"].update({path.name: entry}))


def refused(folder: Path) -> str:
    with pytest.raises(RecogniserError) as error:
        Recogniser.load(folder)
    sentence = str(error.value)
    assert "\n" not in sentence
    assert len(sentence) < 1000
    return sentence


def test_what_is_no_recogniser_is_said(folder, tmp_path):
    assert "no such folder" in refused(tmp_path / "none")
    (tmp_path / "clip.wav").write_bytes(b"RIFF")
    assert "clip.wav: a file, expected a recogniser, a folder" in refused(tmp_path / "clip.wav")
    assert "no recogniser.json in it" in refused(tmp_path)
    assert refused(folder.parent).endswith(f"; expected one such as {folder}")
    assert refused(folder.with_name(folder.name + "s")).endswith(f"such as {folder}")
    (folder / DESCRIPTION).write_text('{"format": 2}')
    assert "format 2, and this version of EmoBed reads 1" in refused(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"format": NaN}', "[" * 100_000, '{"format": 1' + "0" * 5000 + "}"]
)
def test_a_description_that_is_no_json_is_refused(folder, text):
    (folder / DESCRIPTION).write_text(text)
    assert DESCRIPTION in refused(folder)


def test_a_description_without_end_is_not_read(folder):
    with (folder / DESCRIPTION).open("wb") as file:
        file.truncate(LARGEST + 1)
    assert f"expected {LARGEST:,} at most" in refused(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "MODEL_CARD.md", DESCRIPTION])
def test_edits_and_ends_that_are_missing_are_found(folder, name):
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert re.search(r"broken off, damaged or edited", refused(folder))
    middle = whole.index(b"audio") if b"audio" in whole else len(whole) // 2
    path.write_bytes(whole[:middle] + b"Audio" + whole[middle + 5 :])
    assert "its sha256 is not the one" in refused(folder)
    path.unlink()
    assert str(folder) in refused(folder)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "networks/../../secret", "a/b", ".hidden", "a\\b"]
)
def test_names_that_lead_out_of_the_folder_are_refused(folder, name):
    entry = {"sha256": "0" * 64, "bytes": 1}
    rewrite(folder, lambda about: about["files"].update({name: entry}))
    assert DESCRIPTION in refused(folder)


@pytest.mark.parametrize("name", ["/etc/passwd", "networks/../x", "weights.safetensors"])
def test_networks_lie_in_the_folder(folder, name):
    entry = {"key": "video.embedding.weights", "name": name, "sha256": "0" * 64, "included": True}
    rewrite(folder, lambda about: about["networks"].append(entry))
    assert DESCRIPTION in refused(folder)


def test_a_file_that_parameters_name_is_not_opened_unless_it_is_listed(folder):
    onnx = {"file": "/etc/passwd", "output": "x", "emotion_trained": False, "standardise": False}
    rewrite(folder, lambda about: about["parameters"]["audio"].update(network="onnx", onnx=onnx))
    assert "features need the file of audio.onnx.file, which recogniser.json does not list" in refused(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", DESCRIPTION])
def test_links_out_of_the_folder_are_refused(folder, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    assert "is a link out of the folder" in refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.update(unknown=1),
        lambda about: about.update(seeds=[1e400]),
        lambda about: about.update(seeds=[]),
        lambda about: about.update(classes=["anger"]),
        lambda about: about.update(system="none"),
        lambda about: about["parameters"].update(grid={"window": 1e400, "hop": 0.4}),
        lambda about: about["parameters"].pop("audio"),
        lambda about: about.update(chains=[{"median": 10**30}]),
        lambda about: about.update(chains=[{}] * (len(about["seeds"]) + 1)),
        lambda about: about.update(chains=[{"gain": 1e300}] * len(about["seeds"])),
        lambda about: about.update(dimension="valid"),
        lambda about: about.update(dimension="../arousal"),
        lambda about: about.update(task="classification"),
        lambda about: about["parameters"]["grid"].update(hop=1e-7),
        lambda about: about["parameters"]["grid"].update(window=1e12),
        lambda about: about["parameters"]["video"]["faces"].update(frame_rate_hz=1e9),
        lambda about: about["parameters"]["video"]["faces"].update(scale_factor=0.99999),
    ],
)
def test_descriptions_that_cannot_be_are_refused(folder, change):
    rewrite(folder, change)
    refused(folder)


CONTRADICTIONS = [
    lambda own: own["grid"].update(hop=None),
    lambda own: own["grid"].update(hop=3.0),
    lambda own: own.update(dimensions=["emotion"]),
    lambda own: own.update(scenarios=[{"name": "x", "target": "video", "auxiliary": "video"}]),
    lambda own: own.pop("audio"),
]


@pytest.mark.parametrize("change", CONTRADICTIONS)
def test_parameters_that_contradict_each_other_are_one_sentence_for_whoever_reads_them(folder, change):
    rewrite(folder, lambda about: change(about["parameters"]))
    assert f"{DESCRIPTION}: parameters." in refused(folder)
    with pytest.raises(RecogniserError, match=r"recogniser.json: parameters\."):
        read_folder(folder)  # which commands call before anything is loaded


def first(tensors: dict[str, torch.Tensor], end: str) -> str:
    return next(name for name in tensors if name.endswith(end))


def broken(kind: str):
    """Return a change of the tensors, or of what they say of themselves, by name."""

    def change(tensors: dict[str, torch.Tensor], about: dict) -> None:
        (system,) = about["systems"]
        if kind == "not a number":
            tensors["scaler.target/centre"][3] = torch.nan
        elif kind == "short scaling":
            tensors["scaler.target/centre"] = tensors["scaler.target/centre"][:-1].clone()
        elif kind == "no scaling":
            del tensors["scaler.target/centre"]
        elif kind == "delay":
            about["delay_frames"] = 10**12
        elif kind == "weights":
            name = next(name for name in tensors if not name.startswith(("scaler.", "limits.")))
            del tensors[name]
        elif kind == "classes":
            about["classes"] = ["a", "b"]
        else:
            about["systems"][system] = {"version": 1}

    return change


@pytest.mark.parametrize(
    "kind", ["not a number", "short scaling", "no scaling", "delay", "weights", "classes", "system"]
)
def test_weights_that_are_not_what_they_say_are_refused(folder, kind):
    reweigh(folder, broken(kind))
    assert "weights.safetensors" in refused(folder)


def test_features_of_one_name_are_refused(folder):
    def change(tensors, about):
        about["features"]["target"][5] = about["features"]["target"][4]

    reweigh(folder, change)
    assert re.search("two features of its target are called .*, expected one of each", refused(folder))


@pytest.mark.parametrize("target", ["audio", "video"])
def test_features_of_other_names_are_one_sentence_before_anything_is_read(sessions, tmp_path, target):
    """Parameters say what features are called: nothing need be made of a file to see that they differ."""
    folder = tmp_path / "recogniser"
    other = "audio" if target == "video" else "video"
    shutil.copytree(sessions.recognisers / f"{target}+{other}.arousal", folder)

    def change(tensors, about):
        about["features"]["target"][5] = "loudness_of_somebody"

    reweigh(folder, change)
    said = rf"its parameters make other features of {target} than its weights read \(feature 6 is '.*"
    assert re.search(said, refused(folder))
    wav = sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav"
    out = tmp_path / "o.csv"
    done = CliRunner().invoke(app, ["predict", str(folder), str(wav), str(wav.parent), "--out", str(out)])
    assert done.exit_code == 1
    assert re.search(said, done.stderr)
    assert not (tmp_path / "failed.csv").exists()


@pytest.mark.parametrize("system", ["emobed", "multi_task"])
@pytest.mark.parametrize("key", ["hidden", "encoder_layers", "shared_layers", "outputs"])
def test_sizes_that_nothing_has_take_no_memory(sessions, tmp_path, system, key):
    folder = exported(sessions, system, tmp_path) / "audio+video.arousal"

    def change(tensors, about):
        own = about["systems"][system]
        (own.get("sizes") or own["architecture"])[key] = 10**9

    reweigh(folder, change)
    assert "weights.safetensors" in refused(folder)


def test_a_tree_without_end_is_refused(sessions, tmp_path):
    folder = exported(sessions, "random_forest", tmp_path) / "audio+video.arousal"

    def change(tensors, about):
        tensors[first(tensors, "/left")][:] = 0
        tensors[first(tensors, "/right")][:] = 0

    reweigh(folder, change)
    assert "children do not stand behind it" in refused(folder)


def test_a_tree_that_asks_for_a_feature_which_no_row_has_is_refused_wherever_it_asks(sessions, tmp_path):
    """Made-up rows of zeros may never come to the last node that asks."""
    folder = exported(sessions, "random_forest", tmp_path) / "audio+video.arousal"

    def change(tensors, about):
        asked = tensors[first(tensors, "/feature")]
        asked[torch.nonzero(asked >= 0)[-1]] = 88

    reweigh(folder, change)
    assert "a tree of a forest asks for feature 89 of 88" in refused(folder)


@pytest.fixture(scope="module")
def hearing(sessions) -> Recogniser:
    return Recogniser.load(sessions.recognisers / "audio+video.arousal")


@pytest.fixture(scope="module")
def seeing(sessions) -> Recogniser:
    return Recogniser.load(sessions.recognisers / "video+audio.arousal")


def test_features_whose_names_nothing_but_they_say_are_held_against_the_weights(sessions, hearing):
    names = hearing.models.features("audio")
    other = {**hearing.models.about, "features": {"target": [*names[:-1], "another"]}}
    forged = replace(hearing, models=replace(hearing.models, about=other))
    with pytest.raises(RecogniserError, match=r"other features of audio than its weights read \(feature 88"):
        forged.features(sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav")


def test_media_of_the_other_modality_are_refused(sessions, hearing, seeing, tmp_path):
    raw = sessions.root / "data/raw/demo_sessions"
    with pytest.raises(
        MediaError, match=r"test_1.wav: has no video stream, and this recogniser .* from video"
    ):
        seeing.predict(raw / "recordings_audio/test_1.wav")
    with pytest.raises(MediaError, match=r"has no sound stream, and this recogniser predicts from audio"):
        hearing.predict(raw / "recordings_video/test_1.mp4")
    with pytest.raises(RecogniserError, match="predicts from video, and a signal is sound"):
        seeing.predict_signal(np.zeros(16000, np.float32), 16000)
    with pytest.raises(RecogniserError, match="predicts from audio, and not from what was said"):
        hearing.predict_transcript("so it goes")
    with pytest.raises(RecogniserError, match="found no file of audio"):
        hearing.predict({"video": "a.mp4"})
    for content, sentence in ((b"", "is empty"), (b"no media" * 99, "cannot be decoded")):
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(MediaError, match=sentence):
            hearing.predict(tmp_path / "a.wav")


def test_a_video_without_a_face_is_refused(sessions, seeing, tmp_path):
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(25):
            grey = av.VideoFrame.from_ndarray(np.full((120, 160, 3), 90, np.uint8), "rgb24")
            file.mux(stream.encode(grey))
        file.mux(stream.encode())
    with pytest.raises(MediaError, match=r"a face was found in 0 of .* frames"):
        seeing.predict(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("signal", "rate", "sentence"),
    [
        (np.zeros(16000, np.float32), 0, "found a sampling rate of 0, expected a whole number of Hz"),
        (np.zeros(16000, np.float32), 16000.5, "found a sampling rate of 16000.5"),
        (np.zeros(16000, np.float32), float("nan"), "found a sampling rate of nan"),
        (np.zeros(16000, np.float32), "16000", "found a sampling rate of '16000'"),
        (np.zeros((16000, 2), np.float32), 16000, r"has the shape \(16000, 2\)"),
        ([0.0] * 16000, 16000, "the signal is a list"),
        (np.zeros(16000, np.complex64), 16000, "an array of complex64"),
    ],
)
def test_signals_that_are_none_are_refused(hearing, signal, rate, sentence):
    with pytest.raises(RecogniserError, match=sentence):
        hearing.predict_signal(signal, rate)


def test_signals_are_predicted_as_files_that_hold_them(sessions, hearing):
    from scipy.io import wavfile

    file = sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav"
    rate, signal = wavfile.read(file)
    expected = hearing.predict(file)["arousal"].to_numpy()
    for given in (signal, signal.astype(np.float32) / 32768, np.stack([signal, signal])):
        np.testing.assert_allclose(hearing.predict_signal(given, rate)["arousal"], expected, atol=1e-5)
    assert set(hearing.predict_signal(signal, rate).index.get_level_values("file")) == {""}
    with pytest.raises(MediaError, match=r"signal: 0.10 s long, shorter than a window"):
        hearing.predict_signal(signal[: rate // 10], rate)
    with pytest.raises(MediaError, match="scale of integers"):
        hearing.predict_signal(signal.astype(np.float32), rate)


def test_another_version_of_an_extractor_is_told_from_that_of_training(folder, sessions):
    rewrite(folder, lambda about: about["extraction"]["audio"]["extract_audio"].update(version=0))
    file = sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav"
    with pytest.raises(RecogniserError, match=r"extract_audio: version is \d, in training 0"):
        Recogniser.load(folder).predict(file)


def test_words_of_a_folder_write_nothing_on_a_terminal(folder):
    for key in ("task", "system", "classes", "format", "seeds"):
        kept = (folder / DESCRIPTION).read_text()
        rewrite(folder, lambda about, key=key: about.update({key: "\x1b[2Jall\nis well\u202e"}))
        assert refused(folder).isprintable()
        (folder / DESCRIPTION).write_text(kept)


def test_a_name_that_no_folder_has_and_a_device_that_is_none_are_said(folder):
    assert "no such folder" in refused(Path("n" * 300))
    for device in ("tpu", "", "cuda:0"):
        with pytest.raises(RecogniserError, match=f"found the device {device}, expected auto, cpu or cuda"):
            Recogniser.load(folder, device=device)
