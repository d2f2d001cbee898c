"""A trained model file and the features of one modality -> predictions or embeddings.

The auxiliary modality is not needed: a prediction takes target features alone. Scaling and the
annotation delay are handled here, as they were in training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.dev_scores import shift_back
from pipeline.learning.grid_point import GridPoint
from pipeline.learning.model_file import ModelFileError, read_models
from pipeline.learning.network import Architecture, encode, recognise
from pipeline.learning.scaling import Scaler, Values

Role = Literal["target", "auxiliary"]


@dataclass(frozen=True)
class Recogniser:
    """The models of one grid point, one per seed.

    weights: (seeds, ...) by name. about: the description in the model file.
    """

    points: tuple[GridPoint, ...]
    weights: Mapping[str, torch.Tensor]
    scalers: Mapping[str, Scaler]
    architecture: Architecture
    about: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path, alpha: float, beta: float, seeds: Sequence[int] | None = None) -> Self:
        """Load the models of a grid point; without `seeds`, those of all seeds.

        Raises:
            ModelFileError: the file cannot be read, or does not hold such a model.
        """
        tensors, about = read_models(path)
        known = [GridPoint(item["alpha"], item["beta"], item["seed"]) for item in about["models"]]
        if seeds is None:
            seeds = sorted(point.seed for point in known if (point.alpha, point.beta) == (alpha, beta))
        points = tuple(GridPoint(alpha, beta, seed) for seed in seeds)
        if not points or not set(points) <= set(known):
            raise ModelFileError(
                f"{path}: no model with alpha {alpha:g}, beta {beta:g}, seeds {list(seeds)}; "
                f"expected some of {[point.name for point in known]}"
            )
        first = f"{points[0].name}/"
        names = [name.removeprefix(first) for name in tensors if name.startswith(first)]
        weights = {name: torch.stack([tensors[f"{p.name}/{name}"] for p in points]) for name in names}
        scaling = about["learning"]["scaling"]
        scalers = {}
        for role in ("target", "auxiliary"):
            own = f"scaler.{role}/"
            arrays = {k.removeprefix(own): t.numpy() for k, t in tensors.items() if k.startswith(own)}
            scalers[role] = Scaler(scaling["method"], scaling["speaker"], arrays)
        return cls(points, weights, scalers, Architecture(**about["architecture"]), about)

    @torch.no_grad()
    def predict(
        self,
        values: NDArray[np.float32],
        valid: NDArray[np.bool_] | None = None,
        enrolment: Sequence[Values] = (),
    ) -> NDArray[np.float32]:
        """Predict one recording from the features of the target modality.

        values: (frames, features). valid: (frames,). enrolment: recordings of the same speaker, this one
        included; used with `speaker: centre` only. Returns (seeds, frames) for regression, shifted back
        by the annotation delay; probabilities (seeds, frames, classes) for classification.

        Raises:
            ValueError: the features are not those of training.
        """
        embeddings, lengths = self._encode(values, valid, enrolment, "target")
        outputs = recognise(embeddings, lengths, self.weights, self.architecture)
        outputs = shift_back(outputs, self.about["delay_frames"])[:, 0]  # (seeds, frames, outputs)
        if self.architecture.outputs == 1:
            return outputs[..., 0].numpy()
        return torch.softmax(outputs, dim=-1).numpy()

    @torch.no_grad()
    def embed(
        self,
        values: NDArray[np.float32],
        modality: Role = "target",
        valid: NDArray[np.bool_] | None = None,
        enrolment: Sequence[Values] = (),
    ) -> NDArray[np.float32]:
        """Return the embeddings of one recording, (seeds, frames, embedding), not shifted back.

        modality: which encoder. The auxiliary encoder of the classic system was never trained.
        Other arguments as for `predict`.

        Raises:
            ValueError: the features are not those of training.
        """
        return self._encode(values, valid, enrolment, modality)[0][:, 0].numpy()

    def _encode(
        self,
        values: NDArray[np.float32],
        valid: NDArray[np.bool_] | None,
        enrolment: Sequence[Values],
        modality: Role,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return embeddings (seeds, 1, frames, embedding) and lengths (seeds, 1)."""
        mask = np.ones(len(values), bool) if valid is None else valid
        scaled = torch.from_numpy(self.scalers[modality].apply(Values(values, mask), enrolment))
        inputs = scaled.expand(len(self.points), 1, *scaled.shape)
        lengths = torch.full((len(self.points), 1), len(values))
        return encode(inputs, lengths, self.weights, modality, self.architecture), lengths
