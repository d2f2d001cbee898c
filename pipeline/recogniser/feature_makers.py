"""A recogniser -> what makes its features from files, held against what its weights were trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.extractor import NotReadyError
from pipeline.features.imported.given_rows import first_difference
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.file_features import FileFeatures, known_names
from pipeline.recogniser.networks import require_networks
from pipeline.running.device import resolve

if TYPE_CHECKING:
    from pipeline.recogniser.recogniser import Recogniser


def maker_of(recogniser: Recogniser, modality: str) -> FileFeatures:
    """Return what makes the features of a modality, once held against what made those of training.

    Raises:
        RecogniserError: a prediction takes no such modality, or its features cannot be made here, or not as
            they were in training.
    """
    if modality not in recogniser.needed:
        raise RecogniserError(
            f"{recogniser.name}: predicts from {' and '.join(recogniser.needed)}, found the modality "
            f"'{modality}'"
        )
    require_networks(recogniser.corpus, modality, recogniser.description.networks)
    expected = recogniser.description.extraction.get(modality, {})
    try:
        return FileFeatures.of(recogniser.corpus, modality, expected, resolve(recogniser.device))
    except RecogniserError as error:
        raise RecogniserError(f"{recogniser.folder}: {error}") from None


def require_known_names(recogniser: Recogniser) -> None:
    """Refuse weights that read other features than the parameters make, as far as these say which.

    Raises:
        RecogniserError: as `require_names`.
    """
    for modality in recogniser.needed:
        try:
            found = known_names(recogniser.corpus, modality)
        except NotReadyError:  # said when features are asked for: rows at hand are predicted without
            continue
        if found is not None:
            require_names(recogniser, modality, found)


def require_names(recogniser: Recogniser, modality: str, found: tuple[str, ...]) -> None:
    """Refuse features whose names are not those of training.

    Raises:
        RecogniserError: parameters and weights are not of one recogniser.
    """
    expected = recogniser.models.features(modality)
    if found != expected:
        raise RecogniserError(
            f"{recogniser.folder}: its parameters make other features of {modality} than its weights read "
            f"({first_difference(found, expected)}): edited, copy the folder anew"
        )
