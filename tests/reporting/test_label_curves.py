"""Scores against labelled speakers: the figure's points and bars, and the table, from a table by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.reporting.drawing import style
from pipeline.reporting.label_curves import label_curves, label_table

ROWS = pd.DataFrame(
    [
        # system, speakers, draw, mean, std, std_draws, draws
        ("emobed", 8.0, "all", 0.6, 0.01, np.nan, 1),
        ("classic", 2.0, "1", 0.1, 0.01, np.nan, 1),
        ("classic", 2.0, "2", 0.3, 0.01, np.nan, 1),
        ("classic", 2.0, "all", 0.2, 0.03, 0.14, 2),
        ("emobed", 2.0, "all", 0.4, 0.02, 0.05, 2),
        ("classic", 8.0, "all", 0.5, 0.01, np.nan, 1),
    ],
    columns=["system", "speakers", "draw", "mean", "std", "std_draws", "draws"],
)


def test_points_are_the_means_over_draws_in_order_of_speakers():
    with style():
        _, (panel,) = label_curves(ROWS, "f1_macro_pr")
    assert [name for _, name in panel.lines] == ["classic", "EmoBed"]
    for (line, _), means in zip(panel.lines, ([0.2, 0.5], [0.4, 0.6]), strict=True):
        np.testing.assert_allclose(line.get_ydata(), means)
        np.testing.assert_allclose(line.get_xdata(), [2, 8], atol=0.1)
    bars = [bar for container in panel.axes.containers for bar in container[2]]
    lengths = [[np.ptp(segment[:, 1]) for segment in bar.get_segments()] for bar in bars]
    np.testing.assert_allclose(lengths, [[0.28, 0], [0.06, 0.02], [0.1, 0], [0.04, 0.02]], atol=1e-9)
    assert panel.axes.get_xlabel() == "labelled speakers in train"


def test_the_table_has_a_row_for_each_number_of_speakers():
    table = label_table(ROWS, "f1_macro_pr", "audio-video-emotion")
    assert [column.name for column in table.columns] == ["labelled speakers", "draws", "classic", "EmoBed"]
    assert [[cell.value for cell in row] for row in table.rows] == [[2, 2, 0.2, 0.4], [8, 1, 0.5, 0.6]]
    assert table.rows[0][2].detail == "± .140 draws, ± .030 seeds"
    assert table.rows[1][2].detail == "± – draws, ± .010 seeds"


def test_what_needs_recordings_without_labels_has_no_score_where_all_are_labelled():
    taught = [
        (system, 2.0, "all", mean, 0.02, 0.05, 2) for system, mean in (("taught", 0.5), ("taught_same", 0.3))
    ]
    rows = pd.concat([ROWS, pd.DataFrame(taught, columns=ROWS.columns)], ignore_index=True)
    table = label_table(rows, "f1_macro_pr", "audio-video-emotion")
    names = [column.name for column in table.columns]
    assert names[2:] == ["classic", "EmoBed", "taught", "taught by the same"]
    assert [cell.value for cell in table.rows[0]] == [2, 2, 0.2, 0.4, 0.5, 0.3]
    assert [(cell.text, cell.why[:11]) for cell in table.rows[1][4:]] == [("–", "not trained")] * 2
    with style():
        _, (panel,) = label_curves(rows, "f1_macro_pr")
    assert [len(line.get_xdata()) for line, _ in panel.lines] == [2, 2, 1, 1]


def test_every_number_of_speakers_has_a_tick_and_the_legend_is_within_the_figure():
    systems = list(SYSTEMS)
    rows = pd.DataFrame(
        [(system, speakers, "all", 0.5, 0.1, 0.1, 2) for system in systems for speakers in (2.0, 7.0, 12.0)],
        columns=ROWS.columns,
    )
    with style():
        figure, (panel,) = label_curves(rows, "ccc")
        figure.draw_without_rendering()
    assert [tick.get_text() for tick in panel.axes.get_xticklabels()] == ["2", "7", "12"]
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert panel.axes.bbox.height > 100  # dots: the legend leaves room
