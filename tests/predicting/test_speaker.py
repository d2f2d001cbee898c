"""The speaker of all inputs: from a folder of recordings, as the class of enrolment makes it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.features.media.opening import MediaError
from pipeline.predicting import speaker
from pipeline.predicting.medium import InputError
from pipeline.predicting.speaker import digest, speaker_of
from pipeline.recogniser.enrolment import Enrolment
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.running.guarded import Lost
from tests.learning.synthetic import as_rows, clips, learning
from tests.learning.test_experiment import run


@pytest.fixture
def recogniser(tmp_path, monkeypatch):
    settings = learning("demo_clips", scaling={"speaker": "standardise"}, systems=["classic"], seeds=[1])
    run(clips(), tmp_path, settings)

    def features(file, modality):
        if "broken" in file.name:
            raise MediaError(f"{file}: no sound")
        return as_rows(np.random.default_rng(len(file.read_bytes())).normal(size=(1, 6)).astype(np.float32))

    own = SimpleNamespace(models=ModelsOfSetting.load(tmp_path / "models.safetensors", "classic"))
    own.features = features

    def here(function, common, tasks, **_):
        for task in tasks:
            yield Lost(task, "ended the process") if "deadly" in task.name else function(*common, task)

    monkeypatch.setattr(speaker, "loaded", lambda folder, device: own)
    monkeypatch.setattr(speaker, "run_guarded", here)
    return own


def test_recordings_of_a_folder_are_what_enrolment_makes_of_them(recogniser, tmp_path):
    folder, said = tmp_path / "ann", []
    folder.mkdir()
    for number, name in enumerate(("a.wav", "b.wav", "broken.wav", "deadly.wav")):
        (folder / name).write_bytes(b"x" * (number + 1))
    found = speaker_of([tmp_path], "cpu", folder, None, said.append)
    expected = Enrolment.from_files([recogniser], [folder / "a.wav", folder / "b.wav"])
    assert digest(found) == digest(expected) != digest(Enrolment())
    for key, entry in expected.entries.items():
        np.testing.assert_allclose(found.entries[key].statistics.mean, entry.statistics.mean)
    assert [sentence.partition(": ")[2] for sentence in said[:2]] == [
        "not enrolled: no sound", "not enrolled: ended the process",
    ]  # fmt: skip
    assert said[2] == "2 of 4 recordings of the speaker are used"


def test_a_folder_without_a_recording_that_can_be_used_is_refused(recogniser, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none/broken.wav").write_bytes(b"x")
    with pytest.raises(InputError, match="no recording of it can be used"):
        speaker_of([tmp_path], "cpu", tmp_path / "none", None, lambda _: None)


def test_nobody_is_nobody():
    assert speaker_of([], "cpu", None, None, lambda _: None) is None
    assert digest(None) == ""
