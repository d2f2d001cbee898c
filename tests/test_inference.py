import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.inference import Recogniser
from pipeline.learning.model_file import ModelFileError
from pipeline.learning.scaling import Values
from tests.learning.synthetic import clips, learning, sessions
from tests.learning.test_experiment import run


@pytest.mark.parametrize(
    "scaling",
    [
        {"speaker": "none"},
        {"speaker": "centre"},
        {"method": {"audio": "rank_gauss", "video": "standard"}},
    ],
)
@pytest.mark.parametrize("make", [sessions, clips])
def test_predictions_equal_the_raw_predictions_with_one_modality(tmp_path, make, scaling):
    corpus = make()
    settings = learning(f"demo_{make.__name__}", scaling=scaling)
    raw, _ = run(corpus, tmp_path, settings)
    recogniser = Recogniser.load(tmp_path / "models.safetensors", 0.3, 0.1)
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
    both, one = Recogniser.load(path, 0.0, 0.1), Recogniser.load(path, 0.0, 0.1, [2])
    np.testing.assert_allclose(one.predict(values)[0], both.predict(values)[1], atol=1e-6)
    assert both.embed(values).shape == (2, 80, 8)
    assert both.embed(corpus.video.read("dev_1").values, "auxiliary").shape == (2, 80, 8)
    with pytest.raises(ValueError, match=r"expected \(frames, 6\)"):
        both.predict(corpus.video.read("dev_1").values)


def test_a_centred_model_does_not_predict_uncentred_without_a_word(tmp_path, caplog):
    corpus = clips()
    run(corpus, tmp_path, learning("demo_clips", scaling={"speaker": "centre"}))
    recogniser = Recogniser.load(tmp_path / "models.safetensors", 0.0, 0.0)
    rows = corpus.audio.read("dev_1")
    for call in (recogniser.predict, recogniser.embed):
        with pytest.raises(ValueError, match=r"centred on each speaker.*give `enrolment`"):
            call(rows)
    assert not caplog.text
    without = recogniser.predict(rows, enrolment=[])
    assert "predicts without enrolment" in caplog.text
    others = [corpus.audio.read(f"dev_{i}") for i in (1, 4, 7, 10, 13, 16)]
    enrolled = recogniser.predict(rows, enrolment=[Values(own.values, own.valid) for own in others])
    assert np.abs(enrolled - without).max() > 1e-3


def test_features_that_are_not_those_of_training_are_refused_by_name(tmp_path):
    corpus = sessions()
    made = {"target": {"extractor": "x", "sampling_rate_hz": 16000}, "auxiliary": {"extractor": "y"}}
    run(corpus, tmp_path, learning(), extraction=made)
    recogniser = Recogniser.load(tmp_path / "models.safetensors", 0.3, 0.1)
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
        Recogniser.load(tmp_path / "none.safetensors", 0.0, 0.0)
    (tmp_path / "broken.safetensors").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="not a readable safetensors file"):
        Recogniser.load(tmp_path / "broken.safetensors", 0.0, 0.0)
    run(sessions(), tmp_path, learning())
    with pytest.raises(ModelFileError, match=r"no model with alpha 0\.7.*a0_b0_s1"):
        Recogniser.load(tmp_path / "models.safetensors", 0.7, 0.1)
