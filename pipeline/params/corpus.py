"""One corpus of params.yaml: where it lies, what is predicted, and every stage's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from pipeline.catalogue.layouts import LAYOUTS
from pipeline.location import Location, as_location
from pipeline.params.corpus_problems import (
    grid_problems,
    layout_problems,
    modality_problems,
    scaling_problems,
    source_problems,
    system_problems,
    task_problems,
    text_problems,
)
from pipeline.params.export import Export
from pipeline.params.features import Audio, FeatureFiles, Grid, Text, Video
from pipeline.params.group import Group, Problem, Task
from pipeline.params.label_draws import LabelDraw, label_draws
from pipeline.params.labelling import Audformat, Labels, Partitions, Source
from pipeline.params.learning import Learning
from pipeline.params.scenario import Scenario, parse_scenario
from pipeline.params.scoring import Evaluation, Postprocessing, Report
from pipeline.params.words import OneOf


def _parse_root(value: Any) -> Any:
    if isinstance(value, str) and value:
        return as_location(value)
    return value


class Corpus(Group):
    """One corpus: where it lies, what is predicted, and every stage's parameters."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    layout: Annotated[str, OneOf(LAYOUTS)]
    root: Annotated[Location, BeforeValidator(_parse_root)]
    media_folders: tuple[Path, ...] = ()
    task: Task
    dimensions: tuple[Literal["arousal", "valence", "emotion"], ...] = Field(min_length=1)
    scenarios: tuple[Annotated[Scenario, BeforeValidator(parse_scenario)], ...]
    extract: tuple[str, ...]
    features: dict[str, FeatureFiles]
    sources: dict[str, Source] = Field(default_factory=dict)
    audformat: Audformat | None = None
    partitions: Partitions
    grid: Grid
    audio: Audio
    video: Video
    text: Text = Text()
    labels: Labels
    learning: Learning
    postprocessing: Postprocessing
    evaluation: Evaluation
    report: Report
    export: Export = Export()

    def problems(self) -> Iterator[Problem]:
        """Give all that does not fit together in this corpus."""
        for folder in self.media_folders:
            if not folder.is_absolute():
                yield Problem("media_folders", f"found {folder}, expected the absolute path of a folder")
        yield from layout_problems(self)
        yield from modality_problems(self)
        yield from system_problems(self)
        yield from source_problems(self)
        yield from task_problems(self)
        yield from grid_problems(self)
        yield from text_problems(self)
        yield from scaling_problems(self)
        yield from self.export.problems_among(self.learning.systems)
        yield from self.evaluation.problems_among(self.learning.systems)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return the modalities that have a feature table: extracted ones, then those of `features`."""
        return (*self.extract, *self.features)

    @property
    def features_by_dimension(self) -> bool:
        """Say whether feature files differ by what is predicted, as those of AVEC 2016 do."""
        return self.layout == "avec2016"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return what scenarios name, each once: `audio`, or `audio@heard` in layout mixed."""
        return tuple(dict.fromkeys(name for s in self.scenarios for name in s.modalities))

    @property
    def label_draws(self) -> tuple[LabelDraw, ...]:
        """Return the draws of speakers whose labels are seen; the first is that of the result."""
        partitions = self.partitions
        return label_draws(partitions.label_shares, partitions.labelled_speakers, partitions.label_draws)

    @property
    def trained(self) -> tuple[str, ...]:
        """Return the names of what is trained of each scenario and dimension: every fold in every draw."""
        return tuple(draw.of_fold(fold) for fold in self.partitions.names for draw in self.label_draws)
