"""The one table of tasks: what is predicted of a recording, by which loss learned, by which score chosen.

A task is traces (a number for every label time), one class per utterance, or any number of labels per
utterance. What is computed of predictions is in `pipeline.scoring.task_scores`, by the same names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskEntry:
    """One task.

    classes: predicts classes of utterances; else a number for each label time. several: an utterance may have
    any number of the classes, none of them included. losses: of `learning.loss`. headline: the score by which
    settings are chosen and systems compared, a metric of the task. shown: what it is called, short. rows:
    what is scored, in the plural. finished: whether a later step than training (post-processing, thresholds)
    makes the result.
    """

    name: str
    classes: bool
    several: bool
    losses: tuple[str, ...]
    headline: str
    shown: str
    rows: str
    finished: bool


TASKS = {
    entry.name: entry
    for entry in (
        TaskEntry("regression", False, False, ("ccc", "mse"), "ccc", "CCC", "frames", True),
        TaskEntry(
            "classification", True, False, ("cross_entropy",), "f1_macro_pr", "F1", "utterances", False
        ),
        TaskEntry("multilabel", True, True, ("binary_cross_entropy",), "wacc", "WAcc", "utterances", False),
    )
}
