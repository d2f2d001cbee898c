"""VGG-Face up to fc7: its layers, what they are called here and there, and their shapes.

Source: O. Parkhi, A. Vedaldi, A. Zisserman, Deep face recognition, BMVC 2015, DOI 10.5244/C.29.41,
table 3. The widths are parameters, so that tests run a narrow network through the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.features.extractor import NotReadyError

CHANNELS = 3
HALVINGS = 5
"""Poolings by two: the image's side is 32 times the side of what fc6 reads."""


class WeightsError(NotReadyError):
    """Report a weight file: which file, which tensor, what was expected, what to run."""


class Layer(NamedTuple):
    """A layer with weights.

    name: as in the paper. torchvision: the prefix of its tensors. kernel: side of the kernel in
    pixels; fc6 is a kernel as large as its input and fc7 a kernel of 1, which is what they compute.
    """

    name: str
    torchvision: str
    outputs: int
    inputs: int
    kernel: int

    @property
    def dense(self) -> bool:
        """Say whether torchvision holds the layer as a matrix (outputs, inputs x kernel x kernel)."""
        return self.name.startswith("fc")


@dataclass(frozen=True)
class Architecture:
    """The widths of VGG-16.

    blocks: outputs of the 3 x 3 convolutions between poolings. dense: outputs of fc6 and fc7.
    side: of the square that fc6 reads, pixels. classes: outputs of fc8, the people that the network was
    trained to tell apart; fc8 is not used, and tells VGG-Face from other networks of its shape.
    """

    blocks: tuple[tuple[int, ...], ...] = ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3)
    dense: int = 4096
    side: int = 7
    classes: int = 2622

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the values of fc7 are called."""
        return tuple(f"fc7_{i:04d}" for i in range(self.dense))

    @property
    def image(self) -> int:
        """Side of the input image, pixels."""
        return self.side * 2**HALVINGS

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The 13 convolutions, fc6 and fc7, in order."""
        found: list[Layer] = []
        inputs, place = CHANNELS, 0
        for block, widths in enumerate(self.blocks, 1):
            for number, outputs in enumerate(widths, 1):
                found.append(Layer(f"conv{block}_{number}", f"features.{place}", outputs, inputs, 3))
                inputs, place = outputs, place + 2  # torchvision counts the ReLU as well
            place += 1  # and the pooling
        return (
            *found,
            Layer("fc6", "classifier.0", self.dense, inputs, self.side),
            Layer("fc7", "classifier.3", self.dense, self.dense, 1),
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor by its name in torchvision, in order."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in self.layers:
            kernel = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
            matrix = (layer.outputs, layer.inputs * layer.kernel**2)
            shapes[f"{layer.torchvision}.weight"] = matrix if layer.dense else kernel
            shapes[f"{layer.torchvision}.bias"] = (layer.outputs,)
        return shapes


VGG_FACE = Architecture()
CLASSIFIER = "fc8"


def require_shape(path: Path, tensor: str, found: Sequence[int] | None, expected: Sequence[int]) -> None:
    """Refuse a tensor that is missing (`found` is None) or of another shape.

    Raises:
        WeightsError: naming file, tensor, shape found and shape expected.
    """
    if found is None:
        raise WeightsError(f"{path}: tensor {tensor} is missing, expected shape {tuple(expected)}")
    if tuple(found) != tuple(expected):
        raise WeightsError(f"{path}: tensor {tensor} has shape {tuple(found)}, expected {tuple(expected)}")


def require_classes(path: Path, label: str, found: Sequence[int] | None, architecture: Architecture) -> None:
    """Refuse a network that was trained on something else than VGG-Face's people.

    label: what the file calls its last layer. found: shape of its bias, None if there is none.

    Raises:
        WeightsError: naming file, layer, outputs found and expected.
    """
    if found is None or tuple(found) != (architecture.classes,):
        outputs = "is missing" if found is None else f"has {' x '.join(map(str, found))} outputs"
        raise WeightsError(
            f"{path}: {label}, the last layer, {outputs}, expected the {architecture.classes:,} people of "
            "VGG-Face; a VGG-16 of ImageNet (1,000 classes) has the same layers and knows no faces "
            "(docs/weights.md)"
        )
