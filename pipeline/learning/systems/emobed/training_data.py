"""An experiment's data as the batched program takes them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from pipeline.learning.batches import steps_per_epoch
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Labelling, Sequences
from pipeline.learning.systems.emobed.network import Architecture
from pipeline.learning.systems.emobed.permutation import permutation, relabelled
from pipeline.learning.train_sequences import cut, require_dev
from pipeline.learning.votes import Distributions, coded
from pipeline.params import Learning

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """What models learn from.

    target, auxiliary: labelled train sequences of the two modalities. evaluation: whole recordings of dev and
    test, target modality. delay_frames: by which labels were moved. permuted: by seed, the labels that the
    placebo sees in place of those of `auxiliary`. at_least: sequences that an epoch has steps for, although
    neither modality has as many. positive_weight: of a label of each class, where an utterance may have
    several. distributions: what raters saw in them, where a system grades its triplets by that.
    """

    architecture: Architecture
    target: Sequences
    auxiliary: Sequences
    evaluation: Sequences
    delay_frames: int
    permuted: Mapping[int, Labelling] = field(default_factory=dict)
    at_least: int = 0
    positive_weight: tuple[float, ...] = ()
    distributions: Distributions | None = None

    def steps(self, batch: int) -> int:
        """Return the steps of an epoch: the same for all systems, whatever modalities they see."""
        return steps_per_epoch(len(self.target), max(len(self.auxiliary), self.at_least), batch)

    def same_modality(self) -> Self:
        """Return the data with the target modality as its own auxiliary, in epochs of as many steps."""
        features = self.architecture.target_features
        return replace(
            self,
            architecture=replace(self.architecture, auxiliary_features=features),
            auxiliary=self.target,
            permuted={},
            at_least=len(self.auxiliary),
            distributions=None if self.distributions is None else self.distributions.same_modality(),
        )


def training_data(data: ExperimentData, learning: Learning) -> TrainingData:
    """Take labelled train sequences, cut as `learning.sequences` asks, and the network's sizes.

    Raises:
        ValueError: sub-sequences of utterances; or the parameters need dev scores and dev has no labels.
    """
    network = learning.network
    target, auxiliary = data.views["target"], data.views["auxiliary"]
    evaluation = target.evaluation
    require_dev(evaluation, learning)
    architecture = Architecture(
        len(target.features),
        len(auxiliary.features),
        network.encoder_layers,
        network.shared_layers,
        network.hidden,
        network.bidirectional,
        data.outputs,
        data.several,
    )
    own, other = (cut(view.labelled, learning, data.hop) for view in (target, auxiliary))
    kept = [i for i, labels in enumerate(other.labels) if np.isfinite(labels).any()]
    permuted = {}
    for seed in learning.seeds if "placebo" in learning.systems else ():
        whole = relabelled(auxiliary.labelled, permutation(len(auxiliary.labelled), seed))
        # cut after they moved, and of the same sequences
        moved = cut(whole, learning, data.hop).select(kept)
        permuted[seed] = Labelling(moved.labels, moved.classes)
    return TrainingData(
        architecture, own.labelled(), other.select(kept), evaluation, data.delay_frames, permuted,
        positive_weight=data.positive_weight,
        distributions=_distributions(data, learning, kept) if learning.by_votes else None,
    )  # fmt: skip


def _distributions(data: ExperimentData, learning: Learning, kept: list[int]) -> Distributions:
    """Return what raters saw in the train sequences; kept: those of the auxiliary modality."""
    labelled = data.views["target"].labelled, data.views["auxiliary"].labelled
    if not any(name in data.votes for part in labelled for name in part.recordings):
        logger.warning(
            "learning.triplet: the corpus keeps no raters, so each label counts as one that all agree on"
        )
    shares, (target, auxiliary) = coded(labelled, data.votes)
    permuted = {}
    for seed in learning.seeds if "placebo" in learning.systems else ():
        moved = relabelled(auxiliary, permutation(len(auxiliary), seed))
        permuted[seed] = cut(moved, learning, data.hop).select(kept).classes
    return Distributions(
        shares,
        not data.classes,
        cut(target, learning, data.hop).labelled().classes,
        cut(auxiliary, learning, data.hop).select(kept).classes,
        permuted,
    )
