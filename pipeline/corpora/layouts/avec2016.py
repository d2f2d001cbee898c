"""RECOLA as distributed for AVEC 2016 -> recordings and traces of arousal and valence.

    recordings_audio/{train,dev,test}_N.wav    ratings_gold_standard/{arousal,valence}/*.arff
    recordings_video/{train,dev,test}_N.mp4    ratings_individual/{arousal,valence}/*.csv
    features_*/{arousal,valence}/{train,dev,test}_N.arff

Each speaker has one recording, so its name is the speaker's. Ratings of test are not distributed:
a recording without ratings has no traces. Features differ by dimension, since their windows do. Source:
Valstar et al., "AVEC 2016", doi 10.1145/2988257.2988258, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.corpora.feature_files import FeatureFile, file_names
from pipeline.corpora.interface import ANY, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Medium, Recording, parse_partition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.params import Corpus
    from pipeline.paths import Paths

MEDIA = {"audio": ("recordings_audio", ".wav"), "video": ("recordings_video", ".mp4")}
RATINGS = {"ratings_gold_standard": ".arff", "ratings_individual": ".csv"}
DIMENSIONS = ("arousal", "valence")
NAME = re.compile(r"(train|dev|test)_\d+")


def found(root: Path) -> bool:
    """Say whether `root` has one of the folders of this layout."""
    folders = [*(folder for folder, _ in MEDIA.values()), *RATINGS]
    return any((root / folder).is_dir() for folder in folders) or any(
        path.is_dir() for path in root.glob("features_*")
    )


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the recordings with a medium or a feature file on disk, of those that are wanted.

    Media that are not wanted are named too where they are there.
    """
    media: dict[str, dict[str, Medium]] = {}
    names = set()
    problems = []
    for modality, (folder, suffix) in MEDIA.items():
        for path in _files(root / folder, suffix):
            relative = path.relative_to(root)
            if NAME.fullmatch(path.stem):
                media.setdefault(path.stem, {})[modality] = Medium(relative)
                if modality in wanted.extract:
                    names.add(path.stem)
            else:
                problems.append(_misnamed(relative))
    for file in _feature_files(root, wanted.features):
        if NAME.fullmatch(file.recording):
            names.add(file.recording)
        else:
            problems.append(_misnamed(Path(file.file)))
    recordings = [
        Recording(name, parse_partition(name.split("_")[0], name), name, media.get(name, {}))
        for name in sorted(names)
    ]
    return Listing(recordings, problems=problems)


def list_features(root: Path, features: Mapping[str, str]) -> list[FeatureFile]:
    """List the feature files `<path>/<dimension>/<recording>.arff` of each entry.

    features: path of each entry, relative to `root`.
    """
    return sorted(file for file in _feature_files(root, features) if NAME.fullmatch(file.recording))


def _feature_files(root: Path, features: Mapping[str, str]) -> Iterator[FeatureFile]:
    for name, path in features.items():
        for dimension in DIMENSIONS:
            folder = f"{Path(path).as_posix()}/{dimension}"
            for file in file_names(root / folder, ".arff"):
                yield FeatureFile(name, dimension, Path(file).stem, f"{folder}/{file}")


def _misnamed(path: Path) -> Problem:
    expected = f"train_N, dev_N or test_N{path.suffix.lower()}"
    return Problem(path.stem, path.as_posix(), f"found the name '{path.name}', expected {expected}: left out")


def annotation_files(root: Path) -> list[Path]:
    """Return the gold-standard and individual rating files, sorted."""
    return [
        path
        for folder, suffix in RATINGS.items()
        for dimension in DIMENSIONS
        for path in _files(root / folder / dimension, suffix)
    ]


def read_traces(root: Path, recordings: Collection[str]) -> Annotations:
    """Read gold standard and individual ratings of the named recordings.

    A file that cannot be read whole is left out and listed with its line: half a trace would move
    the labels of a recording without anybody noticing.
    """
    import numpy as np

    from pipeline.corpora.layouts.avec2016_ratings import read_gold_standard, read_individual
    from pipeline.corpora.traces import trace_table

    names: list[tuple[str, str, str]] = []
    times: list[NDArray[np.float64]] = []
    values: list[NDArray[np.float64]] = []
    problems = []
    for path in annotation_files(root):
        recording, dimension, file = path.stem, path.parent.name, path.relative_to(root).as_posix()
        if recording not in recordings:
            reason = "ratings of a recording that is neither on disk nor in the manifest: left out"
            problems.append(Problem(recording, file, reason))
            continue
        try:
            raters, time, ratings = (
                read_gold_standard if path.suffix.lower() == ".arff" else read_individual
            )(path)
        except (ValueError, OSError) as error:
            problems.append(Problem(recording, file, str(error)))
            continue
        names += [(recording, dimension, rater) for rater in raters]
        times += [time] * len(raters)
        values += list(ratings)
    lengths = [len(time) for time in times]
    recording_column, dimension_column, rater_column = (
        np.repeat(np.array([name[part] for name in names], dtype=object), lengths) for part in range(3)
    )
    time_column, value_column = (np.concatenate(parts or [np.zeros(0)]) for parts in (times, values))
    traces = trace_table(recording_column, dimension_column, rater_column, time_column, value_column)
    return Annotations(traces, problems)


def _files(folder: Path, suffix: str) -> list[Path]:
    """Return the files with `suffix`, sorted, without hidden ones (`._train_1.wav` of macOS)."""
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() == suffix and not path.name.startswith(".")
    )


LAYOUT = CorpusLayout(
    obtain="RECOLA is given to researchers under a EULA: https://diuf.unifr.ch/main/diva/recola.",
    expected="the folders recordings_audio, recordings_video and ratings_gold_standard of AVEC 2016",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
    list_features=list_features,
    expected_features="the files arousal/<recording>.arff and valence/<recording>.arff of AVEC 2016",
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, which is the same for every corpus."""
    return LAYOUT
