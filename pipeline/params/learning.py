"""Groups of params.yaml about learning: what is trained, how, and each system's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
)

from pipeline.catalogue.systems import BY_WORDS, DEFAULT, SYSTEMS, alone, learning_several
from pipeline.params.emotion_words import EmotionWords
from pipeline.params.group import (
    Group,
    NotNegative,
    Positive,
    Problem,
    Seed,
    Share,
    named_twice,
)
from pipeline.params.sentences import did_you_mean

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


TeacherKind = Literal["concat", "late", "other", "same"]


class Taught(Group):
    """A student of one modality that learns from a teacher on recordings without labels.

    teacher: early fusion (`concat`), the mean of one network per modality (`late`), the other modalities
    (`other`) or, as the control has it, the target alone (`same`). weight: of the teacher's loss. members:
    networks of a teacher. confidence: below which nothing is learned from the teacher. labelled: also on
    recordings with labels, by teachers that did not see their speakers. similarity: weight of the
    similarities within a batch.
    """

    teacher: TeacherKind = "concat"
    weight: tuple[Annotated[Share, Field(gt=0)], ...] = Field(default=(0.5, 0.9), min_length=1)
    members: int = Field(default=2, ge=1)
    temperature: Positive = 1.0
    confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    labelled: bool = False
    similarity: NotNegative = 0.0

    def problems(self) -> Iterator[Problem]:
        """Refuse a value that is tried twice."""
        if sentence := named_twice(self.weight):
            yield Problem("weight", sentence)


class Matched(Group):
    """Autoencoders whose latents are distributed alike in all modalities.

    alpha, beta: weights of reconstruction and of matching. omega: of recordings without labels. sigma: width
    of the kernel. dropout: how often all but the target is missing. layers, hidden, latent: of each
    encoder, and mirrored of its decoder. heads, convolutions, span, times: where there are sequences, of
    continuous dimensions.
    """

    alpha: tuple[NotNegative, ...] = Field(default=(0.1, 1.0), min_length=1)
    beta: tuple[Positive, ...] = Field(default=(0.1,), min_length=1)
    omega: NotNegative = 1.0
    sigma: Literal["median"] | Positive = "median"
    unpaired: Literal["other_batch", "other_class"] = "other_batch"
    dropout: Annotated[float, Field(gt=0, lt=1)] = 0.5
    layers: int = Field(default=2, ge=1)
    hidden: int = Field(default=64, ge=1)
    latent: int = Field(default=32, ge=1)
    heads: int = Field(default=4, ge=1)
    convolutions: int = Field(default=2, ge=1)
    span: Positive = 4.0
    times: int = Field(default=16, ge=1)

    def problems(self) -> Iterator[Problem]:
        """Refuse values that are tried twice, and attention that cannot be shared out among its heads."""
        for key in ("alpha", "beta"):
            if sentence := named_twice(getattr(self, key)):
                yield Problem(key, sentence)
        if self.hidden % self.heads:
            yield Problem(
                "heads",
                f"found {self.heads}, expected a divisor of hidden ({self.hidden}): each has its share",
            )


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
