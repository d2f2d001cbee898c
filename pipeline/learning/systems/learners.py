"""What trains each system of the catalogue; none is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from pipeline.catalogue.systems import SYSTEMS, in_order
from pipeline.learning.learner import Learner


def learner_of(system: str) -> Learner:
    """Return what trains a system of the table."""
    module = import_module(f".{SYSTEMS[system].module}", __package__)
    learner: Learner = module.LEARNER
    return learner


def learners_of(systems: Iterable[str]) -> list[Learner]:
    """Return what trains some systems, each once, in the order of the table."""
    return list(dict.fromkeys(map(learner_of, in_order(systems))))
