"""Scores per group against those of the group's rows alone, and the largest gap between two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.paths import Paths
from pipeline.scoring.evaluation import evaluate
from pipeline.scoring.groups import FEW_UNITS, NO_GAP, NOT_GIVEN, read_group_scores
from pipeline.scoring.intervals import gap_interval
from pipeline.scoring.metrics import f1_macro_pr
from tests.scoring.made_up import write_corpus

SPEAKERS = 16


@pytest.fixture(scope="module")
def scored(tmp_path_factory, params):
    """The tables of clips of 16 speakers; sex goes by speaker, the camera does not."""
    clips = params.corpus("demo_clips")
    evaluation = clips.evaluation.model_copy(update={"groups": ("sex", "camera")})
    learning = clips.learning.model_copy(update={"alpha": (0.0, 0.3), "beta": (0.0,), "seeds": (1, 2, 3)})
    corpus = clips.model_copy(
        update={"evaluation": evaluation, "learning": learning, "scenarios": clips.scenarios[:1]}
    )
    paths = Paths("own", tmp_path_factory.mktemp("groups"))
    speakers = write_corpus(paths, corpus, speakers=SPEAKERS)
    for path in paths.raw_predictions.iterdir():
        paths.predictions.mkdir(parents=True, exist_ok=True)
        (paths.predictions / path.name).write_bytes(path.read_bytes())
    groups = {
        "sex": {name: _sex(int(speaker.split("_")[1])) for name, speaker in speakers.items()},
        "camera": {name: ("left", "right")[int(name.rpartition("u")[2]) % 2] for name in speakers},
    }
    evaluate(paths, corpus, speakers, groups)
    table = read_group_scores(paths.scores / "groups.csv")
    rows = pd.concat(pd.read_parquet(path) for path in paths.raw_predictions.iterdir())
    return table[table["postprocessed"] == 0], rows, groups, paths


def _sex(number: int) -> str:
    return "female" if number < 7 else "male" if number < 14 else "other" if number < 15 else ""


def of(table: pd.DataFrame, column: str, system: str = "classic") -> pd.DataFrame:
    chosen = (table["column"] == column) & (table["system"] == system) & (table["partition"] == "test")
    return table[chosen].set_index("group")


def test_a_group_is_scored_on_its_own_rows(scored):
    table, rows, groups, _ = scored
    found = of(table, "sex")
    assert list(found.index[:4]) == ["female", "male", "other", NOT_GIVEN]
    classic = rows[(rows["system"] == "classic") & (rows["partition"] == "test")]
    for group, cell in (("female", "female"), ("other", "other"), (NOT_GIVEN, "")):
        own = classic[classic["recording"].map(groups["sex"]) == cell]
        expected = [f1_macro_pr(part["prediction"], part["gold"]) for _, part in own.groupby("seed")]
        row = found.loc[group]
        assert row["value"] == pytest.approx(np.mean(expected), abs=1e-5)
        assert row["std"] == pytest.approx(np.std(expected, ddof=1), abs=1e-5)
        assert row["n"] == row["recordings"] == own["recording"].nunique()
        assert row["units"] == own["recording"].str.split("/").str[0].nunique()


def test_few_units_have_no_interval_and_say_so(scored):
    found = of(scored[0][scored[0]["minus"] == ""], "sex")
    assert (found.loc[["female", "male"], "units"] == 7).all()
    assert found.loc["female", "low"] < found.loc["female", "value"] < found.loc["female", "high"]
    for group in ("other", NOT_GIVEN):
        assert found.loc[group, "note"] == FEW_UNITS
        assert np.isnan(found.loc[group, "low"])


def test_the_gap_is_between_groups_that_are_large_enough(scored):
    found = scored[0]
    gap = found[(found["minus"] != "") & (found["partition"] == "test") & (found["column"] == "sex")]
    assert len(gap) == found["system"].nunique()
    own = of(found[found["minus"] == ""], "sex")
    row = gap[gap["system"] == "classic"].iloc[0]
    assert {row["group"], row["minus"]} == {"female", "male"}
    assert row["value"] == pytest.approx(
        own.loc[row["group"], "value"] - own.loc[row["minus"], "value"], abs=1e-5
    )
    assert row["low"] < row["value"] < row["high"]
    assert row["confidence"] == 0.95


def test_units_in_both_groups_count_once(scored):
    row = of(scored[0], "camera")
    row = row[row["minus"] != ""].iloc[0]
    assert row["units"] == SPEAKERS
    assert row["recordings"] == SPEAKERS * 14


def test_other_tables_do_not_depend_on_groups(scored, params):
    """Atoms are finer; their sums are not."""
    *_, paths = scored
    intervals = pd.read_csv(paths.scores / "intervals.csv")
    row = intervals[(intervals["system"] == "classic") & (intervals["partition"] == "test")].iloc[0]
    assert (row["units"], row["recordings"]) == (SPEAKERS, SPEAKERS * 14)


def test_one_group_of_few_has_no_gap(tmp_path, params):
    clips = params.corpus("demo_clips")
    evaluation = clips.evaluation.model_copy(update={"groups": ("sex",)})
    learning = clips.learning.model_copy(update={"alpha": (0.0,), "beta": (0.0,), "seeds": (1,)})
    corpus = clips.model_copy(
        update={"evaluation": evaluation, "learning": learning, "scenarios": clips.scenarios[:1]}
    )
    paths = Paths("own", tmp_path)
    speakers = write_corpus(paths, corpus, speakers=3)
    paths.predictions.parent.mkdir(parents=True, exist_ok=True)
    paths.raw_predictions.rename(paths.predictions)
    paths.predictions.rename(paths.raw_predictions)
    paths.predictions.symlink_to(paths.raw_predictions)
    evaluate(paths, corpus, speakers, {"sex": dict.fromkeys(speakers, "female")})
    table = read_group_scores(paths.scores / "groups.csv")
    assert NO_GAP in set(table["note"])
    assert (table["minus"] == "").all()
    with pytest.raises(ValueError, match=r"groups.csv has no column sex"):
        evaluate(paths, corpus, speakers)


def mean_of(sums):
    return sums[..., 0] / sums[..., 1]


def sums_of(values) -> np.ndarray:
    return np.stack([values, np.ones_like(values)], -1)


def test_two_samples_have_welchs_error():
    """Means over units that no two groups share, one seed: the standard error is that of Welch's test."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.6, 0.1, (1, 8)), rng.normal(0.4, 0.05, (1, 20))
    names = [f"a{i}" for i in range(8)], [f"b{i}" for i in range(20)]
    found = gap_interval((names[0], sums_of(one)), (names[1], sums_of(other)), mean_of, 0.95, "share")
    assert found.value == pytest.approx(one.mean() - other.mean())
    expected = stats.ttest_ind(one[0], other[0], equal_var=False)
    assert found.error == pytest.approx((one.mean() - other.mean()) / expected.statistic)
    welch = expected.confidence_interval(0.95)
    assert found.high - found.low == pytest.approx(welch.high - welch.low, rel=0.1)


def test_units_in_both_groups_are_paired():
    rng = np.random.default_rng(1)
    level = rng.normal(0.5, 0.1, (1, 12))
    one, other = level + rng.normal(0.05, 0.01, (1, 12)), level
    names = [f"s{i}" for i in range(12)]
    found = gap_interval((names, sums_of(one)), (names, sums_of(other)), mean_of, 0.95, "share")
    paired = stats.ttest_rel(one[0], other[0]).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((paired.low, paired.high))
