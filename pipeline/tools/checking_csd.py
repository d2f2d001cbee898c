"""A `.csd` file of the CMU SDK -> what is wrong with its segments, before `read_features` reads it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

from pipeline.corpora.csd import CsdError
from pipeline.corpora.feature_files import FeatureFile
from pipeline.corpora.layouts.mosei_files import segments
from pipeline.corpora.problems import Problem
from pipeline.corpora.text_table import without_path
from pipeline.features.imported.csd_features import infinite_sentence, read_segments
from pipeline.location import Location
from pipeline.params import Corpus


def check_csd(
    corpus: Corpus, name: str, files: Sequence[FeatureFile], root: Location, recordings: Set[str]
) -> tuple[list[Problem], list[str]]:
    """Read the segments of an entry of `features` as the stage does, and keep nothing.

    files: of this entry. root: of the corpus. recordings: segments of the corpus.
    Returns problems, and notes on what is read otherwise than it stands there.
    """
    if len(files) != 1:
        return [
            Problem("", corpus.features[name].path, f"found {len(files)} files, expected one .csd file")
        ], []
    file = files[0].file
    path = Path(str(root / file))
    wanted = {own.name: own for own in segments(Path(str(root))) if own.name in recordings}
    try:
        said = read_segments(path, corpus.features[name], corpus.grid, wanted)
    except CsdError as error:
        return [Problem("", file, without_path(str(error), root / file))], []
    if wanted and len(said["failed"]) == len(wanted):
        reason = without_path(next(iter(said["failed"].values())), root / file)
        return [Problem("", file, f"has rows of no recording of the corpus, such as: {reason}")], []
    problems = [
        Problem(one, file, without_path(reason, root / file)) for one, reason in said["failed"].items()
    ]
    infinite = infinite_sentence(said)
    return problems, [f"{file}: {infinite}"] if infinite else []
