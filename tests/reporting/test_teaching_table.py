"""What a teacher gives: table and sentences from comparisons by hand, and who is counted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.partitions import Fold
from pipeline.paths import Paths
from pipeline.reporting import loading_corpus
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.loading_corpus import count_lessons
from pipeline.reporting.teaching_table import teachings
from tests.recordings import recording

MEANS = {
    "audio": {"classic": 0.5, "taught": 0.58, "taught_same": 0.55, "teacher": 0.8},
    "video": {"classic": 0.7, "taught": 0.69, "taught_same": 0.7, "teacher": 0.8},
}
GAIN, NONE = (0.01, 0.05), (-0.04, 0.02)


def row(target: str, system: str, against: str, low: float, high: float, **changes) -> dict:
    return {
        "target": target, "auxiliary": "video" if target == "audio" else "audio", "dimension": "emotion",
        "system": system, "against": against, "postprocessed": 0, "partition": "test",
        "difference": (low + high) / 2, "low": low, "high": high, "p": 0.003 if low > 0 else 0.5,
        "p_holm": 0.012 if low > 0 else 1.0, "family": 4.0, "confidence": 0.95, "unit": "speaker",
        "units": 6, "recordings": 84, "seeds": 3, "seed_share": 0.2,
    } | changes  # fmt: skip


def comparisons(audio=GAIN, video=NONE) -> pd.DataFrame:
    rows = [
        row(target, system, against, *ends)
        for target, gain in (("audio", audio), ("video", video))
        for system, against, ends in (
            ("taught", "classic", (0.0, 0.1)), ("teacher", "classic", (0.2, 0.4)),
            ("taught", "taught_same", gain),
        )
    ]  # fmt: skip
    return pd.DataFrame(rows)


def scores(means=MEANS) -> pd.DataFrame:
    rows = [
        {
            "target": target, "auxiliary": "video" if target == "audio" else "audio", "dimension": "emotion",
            "system": system, "postprocessed": 0, "partition": partition, "metric": "f1_macro_pr",
            "mean": mean, "std": 0.01, "seeds": 3, "n": 84,
        }
        for target, systems in means.items()
        for system, mean in systems.items()
        for partition in ("dev", "test")
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def inputs(params) -> ReportInputs:
    empty = pd.DataFrame()
    counts = (56, 4, 168, 12)
    columns = ["labelled", "labelled_speakers", "unlabelled", "unlabelled_speakers"]
    return ReportInputs(
        name="few", corpus=params.corpus("demo_clips"), rendered=True, results=scores(), grid=empty,
        significance=comparisons(), counts=empty, faces=empty, failures=empty, problems=empty, delay={},
        class_names=tuple("abcdefg"), lessons=pd.DataFrame([counts, counts], columns=columns),
    )  # fmt: skip


def test_the_gain_over_the_control_stands_beside_the_teachers_lead(inputs):
    (found,) = teachings(inputs)
    names = [column.name for column in found.table.columns]
    assert names == [
        "experiment", "teacher ◆", "its lead over classic", "classic", "taught by the same", "taught",
        "gain: taught − taught by the same", "95 % interval", "p", "p (Holm)",
    ]  # fmt: skip
    audio, video = found.table.rows
    assert [cell.text for cell in audio] == [
        "audio → emotion", ".800 ± .010", "+.300", ".500 ± .010", ".550 ± .010", ".580 ± .010",
        "+.030", "+.010 to +.050", ".003", ".012",
    ]  # fmt: skip
    assert audio[2].detail == "+.200 to +.400"
    assert (audio[6].marks, video[6].marks) == (("▲",), ())  # established, and not
    assert [cell.value for cell in video[5:7]] == [0.69, pytest.approx(-0.01)]


def test_the_words_give_every_interval_and_what_it_cannot_show(inputs):
    (found,) = teachings(inputs)
    assert found.gains.startswith(
        "Taught learned from 56 labelled recordings of 4 speakers of train and from what its teacher said of "
        "168 recordings of 12 speakers without labels; taught by the same learned from the same recordings"
    )
    assert (
        "Gain of taught over its control: audio → emotion +.030 (+.010 to +.050) and video → emotion −.010 "
        "(−.040 to +.020); +.010 in the mean." in found.gains
    )
    assert "with 6 speakers and 3 seeds it reaches .030 to either side" in found.gains
    (clear,) = teachings(dataclasses.replace(inputs, significance=comparisons(GAIN, GAIN)))
    assert "includes zero" not in clear.gains
    assert "+.030 in the mean" in clear.gains


def test_without_a_taught_system_there_is_none(inputs):
    alone = {target: {"classic": 0.5, "teacher": 0.8} for target in MEANS}
    assert teachings(dataclasses.replace(inputs, results=scores(alone))) == []
    unscored = inputs.results.assign(mean=np.nan, n=0)
    assert teachings(dataclasses.replace(inputs, results=unscored)) == []


def test_what_was_not_compared_is_a_dash(inputs):
    control = {target: {k: v for k, v in own.items() if k != "taught_same"} for target, own in MEANS.items()}
    table = comparisons()
    changed = dataclasses.replace(
        inputs, results=scores(control), significance=table[table["against"] == "classic"]
    )
    (found,) = teachings(changed)
    assert [cell.text for cell in found.table.rows[0][4:]] == ["–", ".580 ± .010", *["–"] * 4]
    assert "Gain of taught" not in found.gains


def test_on_dev_nothing_is_tested(inputs):
    results = inputs.results.copy()
    results.loc[results["partition"] == "test", "n"] = 0
    dev = dataclasses.replace(
        inputs, results=results, significance=comparisons().assign(partition="dev", p_holm=np.nan)
    )
    (found,) = teachings(dev)
    assert [column.name for column in found.table.columns][-1] == "95 % interval"
    assert found.gains.endswith("On dev, which chose the settings, none is called established.")


class Counted:
    """A table of features that has one row of some recordings."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def count(self, name: str) -> int:
        return int(name in self.names)


def test_counted_is_who_is_learned_from(tmp_path, params, monkeypatch):
    """`a` and `b` have labels, b no audio; of those without, d lacks video; e is of dev."""
    corpus = params.corpus("demo_clips")
    learning = corpus.learning.model_copy(update={"systems": ("classic", "taught", "taught_same", "teacher")})
    corpus = corpus.model_copy(update={"learning": learning})
    paths = Paths("demo_clips", tmp_path)
    parts = {"a": "train", "b": "train", "c": "train", "d": "train", "e": "dev"}
    items = [recording(name, part, f"S{name}") for name, part in parts.items()]
    paths.label_table.parent.mkdir(parents=True)
    labels = [("a", "emotion", 1.0), ("b", "emotion", 0.0), ("c", "arousal", 0.3), ("e", "emotion", 2.0)]
    columns = ["recording", "dimension", "label"]
    pd.DataFrame([*labels, ("d", "emotion", np.nan)], columns=columns).to_parquet(paths.label_table)
    have = {"audio": set("acde"), "video": set("abce")}
    monkeypatch.setattr(
        loading_corpus, "open_features", lambda paths, corpus, name, dimension: Counted(have[name])
    )
    found = count_lessons(paths, corpus, [Fold("", items)])
    rows = found.set_index("target").drop(columns=["auxiliary", "dimension"]).to_dict("index")
    names = ("labelled", "labelled_speakers", "unlabelled", "unlabelled_speakers")
    assert rows["audio"] == dict(zip(names, (1, 1, 1, 1), strict=True))
    assert rows["video"] == dict(zip(names, (2, 2, 1, 1), strict=True))
    none = corpus.model_copy(update={"learning": learning.model_copy(update={"systems": ("classic",)})})
    assert count_lessons(paths, none, [Fold("", items)]).empty
