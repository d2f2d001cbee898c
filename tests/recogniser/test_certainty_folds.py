"""Certainty over all speakers, in folds: against plain loops, and nothing of who is tested gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import precision_recall_fscore_support
from sklearn.svm import LinearSVC, LinearSVR

from pipeline.corpora.interface import GOLD
from pipeline.corpora.partitions import folds
from pipeline.corpora.recording import format_manifest
from pipeline.corpora.traces import format_traces, trace_table
from pipeline.learning.experiment_files import UNITS
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.recogniser.certainty_file import certainty_of, read_certainty
from pipeline.recogniser.certainty_folds import in_folds, not_tested, write_certainty
from pipeline.running.workshop import Workshop
from pipeline.scoring.conformal import reach
from pipeline.store.packing import Unit
from pipeline.store.roots import used_keys
from pipeline.store.rows import Rows
from pipeline.store.tables import write_table
from pipeline.store.units import UnitStore
from tests.recordings import recording

COSTS = (1e-3, 1e-1)
CLASSES = ("angry", "calm", "happy")
FRAMES, HOP = 30, 0.2


def clips() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return recording -> (features, class), nine speakers with eight clips each, hard to tell apart."""
    rng = np.random.default_rng(3)
    found = {}
    for speaker in range(9):
        for number in range(8):
            code = (speaker + number) % 3
            values = 1.8 * np.eye(3)[code] + rng.normal(size=3)
            found[f"s{speaker}_{number}"] = (values[None].astype(np.float32), np.array([float(code)]))
    return found


def sessions() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return recording -> (features, gold standard), nine speakers with a session each."""
    rng = np.random.default_rng(4)
    found = {}
    for speaker in range(9):
        gold = 0.4 * np.sin(np.arange(FRAMES) / 4 + speaker)
        values = gold[:, None] * [1, -1] + 0.3 * rng.normal(size=(FRAMES, 2))
        found[f"s{speaker}_0"] = (values.astype(np.float32), gold)
    return found


def speaker_of(name: str) -> str:
    return name.split("_")[0]


def written(folder: Path, corpus: Corpus, data: dict[str, tuple[np.ndarray, np.ndarray]]) -> Paths:
    """Write manifest, traces and one table of features for both modalities."""
    paths = Paths("made_up", folder)
    items = [recording(name, "train", speaker_of(name), Path(f"{name}.wav"), None) for name in data]
    paths.manifest.parent.mkdir(parents=True)
    paths.manifest.write_bytes(format_manifest(items))
    counts = [len(gold) for _, gold in data.values()]
    columns = (
        np.repeat(np.array([*data], dtype=object), counts),
        np.array([corpus.dimensions[0]] * sum(counts), dtype=object),
        np.array([GOLD] * sum(counts), dtype=object),
        np.concatenate([np.arange(count) * HOP for count in counts]),
        np.concatenate([gold for _, gold in data.values()]),
    )
    paths.traces.mkdir(parents=True)
    (paths.traces / "traces.parquet").write_bytes(format_traces(trace_table(*columns)))
    (paths.traces / "classes.json").write_text(json.dumps(CLASSES))

    def rows(unit: Unit) -> Rows:
        values, gold = data[unit.recording]
        start = np.arange(len(gold)) * HOP
        names = tuple(f"f{i}" for i in range(values.shape[1]))
        return Rows(start, start + HOP, values, np.ones(len(gold), bool), names)

    for directory in (paths.audio, paths.video):
        write_table(directory, [Unit(name, "key") for name in data], rows, [], {})
    return paths


@pytest.fixture
def corpora(params) -> dict[str, Corpus]:
    """Return a corpus of clips and one of sessions whose support vectors are tested in three folds."""
    found = {}
    for name in ("demo_clips", "demo_sessions"):
        corpus = params.corpus(name)
        costs = COSTS if name == "demo_clips" else COSTS[:1]
        vectors = corpus.learning.support_vectors.model_copy(update={"C": costs})
        update = {
            "learning": corpus.learning.model_copy(
                update={"systems": ("classic", "support_vectors"), "support_vectors": vectors}
            ),
            "scenarios": corpus.scenarios[:1],
            "dimensions": corpus.dimensions[:1],
            "evaluation": corpus.evaluation.model_copy(
                update={"certainty_folds": 3, "certainty_system": "support_vectors"}
            ),
            "labels": corpus.labels.model_copy(update={"annotation_delay": 0.0}),
            "postprocessing": corpus.postprocessing.model_copy(
                update={"median_windows": (), "shifts": (), "centring": False, "scaling": False}
            ),
        }
        found[name] = corpus.model_copy(update=update)
    return found


def table_of(folder: Path, corpus: Corpus, data: dict[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    paths = written(folder, corpus, data)
    items = [recording(name, "train", speaker_of(name), Path(f"{name}.wav"), None) for name in data]
    write_certainty(paths, corpus, items, Workshop(UnitStore(folder / ".emobed/store"), 1))
    return read_certainty(paths)


def parts(corpus: Corpus, data: dict[str, tuple[np.ndarray, np.ndarray]]):
    """Give, of each fold, (features, gold) of train, dev and test, scaled by train, and names of test."""
    items = [recording(name, "train", speaker_of(name), Path(f"{name}.wav"), None) for name in data]
    for fold in folds(items, in_folds(corpus).partitions):
        names = {
            part: [item.recording for item in fold.recordings if item.partition == part]
            for part in ("train", "dev", "test")
        }
        values = {part: [data[name] for name in own] for part, own in names.items()}
        train = np.concatenate([features for features, _ in values["train"]]).astype(np.float64)
        mean, deviation = train.mean(0), train.std(0)
        yield (
            {
                part: [((features - mean) / deviation, gold) for features, gold in own]
                for part, own in values.items()
            },
            names,
        )


def stacked(rows: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([own[0] for own in rows]), np.concatenate([own[1] for own in rows])


def headline(gold: np.ndarray, named: np.ndarray) -> float:
    precision, recall, _, _ = precision_recall_fscore_support(gold, named, average="macro", zero_division=0)
    return 2 * precision * recall / (precision + recall)


def test_calibration_error_is_that_of_a_plain_loop(corpora, tmp_path):
    corpus, data = corpora["demo_clips"], clips()
    table = table_of(tmp_path, corpus, data)
    sure, right, chosen = [], [], []
    for values, _ in parts(corpus, data):
        (train, dev, test) = (stacked(values[part]) for part in ("train", "dev", "test"))
        scores = {}
        for cost in COSTS:
            model = LinearSVC(C=cost, dual=False, max_iter=10_000).fit(*train)
            scores.setdefault(headline(dev[1], model.predict(dev[0])), (cost, model))
        cost, model = scores[max(scores)]

        def loss(inverse, model=model, dev=dev):
            distances = model.decision_function(dev[0]) * inverse
            return -log_softmax(distances, axis=1)[np.arange(len(dev[1])), dev[1].astype(int)].mean()

        inverse = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-7}).x
        probabilities = softmax(model.decision_function(test[0]) * inverse, axis=1)
        chosen.append((f"C={cost:g}", 1 / inverse))
        sure += probabilities.max(1).tolist()
        right += (probabilities.argmax(1) == test[1]).tolist()
    bins = np.minimum((np.array(sure) * 10).astype(int), 9)
    gaps = [abs(sum(np.array(right)[bins == b]) - sum(np.array(sure)[bins == b])) for b in range(10)]
    whole = table[table["fold"] == ""].iloc[0]
    assert (whole["n"], whole["units"], whole["unit"]) == (72, 9, "speaker")
    assert whole["ece"] == pytest.approx(sum(gaps) / 72, abs=2e-3)
    each = table[table["fold"] != ""]
    assert each["setting"].tolist() == [cost for cost, _ in chosen]
    assert each["temperature"].tolist() == pytest.approx([value for _, value in chosen], rel=2e-2)
    assert set(table["system"]) == {"support_vectors"}
    assert (table["why"] == "").all()


def test_coverage_is_that_of_a_plain_loop(corpora, tmp_path):
    corpus, data = corpora["demo_sessions"], sessions()
    table = table_of(tmp_path, corpus, data)
    covered, reaches = [], []
    for values, _ in parts(corpus, data):
        model = LinearSVR(
            C=COSTS[0], epsilon=0.0, loss="squared_epsilon_insensitive", dual=False, max_iter=10_000, tol=1e-9
        ).fit(*stacked(values["train"]))
        own = reach([model.predict(features) - gold for features, gold in values["dev"]]).value
        reaches.append(own)
        covered += [np.mean(np.abs(model.predict(x) - gold) <= own) for x, gold in values["test"]]
    whole = table[table["fold"] == ""].iloc[0]
    assert whole["coverage"] == pytest.approx(np.mean(covered), abs=0.01)
    assert whole["lowest"] == pytest.approx(min(covered), abs=0.04)
    assert (whole["n"], whole["units"]) == (9 * FRAMES, 9)
    assert table.loc[table["fold"] != "", "reach"].tolist() == pytest.approx(reaches, rel=1e-3)


@pytest.mark.parametrize("name", ["demo_clips", "demo_sessions"])
def test_nothing_of_who_is_tested_reaches_what_tests_them(corpora, tmp_path, name):
    """Of a fold all but its scores stays, whatever features and labels its test speakers have."""
    corpus, data = corpora[name], clips() if name == "demo_clips" else sessions()
    _, names = next(parts(corpus, data))
    rng = np.random.default_rng(0)
    other = dict(data)
    for own in names["test"]:
        values, gold = data[own]
        gold = (gold + 1) % 3 if name == "demo_clips" else rng.permutation(gold)
        other[own] = (7 * values[::-1] + 3, gold)
    (first, second) = (
        table_of(tmp_path / kind, corpus, own).set_index("fold").loc["fold1"]
        for kind, own in (("as_is", data), ("scrambled", other))
    )
    kept = ["setting", "temperature", "dev_utterances"] if name == "demo_clips" else ["setting", "reach"]
    assert first[kept].tolist() == second[kept].tolist()
    score = "ece_before" if name == "demo_clips" else "coverage"
    assert first[score] != second[score]


def test_the_folder_of_the_folds_is_gone_and_the_store_keeps_their_models(corpora, tmp_path, caplog):
    corpus = corpora["demo_clips"]
    scaling = corpus.learning.scaling.model_copy(update={"clip": 0.5})  # beyond which values lie in each fold
    learning = corpus.learning.model_copy(update={"scaling": scaling})
    table_of(tmp_path, corpus.model_copy(update={"learning": learning}), clips())
    warned = [own.split(":")[0] for own in caplog.messages if "scaled values lie beyond" in own]
    assert sorted(warned) == ["audio (target)", "video (auxiliary)"]  # once, not for each fold
    paths = Paths("made_up", tmp_path)
    assert not (tmp_path / ".emobed/certainty/made_up").exists()
    assert not paths.label_table.exists()
    assert not paths.models.exists()
    keys = json.loads((paths.certainty / UNITS).read_text())
    assert len(keys) == len(COSTS) * 3
    assert used_keys(tmp_path)["models"] == set(keys)


def test_why_it_is_not_measured(corpora, tmp_path):
    corpus, data = corpora["demo_clips"], clips()
    paths = written(tmp_path, corpus, data)
    items = [recording(name, "train", speaker_of(name), Path(f"{name}.wav"), None) for name in data]
    assert not_tested(paths, corpus, items) == ""

    def without(**update) -> Corpus:
        evaluation = corpus.evaluation.model_copy(update=update)
        return corpus.model_copy(update={"evaluation": evaluation})

    assert "certainty_folds is null" in not_tested(paths, without(certainty_folds=None), items)
    assert "is cross-validated" in not_tested(paths, in_folds(corpus), items)
    nobody = [replace(item, speaker="") for item in items]
    assert "no recording has a speaker" in not_tested(paths, corpus, nobody)
    few = not_tested(paths, without(certainty_folds=10), items)
    assert few == "evaluation.certainty_folds is 10, and only 9 speakers have labels"
    write_certainty(paths, without(certainty_folds=10), items, Workshop(UnitStore(tmp_path / "store"), 1))
    (row,) = certainty_of(read_certainty(paths), corpus.scenarios[0], corpus.dimensions[0])
    assert (row["why"], row["system"]) == (few, "")


def test_what_cannot_be_learnt_in_folds_says_so(corpora, tmp_path):
    """Labels of nine speakers are seen as the corpus came, and three of nine are train's in each fold."""
    corpus = corpora["demo_clips"]
    partitions = corpus.partitions.model_copy(update={"labelled_speakers": 9})
    with pytest.raises(ValueError, match=r"evaluation\.certainty_folds: not all 3 folds .*labelled_speakers"):
        table_of(tmp_path, corpus.model_copy(update={"partitions": partitions}), clips())
    assert not (tmp_path / ".emobed/certainty/made_up").exists()


def test_a_system_that_is_not_trained_is_refused(corpora):
    """`exported` is always known, and what is misspelt is guessed."""
    evaluation = corpora["demo_clips"].evaluation.model_copy(update={"certainty_system": "suport_vectors"})
    (problem,) = corpora["demo_clips"].model_copy(update={"evaluation": evaluation}).problems()
    assert problem.key == "evaluation.certainty_system"
    assert "support_vectors" in problem.sentence
    assert [*corpora["demo_clips"].problems()] == []


def of_speakers(count: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {name: own for name, own in sessions().items() if int(speaker_of(name)[1:]) < count}


def test_without_an_interval_in_any_fold_the_reason_is_said(corpora, tmp_path):
    """Three speakers in three folds: one is on dev, which is too few for an interval."""
    table = table_of(tmp_path, corpora["demo_sessions"], of_speakers(3))
    (row,) = table.to_dict("records")
    assert row["why"] == "in none of the 3 folds dev has labels of enough recordings to calibrate on"


def test_folds_without_an_interval_are_counted(corpora, tmp_path):
    """Of eight speakers two are on dev in one fold, whose three test speakers are not counted."""
    corpus, data = corpora["demo_sessions"], of_speakers(8)
    table = table_of(tmp_path, corpus, data)
    tested = [len(names["test"]) for values, names in parts(corpus, data) if len(values["dev"]) == 2]
    whole = table[table["fold"] == ""].iloc[0]
    assert (whole["uncalibrated"], whole["units"]) == (1, 8 - tested[0])
    assert sorted(table.loc[table["fold"] != "", "uncalibrated"]) == [0, 0, 1]


def test_folds_whose_dev_has_too_few_utterances_are_counted(corpora, tmp_path):
    data = {name: own for name, own in clips().items() if int(name.split("_")[1]) < 6}
    table = table_of(tmp_path, corpora["demo_clips"], data)
    whole = table[table["fold"] == ""].iloc[0]
    assert (whole["uncalibrated"], whole["units"]) == (3, 9)
    assert whole["ece"] == whole["ece_before"]
