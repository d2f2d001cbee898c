from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import audmetric
import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.register import register
from pipeline.corpora.traces import trace_table
from pipeline.features.grid import windows
from pipeline.labels.align import align
from pipeline.labels.utterance_labels import numbers_of_utterances
from pipeline.params import Corpus, load_params
from pipeline.paths import Paths
from pipeline.store.rows import Rows
from tests import parameters
from tests.corpora.official_layouts import RATERS, gold, ratings, write_omg, write_recola

HOP = 0.2


def demo(name: str, root: Path, **labels) -> Corpus:
    corpus = load_params(parameters.PATH).corpus(name)
    return corpus.model_copy(update={"root": root, "labels": corpus.labels.model_copy(update=labels)})


@dataclass
class FakeTable:
    """Features in memory, by the interface of FeatureTable."""

    rows: dict[str, Rows]
    read_names: list[str]

    @property
    def recordings(self):
        return sorted(self.rows)

    def count(self, recording):
        return len(self.rows[recording]) if recording in self.rows else 0

    def read(self, recording):
        self.read_names.append(recording)
        return self.rows[recording]


@pytest.fixture
def paths(tmp_path):
    return Paths("c", tmp_path)


@pytest.fixture
def recola(paths, tmp_path):
    root = write_recola(tmp_path / "recola", per_partition=2, frames=1501)
    register(demo("demo_sessions", root), paths, tmp_path / "hashes.json")
    return root


def labels_of(paths):
    return pd.read_parquet(paths.labels / "labels.parquet"), json.loads(
        (paths.labels / "labels.json").read_text()
    )


def of(table, recording, dimension):
    return table[(table["recording"] == recording) & (table["dimension"] == dimension)]


def test_columns_and_values_on_the_label_grid(recola, paths):
    align(demo("demo_sessions", recola), paths)
    table, facts = labels_of(paths)
    assert list(table.columns) == [
        "recording", "partition", "speaker", "dimension", "time", "gold_standard", "label", "triplet_class",
    ]  # fmt: skip
    rows = of(table, "dev_2", "valence")
    full = gold("dev_2", "valence", 1501)
    # A hop of 0.2 s is five of the trace's steps; 2.4 s are 12 hops.
    np.testing.assert_array_equal(rows["gold_standard"], full[::5])
    np.testing.assert_allclose(rows["time"], np.arange(301) * 0.2)
    np.testing.assert_array_equal(rows["label"][:-12], full[::5][12:])
    np.testing.assert_array_equal(rows["label"][-12:], full[-1])
    assert set(rows["partition"]) == {"dev"}
    assert set(rows["speaker"]) == {"dev_2"}
    nothing = {"estimated": False, "estimate": None, "standard_error": None, "curve": None}
    assert facts["annotation_delay"] == {"seconds": 2.4, "frames": 12, **nothing}


def test_triplet_classes_are_fitted_on_the_shifted_labels_of_train(recola, paths):
    align(demo("demo_sessions", recola), paths)
    table, facts = labels_of(paths)
    arousal = table[table["dimension"] == "arousal"]
    median = np.median(arousal[arousal["partition"] == "train"]["label"])
    assert facts["thresholds"]["arousal"] == [pytest.approx(median)]
    np.testing.assert_array_equal(arousal["triplet_class"], (arousal["label"] >= median).astype(int))


def test_recordings_without_labels_and_counts(recola, paths):
    align(demo("demo_sessions", recola), paths)
    table, facts = labels_of(paths)
    assert facts["unlabelled"] == {"arousal": ["test_1", "test_2"], "valence": ["test_1", "test_2"]}
    assert facts["counts"]["arousal"] == {
        "train": {"recordings": 2, "rows": 602},
        "dev": {"recordings": 2, "rows": 602},
        "test": {"recordings": 0, "rows": 0},
    }
    assert len(table) == 2 * 2 * 602


def test_gold_standard_from_raters(recola, paths):
    align(demo("demo_sessions", recola, gold_standard="raters"), paths)
    table, facts = labels_of(paths)
    traces = ratings("train_1", "arousal", 1501)
    agreement = [
        max(0.0, np.mean([audmetric.concordance_cc(traces[a], traces[b]) for b in range(6) if b != a]))
        for a in range(6)
    ]
    weights = np.array(agreement) / np.sum(agreement)
    fused = of(table, "train_1", "arousal")["gold_standard"]
    np.testing.assert_allclose(fused, (weights @ traces)[::5], atol=1e-9)
    stored = facts["rater_weights"]["arousal"]["train_1"]
    assert stored == {
        rater: pytest.approx(weight, abs=1e-6) for rater, weight in zip(RATERS, weights, strict=True)
    }
    # The sixth rater contradicts the others.
    assert facts["mean_rater_weights"]["arousal"]["FF3"] == 0
    assert sum(facts["mean_rater_weights"]["valence"].values()) == pytest.approx(1, abs=1e-5)


def test_same_bytes_again_and_files_untouched(recola, paths):
    corpus = demo("demo_sessions", recola)
    align(corpus, paths)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths.labels.iterdir()}
    align(corpus, paths)
    assert {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths.labels.iterdir()
    } == before
    assert set(before) == {"labels.parquet", "labels.json", "votes.parquet"}


def fake_features(paths, recordings, lag, noise=0.3, features=6):
    """Features that see what the gold standard sees, `lag` seconds before it, through 4 s windows."""
    rng = np.random.default_rng(0)
    start, end = windows(60.0, 4.0, HOP)
    centre = (start + end) / 2
    tables = {}
    for modality in ("audio", "video"):
        rows = {}
        for recording in recordings:
            fine = np.arange(0, 100, 0.04)
            truth = gold(recording, "arousal", len(fine))
            smooth = np.convolve(truth, np.ones(101) / 101, mode="same")
            seen = np.interp(centre + lag, fine, smooth)
            values = seen[:, None] * rng.normal(size=features) + noise * 0.1 * rng.normal(
                size=(301, features)
            )
            names = tuple(f"f{number}" for number in range(features))
            rows[recording] = Rows(start, end, values.astype(np.float32), np.ones(301, bool), names)
        tables[modality] = FakeTable(rows, [])
    return tables


def test_estimated_delay_is_written_with_its_curve_and_test_stays_unseen(recola, paths, caplog):
    caplog.set_level("INFO")
    names = ["train_1", "train_2", "dev_1", "dev_2", "test_1"]
    features = fake_features(paths, names, lag=1.6)
    corpus = demo("demo_sessions", recola, annotation_delay="estimate").model_copy(
        update={"dimensions": ("arousal",)}
    )
    align(corpus, paths, features)
    table, facts = labels_of(paths)
    delay = facts["annotation_delay"]
    assert delay["estimated"]
    assert delay["estimate"] == pytest.approx(1.6, abs=0.1)
    assert f"annotation_delay of c: {delay['estimate']:.2f} s found on train and dev" in caplog.text
    assert "used: 1.60 s" in caplog.text
    assert delay["frames"] == 8
    assert delay["seconds"] == 1.6
    assert [point["delay"] for point in delay["curve"]] == [pytest.approx(0.2 * k) for k in range(26)]
    point = max(delay["curve"], key=lambda each: each["score"])
    information = [-0.5 * np.log(1 - point[f"{modality}.arousal"] ** 2) for modality in ("audio", "video")]
    assert point["score"] == pytest.approx(np.mean(information), abs=1e-3)
    assert 0 < delay["standard_error"] < 0.2
    rows = of(table, "dev_1", "arousal")
    np.testing.assert_array_equal(rows["label"][:-8], rows["gold_standard"][8:])
    assert sorted(features["audio"].read_names) == ["dev_1", "dev_2", "train_1", "train_2"]


def test_frames_that_are_not_valid_are_not_used_for_the_delay(recola, paths):
    features = fake_features(paths, ["train_1", "train_2", "dev_1", "dev_2"], lag=2.0)
    for rows in features["video"].rows.values():
        rows.values[100:200] = 1e6
        rows.valid[100:200] = False
    corpus = demo("demo_sessions", recola, annotation_delay="estimate").model_copy(
        update={"dimensions": ("arousal",)}
    )
    align(corpus, paths, features)
    assert labels_of(paths)[1]["annotation_delay"]["estimate"] == pytest.approx(2.0, abs=0.1)


def test_estimate_without_features_is_refused(recola, paths):
    with pytest.raises(ValueError, match=r"corpora\.c\.labels\.annotation_delay: .*extract features first"):
        align(demo("demo_sessions", recola, annotation_delay="estimate"), paths)


@pytest.mark.parametrize(
    ("folder", "asked", "message"),
    [
        (
            "ratings_gold_standard",
            "given",
            r"corpora\.c\.labels\.gold_standard: found given, .* only 6 raters; set it to raters",
        ),
        (
            "ratings_individual",
            "raters",
            r"corpora\.c\.labels\.gold_standard: found raters, .* set it to given",
        ),
    ],
)
def test_the_other_kind_of_annotation_is_never_taken_instead(tmp_path, paths, folder, asked, message):
    root = write_recola(tmp_path / "recola")
    for path in (root / folder).rglob("*.*"):
        path.unlink()
    corpus = demo("demo_sessions", root, gold_standard=asked)
    register(corpus, paths, tmp_path / "hashes.json")
    with pytest.raises(ValueError, match=message):
        align(corpus, paths)


def test_a_recording_whose_gold_standard_is_broken_is_unlabelled(tmp_path, paths):
    root = write_recola(tmp_path / "recola")
    (root / "ratings_gold_standard/arousal/train_2.arff").write_bytes(b"")
    corpus = demo("demo_sessions", root)
    register(corpus, paths, tmp_path / "hashes.json")
    align(corpus, paths)
    facts = labels_of(paths)[1]
    assert facts["unlabelled"]["arousal"] == ["test_1", "test_2", "train_2"]
    assert facts["unlabelled"]["valence"] == ["test_1", "test_2"]


def test_no_annotation_at_all_and_none_in_train(tmp_path, paths):
    root = write_recola(tmp_path / "recola")
    corpus = demo("demo_sessions", root)
    for path in root.glob("ratings_gold_standard/*/train_*"):
        path.unlink()
    register(corpus, paths, tmp_path / "hashes.json")
    with pytest.raises(ValueError, match="no recording of train has arousal"):
        align(corpus, paths)
    for path in root.glob("ratings_*/*/*"):
        path.unlink()
    register(corpus, paths, tmp_path / "hashes.json")
    with pytest.raises(ValueError, match="found arousal, but no recording is annotated with it"):
        align(corpus, paths)


def test_raters_with_clocks_of_their_own_meet_on_the_grid(tmp_path, paths):
    root = tmp_path / "own"
    root.mkdir()
    (root / "a.wav").write_bytes(b"a")
    (root / "recordings.csv").write_text("recording,partition,speaker,audio,video\na,train,s,a.wav,\n")
    lines = ["recording,dimension,rater,time,value"]
    lines += [f"a,arousal,r1,{time},{time}" for time in (0.0, 1.0, 2.0)]
    lines += [f"a,arousal,r2,{time},{time}" for time in (0.0, 0.5, 1.5)]
    (root / "traces.csv").write_text("\n".join(lines) + "\n")
    corpus = demo("demo_sessions", root, gold_standard="raters", annotation_delay=0.0)
    corpus = corpus.model_copy(update={"dimensions": ("arousal",), "layout": "table"})
    register(corpus, paths, tmp_path / "hashes.json")
    align(corpus, paths)
    table, _ = labels_of(paths)
    np.testing.assert_allclose(table["gold_standard"], np.arange(8) * 0.2, atol=1e-12)
    np.testing.assert_array_equal(table["label"], table["gold_standard"])


@pytest.mark.parametrize("times", [((0.0, 1.0), (2.0, 3.0)), ((0.0, 0.2, 0.4, 6.0), (2.0, 2.2, 2.4))])
def test_one_recording_whose_raters_share_no_time_costs_the_others_nothing(tmp_path, paths, times):
    root = tmp_path / "own"
    root.mkdir()
    (root / "a.wav").write_bytes(b"a")
    rows = "a,train,s,a.wav,\nb,train,t,a.wav,\n"
    (root / "recordings.csv").write_text(f"recording,partition,speaker,audio,video\n{rows}")
    of_rater = {
        ("a", "r1"): times[0],
        ("a", "r2"): times[1],
        ("b", "r1"): (0.0, 1.0),
        ("b", "r2"): (0.0, 1.0),
    }
    lines = ["recording,dimension,rater,time,value"]
    lines += [f"{name},arousal,{rater},{t},{t}" for (name, rater), own in of_rater.items() for t in own]
    (root / "traces.csv").write_text("\n".join(lines) + "\n")
    corpus = demo("demo_sessions", root, gold_standard="raters", annotation_delay=0.0)
    corpus = corpus.model_copy(update={"dimensions": ("arousal",), "layout": "table"})
    register(corpus, paths, tmp_path / "hashes.json")
    align(corpus, paths)
    table, facts = labels_of(paths)
    assert set(table["recording"]) == {"b"}
    assert facts["unlabelled"]["arousal"] == ["a"]
    assert "no time has values of all 2 raters" in facts["problems"]["arousal"]["a"][-1]


def test_classification_has_one_row_per_utterance(tmp_path, paths):
    root = write_omg(tmp_path / "omg")
    corpus = demo("demo_clips", root)
    register(corpus, paths, tmp_path / "hashes.json")
    align(corpus, paths)
    table, facts = labels_of(paths)
    table, beside = table[table["dimension"] == "emotion"], table[table["dimension"] != "emotion"]
    assert dict(zip(table["recording"], table["triplet_class"], strict=True)) == {
        "07ab3c980_1/utterance_1": 1,
        "5b44393ed/utterance_2": 3,
        "74de88564/utterance_1": 2,
        "74de88564/utterance_3": 0,
    }
    assert set(table["time"]) == {0.0}
    np.testing.assert_array_equal(table["label"], table["triplet_class"])
    np.testing.assert_array_equal(table["gold_standard"], table["label"])
    assert facts["classes"] == ["anger", "happy", "neutral", "sad"]
    assert facts["unlabelled"] == {"emotion": ["33ab12cd0/utterance_1"]}
    assert facts["counts"]["emotion"]["train"] == {"recordings": 3, "rows": 3}
    # what else the corpus says of the utterances, without classes, for systems that learn it too
    assert beside["triplet_class"].isna().all()
    np.testing.assert_array_equal(beside["gold_standard"], beside["label"])
    numbers = beside.pivot_table(index="recording", columns="dimension", values="label").loc[
        ["74de88564/utterance_1", "5b44393ed/utterance_2"]
    ]
    assert numbers.to_numpy().tolist() == [[0.057, 0.114], [0.4, -0.4]]


def test_a_trace_is_no_number_of_an_utterance():
    traces = trace_table(
        ["a", "a", "b", "c", "d"], ["arousal"] * 5, ["gold"] * 4 + ["A1"], [0.0, 0.5, 0.0, 0.0, 0.0],
        [0.1, 0.2, 0.3, float("nan"), 0.4],
    )  # fmt: skip
    assert numbers_of_utterances(traces, "arousal")["recording"].tolist() == ["b"]
    assert numbers_of_utterances(traces, "valence").empty


def test_classification_by_raters_is_refused(tmp_path, paths):
    root = write_omg(tmp_path / "omg")
    corpus = demo("demo_clips", root, gold_standard="raters")
    register(corpus, paths, tmp_path / "hashes.json")
    with pytest.raises(ValueError, match=r"corpora\.c\.labels\.gold_standard: found raters, expected given"):
        align(corpus, paths)


def crossed(corpus: Corpus) -> Corpus:
    partitions = corpus.partitions.model_copy(update={"method": "cross_validation", "folds": 3})
    return corpus.model_copy(update={"partitions": partitions})


def test_each_fold_has_its_own_labels_and_thresholds_from_one_gold_standard(recola, paths, monkeypatch):
    import pipeline.labels.align as module

    calls = []
    original = module.gold_standards
    monkeypatch.setattr(module, "gold_standards", lambda *arguments: calls.append(1) or original(*arguments))
    corpus = crossed(demo("demo_sessions", recola))
    align(corpus, paths)
    assert calls == [1]
    assert not paths.label_table.exists()
    tested, thresholds = [], []
    for name in ("fold1", "fold2", "fold3"):
        own = paths.of_fold(name)
        table, facts = pd.read_parquet(own.label_table), json.loads(own.label_facts.read_text())
        arousal = table[table["dimension"] == "arousal"]
        train = arousal[arousal["partition"] == "train"]
        # Half of the six recordings (speakers) have labels: the test partition of AVEC has none.
        assert set(arousal["recording"]) == {"train_1", "train_2", "dev_1", "dev_2"}
        tested += sorted(set(arousal.loc[arousal["partition"] == "test", "recording"]))
        median = np.median(train["label"])
        assert facts["thresholds"]["arousal"] == [pytest.approx(median)]
        np.testing.assert_array_equal(arousal["triplet_class"], (arousal["label"] >= median).astype(int))
        assert facts["counts"]["arousal"]["train"]["recordings"] == train["recording"].nunique()
        thresholds.append(facts["thresholds"]["arousal"][0])
    assert sorted(tested) == ["dev_1", "dev_2", "train_1", "train_2"]
    assert len(set(thresholds)) == 3


def test_speaker_disjoint_labels_have_the_moved_partition(paths, tmp_path, caplog):
    """07ab3c980_1 (train) and 5b44393ed (dev) have one link: one utterance each, so both go to train."""
    root = write_omg(tmp_path / "omg", test_labels=True)
    corpus = demo("demo_clips", root)
    register(corpus, paths, tmp_path / "hashes.json")
    moved = corpus.partitions.model_copy(update={"method": "speaker_disjoint"})
    with pytest.raises(ValueError, match="leaves no recording in dev"):
        align(corpus.model_copy(update={"partitions": moved}), paths)
    from tests.corpora.official_layouts import OMG_ROWS

    more = ("https://x/d", 0.0, 2.0, "99ab", "utterance_1.mp4", 0.1, 0.1, 2)
    write_omg(root, OMG_ROWS | {"Validation": [*OMG_ROWS["Validation"], more]}, test_labels=True)
    register(corpus, paths, tmp_path / "hashes.json")
    with caplog.at_level("INFO"):
        align(corpus.model_copy(update={"partitions": moved}), paths)
    table, facts = labels_of(paths)
    assert dict(zip(table["recording"], table["partition"], strict=True)) == {
        "07ab3c980_1/utterance_1": "train", "33ab12cd0/utterance_1": "test", "5b44393ed/utterance_2": "train",
        "74de88564/utterance_1": "train", "74de88564/utterance_3": "train", "99ab/utterance_1": "dev",
    }  # fmt: skip
    assert facts["counts"]["emotion"]["train"]["recordings"] == 4
    assert "1 of 4 speakers, with 2 recordings, is in more than one partition" in caplog.text
    assert "1 recording (dev to train 1)" in caplog.text
