"""Which of many differences may be called established."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.null_experiments import SETTINGS, Sizes
from benchmarks.null_pages import page_rates
from pipeline.scoring.comparison import compare
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.left_out import chosen_by_others
from pipeline.scoring.metrics import ccc
from pipeline.scoring.predictions import PredictionsError
from pipeline.scoring.resampled_t import corrected_resampled_t
from pipeline.scoring.scored_models import score_models
from pipeline.scoring.verdict import claim, enough_units, verdict, with_holm
from tests.scoring.made_up import session_model, write_models


def rows(*differences, **changes) -> pd.DataFrame:
    """differences: (system, against, difference, p) each."""
    about = {
        "target": "audio", "auxiliary": "video", "dimension": "arousal", "postprocessed": 1, "fold": "",
        "partition": "test", "confidence": 0.95, "units": 9, "seed_share": 0.2,
    }  # fmt: skip
    table = pd.DataFrame(differences, columns=["system", "against", "difference", "p"])
    return table.assign(**(about | changes))


JOINT, EMOBED = ("joint", "classic", 0.02, 0.02), ("emobed", "classic", 0.05, 0.001)
PLACEBO, SAME = ("emobed", "placebo", 0.04, 0.004), ("emobed", "same_modality", 0.03, 0.012)


def test_holm_by_hand_and_controls_are_one_member_with_the_larger_p():
    """Three members: .001 x 3, .012 x 2, .02 x 1, never below the one before."""
    found = with_holm(rows(JOINT, EMOBED, PLACEBO, SAME), 1)
    assert found["family"].tolist() == [3] * 4
    assert found["p_holm"].tolist() == pytest.approx([0.024, 0.003, 0.024, 0.024])
    assert [verdict(row) for row in found.to_dict("records")] == ["gain"] * 4
    assert claim(found, "emobed") == "crossmodal"


def test_one_control_that_is_as_good_takes_the_word_crossmodal_away():
    for control in (("emobed", "same_modality", 0.03, 0.06), ("emobed", "same_modality", -0.03, 0.012)):
        found = with_holm(rows(EMOBED, PLACEBO, control), 1)
        assert claim(found, "emobed") == "shared"
        assert {verdict(row) for row in found.to_dict("records")[1:]} == {"none"}
    assert claim(with_holm(rows(EMOBED, PLACEBO), 1), "emobed") == "uncontrolled"
    assert claim(with_holm(rows(("emobed", "classic", 0.05, 0.2), PLACEBO, SAME), 1), "emobed") == "none"
    assert claim(with_holm(rows(("emobed", "classic", -0.05, 0.001), PLACEBO, SAME), 1), "emobed") == "none"


def test_bounds_and_controls_by_themselves_are_no_members_and_get_no_verdict():
    """Three members as without them, however small their p."""
    unstated = [("late_fusion", "classic", 0.3, 1e-9), ("placebo", "classic", 0.3, 1e-9)]
    rival = ("random_forest", "classic", -0.2, 0.0001)
    found = with_holm(rows(EMOBED, *unstated, rival, PLACEBO, SAME), 1)
    assert found["family"].dropna().tolist() == [3] * 4
    assert [verdict(row) for row in found.to_dict("records")] == [
        "gain", "none", "none", "loss", "gain", "gain",
    ]  # fmt: skip
    assert found["p_holm"].tolist()[:4] == pytest.approx([0.002, np.nan, np.nan, 0.0003], nan_ok=True)


@pytest.mark.parametrize(
    "change",
    [{"partition": "dev"}, {"postprocessed": 0}, {"fold": "fold1"}, {"units": 5}, {"seed_share": np.nan}],
)
def test_what_is_no_verdict_is_no_member_of_the_family(change):
    found = with_holm(pd.concat([rows(EMOBED), rows(EMOBED, **change)], ignore_index=True), 1)
    assert found["family"].tolist()[0] == 1
    assert np.isnan(found.loc[1, ["p_holm", "family"]].astype(float)).all()
    assert verdict(found.loc[1].to_dict()) == "none"


def test_nothing_compared_and_an_undefined_p():
    assert with_holm(rows(), 1).columns[-2:].tolist() == ["p_holm", "family"]
    found = with_holm(rows(("emobed", "classic", 0.05, np.nan), JOINT), 1)
    assert found["family"].tolist()[1] == 1
    assert verdict(found.loc[0].to_dict()) == "none"
    assert not enough_units(5, 0.95)
    assert enough_units(6, 0.95)


def test_corrected_resampled_t_by_hand():
    """Five folds with test sets a third of train: the variance is multiplied by 1/5 + 1/3."""
    found = corrected_resampled_t([0.1, 0.2, 0.3, 0.2, 0.2, np.nan], 1 / 3)
    t = 0.2 / np.sqrt((1 / 5 + 1 / 3) * np.var([0.1, 0.2, 0.3, 0.2, 0.2], ddof=1))
    from scipy.stats import t as student

    assert (found.difference, found.n) == (pytest.approx(0.2), 5)
    assert found.p == pytest.approx(2 * student.sf(t, 4))
    assert np.isnan(corrected_resampled_t([0.1], 0.3).p)
    assert corrected_resampled_t([0.0, 0.0], 0.3).p == 1


def test_others_choose_by_hand():
    """Two settings, two seeds, two units with one row each; the score is the mean of the rows."""
    values = np.array([[[1.0, 5.0], [2.0, 0.0]], [[3.0, 4.0], [1.0, 1.0]]])  # (settings, seeds, units)
    sums = np.stack([values, np.ones_like(values)], axis=-1)
    chosen = chosen_by_others(sums, lambda s: s[..., 0] / s[..., 1], np.array([0, 1]))
    # seed 0, unit 0: the other seed on the other unit, 0 against 1; unit 1: 2 against 1
    # seed 1, unit 0: 5 against 4; unit 1: 1 against 3
    assert chosen.tolist() == [[1, 0], [0, 1]]
    together = chosen_by_others(sums, lambda s: s[..., 0] / s[..., 1], np.array([0, 0]))
    # one unit chooses for itself: by the other seed's mean, 1 and 1 (the first), 3 and 3.5
    assert together.tolist() == [[0, 0], [1, 1]]


def test_systems_are_compared_on_the_recordings_that_both_predict(tmp_path, params):
    """Speaker a has two recordings of which joint predicts one; speaker d, none of joint's."""
    models = [
        session_model(alpha, 0.0, seed, recordings=5, frames=40) for alpha in (0.0, 0.3) for seed in (1, 2)
    ]
    for rows_of in models[2:]:
        rows_of.drop(rows_of.index[rows_of["recording"].isin(["test_2", "test_5"])], inplace=True)
    write_models(tmp_path / "a.parquet", models)
    speakers = {f"test_{i + 1}": name for i, name in enumerate("aabcd")}
    fold = ScoredFold.of("", score_models(tmp_path / "a.parquet", "regression", speakers), "ccc")
    found = compare([fold], "regression", params.corpus("demo_sessions").evaluation, "speaker")
    (row,) = (row for row in found if row["partition"] == "test")
    assert (row["units"], row["recordings"]) == (3, 3)
    kept = [rows[rows["recording"].isin(["test_1", "test_3", "test_4"])] for rows in models]
    values = [ccc(rows["prediction"], rows["gold"]) for rows in kept]
    assert row["reference"] == pytest.approx(np.mean(values[:2]))
    assert row["value"] == pytest.approx(np.mean(values[2:]))
    assert row["n"] == 3 * 40
    models[3].drop(models[3].index[models[3]["recording"] == "test_1"], inplace=True)
    write_models(tmp_path / "a.parquet", models)
    with pytest.raises(PredictionsError, match="expected the 3 that other models of joint predict"):
        score_models(tmp_path / "a.parquet", "regression", speakers)


def test_pages_without_any_difference_state_none():
    """As `python -m benchmarks.false_alarms 1000 pages`, whose table is in docs/statistics.md; some 6 s."""
    found = page_rates("F1", Sizes(9, 5, SETTINGS["seeds"]), 25)
    assert found["any verdict"] <= 0.08
    assert found["called crossmodal"] == 0
    assert found["(gain shown)"] > 0.6  # where there is something to find, it is
    worst = next(value for name, value in found.items() if name.startswith("worst"))
    assert worst > 0  # before the correction some are wrong
