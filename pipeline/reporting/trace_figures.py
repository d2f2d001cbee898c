"""Traces of chosen recordings -> figures of prediction against gold standard."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.catalogue.systems import METHOD, REFERENCE, label
from pipeline.reporting.drawing import (
    GOLD_COLOUR,
    SHADED,
    SYSTEM_COLOURS,
    NotDrawnError,
    Panel,
    new_figure,
)
from pipeline.reporting.wording import number
from pipeline.scoring.metrics import ccc

MOST_DRAWN = 1500
"""Frames of a line: some four to a pixel, more are not seen and make the page large."""


def chosen_recordings(
    traces: pd.DataFrame, partition: str, system: str, count: int
) -> list[tuple[str, float]]:
    """Return recordings from the worst to the best by the CCC within each, evenly spaced in rank.

    So that the figure shows failures as well as successes. traces: see `ReportInputs`. Recordings without a
    CCC come last and only if there are too few others. Result: (recording, CCC).

    Raises:
        NotDrawnError: the partition has no recording.
    """
    here = traces[(traces["partition"] == partition) & (traces["system"] == system)]
    scores = {str(name): ccc(rows["postprocessed"], rows["gold"]) for name, rows in here.groupby("recording")}
    if not scores:
        raise NotDrawnError(f"{partition} has no recording")
    ranked = sorted(scores.items(), key=lambda item: (np.isnan(item[1]), item[1], item[0]))
    known = [item for item in ranked if not np.isnan(item[1])]
    pool = known if len(known) >= count else ranked
    places = np.unique(np.linspace(0, len(pool) - 1, min(count, len(pool))).round().astype(int))
    return [pool[place] for place in places]


def traces_figure(
    traces: pd.DataFrame, recordings: list[tuple[str, float]], dimension: str, held: float = 0.0
) -> tuple[Figure, list[Panel]]:
    """Draw gold standard, reference and method (post-processed; the method raw, thin), one panel each.

    Of more than `MOST_DRAWN` frames every second, third, ... is drawn. held: seconds at the beginning in
    which predictions hold their first value, which are shaded.
    """
    figure = new_figure(0.9 + 1.75 * len(recordings))
    panels = figure.subplots(len(recordings), 1, squeeze=False, sharey=True)[:, 0]
    systems = [name for name in (REFERENCE, METHOD) if (traces["system"] == name).any()]
    readable = []
    for axes, (recording, score) in zip(panels, recordings, strict=True):
        here = traces[traces["recording"] == recording]
        step = -(-here["time"].nunique() // MOST_DRAWN)
        lines = []
        for place, system in enumerate(systems):
            rows = here[here["system"] == system].sort_values("time").iloc[::step]
            colour, name = SYSTEM_COLOURS[system], label(system)
            if system == systems[-1]:
                (line,) = axes.plot(rows["time"], rows["raw"], color=colour, lw=0.7, alpha=0.55)
                line.set_label(f"{name}, raw")
                lines.append((line, f"{name}, raw"))
            dashes = "-" if place else (0, (1.2, 0.8))
            (line,) = axes.plot(
                rows["time"], rows["postprocessed"], color=colour, lw=1.4, label=name, ls=dashes
            )
            lines.append((line, name))
        gold = axes.plot(
            rows["time"], rows["gold"], color=GOLD_COLOUR, lw=1.4, ls=(0, (4, 1.5)), label="gold standard"
        )
        lines.append((gold[0], "gold standard"))
        if held:
            axes.axvspan(rows["time"].min(), rows["time"].min() + held, color=SHADED, lw=0, zorder=0)
        axes.set_title(f"{recording} (CCC {number(score)})")
        axes.set_ylabel(dimension)
        axes.margins(x=0)
        readable.append(Panel(axes, lines, "time, s"))
    panels[-1].set_xlabel("time, s")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2, columnspacing=1.2, handlelength=2.4)
    return figure, readable
