"""One corpus of params.yaml: where it lies, what is predicted, and every stage's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from pipeline.catalogue.layouts import LAYOUTS, WITH_GROUPS, WITH_SEVERAL
from pipeline.catalogue.systems import not_learning, too_many
from pipeline.catalogue.tasks import TASKS
from pipeline.location import Location, RemotePath, as_location
from pipeline.params.export import Export
from pipeline.params.features import MODALITIES, Audio, FeatureFiles, Grid, Text, Video
from pipeline.params.group import Group, Problem, Task, is_multiple, named_twice
from pipeline.params.label_draws import LabelDraw, label_draws
from pipeline.params.labelling import Audformat, Labels, Partitions, Source
from pipeline.params.learning import Learning
from pipeline.params.scenario import NAME, Scenario, modality_of, parse_scenario, source_of
from pipeline.params.scoring import Evaluation, Postprocessing, Report
from pipeline.params.sentences import did_you_mean
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
        yield from self._layout_problems()
        yield from self._modality_problems()
        yield from self._system_problems()
        yield from self._source_problems()
        yield from self._task_problems()
        yield from self._grid_problems()
        yield from self._text_problems()
        yield from self._scaling_problems()
        yield from self.export.problems_among(self.learning.systems)

    def _layout_problems(self) -> Iterator[Problem]:
        if isinstance(self.root, RemotePath) and self.layout != "table":
            yield Problem(
                "root",
                f"{self.root} is a URL, which layout table can read; layout {self.layout} needs a folder",
            )
        if self.audformat is not None and self.layout != "audformat":
            yield Problem("audformat", f"is for layout audformat, found layout {self.layout}")
        if self.evaluation.groups and self.layout not in WITH_GROUPS:
            yield Problem(
                "evaluation.groups",
                f"found {list(self.evaluation.groups)}, expected []: layout {self.layout} knows no "
                f"groups of recordings (layouts {', '.join(WITH_GROUPS)} do)",
            )
        if self.layout == "mixed" and self.root != Path():
            yield Problem(
                "root", f"of layout mixed is '.', found {self.root}; its sources have their own roots"
            )

    def _modality_problems(self) -> Iterator[Problem]:
        names = {"dimensions": self.dimensions, "extract": self.extract}
        for key, values in (*names.items(), ("scenarios", [s.name for s in self.scenarios])):
            if sentence := named_twice(values):
                yield Problem(key, sentence)
        for key, group in (("features", self.features), ("sources", self.sources)):
            for name in group:
                if not NAME.fullmatch(name):
                    yield Problem(
                        key,
                        f"the name '{name}' should be small letters, digits and _, beginning with a letter",
                    )
        for name in sorted(set(self.extract) & self.features.keys()):
            yield Problem(
                "features",
                f"{name} is under extract and under features: give the table another name, or leave "
                f"{name} out of extract",
            )
        for name in self.extract:
            if name not in MODALITIES:
                yield Problem(
                    "extract",
                    f"'{name}' has no extractor, expected some of {list(MODALITIES)}"
                    f"{did_you_mean(name, MODALITIES)}; tables of features go under features",
                )
        for name in dict.fromkeys(map(modality_of, self.inputs)):
            if name not in self.modalities:
                yield Problem(
                    "scenarios",
                    f"'{name}' is neither under extract nor under features, "
                    f"expected one of {list(self.modalities)}{did_you_mean(name, self.modalities)}",
                )

    def _system_problems(self) -> Iterator[Problem]:
        """Refuse scenarios of more modalities than a system that is asked for can learn from."""
        for scenario in self.scenarios:
            count = len(scenario.modalities)
            if names := too_many(self.learning.systems, count):
                yield Problem(
                    "scenarios",
                    f"{scenario.name} has {count} modalities, and {', '.join(names)} under learning.systems "
                    "can learn from 2: leave them out there, or name two modalities here",
                )

        several = self.learning.several
        if several and not TASKS[self.task].classes and len(self.dimensions) < 2:
            yield Problem(
                "learning.systems",
                f"{', '.join(several)} learns the other dimension too, expected both arousal and valence "
                f"under dimensions, found {list(self.dimensions)}",
            )

        if names := not_learning(self.learning.systems, self.task):
            yield Problem(
                "learning.systems",
                f"{', '.join(names)} cannot learn task {self.task}: leave them out",
            )
        if self.learning.triplet.distance == "label" and self.task == "multilabel":
            yield Problem(
                "learning.triplet.distance",
                "found label, expected class for task multilabel: votes are for one",
            )
        if self.learning.matched.unpaired == "other_class" and self.task != "classification":
            yield Problem(
                "learning.matched.unpaired",
                f"found other_class, expected other_batch for task {self.task}: it has no one class",
            )

    def _source_problems(self) -> Iterator[Problem]:
        if self.layout != "mixed":
            if self.sources:
                yield Problem("sources", f"are for layout mixed, found layout {self.layout}")
            if any(source_of(name) for name in self.inputs):
                yield Problem("scenarios", "a source (@) can be named in layout mixed only")
            return
        if not self.sources or self.features:
            yield Problem(
                "",
                "layout mixed needs `sources` (name: the corpus it takes recordings from) and `features: {}`",
            )
            return
        for name in self.inputs:
            if source_of(name) not in self.sources:
                yield Problem(
                    "scenarios",
                    f"'{name}' names no source, expected {modality_of(name)}@ and one of "
                    f"{sorted(self.sources)}",
                )

    def _task_problems(self) -> Iterator[Problem]:
        loss, task = self.learning.loss, TASKS[self.task]
        if loss not in task.losses:
            yield Problem(
                "learning.loss", f"found {loss}, expected {' or '.join(task.losses)} for task {task.name}"
            )
        if task.several and self.layout not in WITH_SEVERAL:
            yield Problem(
                "task",
                f"found {task.name}, expected another: layout {self.layout} knows one label per utterance "
                f"(layouts {', '.join(WITH_SEVERAL)} know several)",
            )
        if self.layout == "cmu_mosei" and not task.several:
            yield Problem("task", f"found {task.name}, expected multilabel for layout cmu_mosei")
        if not task.classes:
            if "emotion" in self.dimensions:
                yield Problem("dimensions", "task regression predicts arousal and/or valence, found emotion")
            return
        if self.dimensions != ("emotion",):
            yield Problem("dimensions", f"task {task.name} predicts [emotion], found {list(self.dimensions)}")
        if self.labels.gold_standard != "given":
            yield Problem(
                "labels.gold_standard",
                f"found raters, expected given for task {task.name}: classes are not weighted by CCC",
            )

    def _grid_problems(self) -> Iterator[Problem]:
        hop = self.grid.hop
        classes = TASKS[self.task].classes
        if self.grid.utterances and not classes:
            yield Problem("grid", f"task {self.task} needs window and hop in seconds, found null")
        if not self.grid.utterances and classes:
            yield Problem("grid", f"task {self.task} needs window and hop null (one row per utterance)")
        pooled = [*self.extract, *(name for name, files in self.features.items() if files.statistics)]
        if self.grid.window is None and hop is not None and pooled:
            yield Problem(
                "grid",
                f"found window null and hop {hop:g}, expected both in seconds or both null (one row per "
                f"utterance): {pooled[0]} is pooled over windows; tables without statistics need none",
            )
        # its configuration fixes `frameMode = full`: the core gives one row whatever the windows
        audio = self.audio
        whole = audio.network == "opensmile" and audio.feature_set == "emobase"
        if whole and audio.level == "functionals" and self.grid.window:
            yield Problem(
                "audio.feature_set",
                "emobase has functionals of whole recordings only, and grid.window is "
                f"{self.grid.window} s; set audio.level to lld_statistics, or choose another feature set",
            )
        if hop is None or classes:
            return
        for window in self.postprocessing.median_windows:
            if window < hop:
                yield Problem(
                    "postprocessing.median_windows",
                    f"found {window:g} s, expected a hop ({hop:g} s) or more: a median over one value "
                    "changes nothing",
                )
        for shift in self.postprocessing.shifts:
            if not is_multiple(shift, hop):
                yield Problem(
                    "postprocessing.shifts",
                    f"found {shift:g} s, expected whole hops of {hop:g} s: a trace is moved by whole rows",
                )
        sequences = self.learning.sequences
        if not isinstance(sequences, str):
            for key, seconds in (("length", sequences.length), ("hop", sequences.hop)):
                if seconds < hop:
                    yield Problem(
                        f"learning.sequences.{key}",
                        f"found {seconds:g} s, expected a hop of the grid ({hop:g} s) or more",
                    )
            if self.learning.loss == "ccc" and self.learning.ccc == "sequence" and sequences.length < 2 * hop:
                yield Problem(
                    "learning.ccc",
                    f"found sequence with sub-sequences of {sequences.length:g} s, one frame each: a CCC "
                    f"needs two; set learning.sequences.length to {2 * hop:g} or more, or ccc to batch",
                )

    def _text_problems(self) -> Iterator[Problem]:
        if "text" not in self.extract:
            return
        if self.text.file is None:
            yield Problem(
                "text.file",
                "found null, expected the path of a file of word vectors, or of the wheel of the package "
                "wordllama, since text is under extract (docs/own-corpus.md)",
            )
        if not self.grid.utterances:
            yield Problem(
                "extract",
                "names text, whose transcripts have no times: expected window and hop null (one row per "
                "utterance) in grid, or no text",
            )

    def _scaling_problems(self) -> Iterator[Problem]:
        method = self.learning.scaling.method
        if isinstance(method, str):
            return
        for name in method:
            if name not in self.modalities:
                yield Problem(
                    f"learning.scaling.method.{name}",
                    f"'{name}' is neither under extract nor under features, expected one of "
                    f"{list(self.modalities)}{did_you_mean(name, self.modalities)}",
                )
        for name in dict.fromkeys(map(modality_of, self.inputs)):
            if name in self.modalities and name not in method:
                yield Problem(
                    "learning.scaling.method",
                    f"found {dict(method)}, expected a method for '{name}' too, which scenarios name",
                )

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
