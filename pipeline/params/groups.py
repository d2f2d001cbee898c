"""The groups of params.yaml that stages track, as frozen, validated models.

Each group below is what one stage tracks in dvc.yaml; what a key means is said beside it in params.yaml.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Modality = Literal["audio", "video"]
Task = Literal["regression", "classification"]
MODALITIES: tuple[Modality, Modality] = ("audio", "video")
"""What is extracted from media."""


class Group(BaseModel):
    """Base of all parameter groups: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Statistic = Literal["mean", "std"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


def is_multiple(value: float, unit: float) -> bool:
    """Say whether `value` is a whole number of `unit`s, up to rounding of decimal fractions."""
    return math.isclose(value / unit, round(value / unit), abs_tol=1e-6)


class Grid(Group):
    """The grid of (start, end) shared by all modalities of a corpus.

    `window` and `hop` are seconds; both null: one row per utterance.
    """

    window: Positive | None
    hop: Positive | None

    @model_validator(mode="after")
    def _whole_hops(self) -> Self:
        if (self.window is None) != (self.hop is None):
            raise ValueError("window and hop are either both seconds or both null (one row per utterance)")
        if self.window is not None and self.hop is not None and not is_multiple(self.window / 2, self.hop):
            raise ValueError(
                f"half a window ({self.window / 2} s) must be a whole number of hops ({self.hop} s), "
                "so that every label time is the centre of a window"
            )
        return self

    @property
    def utterances(self) -> bool:
        """Say whether each recording is one utterance with one row."""
        return self.window is None


class FeatureFiles(Group):
    """A feature table that came with the corpus.

    `path` is relative to the corpus root. Without `statistics` a row belongs to its label time (or
    utterance); with them, rows are pooled over the windows of the grid.
    """

    path: str = Field(min_length=1)
    statistics: tuple[Statistic, ...]
    max_failed_share: Share

    @model_validator(mode="after")
    def _statistics_once(self) -> Self:
        if len(set(self.statistics)) != len(self.statistics):
            raise ValueError(f"statistics {list(self.statistics)} names one twice")
        return self


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
    """Who is in train, dev and test."""

    method: Literal["given", "speaker_disjoint", "cross_validation"]
    folds: int | None = Field(ge=3)
    seed: int

    @model_validator(mode="after")
    def _folds_fit(self) -> Self:
        if (self.method == "cross_validation") != (self.folds is not None):
            raise ValueError(
                "folds is a number of 3 or more for method cross_validation and null for the others, "
                f"found method {self.method} and folds {self.folds}"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the folds, `fold1` on; one empty name where there is no cross-validation."""
        return tuple(f"fold{number + 1}" for number in range(self.folds)) if self.folds else ("",)


class Audio(Group):
    """Waveform -> functionals, or statistics of low-level descriptors."""

    feature_set: Literal[
        "eGeMAPSv02", "eGeMAPSv01b", "eGeMAPSv01a", "GeMAPSv01b", "GeMAPSv01a", "ComParE_2016", "emobase"
    ]
    level: Literal["functionals", "lld_statistics"]
    sampling_rate_hz: int = Field(ge=8000, le=192_000)
    max_failed_share: Share


class Faces(Group):
    """Video -> one face per frame."""

    frame_rate_hz: Positive
    min_face: int = Field(ge=20, description="pixels")
    thresholds: tuple[Share, Share, Share]
    scale_factor: float = Field(gt=0.3, lt=1)
    min_probability: Share
    same_face_overlap: Share
    min_found_share: Share
    max_failed_share: Share


class Embedding(Group):
    """Face crops, or the detections' landmarks, -> vectors."""

    network: Literal["mtcnn_onet", "vgg_face", "landmarks"]
    activation: Literal["post_relu", "pre_relu"]
    weights: str | None
    margin: Share

    @model_validator(mode="after")
    def _weights_given(self) -> Self:
        if self.network == "vgg_face" and self.weights is None:
            raise ValueError("vgg_face needs `weights`: the path of a safetensors file (see docs/weights.md)")
        if self.network == "landmarks" and self.weights is not None:
            raise ValueError("network landmarks has no weights; set `weights` to null")
        return self


class Pooling(Group):
    """Frame vectors -> one vector per window or utterance."""

    statistics: tuple[Statistic, ...] = Field(min_length=1)
    no_face: Literal["hold", "interpolate", "zero"]


class Video(Group):
    """Video -> faces -> embeddings -> pooled rows."""

    faces: Faces
    embedding: Embedding
    pooling: Pooling


class Labels(Group):
    """Traces -> gold standard -> shifted labels and triplet classes (regression only)."""

    gold_standard: Literal["given", "raters"]
    annotation_delay: NotNegative | Literal["estimate"]
    max_delay: Positive
    triplet_classes: Literal["median", "sign", "tertiles"] | tuple[float, ...]


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


class Triplet(Group):
    """The crossmodal batch-hard triplet loss."""

    form: Literal["literal", "hinge", "softplus"]
    margin: NotNegative
    reduction: Literal["mean", "sum"]
    frames: int = Field(ge=2)


class Scaling(Group):
    """Input scaling, fitted on train."""

    method: Literal["standard", "rank_gauss"]
    speaker: Literal["none", "centre"]


class Subsequences(Group):
    """Sub-sequences of `length` every `hop`, in seconds."""

    length: Positive
    hop: Positive


class Learning(Group):
    """EmoBed training over the whole (alpha, beta) x seed grid."""

    network: Network
    optimiser: Optimiser
    loss: Literal["ccc", "mse", "cross_entropy"]
    triplet: Triplet
    scaling: Scaling
    sequences: Literal["whole"] | Subsequences
    alpha: tuple[NotNegative, ...] = Field(min_length=1)
    beta: tuple[NotNegative, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _classic_in_grid(self) -> Self:
        for name, values in (("alpha", self.alpha), ("beta", self.beta), ("seeds", self.seeds)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} {list(values)} names a value twice")
        if 0.0 not in self.alpha or 0.0 not in self.beta:
            raise ValueError("alpha and beta must both contain 0.0: (0, 0) is the classic system")
        return self


class Postprocessing(Group):
    """Chain fitted on dev: median filter, centring, scaling, time shift (regression only)."""

    median_windows: tuple[Positive, ...]
    centring: bool
    scaling: bool
    shifts: tuple[Positive, ...]


class Evaluation(Group):
    """Significance tests."""

    bootstrap_resamples: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    seed: int


class Report(Group):
    """What the report shows."""

    recordings: int = Field(ge=1)
    tsne_points: int = Field(ge=50)
    seed: int
