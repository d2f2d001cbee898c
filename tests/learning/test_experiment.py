import numpy as np
import pandas as pd
import pytest

from pipeline.params import Grid
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from tests.learning.run_experiment import run_experiment
from tests.learning.synthetic import MemoryCache, Source, clips, learning, sessions, shop

COLUMNS = ["recording", "time", "partition", "system", "setting", "seed", "prediction", "gold"]


def run(corpus, folder, settings, **changes):
    """Run an experiment and return its predictions and curves."""
    regression = "arousal" in set(corpus.labels["dimension"])
    arguments = {
        "recordings": corpus.recordings,
        "target": corpus.audio,
        "auxiliary": corpus.video,
        "labels": corpus.labels,
        "dimension": "arousal" if regression else "emotion",
        "task": "regression" if regression else "classification",
        "grid": Grid(window=0.4, hop=0.2) if regression else Grid(window=None, hop=None),
        "delay_frames": 3 if regression else 0,
        "learning": settings,
        "models_directory": folder,
        "predictions_path": folder / "raw.parquet",
        "scenario": "audio+video",
    }
    arguments |= changes
    sources = {view: arguments.pop(view) for view in ("target", "auxiliary")}
    run_experiment(**arguments, sources=sources)
    return pd.read_parquet(folder / "raw.parquet"), pd.read_parquet(folder / "curves.parquet")


def test_regression_is_learned_and_predictions_are_shifted_back(tmp_path):
    corpus = sessions(counts=(6, 2, 3), frames=120)
    settings = learning(optimiser={"epochs": 30, "average_epochs": 5, "learning_rate": 0.02}, seeds=[1])
    predictions, curves = run(corpus, tmp_path, settings)
    assert list(predictions.columns) == COLUMNS
    assert set(predictions["partition"]) == {"dev", "test"}
    assert len(predictions) == 4 * 5 * 120
    assert sorted(set(predictions["system"])) == ["classic", "emobed", "joint", "triplet"]
    classic = predictions[(predictions["system"] == "classic") & (predictions["partition"] == "test")]
    p, y = classic["prediction"], classic["gold"]
    ccc = 2 * np.cov(p, y, bias=True)[0, 1] / (p.var(ddof=0) + y.var(ddof=0) + (p.mean() - y.mean()) ** 2)
    assert ccc > 0.8
    for _, own in classic.groupby("recording"):
        np.testing.assert_allclose(own["time"], np.arange(120) * 0.2)
        assert own["prediction"].iloc[:4].nunique() == 1  # the first one, held over the delay
        assert own["prediction"].iloc[3:6].nunique() == 3
    gold = corpus.labels[corpus.labels["recording"] == "test_2"]["gold_standard"]
    np.testing.assert_array_equal(classic[classic["recording"] == "test_2"]["gold"], gold)
    assert list(curves.columns[:4]) == ["system", "setting", "seed", "epoch"]
    assert len(curves) == 4 * 30
    assert (curves.groupby(["system", "setting"])["dev_score"].last() > 0.8).all()


def test_classification_is_learned(tmp_path):
    settings = learning("demo_clips", optimiser={"epochs": 30, "average_epochs": 5}, seeds=[1])
    predictions, _ = run(clips(noise=0.3), tmp_path, settings)
    assert list(predictions.columns) == [*COLUMNS, *(f"score_{c}" for c in range(4))]
    scores = predictions.filter(like="score_").to_numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(scores.argmax(axis=1), predictions["prediction"])
    assert (predictions["time"] == 0).all()
    assert (predictions["prediction"] == predictions["gold"]).mean() > 0.9


def test_crossmodal_terms_pull_embeddings_of_a_class_together(tmp_path):
    corpus = clips(noise=0.3)
    settings = learning(
        "demo_clips", beta=[0.0, 0.3], optimiser={"epochs": 40, "learning_rate": 0.01}, seeds=[1]
    )
    run(corpus, tmp_path, settings)
    test = [r.recording for r in corpus.recordings if r.partition == "test"]
    codes = np.arange(len(test)) % 4
    same = codes[:, None] == codes[None, :]

    def contrast(system, setting):
        """Return the mean distance audio to video within a class over that between classes."""
        recogniser = ModelsOfSetting.load(tmp_path / "models.safetensors", system, setting)
        audio = np.array([recogniser.embed(corpus.audio.read(r).values)[0, 0] for r in test])
        video = np.array([recogniser.embed(corpus.video.read(r).values, "auxiliary")[0, 0] for r in test])
        distance = np.linalg.norm(audio[:, None] - video[None], axis=2)
        return distance[same].mean() / distance[~same].mean()

    emobed, joint = contrast("emobed", "alpha=0.3 beta=0.3"), contrast("joint", "alpha=0.3")
    assert emobed < 0.5
    assert emobed < joint < contrast("classic", "")
    assert contrast("triplet", "beta=0.3") < 0.5


def test_same_inputs_give_same_bytes(tmp_path):
    for name, cache in (("a", None), ("b", MemoryCache({}))):
        run(sessions(), tmp_path / name, learning(), shop=shop(cache))
    for name in ("models.safetensors", "curves.parquet", "raw.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_frames_beyond_labels_or_features_are_cut_and_unlabelled_partitions_predicted(tmp_path):
    corpus = sessions()
    labels = corpus.labels[~corpus.labels["recording"].str.startswith("test")]
    short = (labels["recording"] == "dev_1") & (labels["time"] > 9.9)
    long = Source(dict(corpus.audio.rows))
    predictions, _ = run(corpus, tmp_path, learning(), labels=labels[~short], target=long)
    counts = predictions[predictions["seed"] == 1].groupby(["system", "recording"]).size()["emobed"]
    assert counts.to_dict() == {"dev_1": 50, "dev_2": 80, "test_1": 80, "test_2": 80}
    assert predictions[predictions["partition"] == "test"]["gold"].isna().all()
    assert predictions["prediction"].notna().all()


def test_modalities_need_not_have_the_same_recordings(tmp_path):
    corpus = sessions(counts=(5, 2, 2))
    fewer = Source({k: v for k, v in corpus.video.rows.items() if k in ("train_1", "train_2", "train_3")})
    predictions, _ = run(corpus, tmp_path, learning(), auxiliary=fewer)
    assert predictions["recording"].nunique() == 4


@pytest.mark.parametrize("speaker", ["none", "centre", "standardise"])
@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_scalings_and_subsequences_run(tmp_path, method, speaker):
    settings = learning(
        scaling={"method": method, "speaker": speaker}, sequences={"length": 5.0, "hop": 2.0}, seeds=[1]
    )
    predictions, _ = run(sessions(), tmp_path, settings)
    assert predictions["prediction"].notna().all()


def test_errors_a_user_can_cause_are_one_clear_sentence(tmp_path):
    corpus = sessions()
    with pytest.raises(ValueError, match="no train recording with target features has labels for valence"):
        run(corpus, tmp_path, learning(), dimension="valence")
    with pytest.raises(ValueError, match=r"video \(auxiliary\): there are no features of any recording"):
        run(corpus, tmp_path, learning(), auxiliary=Source({}))
    only_dev = Source({k: v for k, v in corpus.audio.rows.items() if k.startswith("dev")})
    with pytest.raises(ValueError, match=r"audio \(target\): no recording of train has features"):
        run(corpus, tmp_path, learning(), target=only_dev)
    train = corpus.labels[corpus.labels["recording"].str.startswith("train")]
    with pytest.raises(ValueError, match="need dev recordings with labels"):
        run(corpus, tmp_path, learning(optimiser={"weights": "best_dev_epoch"}), labels=train)


def test_a_class_missing_from_train_is_logged(tmp_path, caplog):
    names = ["anger", "happy", "neutral", "sad", "bored", "tired"]
    run(clips(), tmp_path, learning("demo_clips"), classes=names)
    assert "target: no train utterance of the classes bored, tired" in caplog.text
    assert ModelsOfSetting.load(tmp_path / "models.safetensors", "classic").about["classes"] == names


def test_one_class_is_nothing_to_tell_apart(tmp_path):
    with pytest.raises(ValueError, match="all labels of emotion are the class 'happy', expected two or more"):
        run(clips(), tmp_path, learning("demo_clips"), classes=["happy"])
    with pytest.raises(ValueError, match="no recording has any label of emotion"):
        run(clips(), tmp_path, learning("demo_clips"), classes=[])


def test_one_modality_is_learned_alike_beside_one_or_two_others(tmp_path):
    corpus = sessions()
    settings = learning(systems=["classic", "random_forest"], random_forest={"trees": 3, "depth": [2]})
    two, _ = run(corpus, tmp_path / "two", settings)
    views = {"target": corpus.audio, "auxiliary": corpus.video, "auxiliary2": corpus.audio}
    run_experiment(
        recordings=corpus.recordings, sources=views, labels=corpus.labels, dimension="arousal",
        task="regression", grid=Grid(window=0.4, hop=0.2), delay_frames=3, learning=settings,
        models_directory=tmp_path / "three", predictions_path=tmp_path / "three" / "raw.parquet",
        scenario="audio+video+text",
    )  # fmt: skip
    pd.testing.assert_frame_equal(two, pd.read_parquet(tmp_path / "three" / "raw.parquet"))
    recogniser = ModelsOfSetting.load(tmp_path / "three" / "models.safetensors", "classic")
    assert recogniser.needed == ("audio",)
    assert recogniser.features("text") == recogniser.features("auxiliary2") == recogniser.features()
    with pytest.raises(ValueError, match=r"know no modality 'face', expected one of \['audio', 'video', 'te"):
        recogniser.features("face")
