"""The weights of a recogniser -> refused where they cannot be what they say of themselves.

Hashes tell of damage, not of somebody who made a folder to do harm: numbers that are none, sizes that nothing
has, names that do not fit. What networks look like inside, their learners check (`Learner.predictor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.learning.scaling import Values
from pipeline.params import Scaling, view_names
from pipeline.params.group import Group
from pipeline.recogniser.description import Description, Word
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.running.errors import one_line

ROWS = 2
"""Of the made-up features that models are tried on."""


class TrainedScaling(BaseModel):
    """What of `learning` predictions depend on."""

    scaling: Scaling


class TrainedVariant(Group):
    """A model in the file."""

    system: Word
    setting: str
    seed: int
    name: Word


class Trained(BaseModel):
    """What weights.safetensors says of itself, as far as predictions depend on it.

    modalities, features: by view, target first. delay_frames: by which predictions are moved back. systems:
    what learners need to know. models: one per seed.
    """

    model_config = ConfigDict(frozen=True)

    modalities: dict[str, Word]
    features: dict[str, tuple[Word, ...]]
    delay_frames: Annotated[int, Field(ge=0, le=1_000_000)]
    classes: tuple[Word, ...]
    learning: TrainedScaling
    systems: dict[str, dict[str, Any]]
    models: tuple[TrainedVariant, ...]


def require_whole(
    path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any], description: Description
) -> None:
    """Refuse weights that do not belong to the description, or hold what is no number.

    path: of the file. tensors, about: what it holds.

    Raises:
        RecogniserError: what was found, and what would be right.
    """
    try:
        trained = Trained.model_validate(dict(about))
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise RecogniserError(f"{path}: its description has a wrong {place} ({wrong['msg']})") from None
    said = {
        "needed": (tuple(trained.modalities.get(view, "") for view in view_names(len(trained.modalities)))),
        "classes": trained.classes,
        "seeds": tuple(model.seed for model in trained.models),
    }
    for key, found in said.items():
        expected = getattr(description, key)
        if found != expected:
            raise RecogniserError(f"{path}: {key} are {found}, and {expected} in recogniser.json")
    if description.thresholds is not None and len(description.thresholds) != len(trained.classes):
        raise RecogniserError(
            f"{path}: there are {len(description.thresholds)} thresholds, expected one for each of "
            f"{len(trained.classes)} classes"
        )
    lines = None if description.calibration is None else description.calibration.lines
    if lines is not None and len(lines) != len(trained.classes):
        raise RecogniserError(
            f"{path}: calibration has {len(lines)} lines, expected one for each of {len(trained.classes)} "
            "classes"
        )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise RecogniserError(f"{path}: the tensor {name} holds values that are no finite numbers")
    for view in trained.modalities:
        own = trained.features.get(view, ())
        if again := next((name for name in own if own.count(name) > 1), None):
            raise RecogniserError(
                f"{path}: two features of its {view} are called {again}, expected one of each"
            )
        count, start = len(trained.features.get(view, ())), f"scaler.{view}/"
        arrays = {name: own.shape for name, own in tensors.items() if name.startswith(start)}
        for name, shape in {f"{start}centre": (), **arrays}.items():
            if len(shape) not in (1, 2) or shape[-1] != count or not shape[0]:
                raise RecogniserError(
                    f"{path}: the scaling {name} has the shape {tuple(shape)}, expected a number for each of "
                    f"{count} features"
                )


def require_running(path: Path, models: ModelsOfSetting) -> None:
    """Refuse models that cannot predict made-up features, or say what is no number.

    Raises:
        RecogniserError: what happened.
    """
    names = {modality: models.features(modality) for modality in models.needed}
    rows = {modality: np.zeros((ROWS, len(own)), np.float32) for modality, own in names.items()}
    # as if of a known speaker: for a stranger models give a warning, which is about recordings
    known = {modality: [Values(own, np.ones(ROWS, bool))] for modality, own in rows.items()}
    seeds, classes = len(models.variants), len(models.about["classes"])
    expected = (seeds, ROWS, *([classes] if classes else []))
    try:
        found = models.predict(rows, enrolment=known)
    except (LookupError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        raise RecogniserError(
            f"{path}: its models cannot predict ({type(error).__name__}: {one_line(str(error))})"
        ) from None
    if found.shape != expected or not np.isfinite(found).all():
        raise RecogniserError(
            f"{path}: its models say {found.shape} of made-up features, expected finite numbers {expected}"
        )
