"""Trained models <-> safetensors, with everything else as JSON under one metadata key.

One key only: with two or more, the order of safetensors' header is not fixed (facts.md), and same
models must give same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from pipeline.learning.system import Variant
from pipeline.learning.trained_model import TrainedModel

KEY = "emobed"
DIGEST = "sha256"
"""Where the description holds the hash of the tensors and of all else in it."""


def own_scaler(system: str, role: str) -> str:
    """Return what begins the names of the arrays by which one system's features of a view are scaled.

    Where there are none, they are scaled as those of all others, by `scaler.<role>`.
    """
    return f"scaler of {system}.{role}"


class ModelFileError(ValueError):
    """Report a model file that cannot be read: which file, what is wrong."""


def to_bytes(tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> bytes:
    """Return tensors and a JSON description, with their hash, as the bytes of a safetensors file."""
    about = json.loads(json.dumps(about))  # as it will be read: its keys are strings
    return _saved(tensors, {**about, DIGEST: _sha256(tensors, about)})


def _saved(tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> bytes:
    contiguous = {name: tensors[name].contiguous() for name in sorted(tensors)}
    return safetensors.torch.save(contiguous, {KEY: json.dumps(about, sort_keys=True)})


def _sha256(tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def read_models(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the description in a file that `to_bytes` made.

    Raises:
        ModelFileError: the file is missing, is no safetensors file, not one of ours, or was changed since
            it was written.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file; run `dvc repro` or `dvc pull`") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: not a readable safetensors file: {error}") from None
    if KEY not in metadata:
        raise ModelFileError(f"{path}: not a model file of EmoBed (no '{KEY}' in its metadata)")
    try:
        about = dict(json.loads(metadata[KEY]))
    except (ValueError, TypeError, RecursionError):
        raise ModelFileError(f"{path}: not a model file of EmoBed (its description is no JSON)") from None
    if about.pop(DIGEST, None) != _sha256(tensors, about):
        raise ModelFileError(
            f"{path}: its sha256 is not the one in its description: damaged, edited or of an earlier "
            f"version; run `dvc checkout --force {path.parent}`, or `dvc repro`"
        )
    return tensors, about


def unit_to_bytes(model: TrainedModel) -> bytes:
    """Return one trained model with its curve and predictions as the payload of a store unit."""
    lengths = [len(part) for part in model.predictions]
    tensors = {f"weights/{name}": tensor for name, tensor in model.weights.items()}
    tensors["curve"] = torch.from_numpy(model.curve)
    if lengths:
        tensors["predictions"] = torch.from_numpy(np.concatenate(model.predictions))
    # without a hash: the store has its own
    return _saved(tensors, model.variant._asdict() | {"lengths": lengths})


def unit_from_bytes(payload: bytes) -> TrainedModel:
    """Return the model in the bytes of `unit_to_bytes`."""
    tensors = safetensors.torch.load(payload)
    header = json.loads(payload[8 : 8 + int.from_bytes(payload[:8], "little")])
    about = json.loads(header["__metadata__"][KEY])
    ends = np.cumsum(about["lengths"])[:-1]
    predictions = np.split(tensors["predictions"].numpy(), ends) if about["lengths"] else []
    return TrainedModel(
        Variant(about["system"], about["setting"], about["seed"]),
        {name.removeprefix("weights/"): t for name, t in tensors.items() if name.startswith("weights/")},
        tensors["curve"].numpy(),
        tuple(predictions),
    )
