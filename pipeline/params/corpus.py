"""One corpus of params.yaml: where it lies, what is predicted, and every stage's parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from pipeline.location import Location, RemotePath, as_location
from pipeline.params.groups import (
    Audformat,
    Audio,
    Evaluation,
    FeatureFiles,
    Grid,
    Group,
    Labels,
    Learning,
    Modality,
    Partitions,
    Postprocessing,
    Report,
    Source,
    Task,
    Video,
)
from pipeline.params.scenario import NAME, Scenario, modality_of, parse_scenario, source_of


def _parse_root(value: Any) -> Any:
    if isinstance(value, str) and value:
        return as_location(value)
    return value


class Corpus(Group):
    """One corpus: where it lies, what is predicted, and every stage's parameters."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    layout: Literal["avec2016", "omg", "table", "audformat", "mixed"]
    root: Annotated[Location, BeforeValidator(_parse_root)]
    task: Task
    dimensions: tuple[Literal["arousal", "valence", "emotion"], ...] = Field(min_length=1)
    scenarios: tuple[Annotated[Scenario, BeforeValidator(parse_scenario)], ...]
    extract: tuple[Modality, ...]
    features: dict[str, FeatureFiles]
    sources: dict[str, Source] = Field(default_factory=dict)
    audformat: Audformat | None = None
    partitions: Partitions
    grid: Grid
    audio: Audio
    video: Video
    labels: Labels
    learning: Learning
    postprocessing: Postprocessing
    evaluation: Evaluation
    report: Report

    @model_validator(mode="after")
    def _layout_fits_root(self) -> Self:
        if isinstance(self.root, RemotePath) and self.layout != "table":
            raise ValueError(
                f"root {self.root} is a URL, which layout table can read; layout {self.layout} needs a folder"
            )
        return self

    @model_validator(mode="after")
    def _audformat_fits(self) -> Self:
        if self.audformat is not None and self.layout != "audformat":
            raise ValueError(f"audformat is for layout audformat, found layout {self.layout}")
        return self

    @model_validator(mode="after")
    def _modalities_known(self) -> Self:
        if len(set(self.extract)) != len(self.extract):
            raise ValueError(f"extract {list(self.extract)} names a modality twice")
        for name in (*self.features, *self.sources):
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"the name '{name}' should be small letters, digits and _, beginning with a letter"
                )
        both = sorted(set(self.extract) & self.features.keys())
        if both:
            raise ValueError(
                f"{both[0]} is under extract and under features: give the table another name, or leave "
                f"{both[0]} out of extract"
            )
        for name in self.inputs:
            if modality_of(name) not in self.modalities:
                raise ValueError(
                    f"scenarios: '{modality_of(name)}' is neither under extract nor under features, "
                    f"expected one of {list(self.modalities)}"
                )
        return self

    @model_validator(mode="after")
    def _sources_fit(self) -> Self:
        if self.layout != "mixed":
            if self.sources:
                raise ValueError(f"sources are for layout mixed, found layout {self.layout}")
            if any(source_of(name) for name in self.inputs):
                raise ValueError("scenarios: a source (@) can be named in layout mixed only")
            return self
        if not self.sources or self.features:
            raise ValueError(
                "layout mixed needs `sources` (name: the corpus it takes recordings from) and `features: {}`"
            )
        if self.root != Path():
            raise ValueError(
                f"root of layout mixed is '.', found {self.root}; its sources have their own roots"
            )
        for name in self.inputs:
            if source_of(name) not in self.sources:
                raise ValueError(
                    f"scenarios: '{name}' names no source, expected {modality_of(name)}@ and one of "
                    f"{sorted(self.sources)}"
                )
        return self

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
        return tuple(dict.fromkeys(name for s in self.scenarios for name in (s.target, s.auxiliary)))

    @model_validator(mode="after")
    def _task_fits(self) -> Self:
        if self.task == "classification":
            if self.dimensions != ("emotion",):
                raise ValueError(
                    f"task classification predicts dimensions [emotion], found {list(self.dimensions)}"
                )
            if self.learning.loss != "cross_entropy":
                raise ValueError(
                    f"learning.loss is cross_entropy for task classification, found {self.learning.loss}"
                )
        else:
            if "emotion" in self.dimensions:
                raise ValueError("task regression predicts arousal and/or valence, found emotion")
            if self.learning.loss == "cross_entropy":
                raise ValueError("learning.loss is ccc or mse for task regression, found cross_entropy")
        if self.grid.utterances and self.task == "regression":
            raise ValueError("task regression needs grid.window and grid.hop in seconds, found null")
        if not self.grid.utterances and self.task == "classification":
            raise ValueError(
                "task classification needs grid.window and grid.hop null (one row per utterance)"
            )
        return self

    @model_validator(mode="after")
    def _audio_fits_grid(self) -> Self:
        # its configuration fixes `frameMode = full`: the core gives one row whatever the windows
        if self.audio.feature_set == "emobase" and self.audio.level == "functionals" and self.grid.window:
            raise ValueError(
                "audio.feature_set emobase has functionals of whole recordings only, and grid.window is "
                f"{self.grid.window} s; set audio.level to lld_statistics, or choose another feature set"
            )
        return self
