"""A model file that was read -> which models of it are meant, how they scale, and what values are usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.learning.model_file import ModelFileError, own_scaler
from pipeline.learning.scaling import Scaler
from pipeline.learning.system import Variant, setting_values
from pipeline.params import Scaling, modality_of
from pipeline.scoring.domain import Limits

LIMITS = "domain"
"""Of tensors: `domain.target/lower`, `domain.target/upper`."""


def under(start: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with `start`, without it."""
    return {name.removeprefix(start): own for name, own in tensors.items() if name.startswith(start)}


def chosen_variants(
    path: Path, about: Mapping[str, Any], system: str, setting: str | None, seeds: Sequence[int] | None
) -> tuple[Variant, ...]:
    """Return the models that are asked for.

    Raises:
        ModelFileError: the file does not hold them, or several settings where none was asked for.
    """
    known = [Variant(item["system"], item["setting"], item["seed"]) for item in about["models"]]
    here = [variant for variant in known if variant.system == system]
    found = list(dict.fromkeys(variant.setting for variant in here))
    if setting is None and len(found) > 1:
        raise ModelFileError(f"{path}: {system} has several settings, expected one of {found}")
    if setting is not None:
        wanted = setting_values(setting)
        here = [variant for variant in here if setting_values(variant.setting) == wanted]
    if seeds is None:
        seeds = sorted(variant.seed for variant in here)
    by_seed = {variant.seed: variant for variant in here}
    if not here or not seeds or not set(seeds) <= set(by_seed):
        raise ModelFileError(
            f"{path}: no model of {system} with the setting '{setting or ''}' and seeds {list(seeds)}; "
            f"expected some of {[variant.name for variant in known]}"
        )
    return tuple(by_seed[seed] for seed in seeds)


def scalers_of(
    tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any], system: str
) -> dict[str, Scaler]:
    """Return by view how a system scales features: as it says itself, or as all do."""
    scaling = Scaling.model_validate(about["learning"]["scaling"])
    scalers = {}
    for view, modality in about["modalities"].items():
        own = under(f"{own_scaler(system, view)}/", tensors) or under(f"scaler.{view}/", tensors)
        arrays = {name: tensor.numpy() for name, tensor in own.items()}
        method = scaling.method_of(modality_of(modality))
        scalers[view] = Scaler(method, scaling.speaker, arrays, scaling.clip)
    return scalers


def limits_of(tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> dict[str, Limits]:
    """Return by view what values of features are usual, where the file says so."""
    found = {view: under(f"{LIMITS}.{view}/", tensors) for view in about["modalities"]}
    return {view: Limits(own["lower"].numpy(), own["upper"].numpy()) for view, own in found.items() if own}
