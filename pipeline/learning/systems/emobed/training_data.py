"""An experiment's data as the batched program takes them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.features.grid import seconds_to_frames
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Sequences, subsequences
from pipeline.learning.systems.emobed.network import Architecture
from pipeline.params import Learning


@dataclass(frozen=True)
class TrainingData:
    """What models learn from.

    target, auxiliary: labelled train sequences of the two modalities. evaluation: whole recordings
    of dev and test, target modality. delay_frames: by which labels were moved.
    """

    architecture: Architecture
    target: Sequences
    auxiliary: Sequences
    evaluation: Sequences
    delay_frames: int


def training_data(data: ExperimentData, learning: Learning) -> TrainingData:
    """Take labelled train sequences, cut as `learning.sequences` asks, and the network's sizes.

    Raises:
        ValueError: sub-sequences of utterances; or the parameters need dev scores and dev has no labels.
    """
    optimiser, network = learning.optimiser, learning.network
    target, auxiliary = data.views["target"], data.views["auxiliary"]
    evaluation = target.evaluation
    if (optimiser.weights == "best_dev_epoch" or optimiser.patience is not None) and not len(
        evaluation.partition("dev").labelled()
    ):
        raise ValueError(
            "learning.optimiser: best_dev_epoch and patience need dev recordings with labels; there are none"
        )
    architecture = Architecture(
        len(target.features),
        len(auxiliary.features),
        network.encoder_layers,
        network.shared_layers,
        network.hidden,
        network.bidirectional,
        data.outputs,
    )
    own, other = (_cut(view.labelled, learning, data.hop) for view in (target, auxiliary))
    return TrainingData(architecture, own, other, evaluation, data.delay_frames)


def _cut(sequences: Sequences, learning: Learning, hop: float | None) -> Sequences:
    """Cut sequences into sub-sequences, if that is asked for."""
    if learning.sequences == "whole":
        return sequences
    if hop is None:
        raise ValueError("learning.sequences: sub-sequences need a grid with a hop; use `whole`")
    length, step = (
        seconds_to_frames(seconds, hop) for seconds in (learning.sequences.length, learning.sequences.hop)
    )
    return subsequences(sequences, length, step).labelled()
