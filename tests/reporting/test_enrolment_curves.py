import re

import pandas as pd
import pytest

from pipeline.reporting.enrolment_curves import (
    curve_caption,
    enrolment_curves,
    enrolment_table,
    shown_metrics,
    worth,
)

NUMBERS = ("0", "1", "2", "3", "5", "10", "all")


def rows(values, system="emobed", left_out=(0,) * 7, metric="f1_macro_pr"):
    """Return the rows of one system, with the values of each number."""
    return pd.DataFrame(
        {
            "system": system, "partition": "test", "metric": metric, "enrolled": NUMBERS,
            "draws": [1, 5, 5, 5, 5, 5, 1],
            "value": values, "low": [value - 0.1 for value in values], "high": [v + 0.1 for v in values],
            "gain": [value - values[0] for value in values],
            "gain_low": [v - values[0] - 0.05 for v in values],
            "gain_high": [v - values[0] + 0.05 for v in values], "speakers": 6, "recordings": 84,
            "speakers_left_out": left_out,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            (0.6, 0.62, 0.65, 0.69, 0.695, 0.7, 0.8),
            r"3 recordings bring 80% or more of the gain of 10 \(\+\.100, ",
        ),
        ((0.6, 0.69, 0.69, 0.69, 0.69, 0.7, 0.8), r"1 recording brings 80% or more of the gain of 10"),
        (
            (0.6, 0.61, 0.62, 0.63, 0.65, 0.7, 0.8),
            r"10 recordings bring a gain \(\+\.100, interval \+\.050 to \+\.150\), fewer less than 80% of it",
        ),
        ((0.6, 0.55, 0.58, 0.6, 0.65, 0.7, 0.8), r"With 1 it is lower than with none, by \.050"),
        (
            (0.6, 0.601, 0.6, 0.6, 0.605, 0.604, 0.7),
            r"10 recordings bring no gain to speak of \(below",
        ),
    ],
)
def test_what_enrolment_is_worth_is_a_sentence(values, sentence):

    text = worth(rows(values), "f1_macro_pr")
    assert text.startswith("EmoBed: F1 .600 without enrolment, ")
    assert re.search(sentence, text), text


def test_numbers_that_not_all_speakers_have_are_in_the_table_and_not_in_the_sentence():
    own = rows((0.6, 0.62, 0.65, 0.69, 0.7, 0.9, 0.8), left_out=(0, 0, 0, 0, 0, 2, 0))
    assert "of the gain of 5" in worth(own, "f1_macro_pr")
    alone = rows((0.6, *[0.7] * 6), left_out=(0, *[1] * 5, 0))
    assert "some speakers have one recording only" in worth(alone, "f1_macro_pr")


def test_figure_and_table_have_every_system_and_number():
    both = pd.concat([rows([0.6 + 0.01 * i for i in range(7)]), rows([0.5] * 7, "classic")])
    figure, (panel,) = enrolment_curves(both, "f1_macro_pr")
    assert [name for _, name in panel.lines] == ["classic", "EmoBed"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == list(NUMBERS)
    table = enrolment_table(both, "f1_macro_pr", "key")
    assert [row[0].text for row in table.rows] == list(NUMBERS)
    assert [cell.text for cell in table.rows[3]] == ["3", "6", ".500", ".630"]
    assert "5 draws of recordings and over seeds" in curve_caption(both, "f1_macro_pr", "test", "seeds")


def test_of_classes_the_fields_uar_has_a_table_and_a_sentence_beside_the_headline():
    f1, uar = rows([0.5] * 7), rows([0.6 + 0.02 * i for i in range(7)], metric="uar")
    both = pd.concat([f1, uar, rows([0.9] * 7, metric="accuracy")])
    assert shown_metrics(both, "f1_macro_pr") == ["f1_macro_pr", "uar"]
    assert shown_metrics(rows([0.5] * 7, metric="ccc"), "ccc") == ["ccc"]
    table = enrolment_table(uar, "uar", "key")
    assert (table.key, table.caption) == ("enrolment-uar-key", "UAR against enrolled recordings")
    assert table.rows[2][2].text == ".640"
    text = curve_caption(both, "f1_macro_pr", "test", "seeds")
    assert "EmoBed: F1 .500 without enrolment, " in text
    assert "EmoBed: UAR .600 without enrolment, .620 with 1, " in text
    assert "accuracy" not in text
