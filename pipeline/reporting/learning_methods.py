"""Parameters -> how the methods paragraph says what was trained, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.catalogue.systems import DEFAULT, REFERENCE, SYSTEMS, WEIGHTS, label
from pipeline.params import Learning
from pipeline.reporting.answer import enrolled_speakers
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.matched_methods import matched_methods
from pipeline.reporting.word_methods import word_methods
from pipeline.reporting.wording import SPEAKER_SCALING, counted
from pipeline.wording import listed

LOSSES = {
    "mse": "mean squared error",
    "cross_entropy": "cross-entropy",
    "binary_cross_entropy": "binary cross-entropy",
}


def learning_methods(inputs: ReportInputs) -> list[str]:
    """Return sentences on scaling, networks, losses, grids, controls and each system's own values."""
    corpus = inputs.corpus
    learning = corpus.learning
    network, optimiser = learning.network, learning.optimiser
    way = "bidirectional " if network.bidirectional else ""
    clip = "" if optimiser.clip_norm is None else f", gradient norm at most {optimiser.clip_norm:g}"
    stop = (
        ""
        if optimiser.patience is None
        else f", stopped after {optimiser.patience} epochs without a better dev score"
    )
    weights = (
        f"weights averaged over the last {optimiser.average_epochs}"
        if optimiser.weights == "average"
        else "the epoch with the best dev score kept"
    )
    scaling = learning.scaling.method
    scaled = scaling if isinstance(scaling, str) else listed([f"{v} ({k})" for k, v in scaling.items()])
    speaker = learning.scaling.speaker
    centred = ""
    if speaker != "none":
        few = ", those of train by a varying number of them" if learning.scaling.enrolment == "varied" else ""
        centred = (
            f", {SPEAKER_SCALING[speaker]} each speaker by that speaker’s own recordings without labels, "
            f"test speakers included{enrolled_speakers(inputs)}{few}"
        )
    if (most := learning.scaling.clip) is not None:
        centred += f", limited to ±{most:g} standard deviations"
    triplet = learning.triplet
    margin = f", margin {triplet.margin:g}" if triplet.form == "hinge" else ""
    units = "utterances" if corpus.grid.utterances else "sequences"
    sentences = [f"Features were scaled on train ({scaled.replace('_', ' ')}{centred})."]
    weights_of = {name: weighs(name, learning) for name in ("alpha", "beta")}
    if any(SYSTEMS[name].network for name in learning.systems):
        each = " of each modality" if any(weights_of.values()) else ""
        sentences.append(
            f"Networks: {way}GRU, {counted(network.encoder_layers, 'layer')} in each encoder and "
            f"{counted(network.shared_layers, 'layer')} shared, {network.hidden} units each. Adam, learning "
            f"rate {optimiser.learning_rate:g}, L2 {optimiser.weight_decay:g}, batches of {optimiser.batch} "
            f"{units}{each}, {counted(optimiser.epochs, 'epoch')}{clip}{stop}, {weights}. Loss: "
            f"{_loss(learning)}."
        )
    if weights_of["beta"]:
        sentences.append(
            f"Triplet loss: {triplet.form}{margin}, {triplet.reduction} over anchors, batch-hard across "
            "modalities."
        )
        if learning.by_votes:
            who = "all systems" if triplet.distance == "label" else label("graded_triplet")
            sentences.append(
                f"Pairs of {who} are positive as far as the classes that their raters saw overlap, and "
                "negative as far as they do not"
                f"{'; the margin grows with their distance' if triplet.form == 'hinge' else ''}."
            )
    grid = [
        f"{symbol} (weight of the {what} loss) in {value_set(getattr(learning, name))}"
        for name, symbol, what in (("alpha", "α", "auxiliary"), ("beta", "β", "triplet"))
        if weights_of[name]
    ]
    if grid:
        sentences.append(f"Grid: {', '.join(grid)}.")
    sentences += [
        f"{counted(len(learning.seeds), 'seed')} ({value_set(learning.seeds)}).".capitalize(),
        *_controls(learning),
    ]
    sentences.append(f"Systems: {listed([label(name) for name in learning.systems])}.")
    return [*sentences, *_systems(learning, corpus.grid.utterances)]


def _loss(learning: Learning) -> str:
    if learning.loss == "ccc":
        over = "all frames of a batch" if learning.ccc == "batch" else "each sequence"
        return f"1 − CCC over {over}"
    return LOSSES[learning.loss]


def _controls(learning: Learning) -> list[str]:
    """Say what classic may choose from, and what the controls are."""
    own = learning.classic.settings
    weights = sum(a > 0 for a in learning.alpha) * sum(b > 0 for b in learning.beta)
    count = max(1, weights) if own == "equal" else 1 + len(own)
    sentences = [
        f"{label(name).capitalize()}: {label(entry.control_of)} with {entry.differs}."
        for name, entry in SYSTEMS.items()
        if name in learning.systems and entry.control_of
    ]
    if REFERENCE in learning.systems and count > 1:
        name = label(REFERENCE).capitalize()
        sentences.insert(
            0, f"{name} was chosen among {count} pairs of learning rate and L2, these and others."
        )
    return sentences


def _systems(learning: Learning, utterances: bool) -> list[str]:
    """Return the values that systems with a grid of their own choose from."""
    sentences = []
    for name in learning.systems:
        # those of the default are regions of one grid, and learning.triplet is the loss
        own = None if name in DEFAULT else getattr(learning, name, None)
        if name == "emotion_words":
            sentences += word_methods(learning.emotion_words)
        elif name == "matched":
            sentences += matched_methods(learning.matched, utterances=utterances)
        elif own is not None:
            values = [f"{key.replace('_', ' ')} {_written(value)}" for key, value in own.model_dump().items()]
            sentences.append(f"{label(name)}: {', '.join(values)}.")
    return sentences


def weighs(weight: str, learning: Learning) -> bool:
    """Tell whether a system that is trained has the loss of this weight, `alpha` or `beta`."""
    without = {REFERENCE, "triplet" if weight == "alpha" else "joint"}
    some = any(SYSTEMS[name].grid == WEIGHTS and name not in without for name in learning.systems)
    some |= weight == "beta" and "graded_triplet" in learning.systems
    return some and max(getattr(learning, weight)) > 0


def value_set(values: Sequence[float]) -> str:
    """Write the values that something is chosen from: `{0.1, 1}`."""
    return "{" + ", ".join(f"{value:g}" for value in values) + "}"


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return value_set(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")
