"""Features that are handed to a trained model -> refused where they are not those it was trained on.

Their number alone says little: shuffled columns, or functionals of another sampling rate, have the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.features.imported.given_rows import first_difference


def require_names(found: Sequence[str], about: Mapping[str, Any], role: str) -> None:
    """Refuse other features, or the same in another order. about: the description in the model file.

    Raises:
        ValueError: they differ; where.
    """
    expected = about["features"][role]
    if list(found) == list(expected):
        return
    if sorted(found) == sorted(expected):
        raise ValueError(
            f"the features of the {role} modality are in another order than in training: "
            f"{first_difference(found, expected)}; bring the columns into its order"
        )
    raise ValueError(
        f"these are not the features of the {role} modality that the model was trained on: "
        f"{first_difference(found, expected)}"
    )


def require_extraction(found: Mapping[str, Any], about: Mapping[str, Any], role: str) -> None:
    """Refuse features that were extracted with other parameters or by another version.

    found: what they depend on besides the medium, such as `pipeline.features.audio.functionals.fingerprint`.

    Raises:
        ValueError: something differs; what, and both values.
    """
    expected = about.get("extraction", {}).get(role)
    if expected is None:
        raise ValueError(
            f"the model file does not say how the features of the {role} modality were extracted"
        )
    found = json.loads(json.dumps(found))  # as the model file keeps it: lists for tuples
    different = [
        f"{key} is {found.get(key)}, in training {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    ]
    if different:
        raise ValueError(
            f"the features were extracted otherwise than those of training: {'; '.join(different)}"
        )
