"""A picture -> boxes and landmarks of its faces: the three stages of MTCNN one after the other.

P-Net proposes boxes on a pyramid of smaller and smaller pictures, R-Net drops most of them, O-Net
decides and gives the landmarks; after each stage the better of two overlapping boxes is kept.

Source: K. Zhang et al., Joint face detection and alignment using multitask cascaded convolutional
networks, IEEE SPL 2016, DOI 10.1109/LSP.2016.2603342, section II. What the paper leaves open
(rounding, how boxes are cut out, overlaps) is as in facenet-pytorch, whose weights these are and whose
boxes a test compares. Each picture goes through by itself: in one thread a batch gains nothing, and so a
face does not depend on the pictures around it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.features.faces.area_scaling import SummedPicture
from pipeline.features.faces.best_boxes import best_boxes
from pipeline.features.faces.box_overlap import overlap_of_smaller, overlap_of_union
from pipeline.features.faces.mtcnn_networks import Network, network

Array = NDArray[np.float32]
Found = tuple[Array, Array, Array]

PNET_SIDE, PNET_STRIDE = 12, 2
RNET_SIDE, ONET_SIDE = 24, 48
"""Pixels that each network looks at."""
SAME_FACE = 0.7
"""Overlap, as a share of the smaller box, above which two of O-Net's boxes are of one face."""
COVERED = 0.5
"""Overlap, of the union, from which on a proposal is of a face that is known. Of boxes of one size it is two
thirds of each, nearly `SAME_FACE`."""
CROPS_AT_ONCE = 128
"""Crops that go through a network together: bounds memory on pictures with many proposals."""


class Cascade:
    """MTCNN: its networks, thresholds and scales."""

    def __init__(self, min_face: float, thresholds: tuple[float, float, float], factor: float) -> None:
        """Load the networks.

        min_face: pixels. thresholds: probability of a face wanted by P-, R- and O-Net. factor: of one
        scale of the pyramid to the next.
        """
        self.min_face, self.thresholds, self.factor = min_face, thresholds, factor
        self.pnet, self.rnet, self.onet = (network(name) for name in ("pnet", "rnet", "onet"))

    def detect(self, picture: SummedPicture) -> Found:
        """Find the faces of a picture.

        Returns boxes (faces, 4), landmarks (faces, 5, 2), pixels, and probabilities (faces,), the largest
        face first.
        """
        return self._decide(picture, self._refine(picture, self._propose(picture)))

    def elsewhere(self, picture: SummedPicture, boxes: Array) -> Found:
        """Find the faces of a picture that `detect` finds, but for those whose boxes (boxes, 4) are known.

        R- and O-Net are spared what lies about a known box, which is most of what they would see of a face.
        """
        known = _square(boxes)
        proposed = _apart(self._propose(picture), known)
        found, landmarks, score = self._decide(picture, _apart(self._refine(picture, proposed), known))
        new = (overlap_of_smaller(found, boxes) <= np.float64(SAME_FACE)).all(axis=1)
        return found[new], landmarks[new], score[new]

    def near(self, picture: SummedPicture, boxes: Array) -> Found:
        """Find the faces of a picture about where boxes (boxes, 4) are, by R- and O-Net alone; as `detect`.

        Proposals are the squares that hold the boxes, as P-Net's are: a face is higher than wide. Of a face
        that the picture's edge cuts, they hold what is in the picture. The networks guess the rest, each time
        beyond where they are shown it, and boxes would grow from picture to picture.
        """
        edges = np.array([picture.width, picture.height] * 2, np.float32)
        return self._decide(picture, self._refine(picture, _square(np.clip(boxes, 0, edges))))

    def _propose(self, picture: SummedPicture) -> Array:
        """Return P-Net's boxes, squares of (boxes, 4)."""
        found = [(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 4), np.float32))]
        for scale in self._scales(min(picture.height, picture.width)):
            smaller = picture.scaled(int(picture.height * scale + 1), int(picture.width * scale + 1))
            (maps,) = self.pnet.run(smaller[None])
            probability = _probability(maps[0], maps[1])
            # (boxes, 2): row, column
            places = np.argwhere(probability >= self.thresholds[0])
            corner = places[:, ::-1].astype(np.float32) * PNET_STRIDE
            boxes = np.floor(np.concatenate([(corner + 1) / scale, (corner + PNET_SIDE) / scale], axis=1))
            score, moves = probability[tuple(places.T)], maps[2:, places[:, 0], places[:, 1]].T
            kept = best_boxes(boxes, score, 0.5, overlap_of_union)
            found.append((boxes[kept], score[kept], moves[kept]))
        boxes, score, moves = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = best_boxes(boxes, score, 0.7, overlap_of_union)
        return _square(_moved(boxes[kept], moves[kept], 0))

    def _scales(self, side: int) -> Iterator[float]:
        """Give the scales at which a face of `min_face` pixels or more is as large as P-Net's input."""
        scale = PNET_SIDE / self.min_face
        smallest = side * scale
        while smallest >= PNET_SIDE:
            yield scale
            scale, smallest = scale * self.factor, smallest * self.factor

    def _refine(self, picture: SummedPicture, boxes: Array) -> Array:
        """Return the boxes that R-Net keeps, moved, as squares."""
        boxes, found = _seen(self.rnet, picture, boxes, RNET_SIDE, 6)
        score = _probability(found[:, 0], found[:, 1])
        sure = score > self.thresholds[1]
        boxes, score, moves = boxes[sure], score[sure], found[sure, 2:]
        kept = best_boxes(boxes, score, 0.7, overlap_of_union)
        return _square(_moved(boxes[kept], moves[kept], 1))

    def _decide(self, picture: SummedPicture, boxes: Array) -> Found:
        """Return O-Net's boxes, landmarks and probabilities."""
        boxes, found = _seen(self.onet, picture, boxes, ONET_SIDE, 16)
        score = _probability(found[:, 0], found[:, 1])
        sure = score > self.thresholds[2]
        boxes, score, found = boxes[sure], score[sure], found[sure]
        # (boxes, 10) -> (boxes, 2, 5) -> (boxes, 5, 2), pixels
        shares = found[:, 6:].reshape(-1, 2, 5)
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = (sides[:, :, None] * shares + boxes[:, :2, None] - 1).transpose(0, 2, 1)
        boxes = _moved(boxes, found[:, 2:6], 1)
        kept = best_boxes(boxes, score, SAME_FACE, overlap_of_smaller)
        sides = boxes[kept, 2:] - boxes[kept, :2]
        kept = kept[np.argsort(sides[:, 0] * sides[:, 1])[::-1]]
        return boxes[kept], landmarks[kept], score[kept]


def _apart(boxes: Array, known: Array) -> Array:
    """Return the boxes (boxes, 4) that are of none of the known squares (known, 4)."""
    return boxes[(overlap_of_union(boxes, known) < COVERED).all(axis=1)]


def _probability(no_face: Array, face: Array) -> Array:
    """Return the second of two logits' softmax."""
    with np.errstate(over="ignore"):  # a face so unlikely that it is 1 / infinity
        return 1 / (1 + np.exp(no_face - face))


def _moved(boxes: Array, moves: Array, pixel: int) -> Array:
    """Move the edges of boxes (boxes, 4) by shares of their sides.

    pixel: 1 where a box counts its last pixel. The networks were trained with both ways.
    """
    sides = boxes[:, 2:] - boxes[:, :2] + pixel
    return boxes + moves * np.concatenate([sides, sides], axis=1)


def _square(boxes: Array) -> Array:
    """Return the squares about the same centres that hold the boxes, (boxes, 4)."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return np.concatenate([corner, corner + longer], axis=1)


def _seen(
    seer: Network, picture: SummedPicture, boxes: Array, side: int, outputs: int
) -> tuple[Array, Array]:
    """Cut boxes out of a picture and show them, scaled to (side, side), to a network.

    What lies outside the picture is cut off. Returns the boxes that are left, since one wholly outside is
    dropped, and what the network finds, (boxes, outputs).
    """
    edges = boxes.astype(np.int64)  # towards zero
    # boxes count pixels from 1
    left, top = np.maximum(edges[:, :2], 1).T - 1
    right, bottom = np.minimum(edges[:, 2:], (picture.width, picture.height)).T
    inside = np.flatnonzero((right > left) & (bottom > top))
    found = np.empty((len(inside), outputs), np.float32)
    for first in range(0, len(inside), CROPS_AT_ONCE):
        own = inside[first : first + CROPS_AT_ONCE]
        crops = picture.squares(left[own], top[own], right[own], bottom[own], side)
        found[first : first + len(own)] = seer.run(crops)
    return boxes[inside], found
