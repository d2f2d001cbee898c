"""A program of utterances -> what the compiled steps read, by its addresses."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.systems.emobed.compiled_steps import (
    FORMS,
    LOSSES,
    Block,
    Descent,
    Loss,
    Modality,
    Model,
    Parts,
    Plan,
    Row,
    Triplet,
)
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.optimiser import FlatWeights
from pipeline.learning.systems.emobed.program import Program, any_of

KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""Weights of a layer in the order of the headers."""


class UtterancePlan:
    """What all models share, and each one's own; keeps what pointers point to.

    codes: classes or distributions of all sequences of the two modalities, as each model with a triplet loss
    sees them, (models, sequences).
    """

    def __init__(self, program: Program) -> None:
        """Lay out weights, moments of Adam (of zero), labels and settings."""
        self._program = program
        self._held: list[Any] = []
        self._sides = [part for part in (program.target, program.auxiliary) if part is not None]
        self.codes = [longs_of(codes) for codes in self._seen_kinds()]
        self.moments = [
            [torch.zeros_like(weights.values) for _ in range(2)] for weights, _ in program.parts()
        ]
        self.plan = self._plan()
        self._labels = [
            (self._address(part.labels[:, 0].double()), self._address(part.labelled[:, 0].double()))
            for part in self._sides
        ]
        self._triplets = [self._triplet(graded) for graded in (False, True)] if self.codes else []
        self.models = [self._model(place, point) for place, point in enumerate(program.points)]

    @property
    def kinds(self) -> int:
        """Return the most classes or distributions that a model sees."""
        return max(model.triplet.kinds for model in self.models)

    def _address(self, values: torch.Tensor | NDArray[Any]) -> int:
        """Keep values in one piece and return where they begin."""
        array = np.ascontiguousarray(values.numpy() if isinstance(values, torch.Tensor) else values)
        self._held.append(array)
        return array.ctypes.data

    def _seen_kinds(self) -> list[torch.Tensor]:
        """Return what each model with a triplet loss sees of all sequences of both modalities."""
        program = self._program
        if not any_of(program.with_triplet):
            return []
        assert program.auxiliary is not None
        assert program.votes is not None
        points = program.points[program.with_triplet]
        sides = []
        for part in (program.target, program.auxiliary):
            indices = torch.arange(len(part)).expand(len(points), -1)
            sides.append((part.classes.expand(len(points), *part.classes.shape).clone(), indices))
        if program.permuted is not None:
            for own, point in zip(sides[1][0], points, strict=True):
                if point.permuted:
                    own.copy_(program.permuted.classes[program.seeds.index(point.seed)])
        seen = program.votes.of_target(*sides[0]), program.votes.of_auxiliary(*sides[1])
        return [own[..., 0] for own in seen]

    def _plan(self) -> Plan:
        program, learning = self._program, self._program.learning
        made = Plan(steps=program.steps, clip_norm=learning.optimiser.clip_norm or 0.0)
        for side, part in enumerate(self._sides):
            batch = min(learning.optimiser.batch, len(part))
            drawn = min(batch, learning.triplet.frames // 2)
            features = part.features[:, 0]
            made.modality[side] = Modality(self._address(features), features.shape[1], batch, drawn)
            made.encoder[side] = self._block(
                ("target", "auxiliary")[side], (program.core, program.extra)[side], features.shape[1]
            )
        made.shared = self._block("shared", program.core, program.architecture.embedding)
        made.head_weight, made.head_bias = (
            program.core.spans[f"head.{kind}"][0] for kind in ("weight", "bias")
        )
        made.core = self._reached(program.core)
        if program.extra is not None:
            made.extra = self._reached(program.extra)
        weights = np.array(program.data.positive_weight, float)
        per_sequence = learning.loss == "ccc" and learning.ccc == "sequence"
        kind = LOSSES.index("ccc_per_sequence" if per_sequence else learning.loss)
        made.loss = Loss(kind, program.architecture.outputs, self._address(weights))
        return made

    def _block(self, block: str, weights: FlatWeights | None, features: int) -> Block:
        assert weights is not None
        architecture = self._program.architecture
        names = [
            f"{block}.{layer}.{kind}{suffix}"
            for layer in range(architecture.layers(block))
            for suffix in architecture.directions
            for kind in KINDS
        ]
        return Block(
            architecture.layers(block),
            len(architecture.directions),
            features,
            architecture.hidden,
            self._address(longs_of([weights.spans[name][0] for name in names])),
        )

    def _reached(self, weights: FlatWeights) -> Parts:
        """Return where the weights lie that a gradient reaches: all but those of the state before."""
        parts: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for name, (start, end) in weights.spans.items():
            parts["weight_hh" not in name].append((start, end - start))
        return Parts(
            weights.values.shape[1],
            len(parts[True]),
            len(parts[False]),
            self._address(longs_of(parts[True])),
            self._address(longs_of(parts[False])),
        )

    def _model(self, place: int, point: GridPoint) -> Model:
        program = self._program
        made = Model(alpha=program.alpha[place].item(), beta=program.beta[place].item())
        made.descent = Descent(program.rates[place], program.decays[place], 0)
        for name, (weights, models), moments in zip(
            ("core", "extra"), program.parts(), self.moments, strict=False
        ):
            if place in range(models.start, models.stop):
                row = place - models.start
                setattr(made, name, Row(*(own[row].data_ptr() for own in (weights.values, *moments))))
        for side, (labels, labelled) in enumerate(self._labels):
            made.seen[side].labels, made.seen[side].labelled = labels, labelled
        if point.permuted:
            assert program.permuted is not None
            seed = program.seeds.index(point.seed)
            made.seen[1].labels = self._address(program.permuted.labels[seed, :, 0].double())
            made.seen[1].labelled = self._address(program.permuted.labelled[seed, :, 0].double())
        if point.beta > 0:
            row = place - program.with_triplet.start
            for side, codes in enumerate(self.codes):
                made.seen[side].codes = codes[row].ctypes.data
            made.triplet = self._triplets[point.by_votes(program.learning)]
        return made

    def _triplet(self, graded: bool) -> Triplet:
        """Return the triplet loss of the models that see votes, or of those that see classes."""
        program, settings = self._program, self._program.learning.triplet
        assert program.votes is not None
        points = program.points[program.with_triplet]
        rows = [row for row, point in enumerate(points) if point.by_votes(program.learning) == graded]
        if not rows:
            return Triplet()
        kinds = 1 + max(int(codes[rows].max()) for codes in self.codes)
        pairs = program.votes.pairs_of(rows[0], kinds)
        return Triplet(
            FORMS.index(settings.form),
            settings.reduction == "mean",
            settings.margin,
            len(pairs.overlap),
            *(self._address(own.float()) for own in pairs),
        )


def longs_of(values: torch.Tensor | NDArray[np.int64] | Sequence[Any]) -> NDArray[Any]:
    """Return whole numbers in one piece, as C's `long`."""
    array = values.numpy() if isinstance(values, torch.Tensor) else values
    return np.ascontiguousarray(array, dtype=ctypes.c_long)
