"""Adapter around facenet-pytorch's MTCNN: images -> candidate faces; crops -> O-Net vectors.

The only module that imports facenet-pytorch (dormant since 2024); none of its types leave it.
Source: K. Zhang et al., Joint face detection and alignment using multitask cascaded convolutional
networks, IEEE SPL 2016, DOI 10.1109/LSP.2016.2603342.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import facenet_pytorch
import numpy as np
import torch
from facenet_pytorch import MTCNN
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


@lru_cache(maxsize=1)
def weights_sha256() -> str:
    """Return one hash over the three weight files that ship inside facenet-pytorch."""
    folder = Path(facenet_pytorch.__file__).parent / "data"
    digest = hashlib.sha256(version("facenet-pytorch").encode())
    for name in ("pnet.pt", "rnet.pt", "onet.pt"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


class Detector:
    """MTCNN with the parameters of a corpus."""

    def __init__(self, faces: Faces, device: str) -> None:
        """Load the networks.

        device: `cpu` or `cuda`.
        """
        self.min_face = faces.min_face
        self.min_probability = faces.min_probability
        self.mtcnn = MTCNN(
            min_face_size=faces.min_face,
            thresholds=list(faces.thresholds),
            factor=faces.scale_factor,
            keep_all=True,
            post_process=False,
            device=torch.device(device),
        )

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[Candidates]:
        """Find the faces in images of equal size, each (height, width, 3) RGB."""
        if min(images[0].shape[:2]) < self.min_face:
            return [NO_FACE] * len(images)
        try:
            found = self.mtcnn.detect(np.stack(images), landmarks=True)
        except RuntimeError as error:
            # A batch in which every candidate lies outside its image has nothing to concatenate
            # (timesler/facenet-pytorch#224): image by image, the others keep their faces.
            if "non-empty list" not in str(error):
                raise
            return [NO_FACE] if len(images) == 1 else [self.detect([image])[0] for image in images]
        return [self._candidates(*one) for one in zip(*found, strict=True)]

    def _candidates(self, boxes: object, probability: object, landmarks: object) -> Candidates:
        if boxes is None:
            return NO_FACE
        likely = np.asarray(probability, np.float32) >= self.min_probability
        return Candidates(
            np.asarray(boxes, np.float32)[likely],
            np.asarray(landmarks, np.float32)[likely],
            np.asarray(probability, np.float32)[likely],
        )


class OnetEmbedder:
    """O-Net's layer dense5: 256 values of a face, trained on faces, shipped with the detector."""

    size = CROP
    names = tuple(f"onet_{i:03d}" for i in range(DENSE5))

    def __init__(self, activation: str, device: str) -> None:
        """Load O-Net.

        activation: post_relu (after dense5's PReLU) or pre_relu. device: `cpu` or `cuda`.
        """
        self.net = MTCNN(device=torch.device(device)).onet
        self.activation = activation
        self.device = device

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of square RGB crops.

        crops: (faces, 48, 48, 3). Returns (faces, 256).
        """
        net = self.net
        with torch.inference_mode():
            x = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float()
            x = (x - 127.5) * 0.0078125
            x = net.pool1(net.prelu1(net.conv1(x)))
            x = net.pool2(net.prelu2(net.conv2(x)))
            x = net.pool3(net.prelu3(net.conv3(x)))
            x = net.prelu4(net.conv4(x))
            # (faces, 128, 3, 3) -> (faces, 3, 3, 128) with width before height -> (faces, 1152)
            x = net.dense5(x.permute(0, 3, 2, 1).reshape(len(x), -1))
            if self.activation == "post_relu":
                x = net.prelu5(x)
        return x.cpu().numpy()
