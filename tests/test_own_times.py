"""Times that are not those of the medium, and traces with holes, through all stages. Some 15 s."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline.features.extraction.engine import ExtractionError
from pipeline.store.tables import FeatureTable
from pipeline.tools.checking import check
from stages.align_labels import align_labels
from stages.read_features import read_features
from stages.register import register
from tests.own_tables import OwnTables

HOP, SECONDS = 0.25, 30.0
PARTS = ["train"] * 4 + ["dev"] * 2 + ["test"] * 2
NAMES = [f"r{k}" for k in range(len(PARTS))]
GRID = np.arange(round(SECONDS / HOP) + 1) * HOP


def in_time(own):
    own["grid"] = {"window": 1.0, "hop": HOP}
    own["dimensions"] = ["arousal"]
    own["labels"]["annotation_delay"] = 0.5
    own["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}
    own["postprocessing"] |= {"shifts": [0.25], "median_windows": [0.75]}


def true(k, time):
    return np.sin(time / 3 + k) * 0.5


def sessions(root, keep=lambda k, time: np.ones(len(time), bool), times=1.0, feature_times=1.0, sound=False):
    """Write sessions of 30 s.

    keep: which label times of session k have a value. times: a factor on them. feature_times: a factor on the
    times of the text features, of all sessions or by session.
    """
    own = OwnTables(root, "demo_sessions", in_time)
    recordings, traces, tables = [], [], {"text": [], "bio": []}
    rng = np.random.default_rng(0)
    for k, part in enumerate(PARTS):
        row = {"recording": f"r{k}", "partition": part, "speaker": f"s{k}", "audio": "", "video": ""}
        if sound:
            row["audio"] = f"r{k}.wav"
            soundfile.write(own.data / row["audio"], np.zeros(round(SECONDS * 8000)), 8000)
        recordings.append(row)
        for time in GRID[keep(k, GRID)]:
            traces.append({"recording": f"r{k}", "dimension": "arousal", "rater": "gold",
                           "time": time * times, "value": true(k, time)})  # fmt: skip
        for name, rows in tables.items():
            own_factor = feature_times.get(k, 1.0) if isinstance(feature_times, dict) else feature_times
            factor = own_factor if name == "text" else 1.0
            rows += [
                {"recording": f"r{k}", "time": time * factor, name: true(k, time) + 0.1 * rng.normal()}
                for time in GRID
            ]
    own.write(recordings, tables, traces)
    return own


def gap(k, time):
    """Session 1 (train), 4 (dev) and 6 (test) have a hole from 10 s to 15 s; 0 and 7 begin at 4 s."""
    hole = (time > 10) & (time < 15) & (k in (1, 4, 6))
    return ~hole & ((time >= 4) | (k not in (0, 7)))


def test_a_hole_is_nobodys_label(tmp_path, caplog):
    own = sessions(tmp_path, gap)
    own.run()
    said = {item.recording: item.reason for item in check(own.corpus, own.paths).findings}
    assert said == {
        "r0": "labels of arousal begin at 4.0 s",
        "r1": "labels of arousal: none from 10.0 s to 15.0 s",
        "r4": "labels of arousal: none from 10.0 s to 15.0 s",
        "r6": "labels of arousal: none from 10.0 s to 15.0 s",
        "r7": "labels of arousal begin at 4.0 s",
    }
    facts = json.loads(own.paths.label_facts.read_text())
    assert facts["problems"]["arousal"] == {name: [reason] for name, reason in said.items()}
    for name, reason in said.items():
        assert f"{name}: {reason}" in caplog.text
    labels = own.labels()
    for k in range(len(PARTS)):
        rows = labels[labels["recording"] == f"r{k}"]
        there = gap(k, GRID)
        np.testing.assert_allclose(rows["gold_standard"], np.where(there, true(k, GRID), np.nan))
        # by the delay of two rows earlier, the last value held
        moved = np.minimum(np.arange(len(GRID)) + 2, len(GRID) - 1)
        np.testing.assert_allclose(rows["label"], np.where(there, true(k, GRID), np.nan)[moved])
        assert (rows["triplet_class"].isna() == rows["label"].isna()).all()
    train = labels[labels["partition"] == "train"]["label"].dropna()
    assert facts["thresholds"]["arousal"] == [pytest.approx(np.median(train))]
    assert facts["counts"]["arousal"]["test"] == {
        "recordings": 2,
        "rows": int(gap(6, GRID).sum() + gap(7, GRID).sum()),
    }
    # predicted everywhere, scored where there is a gold standard
    final = pd.read_parquet(own.paths.predictions / "text+bio.arousal.parquet")
    classic = final[(final["system"] == "classic") & (final["partition"] == "test")]
    assert len(classic) == 2 * len(GRID)
    assert classic["prediction"].notna().all()
    assert classic["gold"].isna().sum() == (~gap(6, GRID)).sum() + (~gap(7, GRID)).sum()
    results = own.results().query("partition == 'test' and target == 'text' and system == 'classic'")
    assert set(results["n"]) == {classic["gold"].notna().sum()}
    raw = pd.read_parquet(own.paths.raw_predictions / "text+bio.arousal.parquet")
    raw = raw[(raw["system"] == "classic") & (raw["partition"] == "test")].dropna(subset=["gold"])
    ccc = [ccc_of(rows["prediction"], rows["gold"]) for _, rows in raw.groupby("recording")]
    found = results[(results["metric"] == "ccc_per_recording") & (results["postprocessed"] == 0)][
        "mean"
    ].iloc[0]
    assert found == pytest.approx(np.mean(ccc), abs=1e-5)
    assert "labels of arousal begin at 4.0 s" in own.paths.report.read_text()


def ccc_of(p, y):
    return 2 * np.cov(p, y, bias=True)[0, 1] / (p.var(ddof=0) + y.var(ddof=0) + (p.mean() - y.mean()) ** 2)


@pytest.mark.parametrize(("factor", "unit"), [(1000.0, "milliseconds"), (100.0, "numbers of frames")])
def test_labels_in_another_unit_are_named_and_not_used(tmp_path, caplog, factor, unit):
    own = sessions(tmp_path, times=factor)
    own.run(register, read_features)
    end = f"{SECONDS * factor:.0f} s of 30.0 s"
    sentence = f"labels of arousal end at {end}: the times look like {unit}, expected seconds"
    found = check(own.corpus, own.paths).findings
    assert {item.recording for item in found} == {f"r{k}" for k in range(8)}
    assert {item.reason for item in found} == {sentence}
    with pytest.raises(ValueError, match="no recording of train has arousal") as error:
        own.run(align_labels)
    assert sentence in str(error.value)
    assert f"r0: {sentence}; it has no labels" in caplog.text


def test_labels_reach_as_far_as_the_recording(tmp_path):
    own = sessions(tmp_path, times=1.2)
    own.run(register, read_features, align_labels)
    assert own.labels().groupby("recording")["time"].max().unique().tolist() == [SECONDS]


@pytest.mark.parametrize("sound", [False, True])
def test_feature_rows_in_another_unit_are_named(tmp_path, sound):
    own = sessions(tmp_path, feature_times=1000.0, sound=sound)
    sentence = "features of text end at 30000 s of 30.0 s: the times look like milliseconds, expected seconds"
    assert {item.reason for item in check(own.corpus, own.paths).findings} >= {sentence}
    own.run(register)
    with pytest.raises((ExtractionError, ValueError), match="r0") as error:
        own.run(read_features, align_labels)
    assert "look like milliseconds" in str(error.value)
    # mended: the other table's units are there already
    sessions(tmp_path, sound=sound)
    own.run(register, read_features, align_labels)
    assert FeatureTable.open(own.paths.given_table("text")).recordings == NAMES


APART = (
    "features of bio end at 30.0 s, text at 90.0 s: not the same recording or unit, expected seconds from "
    "the beginning of the recording"
)


def test_tables_that_cannot_be_of_one_recording_cost_that_recording(tmp_path, caplog):
    own = sessions(tmp_path, feature_times={1: 3.0, 6: 3.0})
    own.run()
    found = check(own.corpus, own.paths).findings
    assert {item.recording for item in found if item.reason == APART} == {"r1", "r6"}
    assert {item.recording for item in found} == {"r1", "r6"}
    assert not any("labels of arousal" in item.reason for item in found)
    assert caplog.text.count(f"r1: {APART}; it has no labels") == 1
    facts = json.loads(own.paths.label_facts.read_text())
    assert facts["problems"]["arousal"] == {"r1": [APART], "r6": [APART]}
    assert facts["unlabelled"]["arousal"] == ["r1", "r6"]
    labels = own.labels()
    assert sorted(set(labels["recording"])) == [name for name in NAMES if name not in ("r1", "r6")]
    assert set(labels.groupby("recording").size()) == {len(GRID)}
    assert APART in own.paths.report.read_text()


def test_tables_that_are_apart_everywhere_leave_nothing_to_learn(tmp_path):
    own = sessions(tmp_path, feature_times=3.0)
    own.run(register, read_features)
    with pytest.raises(ValueError, match=r"no recording of train has arousal, .*text at 90\.0 s.*\(8 rec"):
        own.run(align_labels)


def test_features_alone_need_no_labels(tmp_path):
    own = sessions(tmp_path)
    (own.data / "traces.csv").unlink()
    alone = OwnTables(
        tmp_path, "demo_sessions", lambda params: (in_time(params), params.update(scenarios=[]))
    )
    assert check(alone.corpus, alone.paths).findings == []
    assert {item.reason for item in check(own.corpus, own.paths).findings} == {
        "no labels of arousal",
        "no recording of train has arousal: nothing can be learned",
    }


def test_tables_with_a_hop_of_their_own_need_no_window(tmp_path):
    def no_window(own):
        in_time(own)
        own["grid"]["window"] = None

    with_window = sessions(tmp_path)
    with_window.run(register, read_features, align_labels)
    labels, rows = with_window.labels(), FeatureTable.open(with_window.paths.given_table("text")).read("r0")
    without = OwnTables(tmp_path, "demo_sessions", no_window)
    without.run(register, read_features, align_labels)
    assert without.labels().equals(labels)
    again = FeatureTable.open(without.paths.given_table("text")).read("r0")
    np.testing.assert_array_equal(again.values, rows.values)
