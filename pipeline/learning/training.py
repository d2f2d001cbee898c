"""A learner and its data -> trained models: those of the store, and those that are still to be trained.

A finished model is kept in the store under a key that hashes everything it depends on: a killed
training goes on where it stopped, and more settings, seeds or systems train only what is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.catalogue.systems import SYSTEMS, in_order
from pipeline.learning.learner import Learner
from pipeline.learning.model_file import unit_from_bytes, unit_to_bytes
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import CURVES, TrainedModel
from pipeline.params import Learning
from pipeline.running.shared_tasks import Shared
from pipeline.store.units import UnitStore

KIND = "models"
"""Of the store's units."""


def unit_keys(learner: Learner, data: Any, learning: Learning, device: str) -> dict[Variant, str]:
    """Return the key of each model in the store of finished units.

    The columns of learning curves are in it: a unit has them by place.
    """
    found = learner.fingerprints(data, learning, learner.variants(learning), device)
    about = {variant: own | variant._asdict() | {"curve": CURVES} for variant, own in found.items()}
    return {
        variant: hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
        for variant, own in about.items()
    }


@dataclass(eq=False)
class Training:
    """What one learner has to give in one experiment.

    data: as the learner prepared them. keys: of its models in the store, in the
    learner's order. models: those that are there.
    """

    learner: Learner
    data: Any
    learning: Learning
    keys: dict[Variant, str]
    store: UnitStore | None
    models: dict[Variant, TrainedModel] = field(default_factory=dict)

    @cached_property
    def shared(self) -> Shared:
        """Return what each of its programs needs."""
        return Shared((self.learner, self.data, self.learning))

    @classmethod
    def begin(
        cls, learner: Learner, data: Any, learning: Learning, store: UnitStore | None, device: str
    ) -> Training:
        """Return it with the models that the store holds; store: None for none."""
        training = cls(learner, data, learning, unit_keys(learner, data, learning, device), store)
        for variant, key in training.keys.items():
            payload = store.get(KIND, key) if store else None
            if payload is not None:
                training.models[variant] = unit_from_bytes(payload)
        return training

    @property
    def missing(self) -> list[Variant]:
        """Return the models that are still to be trained."""
        return [variant for variant in self.keys if variant not in self.models]

    @property
    def epochs(self) -> int:
        """Return the most epochs of a model."""
        return self.learner.epochs(self.learning)

    def keep(self, models: Sequence[TrainedModel]) -> None:
        """Take models that are finished, and keep them in the store."""
        for model in models:
            self.models[model.variant] = model
            if self.store is not None:
                self.store.put(KIND, self.keys[model.variant], unit_to_bytes(model))

    def finished(self) -> list[TrainedModel]:
        """Return all models, in the learner's order."""
        return [self.models[variant] for variant in self.keys]

    def said(self) -> str:
        """Say of which systems how many models are trained; those without epochs have one, left unsaid."""
        names = ", ".join(SYSTEMS[system].label for system in in_order(own.system for own in self.keys))
        missing, every = len(self.missing), len(self.keys)
        found = f"{names}: {every - missing} of {every} models are in the store"
        if not missing:
            return found
        trained = f"{found}, {missing} {'is' if missing == 1 else 'are'} trained"
        return trained + (f", of {self.epochs} epochs each" if self.epochs > 1 else "")
