"""Labelled recordings -> the networks of a teacher -> what it says of other recordings, and how surely.

A teacher is the mean of `members` trainings of one network (`concat`, `other`, `same`) or of one per modality
(`late`). Of classes it says probabilities, calibrated by one temperature fitted on dev; of a continuous
dimension a trace. How sure it is: the largest probability; or `max(0, mean CCC of two members)` of a
sequence, 1 with a single member.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded, in_one_go
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.losses import ccc
from pipeline.learning.seeding import stream_seed
from pipeline.learning.sequences import Sequences
from pipeline.learning.temperature import calibrated, fit_temperature
from pipeline.learning.torch_learner import loop_data
from pipeline.learning.torch_loop import LoopData, Run
from pipeline.learning.torch_networks import Network
from pipeline.learning.train_sequences import side_by_side
from pipeline.params import Learning
from pipeline.params.systems import TeacherKind


@dataclass(frozen=True)
class Said:
    """What a teacher says of sequences.

    outputs: (frames, outputs) of each sequence; probabilities for classes. sure: of each sequence, (frames,),
    from 0 to 1. states: of each network the mean over frames of what its head reads, scaled to length 1,
    (networks, sequences, embedding).
    """

    outputs: tuple[NDArray[np.float32], ...]
    sure: tuple[NDArray[np.float32], ...]
    states: NDArray[np.float32]


def networks_of(data: ExperimentData, learning: Learning, kind: TeacherKind) -> tuple[LoopData, ...]:
    """Return what each network of a teacher learns from; `order` are the views that it reads.

    All predict the recordings of dev and test that have all modalities.
    """
    every = data.by_modality.views
    read: list[list[str]] = {
        "concat": [list(every)],
        "late": [[name] for name in every],
        "other": [[name for name in every if name != "target"]],
        "same": [["target"]],
    }[kind]
    evaluation = data.paired.partition("dev", "test")
    found = []
    for names in read:
        views = [data.views[name] for name in names]
        sequences = side_by_side([view.sequences for view in views])
        part = loop_data(sequences, [sum(len(view.features) for view in views)], data, learning, (), names)
        features = tuple(columns_of(array, data, names) for array in evaluation.features)
        found.append(dataclasses.replace(part, evaluation=dataclasses.replace(evaluation, features=features)))
    return tuple(found)


def columns_of(array: NDArray[np.float32], data: ExperimentData, names: Sequence[str]) -> NDArray[np.float32]:
    """Return the features of some views out of rows with those of all side by side, (frames, features)."""
    parts = dict(zip(data.views, np.split(array, np.cumsum(data.widths)[:-1], axis=1), strict=True))
    return np.concatenate([parts[name] for name in names], axis=1)


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member of the teacher of a student's seed: no student starts as its teacher."""
    return stream_seed(seed, "teacher", str(member))


def train_members(
    parts: Sequence[LoopData], learning: Learning, seed: int, device: str, name: str
) -> list[list[Run]]:
    """Train the networks of a teacher; return those of each part by member.

    Raises:
        TrainingError: a loss or gradient is not finite.
    """
    found = []
    for member in range(learning.taught.members):
        found.append(
            [Run(part, learning, member_seed(seed, member), device, f"{name}, teacher") for part in parts]
        )
        for run in found[-1]:
            run.run(curve_wanted=False)
    return found


def mean_predictions(members: Sequence[Sequence[Run]]) -> tuple[NDArray[np.float32], ...]:
    """Return the mean of what all networks predict of each evaluation recording, shifted back."""
    every = [run.predictions() for runs in members for run in runs]
    return tuple(_mean(own) for own in zip(*every, strict=True))


def said_of(members: Sequence[Sequence[Run]], pools: Sequence[Sequences]) -> Said:
    """Return what a teacher says of sequences of train.

    pools: for each part the same sequences, with the features that it reads.
    """
    by_member, states = [], []
    for runs in members:
        outputs = []
        for run, pool in zip(runs, pools, strict=True):
            found, embedded = outputs_and_states(run.network, pool, run.device)
            classes = run.data.sizes.outputs > 1
            outputs.append([_softmax(own) if classes else own for own in found])
            states.append(embedded)
        by_member.append([_mean(own) for own in zip(*outputs, strict=True)])
    means = [_mean(own) for own in zip(*by_member, strict=True)]
    if members[0][0].data.sizes.outputs > 1:
        temperature = temperature_on_dev(members)
        means = [calibrated(own, temperature).astype(np.float32) for own in means]
        sure = [own.max(axis=1) for own in means]
    else:
        sure = [
            np.full(len(own[0]), agreement([part[:, 0] for part in own]), np.float32)
            for own in zip(*by_member, strict=True)
        ]
    return Said(tuple(means), tuple(sure), np.stack(states))


def temperature_on_dev(members: Sequence[Sequence[Run]]) -> float:
    """Return the temperature of the mean of probabilities; 1 where dev has too few utterances."""
    evaluation = members[0][0].data.evaluation
    predicted = mean_predictions(members)
    dev = [i for i, partition in enumerate(evaluation.partitions) if partition == "dev"]
    gold = np.concatenate([np.zeros(0), *(evaluation.gold[i] for i in dev)])
    known = np.isfinite(gold)
    if not known.any():
        return 1.0
    outputs = np.concatenate([predicted[i] for i in dev])
    return fit_temperature(outputs[known], gold[known].astype(int)).value


def agreement(traces: Sequence[NDArray[np.float32]]) -> float:
    """Return `max(0, mean over pairs of members of their CCC)` of one sequence, 1 with a single member."""
    if len(traces) < 2:
        return 1.0
    stacked = torch.from_numpy(np.stack(traces)).double()
    pairs = list(combinations(range(len(traces)), 2))
    one, other = (stacked[[pair[side] for pair in pairs]][:, None] for side in (0, 1))
    return float(ccc(one, other, torch.ones_like(one)).mean().clamp_min(0))


@torch.no_grad()
def outputs_and_states(
    network: Network, sequences: Sequences, device: torch.device
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Return outputs, not shifted back, (frames, outputs) of each, and states as `Said` has them."""
    outputs, states = [], []
    for group in in_one_go(range(len(sequences)), [len(array) for array in sequences.features]):
        part = Padded.of(sequences.select(group), device)
        found = network.states(part.features, part.lengths)
        states.append(mean_state(found, part.lengths))
        scores = network.head(found)
        outputs += [
            scores[i, :length].cpu().numpy() for i, length in enumerate(part.lengths.tolist())
        ]  # fmt: skip
    unit = torch.nn.functional.normalize(torch.cat(states), dim=-1)
    return outputs, unit.cpu().numpy()


def mean_state(states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the mean over the frames of each sequence, (batch, embedding)."""
    there = torch.arange(states.shape[1], device=states.device) < lengths[:, None]
    return (states * there[..., None]).sum(1) / lengths[:, None]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return torch.softmax(torch.from_numpy(logits), dim=-1).numpy()


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.asarray(np.stack(arrays).mean(axis=0, dtype=np.float64), np.float32)
