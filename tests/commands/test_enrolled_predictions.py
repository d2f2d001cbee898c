"""`emobed enrol`, then `emobed predict`, on media: what the pipeline itself says of an enrolled speaker."""

from __future__ import annotations

import json
import shutil

import audformat
import av
import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from pipeline.corpora.recording import read_manifest
from pipeline.learning.temperature import calibrated
from pipeline.params import load_params
from pipeline.predicting.medium import Medium
from pipeline.predicting.run import facts_of
from pipeline.predicting.side_by_side import plan
from pipeline.predicting.work import Work, predict_medium
from pipeline.recogniser import Enrolment, Recogniser
from pipeline.recogniser.folder import read_folder
from pipeline.recogniser.speakers import read_speaker
from stages.commands.app import app
from tests.recogniser_fixtures import exported

NAMES = ("audio+video.emotion", "video+audio.emotion")


@pytest.fixture(scope="module")
def recognisers(finished_clips_by_speaker, tmp_path_factory):
    """Return the folders of EmoBed of audio and of video, whose features are scaled by speaker."""
    folder = exported(finished_clips_by_speaker, "emobed", tmp_path_factory.mktemp("by_speaker"))
    return [folder / name for name in NAMES]


@pytest.fixture(scope="module")
def clips(finished_clips_by_speaker, tmp_path_factory):
    """Return copies of all clips of a test speaker, in a folder of their own, by recording."""
    paths, folder = finished_clips_by_speaker, tmp_path_factory.mktemp("speaker")
    every = read_manifest(paths.manifest)
    speaker = next(item.speaker for item in every if item.partition == "test")
    root = paths.root / load_params(paths.params).corpus("demo_clips").root
    own = {item.recording: root / item.medium("audio") for item in every if item.speaker == speaker}
    assert len(own) == 7
    return {
        name: shutil.copy(path, folder / f"{place}.mp4") for place, (name, path) in enumerate(own.items())
    }


def stored(paths, folder, recording):
    """Return the pipeline's prediction of a recording by seed, (seeds, classes)."""
    about = Recogniser.load(folder).description
    rows = pd.read_parquet(paths.predictions / f"{folder.name}.parquet")
    chosen = (rows["system"] == about.system) & (rows["setting"] == about.setting)
    own = rows[chosen & (rows["recording"] == recording)].sort_values("seed")
    assert own["seed"].tolist() == sorted(about.seeds)
    return own[[f"score_{code}" for code in range(len(about.classes))]].to_numpy()


def require_the_pipelines(paths, recognisers, recording, table):
    """Hold a row of `emobed predict` with both recognisers against what the pipeline keeps."""
    for folder in recognisers:
        recogniser = Recogniser.load(folder)
        mean = stored(paths, folder, recording).mean(axis=0)
        shown = f"{recogniser.modality}.emotion"
        found = table[[f"{shown}.{name}" for name in recogniser.classes]].to_numpy()
        expected = calibrated(mean[None], recogniser.description.calibration.temperature)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert table[shown].tolist() == [recogniser.classes[mean.argmax()]]


def emobed(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOBED_SPEAKERS", str(tmp_path / "speakers"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_speaker_who_is_enrolled_is_predicted_as_by_the_pipeline(
    finished_clips_by_speaker, recognisers, clips, home
):
    named = [word for folder in recognisers for word in ("--recogniser", folder)]
    files = list(clips.values())
    emobed("enrol", "ann", *files[:4], *named)
    done = emobed("enrol", "ann", *files[3:], *named)  # one of them again
    assert done.output == f"{home}/speakers/ann.json: audio of 7 recordings, video of 7 recordings\n"
    recording, file = list(clips.items())[2]
    emobed("predict", *recognisers, file, "--speaker", "ann", "--out", "out.csv")
    found = audformat.utils.read_csv("out.csv")
    require_the_pipelines(finished_clips_by_speaker, recognisers, recording, found)
    known = read_speaker(home / "speakers", "ann")
    for folder in recognisers:
        recogniser = Recogniser.load(folder)
        rows = recogniser.features(file)
        expected = stored(finished_clips_by_speaker, folder, recording)
        by_seed = recogniser.predict_rows(rows, known).by_seed[:, 0]
        np.testing.assert_allclose(by_seed, expected, atol=1e-5)
        # and it is the speaker who makes the difference
        assert np.abs(recogniser.predict_rows(rows).by_seed[:, 0] - expected).max() > 1e-3
        table = recogniser.predict(file, enrolment=known)
        columns = [f"emotion.{name}" for name in recogniser.classes]
        shown = found[[f"{recogniser.modality}.{name}" for name in columns]].to_numpy()
        np.testing.assert_allclose(table[columns].to_numpy(), shown, atol=1e-6)


def test_so_is_one_whose_recordings_lie_in_a_folder(finished_clips_by_speaker, recognisers, clips, home):
    for place in (0, 6):
        recording, file = list(clips.items())[place]
        done = emobed(
            "predict", *recognisers, file, "--enrol", file.parent, "--out", f"{place}.jsonl"
        )  # fmt: skip
        assert "7 of 7 recordings of the speaker are used" in done.stderr
        (line,) = map(json.loads, (home / f"{place}.jsonl").read_text().splitlines())
        table = pd.DataFrame([line])
        require_the_pipelines(finished_clips_by_speaker, recognisers, recording, table)


def test_so_is_one_whom_a_program_enrols(finished_clips_by_speaker, recognisers, clips):
    loaded = [Recogniser.load(folder) for folder in recognisers]
    ann = Enrolment.from_files(loaded, clips.values())
    recording, file = list(clips.items())[5]
    for folder, recogniser in zip(recognisers, loaded, strict=True):
        table = recogniser.predict(file, enrolment=ann)
        mean = stored(finished_clips_by_speaker, folder, recording).mean(axis=0)[None]
        expected = calibrated(mean, recogniser.description.calibration.temperature)
        columns = [f"emotion.{name}" for name in recogniser.classes]
        np.testing.assert_allclose(table[columns].to_numpy(), expected, atol=1e-5)


def test_a_file_without_pictures_says_nothing_of_strangers(recognisers, clips, tmp_path, caplog):
    """The columns of the recogniser that needs pictures are made without any file."""
    with av.open(str(clips[next(iter(clips))])) as clip:
        pieces = [frame.to_ndarray().ravel() for frame in clip.decode(audio=0)]
        rate = clip.streams.audio[0].rate
    soundfile.write(tmp_path / "sound.wav", np.concatenate(pieces), rate)
    ann = Enrolment.from_files([Recogniser.load(folder) for folder in recognisers], clips.values())
    how = plan([facts_of(read_folder(folder)) for folder in recognisers], None)
    outcome = predict_medium(
        Work(tuple(recognisers), how, enrolment=ann), Medium("sound.wav", tmp_path / "sound.wav")
    )
    (block,) = outcome.blocks
    assert isinstance(block.columns["audio.emotion"].values[0], str)
    assert block.columns["video.emotion"].values.tolist() == [None]
    assert [record.message for record in caplog.records if "stranger" in record.message] == []
