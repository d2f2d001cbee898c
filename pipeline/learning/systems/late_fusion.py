"""Late fusion (fig. 2 b): the weighted mean of the outputs of one classic network per modality.

`weight` is the share of the target, the others have equal parts of the rest; it is the setting, chosen on
dev. The networks of a seed are the same for all weights and trained once. Each learns from all recordings of
its modality; what is predicted are those that have all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.one_by_one import OneByOne
from pipeline.learning.sequences import Sequences
from pipeline.learning.stepping import Step
from pipeline.learning.system import Variant, by_seed, setting_of, setting_values
from pipeline.learning.torch_learner import depends_on, loop_data, state_of
from pipeline.learning.torch_loop import LoopData, Run
from pipeline.learning.torch_networks import Ensemble, sizes_from
from pipeline.learning.trained_model import CURVES, TrainedModel
from pipeline.params import Learning, view_names
from pipeline.running.one_thread import one_thread

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph

VERSION = 1
"""Raised when the same data and parameters would give other models."""


@dataclass(frozen=True)
class LateData:
    """What the network of each modality learns from; they predict the same recordings and frames."""

    parts: tuple[LoopData, ...]

    @property
    def evaluation(self) -> Sequences:
        """Return what is predicted, with the features of the target."""
        return self.parts[0].evaluation


@dataclass(frozen=True)
class WeightedMean:
    """Networks that each read one view or several (its order), one per seed, and the share of each."""

    networks: tuple[Ensemble, ...]
    shares: tuple[float, ...]

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the weighted mean of the outputs, (seeds, frames, outputs)."""
        return weighted_mean([network.predict(views) for network in self.networks], self.shares)

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the networks to an ONNX graph; see `pipeline.learning.learner.Portable`."""
        from onnx import TensorProto

        parts = [network.to_onnx(graph, views) for network in self.networks]
        found = []
        for of_seed in zip(*parts, strict=True):
            shared = [
                graph.add(
                    "Mul", graph.add("Cast", own, to=TensorProto.DOUBLE), graph.constant(share, np.float64)
                )
                for own, share in zip(of_seed, self.shares, strict=True)
            ]
            found.append(graph.add("Cast", graph.add("Sum", *shared), to=TensorProto.FLOAT))
        return found

    def stepper(self) -> Step:
        """Return the networks at the beginning of a recording; see `pipeline.learning.stepping`."""
        steps = [network.stepper() for network in self.networks]

        def step(views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
            return weighted_mean([own(views) for own in steps], self.shares)

        return step

    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the weighted mean of the outputs, (seeds, recordings, frames, outputs)."""
        return weighted_mean([network.predict_each(views) for network in self.networks], self.shares)

    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Refuse: the networks have no space in common."""
        return self.networks[0].embed(values, view)


class LateFusion(OneByOne):
    """Networks of single modalities, fused after they predicted."""

    system = "late_fusion"
    version = VERSION

    def settings(self, learning: Learning) -> list[str]:
        """Return one setting per weight of the target."""
        return [setting_of(weight=weight) for weight in sorted(learning.late_fusion.weight)]

    def epochs(self, learning: Learning) -> int:
        """Return the most epochs of a model."""
        return learning.optimiser.epochs

    def prepare(self, data: ExperimentData, learning: Learning) -> LateData:
        """Return the data of each modality's network."""
        evaluation = data.paired.partition("dev", "test")
        ends = np.cumsum(data.widths)[:-1]
        split = [np.split(array, ends, axis=1) for array in evaluation.features]
        parts = []
        for place, (view, width) in enumerate(zip(data.views.values(), data.widths, strict=True)):
            part = loop_data(view.sequences, [width], data, learning)
            features = tuple(np.ascontiguousarray(arrays[place]) for arrays in split)
            parts.append(
                dataclasses.replace(part, evaluation=dataclasses.replace(evaluation, features=features))
            )
        return LateData(tuple(parts))

    def depends_on(self, data: LateData, learning: Learning, device: str) -> dict[str, Any]:
        """Return what each model depends on."""
        return {"parts": [depends_on(part, learning, device) for part in data.parts]}

    def programs(
        self, data: Any, learning: Learning, variants: Sequence[Variant], capacity: Capacity
    ) -> list[list[Variant]]:
        """Return the models of each seed: they share their networks."""
        return by_seed(variants)

    def train(
        self, data: LateData, learning: Learning, program: Sequence[Variant], device: str, marks: Path | None
    ) -> list[TrainedModel]:
        """Train the networks of a seed and fuse them with each weight."""
        weights: dict[str, torch.Tensor] = {}
        outputs = []
        with one_thread():
            for name, part in zip(view_names(len(data.parts)), data.parts, strict=True):
                run = Run(part, learning, program[0].seed, device, f"{program[0].name}, {name}")
                # epochs are counted once, of the last network
                run.run(marks=marks if part is data.parts[-1] else None)
                weights |= {f"{name}/{own}": tensor for own, tensor in state_of(run.network).items()}
                outputs.append(run.predictions())
        models = []
        for variant in program:
            shares = shares_of(variant, len(data.parts))
            predictions = tuple(weighted_mean(own, shares) for own in zip(*outputs, strict=True))
            # a file holds each tensor for itself
            own = {name: tensor.clone() for name, tensor in weights.items()} | {
                "shares": torch.tensor(shares, dtype=torch.float64)
            }
            models.append(TrainedModel(variant, own, np.zeros((0, len(CURVES))), predictions))
        return models

    def train_one(
        self, data: LateData, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Train the networks of one model."""
        return self.train(data, learning, [variant], device, marks)[0]

    def about(self, data: LateData) -> dict[str, Any]:
        """Return the sizes of each network."""
        return {"version": self.version, "sizes": [part.sizes.said() for part in data.parts]}

    def predictor(
        self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]
    ) -> WeightedMean:
        """Return the networks and their weights."""
        networks = []
        for name, sizes in zip(view_names(len(about["sizes"])), about["sizes"], strict=True):
            start = f"{name}/"
            own = [
                {key.removeprefix(start): tensor for key, tensor in each.items() if key.startswith(start)}
                for each in weights
            ]
            networks.append(Ensemble.of(own, sizes_from(sizes), [name]))
        return WeightedMean(tuple(networks), tuple(weights[0]["shares"].tolist()))


def shares_of(variant: Variant, modalities: int) -> tuple[float, ...]:
    """Return the share of each modality: the weight for the target, the rest in equal parts."""
    weight = setting_values(variant.setting)["weight"]
    return (weight, *[(1 - weight) / (modalities - 1)] * (modalities - 1))


def weighted_mean(outputs: Sequence[NDArray[np.float32]], shares: Sequence[float]) -> NDArray[np.float32]:
    """Return the sum of outputs of the same shape, each times its share."""
    total = sum(share * own.astype(np.float64) for share, own in zip(shares, outputs, strict=True))
    return np.asarray(total, np.float32)


LEARNER = LateFusion()
