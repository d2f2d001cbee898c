"""The common part of systems that are one network of `torch.nn`: data, keys, training and files."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import steps_per_epoch
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.one_by_one import OneByOne
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant
from pipeline.learning.torch_loop import LoopData, Run
from pipeline.learning.torch_networks import Ensemble, Network, Sizes, sizes_from
from pipeline.learning.train_sequences import cut, labels_like, require_dev
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning
from pipeline.running.one_thread import one_thread

VERSION = 2
"""Of loop and networks; raised when the same data and parameters would give other models."""
USED = {"network", "optimiser", "loss"}
"""Groups of `learning` that the loop reads."""


def loop_data(
    sequences: Sequences,
    widths: Sequence[int],
    data: ExperimentData,
    learning: Learning,
    others: Sequence[Mapping[str, NDArray[np.float32]]] = (),
    order: Iterable[str] = ("target",),
) -> LoopData:
    """Return what a network learns from and predicts.

    sequences: of all partitions, with the features of `widths` side by side. others: for each further
    output its labels of train recordings. order: the views whose features they are.

    Raises:
        ValueError: no sequence of train has labels; sub-sequences of utterances; or the parameters need dev
            scores and dev has no labels.
    """
    evaluation = sequences.partition("dev", "test")
    require_dev(evaluation, learning)
    whole = sequences.partition("train").labelled()
    if not len(whole):
        raise ValueError(
            "no train recording with labels has features of all modalities of the scenario, which fusions "
            "learn from: leave early_fusion, late_fusion and model_fusion out of learning.systems"
        )
    train = cut(whole, learning, data.hop)
    kept = [i for i, labels in enumerate(train.labels) if np.isfinite(labels).any()]
    further = tuple(
        cut(dataclasses.replace(whole, labels=labels_like(whole, own)), learning, data.hop)
        .select(kept)
        .labels
        for own in others
    )
    network = learning.network
    sizes = Sizes(
        tuple(widths), network.encoder_layers, network.shared_layers, network.hidden, network.bidirectional,
        data.outputs, len(others), data.several,
    )  # fmt: skip
    # as many steps as EmoBed's: a difference between systems is none of the number of updates
    counts = [len(cut(view.labelled, learning, data.hop).labelled()) for view in data.views.values()]
    steps = max(steps_per_epoch(count, 0, learning.optimiser.batch) for count in counts)
    return LoopData(
        sizes, train.select(kept), evaluation, data.delay_frames, steps, further, tuple(order),
        data.positive_weight,
    )  # fmt: skip


def depends_on(data: LoopData, learning: Learning, device: str) -> dict[str, Any]:
    """Return everything that a network trained in the loop depends on."""
    digest = hashlib.sha256()
    for labels in (own for further in data.others for own in further):
        digest.update(np.ascontiguousarray(labels).tobytes())
    return {
        "loop": VERSION,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "device": device,
        "learning": learning.said(USED),
        "sizes": data.sizes.said(),
        "train": data.train.sha256(),
        "others": digest.hexdigest() if data.others else "",
        "evaluation": data.evaluation.sha256(),
        "delay_frames": data.delay_frames,
        "steps": data.steps,
    } | ({"positive_weight": list(data.positive_weight)} if data.positive_weight else {})


def state_of(network: Network) -> dict[str, torch.Tensor]:
    """Return the weights of a network by name."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


class TorchLearner(OneByOne):
    """A learner whose models are one network each; whoever derives says from what, and its size."""

    version = VERSION

    def epochs(self, learning: Learning) -> int:
        """Return the most epochs of a model."""
        return learning.optimiser.epochs

    def depends_on(self, data: LoopData, learning: Learning, device: str) -> dict[str, Any]:
        """Return what each model depends on."""
        return depends_on(data, learning, device)

    def other_weight(self, variant: Variant) -> float:
        """Return the weight of the losses of further outputs."""
        return 0.0

    def train_one(
        self, data: LoopData, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Train a network."""
        with one_thread():
            run = Run(data, learning, variant.seed, device, variant.name)
            curve = run.run(self.other_weight(variant), marks)
            return TrainedModel(variant, state_of(run.network), curve, run.predictions())

    def about(self, data: LoopData) -> dict[str, Any]:
        """Return the sizes of the network, and which views it reads in which order."""
        return {"version": self.version, "sizes": data.sizes.said(), "order": list(data.order)}

    def for_use(
        self, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]
    ) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return the weights without those of outputs that are learned and not predicted."""
        outputs = about["sizes"]["outputs"]
        kept = {
            name: tensor[:outputs].clone() if name.startswith("head.") else tensor
            for name, tensor in weights.items()
        }
        return kept, {**about, "sizes": {**about["sizes"], "others": 0}}

    def predictor(self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Ensemble:
        """Return the networks with these weights."""
        return Ensemble.of(weights, sizes_from(about["sizes"]), about["order"])
