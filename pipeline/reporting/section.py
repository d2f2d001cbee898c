"""One experiment -> its section of the page: figures, tables, and what is left out and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import METHOD, SYSTEMS, any_marked, in_order, label, rank
from pipeline.catalogue.tasks import TASKS
from pipeline.params import Learning, Scenario
from pipeline.paths import experiment_name
from pipeline.reporting import curve_figures, score_figures, trace_figures
from pipeline.reporting.answer import learnt_nothing, settings_chosen
from pipeline.reporting.compared import comparisons
from pipeline.reporting.drawing import NotDrawnError, Picture, picture
from pipeline.reporting.enrolment_curves import (
    curve_caption,
    enrolment_curves,
    enrolment_table,
    shown_metrics,
)
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.label_curves import label_curves, label_table
from pipeline.reporting.reading import OWN_SCORE
from pipeline.reporting.score_tables import case_key, case_name, headline, of_case
from pipeline.reporting.set_tables import class_scores_table, set_calibration_table
from pipeline.reporting.space_section import NO_SPACE, space_section
from pipeline.reporting.table import Table
from pipeline.reporting.uncertainty_tables import calibration_table, coverage_table
from pipeline.reporting.unit_tables import class_table, speaker_table, worst_table
from pipeline.reporting.word_tables import word_table
from pipeline.reporting.wording import METRIC_NAMES, target_name


class Section:
    """Draws and gathers what one experiment shows."""

    def __init__(self, inputs: ReportInputs, scenario: Scenario, dimension: str, folder: Path) -> None:
        """Draw into `folder`."""
        self.inputs, self.scenario, self.dimension, self.folder = inputs, scenario, dimension, folder
        self.name = experiment_name(scenario.name, dimension)
        self.file = self.name.replace("+", "-")
        self.key = case_key(scenario, dimension)
        self.about = f"{target_name(inputs.corpus, scenario.target, scenario.auxiliary)}, {dimension}"
        self.task = TASKS[inputs.corpus.task]
        self.over = "seeds and folds" if inputs.folds else "seeds"
        self.pictures: list[Picture] = []
        self.tables: list[Table] = []
        self.left_out: list[str] = []

    def context(self) -> dict[str, Any]:
        """Return what the template `section.html.jinja` shows."""
        inputs = self.inputs
        grid = of_case(inputs.grid, self.scenario, self.dimension)
        grid = grid[grid["postprocessed"] == inputs.postprocessed]
        if len(inputs.curves.get(self.name, ())):
            self._learning_curves(grid)
        self._settings(grid)
        if len(inputs.label_shares):
            self._labelled_speakers()
        if len(inputs.enrolment):
            self._enrolment()
        if self.name in inputs.traces:
            self._traces(inputs.traces[self.name])
        self._classes()
        if len(inputs.word_scores):
            rows = of_case(inputs.word_scores, self.scenario, self.dimension)
            if len(rows):
                self.tables.append(word_table(rows, self.key))
        self._uncertainty()
        if self.name in inputs.units:
            units = inputs.units[self.name]
            metric = OWN_SCORE[inputs.corpus.task]
            self.tables.append(speaker_table(units, metric, self.key))
            shown = [name for name in SYSTEMS if name in units.speakers]
            system = METHOD if METHOD in shown else shown[0]
            if (
                len(units.worst) > len(units.speakers) and not self.task.several
            ):  # else the table of speakers says it
                self.tables.append(worst_table(units, inputs.class_names, system, self.key))
        space = NO_SPACE
        if self.name in inputs.embeddings:
            embeddings = inputs.embeddings[self.name]
            space = space_section(inputs, embeddings, self.file, self.key, self.about, self.folder)
        return {
            "title": case_name(inputs, self.scenario, self.dimension),
            "key": self.key,
            "target": self.scenario.target,
            "others": self.scenario.others,
            "nothing": learnt_nothing(inputs, self.scenario.target, self.scenario.auxiliary, self.dimension),
            "all_used": any_marked(grid["system"]),
            "pictures": self.pictures,
            "tables": self.tables,
            "left_out": self.left_out,
        } | space

    def _add(self, figure: Any, name: str, alt: str, caption: str, panels: Any = ()) -> None:
        alt = f"{alt}, {self.about}"
        self.pictures.append(picture(figure, self.folder, f"{self.file}.{name}", alt, caption, panels))

    def _learning_curves(self, grid: pd.DataFrame) -> None:
        inputs = self.inputs
        own = of_case(inputs.fold_grid, self.scenario, self.dimension) if inputs.folds else grid
        points = own[(own["postprocessed"] == inputs.postprocessed) & (own["selected"] == 1)]
        points = points.sort_values(["system", "fold"], key=lambda names: names.map(_place))
        figure, panels = curve_figures.learning_curves(inputs.curves[self.name], points, inputs.metric)
        bands = [label(name) for name in curve_figures.BANDS if (points["system"] == name).any()]
        model = "model" if inputs.folds else "seed"
        banded = f"; bands, of {' and '.join(bands)} alone, from the lowest to the highest {model}"
        on_dev = ""
        if inputs.curves[self.name]["dev_loss"].notna().any():
            same = " (1 − CCC over all of dev)" if _one_ccc(inputs.corpus.learning) else ""
            on_dev = f" The loss on dev is the one that training makes small{same}."
        caption = (
            f"Learning curves of the selected points: mean over {self.over}{banded if bands else ''}. Raw "
            f"predictions.{on_dev}"
        )
        self._add(figure, "curves", "Learning curves", caption, panels)

    def _settings(self, grid: pd.DataFrame) -> None:
        metric = METRIC_NAMES[self.inputs.metric]
        interval = self._interval()
        try:
            maps = score_figures.setting_maps(grid, self.inputs.metric, interval)
        except NotDrawnError as reason:
            self.left_out.append(f"The map of scores over the settings is not drawn: {reason}.")
            return
        width = (
            "the interval of a difference"
            if not np.isnan(interval)
            else "four standard deviations over seeds"
        )
        several = grid.groupby("system")["setting"].nunique().gt(1).any()
        framed = (
            f" Framed: the point of each system that had several, {self._how_chosen()}." if several else ""
        )
        for settings, figure in maps.items():
            caption = (
                f"Mean {metric} over {self.over} on the grid of {settings}; one range of colours for both "
                f"panels, at least as wide as {width}.{framed}"
            )
            name = settings.replace(" ", "_")
            self._add(figure, name, f"{metric} over {settings}", caption)
        for settings, (figure, panels) in curve_figures.setting_curves(grid, self.inputs.metric).items():
            caption = (
                f"{metric} over each value of {settings}, the others as chosen: mean and standard deviation "
                f"over {self.over}. Filled: the point of the system, {self._how_chosen()}."
            )
            name = f"{settings.replace(' ', '_')}.curves"
            self._add(figure, name, f"{metric} over values of {settings}", caption, panels)

    def _labelled_speakers(self) -> None:
        inputs = self.inputs
        rows = of_case(headline(inputs, inputs.label_shares), self.scenario, self.dimension)
        rows = rows[(rows["partition"] == inputs.partition) & (rows["mean"].notna())]
        if rows.empty:
            return
        self.tables.append(label_table(rows, inputs.metric, self.key))
        if rows["speakers"].nunique() < 2:
            return  # further draws of one number are no curve
        figure, panels = label_curves(rows, inputs.metric)
        caption = (
            f"{METRIC_NAMES[inputs.metric]} on {inputs.partition} against the number of training speakers "
            "whose labels are seen; the recordings of the others are unlabelled data. Mean over draws of "
            f"speakers and over {self.over}; thick bars: standard deviation over draws, thin bars: over "
            "seeds. Each setting is chosen on dev, in each draw by itself; dev keeps all of its labels."
        )
        self._add(figure, "labels", "Scores against labelled speakers", caption, panels)

    def _enrolment(self) -> None:
        inputs = self.inputs
        rows = of_case(inputs.enrolment, self.scenario, self.dimension)
        rows = rows[(rows["partition"] == inputs.partition) & rows["value"].notna()]
        if rows.empty:
            return
        of_metric = {name: rows[rows["metric"] == name] for name in shown_metrics(rows, inputs.metric)}
        self.tables += [enrolment_table(own, name, self.key) for name, own in of_metric.items()]
        figure, panels = enrolment_curves(of_metric[inputs.metric], inputs.metric)
        caption = curve_caption(rows, inputs.metric, inputs.partition, self.over)
        self._add(figure, "enrolment", "Scores against enrolled recordings", caption, panels)

    def _interval(self) -> float:
        """Return how wide the widest interval of a difference is, NaN where there is none."""
        if self.inputs.significance.empty:
            return float("nan")
        rows = of_case(comparisons(self.inputs), self.scenario, self.dimension)
        return float((rows["high"] - rows["low"]).max()) if len(rows) else float("nan")

    def _how_chosen(self) -> str:
        if not settings_chosen(self.inputs):
            return "that of the smallest values, since there is no dev to choose on"
        return f"chosen on dev{', in any of the folds' if self.inputs.folds else ''}"

    def _traces(self, traces: pd.DataFrame) -> None:
        inputs = self.inputs
        systems = list(traces["system"].drop_duplicates())
        system = METHOD if METHOD in systems else systems[0]
        count = inputs.corpus.report.recordings
        try:
            chosen = trace_figures.chosen_recordings(traces, inputs.partition, system, count)
        except NotDrawnError as reason:
            self.left_out.append(f"The figure of predicted traces is not drawn: {reason}.")
            return
        delay = inputs.delay["seconds"]
        held = float(delay) if isinstance(delay, int | float) else 0.0
        figure, panels = trace_figures.traces_figure(traces, chosen, self.dimension, held)
        tested = (
            "test of all folds, each recording by the fold that tests it"
            if inputs.folds
            else inputs.partition
        )
        caption = (
            f"Prediction (mean over seeds) against gold standard on {tested}, from the recording with "
            f"the lowest to that with the highest CCC of {label(system)} post-processed (in brackets)."
        )
        if held:
            caption += (
                f" Shaded: the first {held:g} s, for which there are no features, since predictions are "
                "moved by the annotation delay; they hold the first value."
            )
        self._add(figure, "traces", "Predicted traces", caption, panels)

    def _classes(self) -> None:
        inputs = self.inputs
        counts = inputs.confusion.get(self.name, {})
        models = len(inputs.corpus.learning.seeds)
        for system, own in counts.items():
            figure = score_figures.confusion(own, inputs.class_names, label(system), models)
            caption = (
                f"{label(system)}: confusion on {inputs.partition}, share of each true class (all "
                f"{self.over}); below it how many, mean over seeds{', all folds' if inputs.folds else ''}."
            )
            self._add(figure, f"confusion.{system}", f"Confusion matrix, {label(system)}", caption)
        if counts:
            self.tables.append(class_table(counts, inputs.class_names, models, self.key))
        if len(inputs.class_scores):
            rows = of_case(inputs.class_scores, self.scenario, self.dimension)
            if len(rows):
                self.tables.append(class_scores_table(rows, inputs.class_names, self.key))

    def _uncertainty(self) -> None:
        """Add the tables of calibration or of intervals, and the reliability curve of what is exported."""
        inputs = self.inputs
        if inputs.uncertainty.empty:
            return
        rows = of_case(inputs.uncertainty, self.scenario, self.dimension)
        rows = rows[rows["n"] > 0]
        if rows.empty:
            self.left_out.append("Uncertainty is not tested: too little gold standard.")
            return
        if not self.task.classes:
            self.tables.append(coverage_table(rows, self.key))
            return
        if self.task.several:
            self.tables.append(set_calibration_table(rows, inputs.class_names, self.key))
        else:
            self.tables.append(calibration_table(rows, self.key))
        curves = of_case(inputs.reliability, self.scenario, self.dimension)
        systems = in_order(curves["system"])
        system = inputs.exported.get(self.name) or (METHOD if METHOD in systems else systems[0])
        figure, panels = score_figures.reliability_figure(
            curves[curves["system"] == system], system, self.task.several
        )
        whose = " The system that is exported as recogniser." if self.name in inputs.exported else ""
        right = (
            "how often a label is there by the probability it was given, all labels together, before and "
            "after their lines"
            if self.task.several
            else "how often the named class is right by the probability it was given, before and after the "
            "temperature"
        )
        caption = (
            f"Calibration of {label(system)} on {inputs.partition}, mean over seeds: {right} fitted on dev "
            f"(ten bins; larger points hold more). ECE: expected calibration error, the mean gap.{whose}"
        )
        self._add(figure, "calibration", "Calibration", caption, panels)


def _one_ccc(learning: Learning) -> bool:
    """Tell whether one CCC is the loss, so that on dev it says what the score does."""
    return learning.loss == "ccc" and learning.ccc == "batch"


def _place(value: str) -> tuple[int, str]:
    """Order systems as everywhere, and folds by number."""
    return (rank(value), "") if value in SYSTEMS else (len(value), value)
