"""Groups of params.yaml for single systems: what each may choose from, and what is its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.group import Group, NotNegative, Positive, Problem, Share, named_twice


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


FEWEST_MATCHED = 4
"""Recordings with all modalities that there must be: two make a distribution, and two others another."""


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
