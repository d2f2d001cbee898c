"""What the engine of experiments asks of whatever trains models: the interface of systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph


class LeftOutError(ValueError):
    """Say what a learner lacks, in a sentence, where the other systems are trained without it."""


class Predictor(Protocol):
    """Trained models of one system and setting, one per seed."""

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, frames, outputs) for scaled features (frames, features) of the views.

        Not shifted back; probabilities for classes.
        """

    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, recordings, frames, outputs) for recordings of one length.

        views: scaled features, (recordings, frames, features), each recording by itself.
        """

    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Return embeddings (seeds, frames, embedding) of scaled features of one view.

        Raises:
            ValueError: the system has no encoders.
        """


@runtime_checkable
class Portable(Protocol):
    """What a `Predictor` has besides if its models can be written as ONNX.

    Of one that has not, `emobed export onnx` says so.
    """

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the models to a graph and return their outputs by name, one per seed.

        views: names of scaled features, float32 (frames, features). Outputs: float32 (frames, outputs), equal
        to those of `predict`.

        Raises:
            NotPortableError: they cannot be written in the form that the graph has.
        """


class Learner(Protocol):
    """Trains the models of one system, or of several that share their computation.

    `prepare` turns an experiment's data into what the learner wants; that, and nothing else, travels to the
    processes that train. Its attribute `scalers`, if it has that, says by which scaler the features of each
    view are scaled, where they are scaled otherwise than those of other systems. An instance has no state.
    """

    @property
    def systems(self) -> tuple[str, ...]:
        """Return the systems of the table that it trains."""

    def variants(self, learning: Learning) -> list[Variant]:
        """Return the models that the parameters ask for; settings ascending, seeds of one together or not."""

    def prepare(self, data: ExperimentData, learning: Learning) -> Any:
        """Return what models are trained from.

        Raises:
            LeftOutError: the data lack what the learner needs, as some draws of labelled speakers may; the
                others are trained.
            ValueError: the data lack what the learner needs; said before anything is trained.
        """

    def evaluation(self, data: Any, system: str) -> Sequences:
        """Return the sequences that the models of a system predict."""

    def fingerprints(
        self, data: Any, learning: Learning, variants: Sequence[Variant], device: str
    ) -> dict[Variant, dict[str, Any]]:
        """Return everything that each model depends on besides its identity, as JSON has it.

        With a VERSION: a unit of the store with the same fingerprint is not trained again.
        """

    def epochs(self, learning: Learning) -> int:
        """Return how many epochs a model takes at most, 1 where there are none; for the estimate of time."""

    def programs(
        self, data: Any, learning: Learning, variants: Sequence[Variant], capacity: Capacity
    ) -> list[list[Variant]]:
        """Return which models one process trains together."""

    def train(
        self, data: Any, learning: Learning, program: Sequence[Variant], device: str, marks: Path | None
    ) -> list[TrainedModel]:
        """Train the models of one program; marks: see `pipeline.learning.progress.mark_epoch`."""

    def about(self, data: Any) -> dict[str, Any]:
        """Return what the model file has to say for `predictor`."""

    def for_use(
        self, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]
    ) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return what `predictor` needs of a model's weights to predict, and what is said of that.

        Encoders of modalities that only training needs are left out, as are outputs that nobody predicts.
        """

    def predictor(self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Predictor:
        """Return models that predict, from their weights, one mapping per seed."""
