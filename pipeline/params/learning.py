"""Groups of params.yaml about learning: what is trained, and how; `systems` has each system's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.catalogue.systems import BY_WORDS, DEFAULT, SYSTEMS, alone, learning_several
from pipeline.params.emotion_words import EmotionWords
from pipeline.params.group import Group, NotNegative, Positive, Problem, Seed, named_twice
from pipeline.params.sentences import did_you_mean
from pipeline.params.systems import (
    Classic,
    LateFusion,
    Matched,
    MultiTask,
    RandomForest,
    SupportVectors,
    Taught,
)

ScalingMethod = Literal["standard", "rank_gauss"]
CccOver = Literal["batch", "sequence"]


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
    """The crossmodal batch-hard triplet loss.

    distance: by what pairs are positive or negative, their class or what their raters saw (`label`).
    """

    form: Literal["literal", "hinge", "softplus"]
    margin: NotNegative
    reduction: Literal["mean", "sum"]
    frames: int = Field(ge=2)
    distance: Literal["class", "label"] = "class"


class Scaling(Group):
    """Input scaling, fitted on train; `method` for all modalities, or one for each by its name.

    enrolment: how many recordings of a speaker scale each of train; of dev and test always all. clip: the
    largest magnitude of a scaled value, standard deviations; None: any.
    """

    method: ScalingMethod | dict[str, ScalingMethod]
    speaker: Literal["none", "centre", "standardise"]
    enrolment: Literal["all", "varied"] = "all"
    clip: Positive | None = None

    def method_of(self, modality: str) -> ScalingMethod:
        """Return the method of a modality, which, if there are several, is one of those named."""
        return self.method if isinstance(self.method, str) else self.method[modality]


class Subsequences(Group):
    """Sub-sequences of `length` every `hop`, in seconds."""

    length: Positive
    hop: Positive


class Learning(Group):
    """What is trained: which systems, and the parameters that they share or that are their own."""

    network: Network
    optimiser: Optimiser
    loss: Literal["ccc", "mse", "cross_entropy", "binary_cross_entropy"]
    ccc: CccOver = "batch"
    threshold: Literal["dev"] | Annotated[float, Field(gt=0, lt=1)] = 0.5
    triplet: Triplet
    scaling: Scaling
    sequences: Literal["whole"] | Subsequences
    alpha: tuple[NotNegative, ...] = Field(min_length=1)
    beta: tuple[NotNegative, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(min_length=1)
    systems: tuple[str, ...] = Field(default=DEFAULT, min_length=1)
    classic: Classic = Classic()
    random_forest: RandomForest = RandomForest()
    support_vectors: SupportVectors = SupportVectors()
    multi_task: MultiTask = MultiTask()
    late_fusion: LateFusion = LateFusion()
    taught: Taught = Taught()
    emotion_words: EmotionWords = EmotionWords()
    matched: Matched = Matched()

    def said(self, keys: set[str]) -> dict[str, Any]:
        """Return some keys as units of the store depend on them.

        What once was no choice is left out at its default: units that were made without it stay valid.
        """
        used = self.model_dump(mode="json", include=keys if self.ccc == "batch" else keys | {"ccc"})
        if self.scaling.clip is None and "scaling" in keys:
            del used["scaling"]["clip"]
        return used

    @property
    def several(self) -> list[str]:
        """Return the systems asked for that learn a second dimension besides what they predict."""
        return learning_several(self.systems)

    @property
    def by_votes(self) -> bool:
        """Say whether a system grades its triplets by what raters saw."""
        return self.triplet.distance == "label" or "graded_triplet" in self.systems

    def problems(self) -> Iterator[Problem]:
        """Refuse systems that are none, a value that is named twice, and a grid without (0, 0)."""
        if sentence := named_twice(self.systems):
            yield Problem("systems", sentence)
        for name in self.systems:
            if name not in SYSTEMS:
                yield Problem(
                    "systems",
                    f"found '{name}', expected some of {list(SYSTEMS)}{did_you_mean(name, SYSTEMS)}",
                )
        for name, others in alone(self.systems).items():
            yield Problem(
                "systems",
                f"{name} says nothing alone, expected {' and '.join(others)} beside it: what it gains over "
                "its control is what another modality gives",
            )
        if self.taught.teacher == "same" and {"taught", "teacher"} & set(self.systems):
            yield Problem(
                "taught.teacher",
                "found same, and taught or teacher is under systems: taught would be its control taught_same "
                "once more, whose teacher reads the target alone; expected concat, late or other",
            )
        if self.triplet.distance == "label" and "graded_triplet" in self.systems:
            yield Problem(
                "triplet.distance",
                "found label, and graded_triplet is under systems: it would be triplet once more; expected "
                "class, or systems without graded_triplet",
            )
        words = [name for name in self.systems if name in BY_WORDS]
        if words and self.emotion_words.vectors is None:
            yield Problem(
                "emotion_words.vectors",
                f"found null, and {words[0]} is under systems: expected pad, or the path of a csv file, of "
                "word vectors or of the package wordllama (docs/methods.md)",
            )
        grid = {"alpha": self.alpha, "beta": self.beta, "seeds": self.seeds}
        for name, values in grid.items():
            if sentence := named_twice(values):
                yield Problem(name, sentence)
            if name != "seeds" and 0.0 not in values:
                yield Problem(
                    name, f"found {list(values)}, expected 0.0 among them: (0, 0) is the classic system"
                )
