"""CMU-MOSEI by the CMU multimodal SDK -> segments of videos with any number of six emotions.

    CMU_MOSEI_Labels.csd (or All Labels.csd, or the same as CMU_MOSEI_Labels.csv)
    cmu_mosei_std_folds.py                      the SDK's lists of videos in train, valid, test
    CMU_MOSEI_COVAREP.csd, ...                  features, named under `features` of params.yaml

A recording is a segment, called `<video>[<index>]` as in the SDK; nothing says who speaks, and videos are
monologues, so a video is a speaker. An intensity above 0 is a label, and 0 in all of them says that a segment
has none; one with intensities that are no numbers has no labels. Media are not read. Source: Zadeh et al.,
ACL 2018, aclanthology.org/P18-1208.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.corpora.interface import ANY, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.mosei_files import (
    EMOTIONS,
    FOLDS,
    LABELS,
    labels_file,
    partitions,
    segments,
)
from pipeline.corpora.problems import Expected, NoLabel, Problem
from pipeline.corpora.recording import Recording
from pipeline.names import refusal
from pipeline.params import Corpus
from pipeline.paths import Paths

IN_NO_FOLD = 0.1
"""Largest share of the videos in none of the SDK's lists that is no sign of lists of something else."""


def found(root: Path) -> bool:
    """Say whether `root` has the labels."""
    return root.is_dir() and labels_file(root) is not None


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the segments; those of videos that are in no fold are left out and counted.

    Raises:
        ValueError: the labels or the folds are not what they should be, or the folds are needed and not
        there.
    """
    of_video = partitions(root)
    if not of_video and wanted.partitions_given:
        raise ValueError(
            f"{root}: found no {FOLDS}, which says who is in train, dev and test; it is in the CMU SDK "
            "(mmsdk/mmdatasdk/dataset/standard_datasets/CMU_MOSEI); or set partitions.method to "
            "cross_validation"
        )
    recordings, problems = [], []
    nowhere: Counter[str] = Counter()
    rows = segments(root)
    for own in rows:
        if refused := refusal(own.name):
            problems.append(Problem("", LABELS[0], f"{refused} in the name of a segment: left out"))
        elif of_video and own.video not in of_video and wanted.partitions_given:
            nowhere[own.video] += 1
        else:
            recordings.append(Recording(own.name, of_video.get(own.video, "train"), own.video, {}))
    if nowhere:
        videos = {own.video for own in rows}
        # the lists are of another release than the labels: a few videos are in none
        kind = Expected if len(nowhere) <= IN_NO_FOLD * len(videos) else Problem
        problems.append(
            kind(
                "",
                FOLDS,
                f"segments of videos that are in no fold: {sum(nowhere.values())}, of {len(nowhere)} of "
                f"{len(videos)} videos: left out",
            )
        )
    return Listing(sorted(recordings, key=lambda item: item.recording), problems=problems)


def annotation_files(root: Path) -> list[Path]:
    """Return the labels and, if it is there, the file of the folds."""
    return [path for path in (labels_file(root), root / FOLDS) if path is not None and path.is_file()]


def read_traces(root: Path, recordings: Collection[str]) -> Annotations:
    """Read the sets of labels of the named segments.

    Raises:
        ValueError: the labels are not what they should be.
    """
    from pipeline.corpora.label_sets import codes_of
    from pipeline.corpora.traces import trace_table

    chosen = [own for own in segments(root) if own.name in recordings]
    known = [own for own in chosen if all(map(math.isfinite, own.intensities))]
    none = {own.name for own in chosen} - {own.name for own in known}
    members = [[value > 0 for value in own.intensities] for own in known]
    count = len(known)
    traces = trace_table(
        [own.name for own in known], ["emotion"] * count, [GOLD] * count, [0.0] * count,
        codes_of(members) if members else [],
    )  # fmt: skip
    problems: list[Problem] = []
    if none:
        problems.append(
            NoLabel("", "", f"no label of emotion where intensities are no numbers ({len(none)})")
        )
    return Annotations(traces, problems, EMOTIONS, no_label=frozenset((name, "emotion") for name in none))


LAYOUT = CorpusLayout(
    obtain="CMU-MOSEI comes by the CMU multimodal SDK; docs/corpora.md says how it lies on disk.",
    expected=f"one of {', '.join(LABELS)} of the CMU multimodal SDK",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
    several=True,
    expected_features="a .csd file of the CMU multimodal SDK, or a .csv or .parquet table",
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout."""
    return LAYOUT
