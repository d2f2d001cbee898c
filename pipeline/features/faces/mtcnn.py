"""MTCNN as features use it: images -> candidate faces; crops -> O-Net vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.area_scaling import SummedPicture
from pipeline.features.faces.mtcnn_cascade import ONET_SIDE, Cascade, Found
from pipeline.features.faces.mtcnn_networks import network
from pipeline.params import Faces

DENSE5 = 256
"""Values of O-Net's layer dense5."""


@dataclass(frozen=True)
class Candidates:
    """The faces found in one image, any number.

    boxes: (faces, 4) left, top, right, bottom, pixels. landmarks: (faces, 5, 2) x, y of the left eye,
    right eye, nose, left and right corner of the mouth as seen in the image, pixels. probability: (faces,).
    """

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    probability: NDArray[np.float32]

    def only(self, numbers: NDArray[np.int64]) -> Candidates:
        """Return some of them, in this order."""
        return Candidates(self.boxes[numbers], self.landmarks[numbers], self.probability[numbers])

    def and_of(self, others: Candidates) -> Candidates:
        """Return these and others, the largest first."""
        boxes = np.concatenate([self.boxes, others.boxes])
        order = np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(axis=1), kind="stable")
        landmarks = np.concatenate([self.landmarks, others.landmarks])
        probability = np.concatenate([self.probability, others.probability])
        return Candidates(boxes, landmarks, probability).only(order)


class Detector:
    """MTCNN with the parameters of a corpus."""

    def __init__(self, faces: Faces) -> None:
        """Load the networks.

        Raises:
            ModuleNotFoundError: facenet-pytorch, which ships the weights, is not installed.
            WeightsError: its files do not hold the networks.
        """
        self.min_probability = faces.min_probability
        self.cascade = Cascade(faces.min_face, faces.thresholds, faces.scale_factor)

    def detect(self, image: NDArray[np.uint8]) -> Candidates:
        """Find the faces in an image (height, width, 3) RGB."""
        return _likely(self.cascade.detect(SummedPicture(image)), self.min_probability)


class Look:
    """A look at an image in which some faces may be known; it holds more memory than the image does."""

    def __init__(self, detector: Detector, image: NDArray[np.uint8]) -> None:
        """Begin; image: (height, width, 3) RGB."""
        self._detector, self._picture = detector, SummedPicture(image)

    def near(self, boxes: NDArray[np.float32], accepted: float) -> Candidates:
        """Find the faces that lie about where boxes (boxes, 4) are.

        accepted: the probability that a face must have.
        """
        return _likely(self._detector.cascade.near(self._picture, boxes), accepted)

    def elsewhere(self, boxes: NDArray[np.float32]) -> Candidates:
        """Find the faces that `Detector.detect` finds, but for those whose boxes (boxes, 4) are known."""
        found = self._detector.cascade.elsewhere(self._picture, boxes)
        return _likely(found, self._detector.min_probability)


class Picture:
    """An image (height, width, 3) RGB in which faces are looked for when they are asked for, once."""

    def __init__(self, detector: Detector, image: NDArray[np.uint8]) -> None:
        """Look for nothing yet."""
        self.detector, self.image = detector, image

    @cached_property
    def faces(self) -> Candidates:
        """Return the faces in it, as `Detector.detect`."""
        return self.detector.detect(self.image)

    def look(self) -> Look:
        """Begin to look at it where faces may be."""
        return Look(self.detector, self.image)


def _likely(found: Found, least: float) -> Candidates:
    boxes, landmarks, probability = found
    likely = probability >= least
    return Candidates(boxes[likely], landmarks[likely], probability[likely])


class OnetEmbedder:
    """O-Net's layer dense5: 256 values of a face, trained on faces, shipped with the detector."""

    size = ONET_SIDE
    names = tuple(f"onet_{i:03d}" for i in range(DENSE5))

    def __init__(self, activation: str) -> None:
        """Load O-Net.

        activation: post_relu (after dense5's PReLU) or pre_relu.

        Raises:
            ModuleNotFoundError: facenet-pytorch, which ships the weights, is not installed.
            WeightsError: its file does not hold O-Net.
        """
        self.onet = network("onet")
        self.activation = activation

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of square RGB crops, each the same whatever the others are.

        crops: (faces, 48, 48, 3). Returns (faces, 256).
        """
        return self.onet.run(crops.astype(np.float32), self.activation)
