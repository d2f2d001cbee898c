"""What a program gives as the features of a recording -> values and mask, or a sentence on what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.speaker_statistics import Values
from pipeline.store.rows import Rows

Features = Rows | NDArray[np.float32]


def of_modality(given: Any, name: str) -> Any:
    """Return what was given for a modality, or for the only one."""
    return given.get(name) if isinstance(given, Mapping) else given


def require_a_number(features: Features) -> None:
    """Refuse features without any finite number.

    Raises:
        ValueError: there is none.
    """
    values = features.values if isinstance(features, Rows) else features
    if not np.isfinite(values).any():
        raise ValueError(
            f"none of the {values.size} values is a finite number: a prediction from them would be that "
            "of the mean of train; look at how they were extracted"
        )


def checked(values: Any, valid: NDArray[np.bool_] | None, features: int) -> Values:
    """Return values with their mask, (frames, features) and (frames,); valid: None for all frames.

    Raises:
        ValueError: they are none, or not of that many features; or the mask is not one of their frames.
    """
    _require_array(values, features)
    mask = np.ones(len(values), bool) if valid is None else np.asarray(valid)
    if mask.dtype != np.bool_ or mask.shape != (len(values),):
        raise ValueError(
            f"`valid` is {mask.dtype} of shape {mask.shape}, expected bool of shape ({len(values)},)"
        )
    return Values(values, mask)


def _require_array(values: Any, features: int) -> None:
    """Refuse what is no array (frames, features) of numbers with at least one frame.

    Raises:
        ValueError: what was given, and what is expected.
    """
    expected = f"expected (frames, {features}): a NumPy array of numbers, or the Rows of an extraction"
    if not isinstance(values, np.ndarray):
        raise ValueError(f"features are a {type(values).__name__}, {expected}")
    if values.dtype.kind not in "fiu":
        raise ValueError(f"features are an array of {values.dtype}, {expected}")
    if values.ndim != 2 or values.shape[1] != features or not len(values):
        raise ValueError(f"features have the shape {values.shape}, {expected}")
