"""The curve of enrolment against a naive loop: recording by recording, through the public way to predict."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.partitions import Fold
from pipeline.learning.seeding import numpy_stream
from pipeline.learning.speaker_statistics import Values
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.recogniser import enrolled_cases
from pipeline.recogniser import enrolment_table as module
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.scoring.metrics import accuracy, ccc, f1_macro_pr, uar
from tests import parameters
from tests.learning.synthetic import clips, learning, sessions
from tests.learning.test_experiment import run

SYSTEMS = ("classic", "emobed", "support_vectors", "same_modality", "early_fusion")
ALONE = ("classic", "emobed", "support_vectors")


@pytest.fixture(params=[clips, sessions], ids=["clips", "sessions"])
def experiment(request, tmp_path, monkeypatch):
    """Return a made-up corpus that was trained and evaluated, its paths and its parameters."""
    made = request.param()
    utterances = request.param is clips
    name = "demo_clips" if utterances else "demo_sessions"
    own = learning(
        name, scaling={"speaker": "standardise"}, systems=list(SYSTEMS), seeds=[1, 2], alpha=[0.0, 0.3],
        beta=[0.0, 0.1], classic={"settings": []}, support_vectors={"C": [0.1]},
    )  # fmt: skip
    dimension = "emotion" if utterances else "arousal"
    if not utterances:  # speakers of several sessions
        by_speaker = {"dev": "a", "test": "b", "train": "c"}
        made.recordings = [
            type(item)(item.recording, item.partition, by_speaker[item.partition]) for item in made.recordings
        ]
    corpus = load_params(parameters.PATH).corpus(name)
    corpus = corpus.model_copy(
        update={
            "learning": own, "dimensions": (dimension,), "scenarios": corpus.scenarios[:1],
        }
    )  # fmt: skip
    paths = Paths(name, tmp_path)
    run(made, paths.models / f"audio+video.{dimension}", own)
    paths.label_table.parent.mkdir(parents=True)
    made.labels.to_parquet(paths.label_table)
    paths.scores.mkdir(parents=True)
    points = {"classic": "", "emobed": "alpha=0.3 beta=0.1", "support_vectors": "C=0.1",
              "same_modality": "alpha=0.3 beta=0.1", "early_fusion": ""}  # fmt: skip
    pd.DataFrame(
        [
            {"target": "audio", "auxiliary": "video", "dimension": dimension, "system": system,
             "setting": setting, "postprocessed": int(not utterances), "selected": 1, "fold": ""}
            for system, setting in points.items()
        ]
    ).to_csv(paths.grid_scores, index=False)  # fmt: skip
    opened = lambda *_: made.audio  # noqa: E731
    monkeypatch.setattr(enrolled_cases, "open_features", opened)
    return SimpleNamespace(made=made, paths=paths, corpus=corpus, dimension=dimension, points=points)


def naive(found, system, partition, number, draw, least, metric):
    """Return the scores of each seed, with `number` others of the speaker enrolled, in one draw.

    least: speakers with fewer other recordings are left out.
    """
    model = ModelsOfSetting.load(
        found.paths.models / f"audio+video.{found.dimension}/models.safetensors", system, found.points[system]
    )
    rows = found.made.audio.rows
    gold_of = dict(iter(found.made.labels.groupby("recording")))
    predictions, gold = [], []
    for item in found.made.recordings:
        if item.partition != partition:
            continue
        others = sorted(
            other.recording
            for other in found.made.recordings
            if other.speaker == item.speaker and other.recording != item.recording
        )
        if len(others) < least:
            continue
        if number == "all":
            chosen = [*others, item.recording]
        else:
            order = numpy_stream(0, "enrolled", item.recording, str(draw)).permutation(len(others))
            chosen = [others[place] for place in order[:number]]
        enrolment = [Values(rows[name].values, rows[name].valid) for name in chosen]
        outputs = model.predict(rows[item.recording].values, enrolment=enrolment)
        gold.append(gold_of[item.recording].sort_values("time")["gold_standard"].to_numpy(float))
        predictions.append(outputs.argmax(-1) if model.about["classes"] else outputs)
    score = {"f1_macro_pr": f1_macro_pr, "uar": uar, "accuracy": accuracy, "ccc": ccc}[metric]
    truth = np.concatenate(gold)
    return [
        score(np.concatenate([own[seed] for own in predictions]), truth)
        for seed in range(len(predictions[0]))
    ]


@pytest.mark.filterwarnings("ignore")
def test_the_curve_equals_a_naive_loop(experiment):
    table = module.enrolment_scores(
        experiment.paths, experiment.corpus, [Fold("", experiment.made.recordings)]
    )
    assert tuple(dict.fromkeys(table["system"])) == ALONE
    assert list(dict.fromkeys(table["metric"])) == (
        ["f1_macro_pr", "uar", "accuracy"] if experiment.dimension == "emotion" else ["ccc"]
    )
    most = table[table["partition"] == "dev"]
    numbers = list(dict.fromkeys(most["enrolled"]))
    assert numbers == (
        ["0", "1", "2", "3", "5", "all"] if experiment.dimension == "emotion" else ["0", "1", "all"]
    )
    for row in most.to_dict("records"):
        number = row["enrolled"] if row["enrolled"] == "all" else int(row["enrolled"])
        least = 0 if number == "all" else number
        draws = range(row["draws"])
        assert len(draws) == (1 if row["enrolled"] in ("0", "all") else enrolled_cases.DRAWS)
        which = (row["system"], "dev", number)
        by_draw = [naive(experiment, *which, draw, least, row["metric"]) for draw in draws]
        per_seed = np.mean(by_draw, axis=0)
        assert row["value"] == pytest.approx(per_seed.mean(), abs=1e-5)
        if row["seeds"] > 1:
            assert row["std"] == pytest.approx(per_seed.std(ddof=1), abs=1e-5)
        nothing = np.mean(naive(experiment, row["system"], "dev", 0, 0, least, row["metric"]))
        assert row["gain"] == pytest.approx(row["value"] - nothing, abs=1e-5)


def test_numbers_that_a_speaker_has_not_are_left_out_for_that_speaker(experiment):
    if experiment.dimension != "emotion":
        pytest.skip("of clips")
    dev = [item for item in experiment.made.recordings if item.partition == "dev"]
    first = dev[0].speaker
    dropped = {item.recording for item in [i for i in dev if i.speaker == first][2:]}
    fewer = [item for item in experiment.made.recordings if item.recording not in dropped]
    table = module.enrolment_scores(experiment.paths, experiment.corpus, [Fold("", fewer)])
    table = table[(table["partition"] == "dev") & (table["system"] == "classic")]
    own = table[table["metric"] == "uar"].set_index("enrolled")
    counts = [sum(item.speaker == who for item in fewer) for who in {item.speaker for item in dev}]
    for enrolled, row in own.iterrows():
        have = sum(count > (0 if enrolled == "all" else int(enrolled)) for count in counts)
        assert (row["speakers"], row["speakers_left_out"]) == (have, len(counts) - have)
    assert own["speakers_left_out"].tolist()[:3] == [0, 0, 1]
    assert (own["fewest"] == [min(n for n in counts if n > least) for least in _least(own)]).all()
    assert (own["most"] == max(counts)).all()
    assert own.loc["1", "recordings"] - own.loc["2", "recordings"] == 2


def _least(own):
    return [0 if enrolled == "all" else int(enrolled) for enrolled in own.index]


def test_without_scaling_by_speaker_there_is_no_table(tmp_path):
    corpus = load_params(parameters.PATH).corpus("demo_clips")
    paths = Paths("demo_clips", tmp_path)
    paths.scores.mkdir(parents=True)
    paths.enrolment.write_text("old")
    module.write_enrolment_scores(paths, corpus, [])
    assert not paths.enrolment.exists()
