"""Systems minus their own controls: the numbers against a naive loop, and what may be said of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import t as student
from sklearn.metrics import precision_score, recall_score

from pipeline.catalogue.systems import CONTROLLED, SYSTEMS, controls, leading
from pipeline.scoring.comparison import compare
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.resampled_t import corrected_resampled_t
from pipeline.scoring.scored_models import score_models
from pipeline.scoring.verdict import claim, verdict, with_holm
from tests.scoring.made_up import clip_model, write_models

SEEDS = (1, 2, 3)
ABOUT = {"target": "audio", "auxiliary": "video", "dimension": "emotion", "postprocessed": 0, "fold": ""}


def models(right: dict[str, float], speakers: int = 8, start: int = 0) -> list[pd.DataFrame]:
    """Models of systems, each as often right as asked for."""
    return [
        clip_model(seed=start + 10 * place + seed, speakers=speakers, right=often).assign(
            system=system, setting="", seed=seed
        )
        for place, (system, often) in enumerate(right.items())
        for seed in SEEDS
    ]


def compared(folder, params, *folds: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of significance.csv on test."""
    scored = []
    for number, rows in enumerate(folds):
        path = folder / f"{number}.parquet"
        write_models(path, rows)
        speakers = {name: name.split("/")[0] for name in rows[0]["recording"]}
        name = f"fold{number + 1}" if len(folds) > 1 else ""
        scored.append(ScoredFold.of(name, score_models(path, "classification", speakers), "f1_macro_pr"))
    found = compare(scored, "classification", params.corpus("demo_clips").evaluation, "speaker")
    table = pd.DataFrame(found).assign(**ABOUT)
    return table[table["partition"] == "test"].reset_index(drop=True)


def f1(rows: pd.DataFrame) -> float:
    """Return the harmonic mean of macro precision and macro recall."""
    about = {"y_true": rows["gold"], "y_pred": rows["prediction"], "average": "macro", "zero_division": 0}
    precision, recall = precision_score(**about), recall_score(**about)
    return 2 * precision * recall / (precision + recall)


def naive(ours: list[pd.DataFrame], theirs: list[pd.DataFrame]) -> dict[str, float]:
    """Return difference, interval and p of two systems; of each the test rows of every seed."""

    def difference(without: str = "") -> np.ndarray:
        kept = [
            [rows[~rows["recording"].str.startswith(f"{without}/")] for rows in own] for own in (ours, theirs)
        ]
        return np.array([f1(one) - f1(other) for one, other in zip(*kept, strict=True)])

    by_seed = difference()
    speakers = sorted({name.split("/")[0] for name in ours[0]["recording"]})
    left_out = np.array([difference(speaker).mean() for speaker in speakers])
    n, k = len(speakers), len(by_seed)
    squared = np.array([(n - 1) / n * ((left_out - left_out.mean()) ** 2).sum(), by_seed.var(ddof=1) / k])
    error, shares, dfs = np.sqrt(squared.sum()), squared / squared.sum(), np.array([n - 1, k - 1])
    half = shares @ student.ppf(0.975, dfs) * error
    value = by_seed.mean()
    p = brentq(lambda p: shares @ student.isf(p / 2, dfs) - abs(value) / error, 1e-12, 1.0)
    return {"difference": value, "low": value - half, "high": value + half, "p": p}


def of_test(rows: list[pd.DataFrame], system: str) -> list[pd.DataFrame]:
    return [
        own.query("system == @system and partition == 'test'")
        for own in rows
        if own["system"].iloc[0] == system
    ]


def test_each_system_is_compared_with_its_own_controls_where_both_were_trained(tmp_path, params):
    right = {"classic": 0.4, "emobed": 0.5, "placebo": 0.4, "taught": 0.6, "taught_same": 0.5, "teacher": 0.8}
    rows = models(right)
    table = compared(tmp_path, params, rows)
    pairs = list(zip(table["system"], table["against"], strict=True))
    assert pairs == [
        *((system, "classic") for system in SYSTEMS if system in right and system != "classic"),
        ("emobed", "placebo"),  # same_modality was not trained
        ("taught", "taught_same"),
    ]
    for system, against in (("taught", "taught_same"), ("emobed", "placebo"), ("teacher", "classic")):
        (found,) = table.query("system == @system and against == @against").to_dict("records")
        wanted = naive(of_test(rows, system), of_test(rows, against))
        assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)
        assert (found["units"], found["seeds"]) == (8, 3)


def test_graded_triplets_stand_beside_literal_ones_and_are_no_control(tmp_path, params):
    rows = models({"classic": 0.4, "triplet": 0.4, "graded_triplet": 0.9})
    table = with_holm(compared(tmp_path, params, rows), 0)
    pairs = list(zip(table["system"], table["against"], strict=True))
    assert pairs == [("triplet", "classic"), ("graded_triplet", "classic"), ("graded_triplet", "triplet")]
    found = table.iloc[2]
    wanted = naive(of_test(rows, "graded_triplet"), of_test(rows, "triplet"))
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)
    assert verdict(found) == "gain"
    assert table["family"].tolist() == [3] * 3  # triplet keeps its own verdict: it is a system
    assert controls("triplet") == []
    alone = compared(tmp_path, params, models({"classic": 0.4, "graded_triplet": 0.9}))
    assert alone["against"].tolist() == ["classic"]


def test_a_control_is_compared_over_folds_as_all_are(tmp_path, params):
    """The corrected resampled t-test over the folds' own differences, each a mean over seeds."""
    folds = []
    for number in range(3):
        rows = models({"classic": 0.4, "taught": 0.8, "taught_same": 0.5}, speakers=3, start=1000 * number)
        for own in rows:
            own["recording"] = own["recording"].replace(
                {"^test": f"s{number}", "^dev": f"s{(number + 1) % 3}"}, regex=True
            )
        folds.append(rows)
    table = compared(tmp_path, params, *folds)
    (found,) = table.query("system == 'taught' and against == 'taught_same'").to_dict("records")
    by_fold = [
        np.mean(
            [
                f1(one) - f1(other)
                for one, other in zip(*(of_test(rows, s) for s in ("taught", "taught_same")), strict=True)
            ]
        )
        for rows in folds
    ]
    wanted = corrected_resampled_t(by_fold, 1.0)  # of nine speakers three are tested, three trained on
    assert (found["n_folds"], found["units"]) == (3, 9)
    assert found["difference_folds"] == pytest.approx(np.mean(by_fold))
    assert found["p_folds"] == pytest.approx(wanted.p)


@pytest.mark.parametrize(
    ("right", "kind"),
    [
        ({"classic": 0.3, "taught": 0.9, "taught_same": 0.9}, "shared"),  # learning from itself is enough
        ({"classic": 0.3, "taught": 1.2, "taught_same": 0.5}, "crossmodal"),
        ({"classic": 0.3, "taught": 0.9}, "uncontrolled"),
        ({"classic": 0.6, "taught": 0.6, "taught_same": 0.3}, "none"),  # a bad control makes no gain
    ],
)
def test_what_the_control_gains_too_is_not_the_teachers_doing(tmp_path, params, right, kind):
    table = with_holm(compared(tmp_path, params, models(right)), 0)
    assert claim(table, "taught") == kind
    # taught - classic and taught - control; the control - classic is no verdict
    assert table["family"].max() == len(right) - 1
    of_control = table[(table["system"] == "taught_same")]
    assert of_control["p_holm"].isna().all()


def test_controls_of_two_systems_are_two_members_of_the_family():
    """Four members by hand: .001 x 4, .012 x 3, .02 x 2, .03 x 1, never below the one before."""
    rows = [
        ("emobed", "classic", 0.001), ("taught", "classic", 0.02),
        ("emobed", "placebo", 0.004), ("emobed", "same_modality", 0.012), ("taught", "taught_same", 0.03),
    ]  # fmt: skip
    about = {"partition": "test", "confidence": 0.95, "units": 9, "seed_share": 0.2, "difference": 0.1}
    table = pd.DataFrame(rows, columns=["system", "against", "p"]).assign(**ABOUT, **about)
    found = with_holm(table, 0)
    assert found["family"].tolist() == [4] * 5
    assert found["p_holm"].tolist() == pytest.approx([0.004, 0.04, 0.036, 0.036, 0.04])
    assert claim(found, "taught") == claim(found, "emobed") == "crossmodal"
    # nor does one system's control take anything from another's
    beaten = found.assign(difference=[0.1, 0.1, 0.1, 0.1, -0.1])
    assert [verdict(row) for row in beaten.to_dict("records")] == ["gain"] * 4 + ["loss"]
    assert claim(beaten, "emobed") == "crossmodal"
    assert claim(beaten, "taught") == "shared"


def test_the_table_of_systems_says_which_have_controls():
    assert tuple(name for name in SYSTEMS if controls(name)) == CONTROLLED
    assert all(SYSTEMS[name].control_of is None and SYSTEMS[name].needs == "target" for name in CONTROLLED)
    every = [entry for entry in SYSTEMS.values() if entry.control_of]
    assert all(entry.differs for entry in every)
    assert {entry.control_of for entry in every} == set(CONTROLLED)
    assert all(SYSTEMS[entry.teacher].needs == "all" for entry in SYSTEMS.values() if entry.teacher)
    assert leading(["classic", "taught", "emobed"]) == "emobed"
    assert leading(["taught", "support_vectors"]) == "taught"
    assert leading(["classic", "placebo"]) is None
