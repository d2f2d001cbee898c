"""A recogniser -> one ONNX file that predicts as it does, with metadata on what it takes and gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline.recogniser.onnx_models import IR, OPSET, PREDICTION, PROBABILITIES, write_models
from pipeline.recogniser.onnx_outputs import filters
from pipeline.recogniser.recogniser import Recogniser

FORMAT = 1
"""Of the metadata; raised when a program that reads them would have to change."""
LICENCE = (
    "the network is a result of training and carries no licence of EmoBed (MIT); MODEL_CARD.md of the "
    "recogniser names those of the features and of the corpus"
)


def to_onnx(recogniser: Recogniser, step: bool = False) -> bytes:
    """Return the ONNX file of a recogniser; same recogniser, same bytes.

    step: go through a recording in parts, with a state between them. Inputs and outputs:
    `pipeline.recogniser.onnx_models.write_models`.

    Raises:
        NotPortableError: the system cannot be written, or not step by step.
    """
    about = recogniser.description
    fitted = about.calibration
    temperature, lines = (None, None) if fitted is None else (fitted.temperature, fitted.lines)
    described = _metadata(recogniser, step)
    utterances = recogniser.corpus.grid.utterances
    return write_models(
        recogniser.models, about.chains, described, step, temperature, lines, utterances=utterances
    )


def left_out(recogniser: Recogniser, step: bool) -> str:
    """Say what a file that goes step by step does not do; empty if nothing."""
    windows = filters(recogniser.description.chains) if step else []
    if not windows:
        return ""
    return (
        f"the median filter of post-processing ({max(windows)} label times at most) looks ahead and is not "
        "in a file that goes step by step: its values are those of the recogniser before this filter"
    )


def _metadata(recogniser: Recogniser, step: bool) -> dict[str, str]:
    """Return what the file says of itself, each value as JSON."""
    about, models, grid = recogniser.description, recogniser.models, recogniser.corpus.grid
    hop = grid.hop or 0.0
    found: dict[str, Any] = {
        "format": FORMAT,
        "name": about.name,
        "corpus": about.corpus,
        "recogniser_sha256": about.sha256,
        "dimension": about.dimension,
        "task": about.task,
        "classes": about.classes,
        "system": about.system,
        "setting": about.setting,
        "seeds": about.seeds,
        "inputs": list(about.needed),
        "output": PROBABILITIES if about.classes else PREDICTION,
        "step": step,
        "window": grid.window,
        "hop": grid.hop,
        "alignment": grid.alignment,
        "annotation_delay": round(models.about["delay_frames"] * hop, 9),
        "postprocessing": _postprocessing(recogniser, step),
        "calibration": None if about.calibration is None else about.calibration.model_dump(mode="json"),
        "opset": OPSET,
        "ir": IR,
        "licence": LICENCE,
    }
    for modality in about.needed:
        found[f"features.{modality}"] = models.features(modality)
        found[f"extraction.{modality}"] = about.extraction.get(modality, {})
    return {key: json.dumps(value, sort_keys=True, ensure_ascii=False) for key, value in found.items()}


def _postprocessing(recogniser: Recogniser, step: bool) -> Sequence[dict[str, Any]] | str:
    """Return the chain of each seed that is in the file, and in words what is not."""
    chains = recogniser.description.chains
    if chains is None:
        return []
    return left_out(recogniser, step) or [chain.model_dump(mode="json") for chain in chains]
