"""What the compiled steps of utterances take: structures as in its headers, field by field."""

from __future__ import annotations

import ctypes

LOSSES = ("ccc", "ccc_per_sequence", "mse", "cross_entropy", "binary_cross_entropy")
FORMS = ("literal", "hinge", "softplus")
"""Names in the order of the headers."""

Long, Double, Pointer = ctypes.c_long, ctypes.c_double, ctypes.c_void_p


class Modality(ctypes.Structure):
    """`struct modality`."""

    _fields_ = (("features", Pointer), ("width", Long), ("batch", Long), ("drawn", Long))


class Block(ctypes.Structure):
    """`struct block`."""

    _fields_ = (
        ("layers", Long), ("directions", Long), ("features", Long), ("hidden", Long), ("at", Pointer)
    )  # fmt: skip


class Parts(ctypes.Structure):
    """`struct parts`."""

    _fields_ = (
        ("length", Long), ("reached", Long), ("idle", Long), ("of_reached", Pointer), ("of_idle", Pointer)
    )  # fmt: skip


class Loss(ctypes.Structure):
    """`struct loss`."""

    _fields_ = (("kind", Long), ("outputs", Long), ("positive_weight", Pointer))


class Plan(ctypes.Structure):
    """`struct plan`."""

    _fields_ = (
        ("steps", Long),
        ("modality", Modality * 2),
        ("encoder", Block * 2),
        ("shared", Block),
        ("head_weight", Long),
        ("head_bias", Long),
        ("core", Parts),
        ("extra", Parts),
        ("loss", Loss),
        ("clip_norm", Double),
    )


class Seen(ctypes.Structure):
    """`struct seen`."""

    _fields_ = tuple((name, Pointer) for name in ("indices", "labels", "labelled", "codes", "drawn"))


class Row(ctypes.Structure):
    """`struct row`."""

    _fields_ = tuple((name, Pointer) for name in ("values", "means", "squares"))


class Descent(ctypes.Structure):
    """`struct descent`."""

    _fields_ = (("rate", Double), ("decay", Double), ("taken", Long))


class Triplet(ctypes.Structure):
    """`struct triplet`."""

    _fields_ = (
        ("form", Long),
        ("mean", Long),
        ("margin", Double),
        ("kinds", Long),
        ("overlap", Pointer),
        ("apart", Pointer),
        ("distance", Pointer),
    )


class Model(ctypes.Structure):
    """`struct model`."""

    _fields_ = (
        ("core", Row),
        ("extra", Row),
        ("seen", Seen * 2),
        ("alpha", Double),
        ("beta", Double),
        ("descent", Descent),
        ("triplet", Triplet),
    )


def declare(loaded: ctypes.CDLL) -> None:
    """Say what the functions take."""
    plan, pointer = ctypes.POINTER(Plan), Pointer
    loaded.utterance_bytes.argtypes, loaded.utterance_bytes.restype = [plan, Long], Long
    loaded.utterance_epoch.argtypes = [plan, ctypes.POINTER(Model), pointer, pointer]
    loaded.utterance_epoch.restype = Long
    loaded.prediction_loss.argtypes = [
        ctypes.POINTER(Loss), Long, pointer, Long, pointer, pointer, Double, pointer
    ]  # fmt: skip
    loaded.prediction_loss.restype = Double
    loaded.triplet_bytes.argtypes, loaded.triplet_bytes.restype = [Long] * 3, Long
    loaded.triplet_loss.argtypes = [
        ctypes.POINTER(Triplet), Long, Long, pointer, Long, *[pointer] * 2, Double, *[pointer] * 3
    ]  # fmt: skip
    loaded.triplet_loss.restype = Double
