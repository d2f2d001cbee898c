"""MTCNN as features use it: images -> candidate faces; crops -> O-Net vectors.

torch is imported when there is a face to find: a stage that finds all in the store does without, and so does
the embedding, which is NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.mtcnn_weights import folder
from pipeline.params import Faces

CROP = 48
"""Side of O-Net's input, pixels."""
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


class Detector:
    """MTCNN with the parameters of a corpus."""

    def __init__(self, faces: Faces, device: str) -> None:
        """Load the networks.

        device: `cpu` or `cuda`.
        """
        from pipeline.features.faces.mtcnn_cascade import Cascade

        self.min_probability = faces.min_probability
        self.cascade = Cascade(faces.min_face, faces.thresholds, faces.scale_factor, device)

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[Candidates]:
        """Find the faces in images of equal size, each (height, width, 3) RGB."""
        return [self._candidates(*found) for found in self.cascade.detect(np.stack(images))]

    def _candidates(
        self,
        boxes: NDArray[np.float32],
        landmarks: NDArray[np.float32],
        probability: NDArray[np.float32],
    ) -> Candidates:
        likely = probability >= self.min_probability
        return Candidates(boxes[likely], landmarks[likely], probability[likely])


class OnetEmbedder:
    """O-Net's layer dense5: 256 values of a face, trained on faces, shipped with the detector."""

    size = CROP
    names = tuple(f"onet_{i:03d}" for i in range(DENSE5))

    def __init__(self, activation: str) -> None:
        """Load O-Net.

        It is small enough for the processor, and there its vectors do not depend on whether the machine
        has a GPU. activation: post_relu (after dense5's PReLU) or pre_relu.

        Raises:
            ModuleNotFoundError: facenet-pytorch, which ships the weights, is not installed.
            WeightsError: its file does not hold O-Net.
        """
        from pipeline.features.embeddings.onet_numpy import Onet

        self.onet = Onet(folder() / "onet.pt")
        self.activation = activation

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of square RGB crops, each the same whatever the others are.

        crops: (faces, 48, 48, 3). Returns (faces, 256).
        """
        vectors = self.onet.dense5(crops)
        if self.activation == "post_relu":
            return self.onet.activated(vectors)
        return vectors
