"""The group of params.yaml about `emotion_words`: emotions as word vectors, seen often, rarely or never."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.group import Group, Positive, Problem, named_twice

PAD = "pad"
"""In place of a path: the table of pleasure, arousal and dominance that comes with the program."""
LESS_THAN_ALL = Annotated[float, Field(ge=0, lt=1)]


class EmotionWords(Group):
    """A recurrent encoder per modality, scored against word vectors of the class names.

    vectors: `pad`; a csv file of the user's (word, then values); a file of word vectors in GloVe's or
    word2vec's text format; or the wheel or installed folder of the package wordllama. hidden: units of each
    direction, by modality; of one that is not named `OTHER`. modality_dropout: how often a modality of a
    training recording is left out. zero_shot: classes of which no recording is learned from. few_shot: of
    which a share of the recordings is; few_shot_by: how.
    """

    vectors: str | None = Field(default=None, min_length=1)
    hidden: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=lambda: {"text": 300, "audio": 200, "video": 100}
    )
    dropout: LESS_THAN_ALL = 0.15
    modality_dropout: LESS_THAN_ALL = 0.5
    batch: int = Field(default=64, ge=1)
    learning_rate: Positive = 1e-3
    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=8, ge=1)
    zero_shot: tuple[str, ...] = ()
    few_shot: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    few_shot_by: Literal["joint", "fine_tuning", "gem"] = "joint"

    @property
    def partly_seen(self) -> bool:
        """Say whether there are classes of which not all recordings of train and dev are used."""
        return bool(self.zero_shot or self.few_shot)

    @property
    def learned_last(self) -> tuple[str, ...]:
        """Return the classes of which nothing is learned before all others are."""
        return () if self.few_shot_by == "joint" else tuple(self.few_shot)

    def problems(self) -> Iterator[Problem]:
        """Refuse a class that is named twice."""
        if sentence := named_twice(self.zero_shot):
            yield Problem("zero_shot", sentence)
        for name in self.zero_shot:
            if name in self.few_shot:
                yield Problem("few_shot", f"names {name}, which is under zero_shot too, expected one of both")
