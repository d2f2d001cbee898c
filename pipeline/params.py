"""params.yaml -> frozen, validated models; the only reader of that file.

Each group below is what one stage tracks in dvc.yaml; what a key means is said beside it in
params.yaml. A wrong value is reported as its YAML path, the value and what is allowed, before any
work starts.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.location import Location, RemotePath, as_location

Modality = Literal["audio", "video"]
Task = Literal["regression", "classification"]
MODALITIES: tuple[Modality, Modality] = ("audio", "video")


class ParamsError(ValueError):
    """Report a wrong params.yaml: YAML path, value found, what is allowed."""


class Group(BaseModel):
    """Base of all parameter groups: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


def is_multiple(value: float, unit: float) -> bool:
    """Say whether `value` is a whole number of `unit`s, up to rounding of decimal fractions."""
    return math.isclose(value / unit, round(value / unit), abs_tol=1e-6)


class Run(Group):
    """Which corpora `dvc repro` runs."""

    corpora: tuple[str, ...] = Field(min_length=1)


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

    statistics: tuple[Literal["mean", "std"], ...] = Field(min_length=1)
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


class Scenario(Group):
    """A target modality, used at inference, and an auxiliary one, used in training only."""

    target: Modality
    auxiliary: Modality

    @property
    def name(self) -> str:
        """Return `target+auxiliary`."""
        return f"{self.target}+{self.auxiliary}"


def _parse_scenario(value: Any) -> Any:
    if isinstance(value, str):
        target, _, auxiliary = value.partition("+")
        if target not in MODALITIES or auxiliary not in MODALITIES or target == auxiliary:
            raise ValueError("expected audio+video or video+audio (target+auxiliary)")
        return {"target": target, "auxiliary": auxiliary}
    return value


def _parse_root(value: Any) -> Any:
    if isinstance(value, str) and value:
        return as_location(value)
    return value


class Corpus(Group):
    """One corpus: where it lies, what is predicted, and every stage's parameters."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    layout: Literal["avec2016", "omg", "table"]
    root: Annotated[Location, BeforeValidator(_parse_root)]
    task: Task
    dimensions: tuple[Literal["arousal", "valence", "emotion"], ...] = Field(min_length=1)
    scenarios: tuple[Annotated[Scenario, BeforeValidator(_parse_scenario)], ...]
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


class DemoSessions(Group):
    """Rendering of demo_sessions: RECOLA's layout for AVEC 2016."""

    train: int = Field(ge=1)
    dev: int = Field(ge=1)
    test: int = Field(ge=1)
    duration: float = Field(ge=10)
    frame_rate_hz: Positive


class DemoClips(Group):
    """Rendering of demo_clips: OMG-Emotion's layout."""

    train: int = Field(ge=1)
    dev: int = Field(ge=1)
    test: int = Field(ge=1)
    utterances: int = Field(ge=7)
    duration: float = Field(ge=1)
    frame_rate_hz: Positive


class Demo(Group):
    """The demo corpora; numbers of train, dev and test are speakers."""

    seed: int
    reaction_lag: float = Field(ge=0, le=5)
    demo_sessions: DemoSessions
    demo_clips: DemoClips


class Runtime(Group):
    """What cannot change a result; no stage tracks it."""

    workers: int = Field(ge=1)
    device: Literal["auto", "cpu", "cuda"]
    models_at_once: int = Field(ge=1)
    store: Path
    backend: Literal["local", "dask"] = "local"
    scheduler: str | None = None

    @property
    def cluster(self) -> str | None:
        """Return where tasks go: a Dask scheduler's address, or None for processes on this machine.

        Raises:
            ParamsError: backend dask, and no scheduler is named.
        """
        if self.backend == "local":
            return None
        address = self.scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS")
        if not address:
            raise ParamsError(
                "runtime.scheduler: null, and DASK_SCHEDULER_ADDRESS is not set; backend dask needs one of "
                "them, for example tcp://host:8786 (docs/cluster.md)"
            )
        return address


class Params(Group):
    """The whole of params.yaml."""

    run: Run
    corpora: dict[str, Corpus]
    demo: Demo
    runtime: Runtime

    def corpus(self, name: str) -> Corpus:
        """Return the parameters of corpus `name`.

        Raises:
            ParamsError: no such corpus under `corpora`.
        """
        if name not in self.corpora:
            raise ParamsError(
                f"run.corpora: '{name}' is not under corpora; expected one of {sorted(self.corpora)}"
            )
        return self.corpora[name]


def load_params(path: Path) -> Params:
    """Read and validate params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or a value is not allowed; one line per
            wrong value with its YAML path.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path}: no such file; run from the root of the repository") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not valid YAML: {error}") from None
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise ParamsError(f"{path}: " + "; ".join(_sentence(item) for item in error.errors())) from None
    for name in params.run.corpora:
        params.corpus(name)
    return params


def _sentence(error: Any) -> str:
    """Turn one pydantic error into `yaml.path: what is wrong, found <value>`."""
    where = ".".join(str(part) for part in error["loc"]) or "(top level)"
    found = error["input"]
    shown = "" if isinstance(found, dict) or error["type"] == "missing" else f", found {found!r}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}{shown}"
