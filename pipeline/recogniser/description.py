"""recogniser.json as one model: everything that a recogniser knows of itself.

What is read may come from anybody: unknown keys, numbers that are none, and names of files that would lead
out of the folder are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus, Task
from pipeline.params.group import Group, Problem

FORMAT = 1
"""Raised when a program that knows the earlier format could not read a folder."""
DESCRIPTION, WEIGHTS, CARD, NETWORKS = "recogniser.json", "weights.safetensors", "MODEL_CARD.md", "networks"
"""What a folder consists of."""
NOT_NEEDED = {"root", "media_folders", "audformat", "evaluation", "report", "export"}
"""Groups of a corpus that say nothing of how a recording is predicted, or where it lay."""
IN_THEIR_PLACE = {
    "root": ".",
    "evaluation": {"confidence": 0.95, "seed": 0},
    "report": {"recordings": 1, "tsne_points": 50, "seed": 0},
}
LARGEST = 1e9
"""Of what is added to a prediction or multiplied with it: no scale of labels is so large."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^(networks/)?[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}$")]
NetworkName = Annotated[str, Field(pattern=r"^networks/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}$")]
Word = Annotated[str, Field(min_length=1, max_length=500)]


class File(Group):
    """A file of the folder: its sha256 and its length in bytes."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class NetworkFile(Group):
    """A file that features need and that no package brings.

    key: the parameter of the corpus that names it, `video.embedding.weights`. name: below `networks`, where
    it is, or is looked for. sha256: what the features depend on, as extractors compute it. included: whether
    it came with the folder.
    """

    key: Word
    name: NetworkName
    sha256: Sha256
    included: bool


class FittedChain(Group):
    """Post-processing of one seed, as fitted on dev.

    median: frames of the filter, 1 for none. shift: frames, 0 for none. gain, offset: centring and scaling as
    `gain * p + offset`.
    """

    median: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    shift: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    gain: Annotated[float, Field(ge=-LARGEST, le=LARGEST)] = 1.0
    offset: Annotated[float, Field(ge=-LARGEST, le=LARGEST)] = 0.0


Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]


class Calibration(Group):
    """What makes probabilities or intervals of the mean over seeds, fitted on dev.

    temperature: of class probabilities (`pipeline.learning.temperature`). lines: slope and offset of each
    class, where an utterance may have several (`pipeline.scoring.platt`). reach: of an interval to either
    side of a value (`pipeline.scoring.conformal`), which is to hold the gold standard in `coverage` frames.
    null: not of this task, or dev has too little gold standard for a reach. rule: how it was found. dev: how
    many `unit` (utterance, recording, speaker) with gold standard it was fitted on.
    """

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    lines: tuple[tuple[Number, Number], ...] | None = None
    reach: Annotated[float, Field(ge=0, le=LARGEST)] | None = None
    coverage: Annotated[float, Field(gt=0, lt=1)] | None = None
    rule: Literal["likelihood", "conformal", "widened", "none"]
    dev: Annotated[int, Field(ge=0)]
    unit: Word


class Domain(Group):
    """How much of dev's recordings lies beyond what train's features usually are (`pipeline.scoring.domain`).

    recordings: of dev. median, largest: share of their values beyond the percentiles of train. limit: beyond
    it a recording is called out of domain; alarms: how often one like those of dev would be. null: dev has
    none. The percentiles are among the weights.
    """

    recordings: Annotated[int, Field(ge=0)]
    median: Annotated[float, Field(ge=0, le=1)] | None
    largest: Annotated[float, Field(ge=0, le=1)] | None
    limit: Annotated[float, Field(ge=0, le=1)] | None
    alarms: Annotated[float, Field(ge=0, le=1)]


class Description(Group):
    """What recogniser.json says.

    name: of the experiment, `audio+video.arousal` or `audio+video.arousal.fold1`. versions: of EmoBed, of
    Python and of the packages that predictions depend on, when it was exported. scenario: the modalities that
    it learnt from, the target first. needed: those that a prediction takes. classes: by code; none for
    regression. seeds: of the networks whose predictions are averaged. chosen: how the system was chosen, in a
    sentence. parameters: of the corpus, without what says where it lay. extraction: by modality, by table or
    stage, what the features of training depended on besides the media. chains: post-processing of each seed;
    null: none. thresholds: of each class, above which it is predicted, where there may be several.
    calibration, domain: of probabilities and intervals, and what features train saw; null where not known.
    label_range: the lowest and the highest label that a trace was learnt from; null: classes, or not known.
    manifest: sha256 of the list of recordings that it learnt from. networks: files that features need. files:
    every other file of the folder. sha256: of all of this.
    """

    format: Literal[1]
    name: Word
    versions: dict[str, str]
    corpus: Word
    scenario: Word
    fold: str
    dimension: Word
    task: Task
    classes: tuple[Word, ...]
    system: Word
    setting: str
    seeds: Annotated[tuple[int, ...], Field(min_length=1, max_length=1000)]
    needed: Annotated[tuple[Word, ...], Field(min_length=1)]
    chosen: str
    parameters: dict[str, Any]
    extraction: dict[str, dict[str, dict[str, Any]]]
    chains: tuple[FittedChain, ...] | None
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] | None = None
    calibration: Calibration | None = None
    domain: Domain | None = None
    label_range: tuple[Number, Number] | None = None
    manifest: Sha256
    networks: tuple[NetworkFile, ...] = ()
    files: dict[FileName, File]
    sha256: Sha256

    def problems(self) -> Iterator[Problem]:
        """Refuse post-processing of other seeds than those of the networks, and labels from high to low."""
        if self.label_range is not None and self.label_range[0] > self.label_range[1]:
            yield Problem("label_range", f"found {list(self.label_range)}, expected the lowest label first")
        if self.chains is not None and len(self.chains) != len(self.seeds):
            yield Problem(
                "chains", f"found {len(self.chains)}, expected one for each of {len(self.seeds)} seeds"
            )

    @property
    def calibrated_thresholds(self) -> tuple[float, ...] | None:
        """Return the calibrated probability above which each class is named; None: an utterance has one."""
        if not TASKS[self.task].several:
            return None
        # imported here: who lists recognisers waits for no library that computes
        import numpy as np

        from pipeline.learning.prediction_file import THRESHOLD
        from pipeline.scoring.platt import on_lines

        own = self.thresholds or (THRESHOLD,) * len(self.classes)
        lines = None if self.calibration is None else self.calibration.lines
        return own if lines is None else tuple(on_lines(np.array(own), lines).tolist())

    @cached_property
    def made_corpus(self) -> Corpus:
        """Return the parameters as a corpus; what is not kept is filled with values that nothing reads.

        Raises:
            ValidationError: they are not those of a corpus.
        """
        return Corpus.model_validate({**IN_THEIR_PLACE, **self.parameters})


def kept_parameters(corpus: Corpus) -> dict[str, Any]:
    """Return the parameters of a corpus that a recogniser needs, as JSON has them."""
    return corpus.model_dump(mode="json", exclude=NOT_NEEDED)


def own_sha256(about: Mapping[str, Any]) -> str:
    """Return the sha256 of a description as JSON has it, without its own hash."""
    rest = {key: value for key, value in about.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
