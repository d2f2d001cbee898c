"""`emobed enrol` and `emobed speakers`, with a recogniser whose features lie in files."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.features.media.opening import MediaError
from pipeline.learning.speaker_statistics import Values
from pipeline.predicting import speaker as predicting
from pipeline.recogniser import folder as folders
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.speakers import read_speaker
from stages.commands.app import app
from tests.learning.synthetic import as_rows, clips, learning
from tests.learning.test_experiment import run


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return models of features that are standardised for each speaker, also of both, and of ones not."""
    found = {}
    for speaker in ("standardise", "none"):
        folder = tmp_path_factory.mktemp(speaker)
        systems = ["classic", "early_fusion"]
        settings = learning("demo_clips", scaling={"speaker": speaker}, systems=systems, seeds=[1])
        run(clips(), folder, settings)
        found[speaker] = ModelsOfSetting.load(folder / "models.safetensors", "classic")
        if speaker == "standardise":
            found["fusion"] = ModelsOfSetting.load(folder / "models.safetensors", "early_fusion")
    return found


@pytest.fixture
def emobed(monkeypatch, tmp_path, models):
    """Return the command line, run in a folder with four clips of which one is broken."""

    def features(file: Path, modality: str):
        if "broken" in Path(file).name or (modality == "video" and "sound" in Path(file).name):
            raise MediaError(f"{file}: no {modality}")
        return clips().video.read("dev_1") if modality == "video" else as_rows(np.load(file))

    def loaded(folder, device):
        return SimpleNamespace(models=models[folder.name], features=features)

    def read(folder):
        own = models[folder.name]
        scaling = SimpleNamespace(speaker=next(iter(own.scalers.values())).speaker)
        corpus = SimpleNamespace(learning=SimpleNamespace(scaling=scaling))
        return SimpleNamespace(made_corpus=corpus, needed=own.needed)

    def here(function, common, tasks, **_):
        yield from (function(*common, task) for task in tasks)

    monkeypatch.setattr(predicting, "loaded", loaded)
    monkeypatch.setattr(predicting, "run_guarded", here)
    monkeypatch.setattr(folders, "read_folder", read)
    monkeypatch.setattr("pipeline.running.guarded.start_ahead", lambda ahead: None)
    monkeypatch.setenv("EMOBED_SPEAKERS", str(tmp_path / "speakers"))
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name in ("a.npy", "b.npy", "c.npy", "broken.npy"):
        np.save(tmp_path / name, random.normal(size=(1, 6)).astype(np.float32))
    return lambda *words: CliRunner().invoke(app, list(words))


def test_a_speaker_is_enrolled_listed_and_forgotten(emobed, models, tmp_path):
    done = emobed("enrol", "ann", "a.npy", "b.npy", "--recogniser", "standardise")
    assert done.exit_code == 0
    assert done.output == f"{tmp_path}/speakers/ann.json: audio of 2 recordings\n"
    assert "audio of 3 rec" in emobed("enrol", "ann", "b.npy", "c.npy", "--recogniser", "standardise").output
    listed = emobed("speakers", "list")
    assert (listed.exit_code, listed.output) == (0, "ann\taudio 3\n")
    kept = read_speaker(tmp_path / "speakers", "ann").of(models["standardise"])
    items = [Values(np.load(name), np.ones(1, bool)) for name in ("a.npy", "b.npy", "c.npy")]
    item = Values(np.ones((1, 6), np.float32), np.ones(1, bool))
    scaler = models["standardise"].scalers["target"]
    np.testing.assert_allclose(scaler.apply(item, kept["audio"]), scaler.apply(item, items), atol=1e-6)
    assert emobed("speakers", "remove", "ann").exit_code == 0
    assert "nobody is enrolled" in emobed("speakers", "list").output


def test_a_file_that_cannot_be_used_is_named_and_the_others_count(emobed, tmp_path):
    done = emobed("enrol", "bob", "broken.npy", "a.npy", "--recogniser", "standardise", "--out", "mine")
    assert done.exit_code == 1
    assert "broken.npy: not enrolled: no audio" in done.output
    assert "audio of 1 recording\n" in done.output
    assert "1 of 2 files could not be used" in done.output
    assert os.listdir("mine") == ["bob.json"]  # noqa: PTH208
    assert emobed("enrol", "eve", "broken.npy", "none.npy", "--recogniser", "standardise").exit_code == 1
    assert not (tmp_path / "speakers").exists()


def test_wrong_names_and_recognisers_are_one_sentence(emobed):
    for name in ("../x", ".x", "a/b"):
        done = emobed("enrol", name, "a.npy", "--recogniser", "standardise")
        assert done.exit_code == 1
        assert "expected a name and no path" in done.output
    done = emobed("enrol", "ann", "a.npy", "--recogniser", "none")
    assert done.exit_code == 1
    assert "does not scale by speaker" in done.output
    assert emobed("speakers", "remove", "ann").exit_code == 1


def test_a_damaged_speaker_does_not_hide_the_others(emobed, tmp_path):
    emobed("enrol", "ann", "a.npy", "--recogniser", "standardise")
    (tmp_path / "speakers/bob.json").write_text("{")
    listed = emobed("speakers", "list")
    assert listed.exit_code == 1
    assert "ann\taudio 1" in listed.output
    assert "bob.json: no JSON" in listed.output


def test_of_a_file_what_it_has_is_enrolled_and_the_rest_is_said(emobed, models, tmp_path):
    np.save(tmp_path / "sound.npy", np.ones((1, 6), np.float32))
    both = ("--recogniser", "standardise", "--recogniser", "fusion")
    done = emobed("enrol", "ann", "sound.npy", *both)
    assert done.exit_code == 1
    assert f"{tmp_path}/speakers/ann.json: audio of 1 recording\n" in done.output
    assert "sound.npy: not enrolled for video: no video\n" in done.output
    assert "ann: no video is enrolled yet, which the recognisers named here need" in done.output
    known = read_speaker(tmp_path / "speakers", "ann")
    assert known.of(models["standardise"])["audio"].recordings.tolist() == [1] * 6
    with pytest.raises(RecogniserError, match="and recordings that have video"):
        known.of(models["fusion"])
    done = emobed("enrol", "ann", "a.npy", "sound.npy", *both)
    assert (done.exit_code, "audio of 2 recordings, video of 1 recording\n" in done.output) == (0, True)
    assert set(read_speaker(tmp_path / "speakers", "ann").of(models["fusion"])) == {"audio", "video"}


def test_a_folder_stands_for_its_recordings(emobed, tmp_path):
    (tmp_path / "ann/more").mkdir(parents=True)
    for number, name in enumerate(("ann/a.wav", "ann/more/b.wav", "ann/notes.txt", "c.wav")):
        with (tmp_path / name).open("wb") as file:
            np.save(file, np.full((1, 6), number, np.float32))
    done = emobed("enrol", "ann", "ann", "c.wav", "ann/a.wav", "--recogniser", "standardise")
    assert (done.exit_code, "audio of 3 recordings\n" in done.output) == (0, True)
    (tmp_path / "none").mkdir()
    done = emobed("enrol", "bob", "none", "--recogniser", "standardise")
    assert (done.exit_code, "no recording in none" in done.output) == (1, True)
