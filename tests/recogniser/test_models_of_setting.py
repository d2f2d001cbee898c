import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from pipeline.learning.model_file import ModelFileError, to_bytes
from pipeline.learning.speaker_statistics import Values
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.soundness import require_running
from tests.learning.synthetic import clips, learning, sessions
from tests.learning.test_experiment import run


@pytest.mark.parametrize(
    "scaling",
    [
        {"speaker": "none"},
        {"speaker": "centre"},
        {"speaker": "standardise"},
        {"speaker": "standardise", "enrolment": "varied"},
        {"speaker": "standardise", "clip": 0.7},
        {"method": "rank_gauss", "speaker": "standardise"},
        {"method": {"audio": "rank_gauss", "video": "standard"}},
    ],
)
@pytest.mark.parametrize("make", [sessions, clips])
def test_predictions_equal_the_raw_predictions_with_one_modality(tmp_path, make, scaling):
    corpus = make()
    settings = learning(f"demo_{make.__name__}", scaling=scaling)
    raw, _ = run(corpus, tmp_path, settings)
    recogniser = ModelsOfSetting.load(tmp_path / "models.safetensors", "emobed", "alpha=0.3 beta=0.1")
    raw = raw[raw["system"] == "emobed"].set_index(["seed", "recording"])
    items = {r.recording: r for r in corpus.recordings}
    for name in raw.index.unique("recording"):
        values = corpus.audio.read(name).values
        own = [r for r in items if items[r].speaker == items[name].speaker]
        enrolment = [Values(corpus.audio.read(r).values, corpus.audio.read(r).valid) for r in own]
        found = recogniser.predict(values, enrolment=enrolment)
        for i, seed in enumerate((1, 2)):
            rows: pd.DataFrame = raw.loc[[(seed, name)]]
            expected = rows["prediction"] if make is sessions else rows.filter(like="score_")
            np.testing.assert_allclose(found[i], expected.to_numpy(), atol=1e-5)


def test_seeds_can_be_chosen_and_embeddings_taken_from_both_encoders(tmp_path):
    corpus = sessions()
    run(corpus, tmp_path, learning())
    path = tmp_path / "models.safetensors"
    values = corpus.audio.read("dev_1").values
    both, one = (ModelsOfSetting.load(path, "triplet", "beta=0.1", seeds) for seeds in (None, [2]))
    np.testing.assert_allclose(one.predict(values)[0], both.predict(values)[1], atol=1e-6)
    assert both.embed(values).shape == (2, 80, 8)
    assert both.embed(corpus.video.read("dev_1").values, "auxiliary").shape == (2, 80, 8)
    with pytest.raises(ValueError, match=r"expected \(frames, 6\)"):
        both.predict(corpus.video.read("dev_1").values)


def test_a_centred_model_does_not_predict_uncentred_without_a_word(tmp_path, caplog):
    corpus = clips()
    run(corpus, tmp_path, learning("demo_clips", scaling={"speaker": "centre"}))
    recogniser = ModelsOfSetting.load(tmp_path / "models.safetensors", "classic")
    rows = corpus.audio.read("dev_1")
    for call in (recogniser.predict, recogniser.embed):
        with pytest.raises(
            ValueError, match=r"scaled for each speaker \(scaling\.speaker: centre\): give `enrolment`"
        ):
            call(rows)
    require_running(tmp_path, recogniser)
    assert not caplog.text  # that it works is tried at load, of nobody's recording
    without = recogniser.predict(rows, enrolment=[])
    assert "predicts without enrolment" in caplog.text
    others = [corpus.audio.read(f"dev_{i}") for i in (1, 4, 7, 10, 13, 16)]
    enrolled = recogniser.predict(rows, enrolment=[Values(own.values, own.valid) for own in others])
    assert np.abs(enrolled - without).max() > 1e-3


def test_features_that_are_not_those_of_training_are_refused_by_name(tmp_path):
    corpus = sessions()
    made = {"target": {"extractor": "x", "sampling_rate_hz": 16000}, "auxiliary": {"extractor": "y"}}
    run(corpus, tmp_path, learning(), extraction=made)
    recogniser = ModelsOfSetting.load(tmp_path / "models.safetensors", "emobed", "alpha=0.3 beta=0.1")
    rows = corpus.audio.read("dev_1")
    np.testing.assert_array_equal(recogniser.predict(rows), recogniser.predict(rows.values))
    assert recogniser.features() == rows.names == tuple(f"f{i}" for i in range(6))
    turned = dataclasses.replace(rows, values=rows.values[:, ::-1], names=rows.names[::-1])
    with pytest.raises(ValueError, match="in another order than in training: feature 1 is 'f5', there 'f0'"):
        recogniser.predict(turned)
    other = dataclasses.replace(rows, names=(*rows.names[:5], "pitch"))
    with pytest.raises(ValueError, match=r"not the features of the target.*feature 6 is 'pitch', there 'f5'"):
        recogniser.predict(other)
    with pytest.raises(
        ValueError, match=r"not the features of the auxiliary.*it has 6 features, there are 9"
    ):
        recogniser.embed(rows, "auxiliary")
    recogniser.predict(rows, extraction=made["target"])
    with pytest.raises(ValueError, match="sampling_rate_hz is 48000, in training 16000"):
        recogniser.predict(rows, extraction=made["target"] | {"sampling_rate_hz": 48000})


def test_files_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        ModelsOfSetting.load(tmp_path / "none.safetensors", "classic")
    (tmp_path / "broken.safetensors").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="not a readable safetensors file"):
        ModelsOfSetting.load(tmp_path / "broken.safetensors", "classic")
    run(sessions(), tmp_path, learning())
    with pytest.raises(ModelFileError, match=r"no model of emobed with .*alpha=0\.7 .*classic seed=1"):
        ModelsOfSetting.load(tmp_path / "models.safetensors", "emobed", "alpha=0.7 beta=0.1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a corpus and a model file of its three sessions."""
    folder = tmp_path_factory.mktemp("trained")
    corpus = sessions()
    run(corpus, folder, learning())
    return corpus, folder / "models.safetensors"


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (
            np.zeros((0, 6), np.float32),
            r"the shape \(0, 6\), expected \(frames, 6\): a NumPy array of numbers",
        ),
        ([[0.0] * 6], r"features are a list, expected \(frames, 6\)"),
        (None, r"features are a NoneType, expected \(frames, 6\)"),
        (np.zeros((4, 5), np.float32), r"the shape \(4, 5\), expected \(frames, 6\)"),
        (np.zeros(6, np.float32), r"the shape \(6,\), expected \(frames, 6\)"),
        (np.zeros((4, 6, 1), np.float32), r"the shape \(4, 6, 1\), expected \(frames, 6\)"),
        (np.full((4, 6), "a"), r"features are an array of <U1, expected \(frames, 6\)"),
        (np.full((4, 6), None), r"features are an array of object, expected \(frames, 6\)"),
        (np.full((4, 6), np.nan), "none of the 24 values is a finite number"),
        (np.full((4, 6), np.inf), "none of the 24 values is a finite number"),
    ],
)
def test_features_that_cannot_be_predicted_from_are_one_sentence(trained, features, sentence):
    model = ModelsOfSetting.load(trained[1], "triplet", "beta=0.1")
    with pytest.raises(ValueError, match=sentence):
        model.predict(features)


@pytest.mark.parametrize("valid", [np.ones(3, bool), np.ones(4), np.ones((4, 1), bool), [True, False]])
def test_a_mask_of_other_frames_is_one_sentence(trained, valid):
    model = ModelsOfSetting.load(trained[1], "triplet", "beta=0.1")
    with pytest.raises(ValueError, match=r"`valid` is .*, expected bool of shape \(4,\)"):
        model.predict(np.ones((4, 6), np.float32), valid)


def test_one_frame_and_some_values_that_are_no_numbers_are_predicted_from(trained):
    model = ModelsOfSetting.load(trained[1], "triplet", "beta=0.1")
    values = np.full((1, 6), np.nan, np.float32)
    values[0, 2] = 1
    assert model.predict(values).shape == (2, 1)
    assert np.isfinite(model.predict(values)).all()


def changed(path, target, tensors=lambda _: None, about=lambda _: None):
    """Write a model file anew with other tensors or another description, as an editor would."""
    with safe_open(path, "np") as file:
        held = {name: file.get_tensor(name).copy() for name in file.keys()}  # noqa: SIM118
        described = json.loads(file.metadata()["emobed"])
    tensors(held)
    about(described)
    save_file(held, target, {"emobed": json.dumps(described, sort_keys=True)})
    return target


def test_a_model_file_that_was_changed_is_refused_by_its_hash(trained, tmp_path):
    path = tmp_path / "models.safetensors"

    def weight(held):
        held[min(name for name in held if name.startswith("triplet beta=0.1"))].flat[0] += 1e-3

    def scaler(held):
        held["scaler.target/mean"][0] += 1

    for edit in (
        {"tensors": weight},
        {"tensors": scaler},
        {"tensors": lambda held: held.pop("scaler.auxiliary/mean")},
        {"about": lambda described: described.update(delay_frames=0)},
        {"about": lambda described: described.pop("sha256")},
        {"about": lambda described: described.update(sha256="0" * 64)},
    ):
        with pytest.raises(
            ModelFileError, match=r"models\.safetensors: its sha256 is not the one in its desc"
        ):
            ModelsOfSetting.load(changed(trained[1], path, **edit), "triplet", "beta=0.1")
    ModelsOfSetting.load(changed(trained[1], path), "triplet", "beta=0.1")
    content = trained[1].read_bytes()
    for length in (0, 7, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match="not a readable safetensors file"):
            ModelsOfSetting.load(path, "triplet", "beta=0.1")


@pytest.mark.parametrize("about", ["[1]", "{", "3", "[" * 100_000, '"a"'])
def test_a_description_that_is_none_is_refused(tmp_path, about):
    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "m.safetensors", {"emobed": about})
    with pytest.raises(ModelFileError, match=r"m\.safetensors: (its sha256|not a model file of EmoBed)"):
        ModelsOfSetting.load(tmp_path / "m.safetensors", "classic")


ONE = {"system": "classic", "setting": "", "seed": 1}


@pytest.mark.parametrize("about", [{}, {"models": 3}, {"models": [ONE]}, {"models": [{"seed": 1}]}])
def test_a_description_of_something_else_is_refused(tmp_path, about):
    (tmp_path / "m.safetensors").write_bytes(to_bytes({"a": torch.zeros(2)}, about))
    with pytest.raises(ModelFileError, match=r"m\.safetensors: not the description of a model of EmoBed"):
        ModelsOfSetting.load(tmp_path / "m.safetensors", "classic")
