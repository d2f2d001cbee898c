"""MTCNN as features use it: images -> candidate faces; crops -> O-Net vectors.

torch is imported when there is something to compute: a stage that finds all in the store does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


NO_FACE = Candidates(np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32))


class Detector:
    """MTCNN with the parameters of a corpus."""

    def __init__(self, faces: Faces, device: str) -> None:
        """Load the networks.

        device: `cpu` or `cuda`.
        """
        from pipeline.features.mtcnn_cascade import Cascade

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

    def __init__(self, activation: str, device: str) -> None:
        """Load O-Net.

        activation: post_relu (after dense5's PReLU) or pre_relu. device: `cpu` or `cuda`.
        """
        from pipeline.features.mtcnn_networks import load_weights

        self.weights = load_weights("onet", device)
        self.activation = activation
        self.device = device

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of square RGB crops.

        crops: (faces, 48, 48, 3). Returns (faces, 256).
        """
        import torch

        from pipeline.features.mtcnn_networks import onet_activated, onet_dense5, scaled

        with torch.inference_mode():
            x = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float()
            x = onet_dense5(self.weights, scaled(x))
            if self.activation == "post_relu":
                x = onet_activated(self.weights, x)
        return x.cpu().numpy()
