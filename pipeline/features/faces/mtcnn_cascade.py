"""Pictures -> boxes and landmarks of faces: the three stages of MTCNN one after the other.

P-Net proposes boxes on a pyramid of smaller and smaller pictures, R-Net drops most of them, O-Net
decides and gives the landmarks; after each stage the better of two overlapping boxes is kept.

Source: K. Zhang et al., Joint face detection and alignment using multitask cascaded convolutional
networks, IEEE SPL 2016, DOI 10.1109/LSP.2016.2603342, section II. What the paper leaves open
(rounding, how boxes are cut out, overlaps) is as in facenet-pytorch, whose weights these are and whose
boxes a test compares; it is not used itself, since importing it takes longer than detecting faces in
an utterance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.features.faces.best_boxes import best_of_each
from pipeline.features.faces.box_overlap import overlap_of_smaller, overlap_of_union
from pipeline.features.faces.mtcnn_networks import Weights, load_weights, onet, pnet, rnet, scaled

PNET_SIDE, PNET_STRIDE = 12, 2
RNET_SIDE, ONET_SIDE = 24, 48
"""Pixels that each network looks at."""
CROPS_AT_ONCE = 512
"""Crops that go through a network together: bounds memory on pictures with many proposals."""

Faces = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class Cascade:
    """MTCNN: its networks, thresholds and scales."""

    def __init__(
        self, min_face: float, thresholds: tuple[float, float, float], factor: float, device: str
    ) -> None:
        """Load the networks.

        min_face: pixels. thresholds: probability of a face wanted by P-, R- and O-Net. factor: of one
        scale of the pyramid to the next. device: `cpu` or `cuda`.
        """
        self.min_face, self.thresholds, self.factor, self.device = min_face, thresholds, factor, device
        self.pnet, self.rnet, self.onet = (load_weights(name, device) for name in ("pnet", "rnet", "onet"))

    def detect(self, images: NDArray[np.uint8]) -> list[Faces]:
        """Find the faces of images (images, height, width, 3) RGB.

        Returns for each image boxes (faces, 4), landmarks (faces, 5, 2), pixels, and probabilities
        (faces,), the largest face first.
        """
        with torch.inference_mode():
            pictures = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float()
            boxes, image = self._propose(pictures)
            boxes, image = self._refine(pictures, boxes, image)
            *faces, where = self._decide(pictures, boxes, image)
        return [_largest_first(*(part[where == i] for part in faces)) for i in range(len(images))]

    def _propose(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return P-Net's boxes, squares of (boxes, 4), and the pictures they lie in, (boxes,)."""
        height, width = pictures.shape[2:]
        found = [_no_boxes(self.device)]
        for scale in self._scales(min(height, width)):
            size = int(height * scale + 1), int(width * scale + 1)
            probability, offsets = pnet(self.pnet, scaled(interpolate(pictures, size=size, mode="area")))
            # (boxes, 3): picture, row, column
            places = (probability >= self.thresholds[0]).nonzero()
            image = places[:, 0]
            corner = places[:, [2, 1]].float() * PNET_STRIDE
            boxes = torch.cat([(corner + 1) / scale, (corner + PNET_SIDE) / scale], dim=1).floor()
            score = probability[tuple(places.T)]
            # (pictures, 4, rows, columns) -> (boxes, 4)
            moves = offsets.permute(0, 2, 3, 1)[tuple(places.T)]
            kept = best_of_each(boxes, score, image, 0.5, overlap_of_union)
            found.append((boxes[kept], score[kept], moves[kept], image[kept]))
        boxes, score, moves, image = (torch.cat(parts) for parts in zip(*found, strict=True))
        kept = best_of_each(boxes, score, image, 0.7, overlap_of_union)
        return _square(_moved(boxes[kept], moves[kept], 0)), image[kept]

    def _scales(self, side: int) -> list[float]:
        """Return the scales at which a face of `min_face` pixels or more is as large as P-Net's input."""
        scale = PNET_SIDE / self.min_face
        smallest, scales = side * scale, []
        while smallest >= PNET_SIDE:
            scales.append(scale)
            scale, smallest = scale * self.factor, smallest * self.factor
        return scales

    def _refine(self, pictures: Tensor, boxes: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the boxes that R-Net keeps, moved, and their pictures."""
        boxes, image, crops = _cut_out(pictures, boxes, image, RNET_SIDE)
        if not len(boxes):
            return boxes, image
        score, moves = _in_parts(rnet, self.rnet, crops)
        sure = score > self.thresholds[1]
        boxes, score, moves, image = boxes[sure], score[sure], moves[sure], image[sure]
        kept = best_of_each(boxes, score, image, 0.7, overlap_of_union)
        return _square(_moved(boxes[kept], moves[kept], 1)), image[kept]

    def _decide(self, pictures: Tensor, boxes: Tensor, image: Tensor) -> tuple[NDArray[Any], ...]:
        """Return O-Net's boxes, landmarks and probabilities, and their pictures."""
        boxes, image, crops = _cut_out(pictures, boxes, image, ONET_SIDE)
        if not len(boxes):
            return np.empty((0, 4), "f4"), np.empty((0, 5, 2), "f4"), np.empty(0, "f4"), np.empty(0, "i8")
        score, moves, shares = _in_parts(onet, self.onet, crops)
        sure = score > self.thresholds[2]
        boxes, score, moves, image = boxes[sure], score[sure], moves[sure], image[sure]
        # (boxes, 10) -> (boxes, 2, 5) -> (boxes, 5, 2), pixels
        shares = shares[sure].reshape(-1, 2, 5)
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = (sides[:, :, None] * shares + boxes[:, :2, None] - 1).permute(0, 2, 1)
        boxes = _moved(boxes, moves, 1)
        kept = best_of_each(boxes, score, image, 0.7, overlap_of_smaller)
        return tuple(part[kept].cpu().numpy() for part in (boxes, landmarks, score, image))


def _no_boxes(device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    empty = torch.empty((0, 4), device=device)
    return empty, empty[:, 0], empty, torch.empty(0, dtype=torch.int64, device=device)


def _moved(boxes: Tensor, moves: Tensor, pixel: int) -> Tensor:
    """Move the edges of boxes (boxes, 4) by shares of their sides.

    pixel: 1 where a box counts its last pixel. The networks were trained with both ways.
    """
    sides = boxes[:, 2:] - boxes[:, :2] + pixel
    return boxes + moves * torch.cat([sides, sides], dim=1)


def _square(boxes: Tensor) -> Tensor:
    """Return the squares about the same centres that hold the boxes, (boxes, 4)."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.amax(dim=1, keepdim=True)
    corner = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return torch.cat([corner, corner + longer], dim=1)


def _cut_out(pictures: Tensor, boxes: Tensor, image: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cut boxes out of their pictures and scale them, (boxes, 3, side, side).

    What lies outside the picture is cut off. Returns with them the boxes and pictures that are left:
    a box wholly outside is dropped.
    """
    height, width = pictures.shape[2:]
    edges = boxes.trunc().int().cpu().numpy()
    # boxes count pixels from 1
    left, top = np.maximum(edges[:, :2], 1).T - 1
    right, bottom = np.minimum(edges[:, 2:], (width, height)).T
    inside = np.flatnonzero((right > left) & (bottom > top))
    crops = [
        interpolate(
            pictures[image[i], :, top[i] : bottom[i], left[i] : right[i]][None],
            size=(side, side),
            mode="area",
        )
        for i in inside
    ]
    kept = torch.from_numpy(inside).to(boxes.device)
    together = torch.cat(crops) if crops else pictures.new_empty((0, 3, side, side))
    return boxes[kept], image[kept], scaled(together)


def _in_parts(
    network: Callable[[Weights, Tensor], tuple[Tensor, ...]], weights: Weights, crops: Tensor
) -> tuple[Tensor, ...]:
    parts = [network(weights, part) for part in crops.split(CROPS_AT_ONCE)]
    return tuple(torch.cat(each) for each in zip(*parts, strict=True))


def _largest_first(
    boxes: NDArray[np.float32], landmarks: NDArray[np.float32], probability: NDArray[np.float32]
) -> Faces:
    sides = boxes[:, 2:] - boxes[:, :2]
    order = np.argsort(sides[:, 0] * sides[:, 1])[::-1]
    return boxes[order], landmarks[order], probability[order]
