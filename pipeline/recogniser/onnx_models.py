"""The models of one setting -> an ONNX graph from raw features to one prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from pipeline.catalogue.systems import SYSTEMS
from pipeline.learning.learner import Portable
from pipeline.learning.onnx_graph import TREES, NotPortableError
from pipeline.learning.onnx_scaling import scale
from pipeline.onnx_graph import Graph
from pipeline.recogniser.onnx_outputs import Fitted, averaged, calibrated, on_lines

if TYPE_CHECKING:
    from pipeline.recogniser.models_of_setting import ModelsOfSetting

OPSET = {"": 17, TREES: 3}
"""Versions of the operators, by domain: as old as they can be, so that old runtimes read the file."""
IR = 8
"""The version of the format that came with them."""
PREDICTION, PROBABILITIES = "prediction", "probabilities"
"""The output, (frames,) or (frames, classes)."""


def write_models(
    models: ModelsOfSetting,
    chains: Sequence[Fitted] | None,
    about: Mapping[str, str],
    step: bool,
    temperature: float | None = None,
    lines: Sequence[tuple[float, float]] | None = None,
    *,
    utterances: bool = False,
) -> bytes:
    """Return an ONNX file whose prediction is that of the models, averaged over seeds.

    chains: of each seed. about: the file's metadata. step: with an input `state` and an output `next_state`.
    temperature, lines: by which probabilities are calibrated, of one class or of several. utterances: each
    frame is an utterance of its own, else one of a recording.

    Inputs, for each modality that the system needs: `<modality>`, float32 (frames, features), raw features;
    `valid.<modality>`, bool (frames,); with features scaled by speaker `speaker.<modality>`, float64 (3,
    features): of the speaker's recordings how many there are, mean and deviation, as `emobed enrol` keeps
    them, zeros for a stranger. Of modalities with different
    numbers of frames the shortest counts.

    Raises:
        NotPortableError: the system cannot be written, or not in this form.
    """
    system = models.variants[0].system
    if not isinstance(models.predictor, Portable):
        raise NotPortableError(
            f"{SYSTEMS[system].label} cannot be written as ONNX: its models have no `to_onnx` "
            "(pipeline.learning.learner.Portable)"
        )
    if step and utterances:
        raise NotPortableError(
            "it predicts each utterance by itself, so that no step has anything to hand to the next: export "
            "it without --step, the file takes any number of utterances at a time"
        )
    graph = Graph(step, apart=utterances)
    scaled = {}
    views = {modality: view for view, modality in models.about["modalities"].items()}
    for modality in models.needed:
        view = views[modality]
        scaler, features = models.scalers[view], len(models.features(modality))
        axis = "frames" if len(models.needed) == 1 else f"frames of {modality}"
        values = graph.input(modality, TensorProto.FLOAT, [axis, features])
        valid = graph.input(f"valid.{modality}", TensorProto.BOOL, [axis])
        speaker = ""
        if scaler.speaker != "none":
            speaker = graph.input(f"speaker.{modality}", TensorProto.DOUBLE, [3, features])
        scaled[view] = scale(graph, scaler, values, valid, speaker)
    if len(scaled) > 1:
        zero = graph.constant([0], np.int64)
        shortest = graph.add("Min", *(graph.count(rows) for rows in scaled.values()))
        scaled = {view: graph.rows(rows, zero, shortest) for view, rows in scaled.items()}
    classes = len(models.about["classes"])
    width = max(classes, 1)
    of_seeds = models.predictor.to_onnx(graph, scaled)
    mean = averaged(graph, of_seeds, width, models.about["delay_frames"], chains)
    if classes:
        if temperature is not None:
            mean = calibrated(graph, mean, temperature)
        if lines is not None:
            mean = on_lines(graph, mean, lines)
        graph.output(PROBABILITIES, mean, ["frames", classes])
    else:
        graph.output(PREDICTION, graph.add("Squeeze", mean, graph.constant([1], np.int64)), ["frames"])
    return graph.model(OPSET, IR, about, models.about["dimension"])
