"""The few scores that a run ends with, from results.csv alone."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from pipeline.scoring.headline import Score, headline, metrics
from tests.conftest import ROOT

HEAD = (
    "target,auxiliary,dimension,system,setting,needs,postprocessed,partition,metric,mean,std,seeds,n,fold,"
    "folds,std_folds,selection\n"
)


def row(
    system="classic", partition="test", metric="ccc", kind=1, mean="0.5", n=10, fold="", folds=1, by="dev"
):
    first = f"audio,video,arousal,{system},,target,{kind},{partition},{metric},{mean},0.1,3,{n},"
    return f"{first}{fold},{folds},,{by}\n"


@pytest.fixture
def results(tmp_path):
    def write(*rows):
        (tmp_path / "results.csv").write_text(HEAD + "".join(rows))
        return tmp_path / "results.csv"

    return write


def test_of_dev_the_score_by_settings_that_others_chose(results):
    left_out = row(partition="dev", mean="0.3", by="leave_one_out")
    best = row(partition="dev", mean="0.6")
    only_dev = headline(results(left_out, best, row(mean="", n=0)), "regression")
    assert [score.mean for systems in only_dev.scores.values() for score in systems.values()] == [0.3]
    with_test = headline(results(left_out, best, row()), "regression")
    assert (with_test.partition, next(iter(with_test.scores.values()))["classic"].mean) == ("test", 0.5)


def test_the_score_after_postprocessing_on_test_is_the_headline_of_traces(results):
    path = results(
        row(kind=0, mean="0.1"), row(metric="rmse", mean="0.2"), row(partition="dev", mean="0.3"), row()
    )
    found = headline(path, "regression")
    assert (found.metric, found.partition) == ("ccc", "test")
    assert found.scores == {("audio", "video", "arousal"): {"classic": Score(0.5, 0.1, 3, 10, 1)}}


def test_of_classes_it_is_f1_as_it_is_predicted(results):
    path = results(row(metric="f1_macro_pr", kind=0), row(metric="f1_macro_pr", kind=1, mean="0.1"))
    assert metrics(headline(path, "classification")) == {
        "score": "f1_macro_pr on test",
        "audio+video": {"arousal": {"classic": 0.5, "n": 10}},
    }


def test_dev_where_test_has_no_gold_standard_and_null_where_nothing_has(results):
    path = results(row(mean="", n=0), row(partition="dev", mean="0.3"))
    assert headline(path, "regression").partition == "dev"
    path = results(row(mean="", n=0), row(partition="dev", mean="", n="0.0"))
    (score,) = headline(path, "regression").scores["audio", "video", "arousal"].values()
    assert math.isnan(score.mean)
    assert metrics(headline(path, "regression"))["audio+video"]["arousal"] == {"classic": None, "n": 0}


def test_n_is_that_of_systems_that_need_the_target_alone(results):
    path = results(row(n=10), row("late_fusion", n=7, mean="0.6"))
    assert metrics(headline(path, "regression"))["audio+video"]["arousal"]["n"] == 10
    path = results(row(n=7), row("late_fusion", n=10, mean="0.6"))  # whose target is missing in three
    assert metrics(headline(path, "regression"))["audio+video"]["arousal"]["n"] == 7
    path = results(row("late_fusion", n=7))
    assert metrics(headline(path, "regression"))["audio+video"]["arousal"]["n"] == 7


def test_single_folds_are_no_result(results):
    path = results(row(folds=3), row(fold="fold1", mean="0.9"))
    assert headline(path, "regression").scores["audio", "video", "arousal"]["classic"].mean == 0.5


def test_without_results_it_says_what_makes_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"results\.csv: no such file; `dvc repro` makes it"):
        headline(tmp_path / "results.csv", "regression")


def test_no_scenario_no_score(results):
    assert metrics(headline(results(), "regression")) == {"score": "ccc on dev"}


def test_the_table_at_the_end_of_a_run_waits_for_nothing_that_computes():
    code = (
        "import sys, stages.summary; "
        "computing = ('numpy', 'pyarrow', 'pandas', 'scipy', 'sklearn', 'torch', 'matplotlib'); "
        "print([n for n in computing if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
