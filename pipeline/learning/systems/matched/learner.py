"""`matched`: modalities whose latents are distributed alike, learned with and without labels.

Liang, Li and Jin, *Semi-supervised multi-modal emotion recognition with cross-modal distribution matching*
(ACM MM 2020, arXiv 2009.02598). One training is two systems: `matched` predicts from the target alone, a
learned vector in place of each other latent, `matched_all` from all modalities. `matched_apart` is the
control: the same without the matching.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant, setting_of, setting_values
from pipeline.learning.systems.matched.autoencoders import Shape
from pipeline.learning.systems.matched.matched_data import MatchedData, matched_data
from pipeline.learning.systems.matched.network import TARGET, kept_for_use
from pipeline.learning.systems.matched.predictor import MatchedPredictor
from pipeline.learning.systems.matched.training import Training
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning
from pipeline.running.one_thread import one_thread

VERSION = 1
"""Raised when the same data and parameters would give other models."""
FROM_ALL, CONTROL = "matched_all", "matched_apart"


class Matched:
    """Trains `matched`, `matched_all` and their control."""

    systems: tuple[str, ...] = ("matched", CONTROL, FROM_ALL)

    def variants(self, learning: Learning) -> list[Variant]:
        """Return one model per setting and seed of the systems that are asked for."""
        own = learning.matched
        return [
            Variant(system, setting_of(alpha=alpha, beta=beta), seed)
            for system in self.systems
            if system in learning.systems
            for alpha in sorted(own.alpha)
            for beta in ((0.0,) if system == CONTROL else sorted(own.beta))
            for seed in sorted(learning.seeds)
        ]

    def prepare(self, data: ExperimentData, learning: Learning) -> MatchedData:
        """Return what the networks learn from.

        Raises:
            LeftOutError, ValueError: see `matched_data`.
        """
        asked = [system for system in self.systems if system in learning.systems]
        return matched_data(data, learning, asked[0])

    def evaluation(self, data: MatchedData, system: str) -> Sequences:
        """Return what a system predicts: what needs all modalities the recordings that have them."""
        return data.paired if system == FROM_ALL else data.evaluation

    def fingerprints(
        self, data: MatchedData, learning: Learning, variants: Sequence[Variant], device: str
    ) -> dict[Variant, dict[str, Any]]:
        """Return what each model depends on."""
        depends_on = {
            "version": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "device": device,
            "learning": learning.said({"optimiser", "loss"}),
            "matched": learning.matched.model_dump(mode="json", exclude={"alpha", "beta"}),
            "shape": dataclasses.asdict(data.shape),
            "train": data.train.sha256(),
            "present": data.present.astype(int).tolist(),
            "evaluation": data.evaluation.sha256(),
            "paired": data.paired.sha256(),
            "hub": data.hub,
            "delay_frames": data.delay_frames,
            "steps": data.steps,
            "each": data.each,
            "positive_weight": list(data.positive_weight),
        }
        return dict.fromkeys(variants, depends_on)

    def epochs(self, learning: Learning) -> int:
        """Return the most epochs of a model."""
        return learning.optimiser.epochs

    def programs(
        self, data: Any, learning: Learning, variants: Sequence[Variant], capacity: Capacity
    ) -> list[list[Variant]]:
        """Return the models of each training: `matched` and `matched_all` are one."""
        trainings = dict.fromkeys((variant.setting, variant.seed) for variant in variants)
        return [[own for own in variants if (own.setting, own.seed) == training] for training in trainings]

    def train(
        self,
        data: MatchedData,
        learning: Learning,
        program: Sequence[Variant],
        device: str,
        marks: Path | None,
    ) -> list[TrainedModel]:
        """Train a network, and take from it what each system needs."""
        values = setting_values(program[0].setting)
        with one_thread():
            run = Training(
                data, learning, values["alpha"], values["beta"], program[0].seed, device, program[0].name
            )
            curve = run.run(marks=marks)
            weights = {name: own.detach().cpu() for name, own in run.network.state_dict().items()}
            models = []
            for variant in program:
                from_all = variant.system == FROM_ALL
                kept = kept_for_use(weights, run.network.views if from_all else (TARGET,))
                # a file holds each tensor for itself
                own = {name: tensor.clone() for name, tensor in kept.items()}
                found = run.predictions_from_all() if from_all else run.predictions()
                models.append(TrainedModel(variant, own, curve, found))
        return models

    def about(self, data: MatchedData) -> dict[str, Any]:
        """Return the sizes of the networks; what they read their weights say."""
        return {"version": VERSION, "shape": dataclasses.asdict(data.shape)}

    def for_use(
        self, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]
    ) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return all of it: decoders, and encoders of what is not read, were left out after training."""
        return dict(weights), dict(about)

    def predictor(
        self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]
    ) -> MatchedPredictor:
        """Return the networks with these weights."""
        return MatchedPredictor.of(
            weights, Shape(**{**about["shape"], "widths": tuple(about["shape"]["widths"])})
        )


LEARNER = Matched()
