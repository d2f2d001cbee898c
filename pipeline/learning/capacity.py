"""How many models a machine trains at once: by its processes, by what the user allows, by its memory."""

from __future__ import annotations

from typing import NamedTuple, Self

MODELS_ON_CPU = 16
"""Models in a program on the CPU where nothing is said: more gain nothing."""

MEMORY_ON_CPU = 2e9
"""Bytes that the activations of one program may take on the CPU, of which there may be several."""

SHARE_OF_GPU = 0.8
"""Of a GPU's free memory that the activations of the one program on it may take."""


class Capacity(NamedTuple):
    """What a learner may fill with models.

    workers: programs that are trained beside each other. models: most in one program. memory: bytes that the
    activations of one program may take. device: `cpu` or `cuda`.
    """

    workers: int = 1
    models: float = MODELS_ON_CPU
    memory: float = MEMORY_ON_CPU
    device: str = "cpu"

    @classmethod
    def of(cls, device: str, workers: int, models_at_once: int | None) -> Self:
        """Return that of this machine; models_at_once: None for as many as are of use."""
        if device == "cpu":
            return cls(workers, models_at_once or MODELS_ON_CPU)
        import torch

        free, _ = torch.cuda.mem_get_info()
        return cls(1, models_at_once or float("inf"), SHARE_OF_GPU * free, device)
