"""Random VGG networks written in the four published formats, and a forward pass for each of them.

Each forward pass reads the arrays as the file holds them, in that file's own convention; none uses
code of the project.
"""

from __future__ import annotations

import struct

import h5py
import numpy as np
import torch
from torch.nn import functional

NARROW = {"blocks": ((4, 5), (6, 4), (5, 7, 6), (8, 6, 7), (6, 7, 9)), "dense": 10, "side": 3, "classes": 11}
FULL = {
    "blocks": ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    "dense": 4096,
    "side": 7,
    "classes": 2622,
}
MEAN = {"R": 129.1863, "G": 104.7624, "B": 93.5940}


def draw(blocks, dense, side, classes, seed=0):
    """Return name -> (kernel (height, width, inputs, outputs) for RGB input, bias)."""
    rng = np.random.default_rng(seed)
    sizes, inputs = [], 3
    for block, widths in enumerate(blocks, 1):
        for number, outputs in enumerate(widths, 1):
            sizes.append((f"conv{block}_{number}", 3, inputs, outputs))
            inputs = outputs
    sizes += [("fc6", side, inputs, dense), ("fc7", 1, dense, dense), ("fc8", 1, dense, classes)]
    network = {}
    for name, kernel, n_in, n_out in sizes:
        weight = rng.standard_normal((kernel, kernel, n_in, n_out), np.float32)
        weight *= np.float32((2 / (kernel * kernel * n_in)) ** 0.5)
        network[name] = (weight, 0.1 * rng.standard_normal(n_out, np.float32))
    return network


def ends_block(network, name):
    later = f"{name[:-1]}{int(name[-1]) + 1}"
    return name.startswith("conv") and later not in network


# --- PyTorch -------------------------------------------------------------------------------------


def pth_arrays(network):
    state = {}
    for name, (kernel, bias) in network.items():
        weight = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        state[f"{name}.weight"] = weight.reshape(len(bias), -1) if name.startswith("fc") else weight
        state[f"{name}.bias"] = bias
    return state


def write_pth(path, network, legacy=False):
    state = {name: torch.from_numpy(array) for name, array in pth_arrays(network).items()}
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)


def forward_pth(network, rgb):
    return _channels_first(network, pth_arrays(network), rgb, "RGB")


def _channels_first(network, state, rgb, order):
    x = np.stack([rgb[..., "RGB".index(c)].astype(np.float32) - np.float32(MEAN[c]) for c in order])
    x = torch.from_numpy(x)[None]
    for name, (kernel, _) in network.items():
        weight, bias = torch.from_numpy(state[f"{name}.weight"]), torch.from_numpy(state[f"{name}.bias"])
        if name.startswith("conv"):
            x = functional.conv2d(x, weight.reshape(len(bias), kernel.shape[2], 3, 3), bias, padding=1).clamp(
                min=0
            )
            x = functional.max_pool2d(x, 2) if ends_block(network, name) else x
            continue
        x = x.flatten() @ weight.T + bias
        if name == "fc7":
            return x.numpy()
        x = x.clamp(min=0)
    raise AssertionError


# --- Torch7 --------------------------------------------------------------------------------------


def t7_arrays(network):
    """Blue, green, red; convolutions as nn.SpatialConvolutionMM keeps them, (outputs, rest)."""
    state = pth_arrays(network)
    state["conv1_1.weight"] = np.ascontiguousarray(state["conv1_1.weight"][:, ::-1])
    return {name: a.reshape(len(a), -1) if a.ndim > 1 else a for name, a in state.items()}


def forward_t7(network, rgb):
    return _channels_first(network, t7_arrays(network), rgb, "BGR")


class T7Writer:
    """The part of torch7's File.lua that writes tables, strings, numbers and float tensors."""

    def __init__(self, file):
        self.file, self.objects = file, 0

    def put(self, kind, value):
        self.file.write(struct.pack(f"<{kind}", value))

    def text(self, text):
        self.put("i", len(text))
        self.file.write(text.encode())

    def head(self, kind):
        self.objects += 1
        self.put("i", kind)
        self.put("i", self.objects)

    def value(self, value):
        if value is None:
            self.put("i", 0)
        elif isinstance(value, bool):
            self.put("i", 5)
            self.put("i", int(value))
        elif isinstance(value, (int, float)):
            self.put("i", 1)
            self.put("d", value)
        elif isinstance(value, str):
            self.put("i", 2)
            self.text(value)
        elif isinstance(value, dict):
            self.head(3)
            self.put("i", len(value))
            for key, item in value.items():
                self.value(key)
                self.value(item)
        elif isinstance(value, tuple):
            self.instance(*value)
        else:
            self.tensor(value)

    def instance(self, name, fields):
        self.head(4)
        self.text("V 1")
        self.text(name)
        self.value(fields)

    def tensor(self, array, before=3):
        """Write a tensor that starts `before` values into its storage."""
        self.head(4)
        self.text("V 1")
        self.text("torch.FloatTensor")
        self.put("i", array.ndim)
        for size in array.shape:
            self.put("q", size)
        for stride in array.strides:
            self.put("q", stride // 4)
        self.put("q", before + 1)
        self.head(4)
        self.text("V 1")
        self.text("torch.FloatStorage")
        self.put("q", before + array.size)
        self.file.write(b"\xff" * 4 * before)
        self.file.write(array.tobytes("A"))


def t7_modules(network):
    modules = []
    for name, array in t7_arrays(network).items():
        if name.endswith(".bias"):
            continue
        layer = name.removesuffix(".weight")
        fields = {"weight": array, "bias": t7_arrays_bias(network, layer), "train": False}
        if layer.startswith("conv"):
            modules += [
                ("nn.SpatialConvolutionMM", fields | {"kW": 3, "padding": 1}),
                ("nn.ReLU", {"inplace": True}),
            ]
            if ends_block(network, layer):
                modules.append(("nn.SpatialMaxPooling", {"kW": 2, "indices": None}))
        else:
            modules += [("nn.View", {"numElements": 1.5})] if layer == "fc6" else []
            modules += [("nn.Linear", fields), ("nn.ReLU", {"inplace": True}), ("nn.Dropout", {"p": 0.5})]
    return modules


def t7_arrays_bias(network, layer):
    return network[layer][1]


def write_t7(path, network):
    modules = t7_modules(network)
    with path.open("wb") as file:
        table = {number: module for number, module in enumerate(modules, 1)}
        T7Writer(file).value(("nn.Sequential", {"modules": table, "_type": "torch.FloatTensor"}))


# --- Keras ---------------------------------------------------------------------------------------


def keras_arrays(network, convolutional):
    arrays = {}
    for name, (kernel, bias) in network.items():
        weight = kernel[:, :, ::-1] if name == "conv1_1" else kernel
        if name.startswith("fc") and not convolutional:
            weight = weight.reshape(-1, len(bias))  # rows in the order H, W, C
        arrays[name] = (weight, bias)
    return arrays


def _write_keras(path, arrays, names, model=False, variable=False):
    """variable: strings of variable length, as h5py writes lists since its version 3."""
    text = list if variable else np.array
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if model else file
        layers = ["input_1"]
        for (weight, bias), name in zip(arrays.values(), names, strict=True):
            layers += [name, f"{name}_pool"]
            group = root.create_group(name)
            group.attrs["weight_names"] = text([f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()])
            group[f"{name}/kernel:0"], group[f"{name}/bias:0"] = weight, bias
        for name in layers:
            root.require_group(name)
            if "weight_names" not in root[name].attrs:
                root[name].attrs["weight_names"] = np.array([], "S1")
        root.attrs["layer_names"] = text([name.encode() for name in layers])


def write_rcmalli(path, network, variable=False):
    arrays = keras_arrays(network, convolutional=False)
    _write_keras(path, arrays, list(arrays), variable=variable)


def write_deepface(path, network, model=False, variable=False):
    arrays = keras_arrays(network, convolutional=True)
    _write_keras(path, arrays, [f"conv2d_{number}" for number in range(1, len(arrays) + 1)], model, variable)


def _forward_keras(network, rgb, convolutional):
    x = rgb[..., ::-1].astype(np.float32) - np.array([MEAN[c] for c in "BGR"], np.float32)
    for name, (weight, bias) in keras_arrays(network, convolutional).items():
        if name.startswith("conv"):
            x = np.maximum(_same_convolution(x, weight) + bias, 0)
            if ends_block(network, name):
                height, width, channels = x.shape
                x = x.reshape(height // 2, 2, width // 2, 2, channels).max((1, 3))
            continue
        if convolutional:  # without padding: one place is left
            x = np.tensordot(x.reshape(weight.shape[:3]), weight, 3) + bias
        else:
            x = x.reshape(-1) @ weight + bias  # Flatten: H, W, C
        if name == "fc7":
            return x
        x = np.maximum(x, 0)
    raise AssertionError


def _same_convolution(x, weight):
    """Convolve (height, width, inputs) with (3, 3, inputs, outputs), zeros outside."""
    height, width, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    return sum(
        padded[row : row + height, column : column + width] @ weight[row, column]
        for row in range(3)
        for column in range(3)
    )


def forward_rcmalli(network, rgb):
    return _forward_keras(network, rgb, convolutional=False)


def forward_deepface(network, rgb):
    return _forward_keras(network, rgb, convolutional=True)


FILES = {
    "vgg_face_dag.pth": (write_pth, forward_pth),
    "VGG_FACE.t7": (write_t7, forward_t7),
    "rcmalli_vggface_tf_vgg16.h5": (write_rcmalli, forward_rcmalli),
    "vgg_face_weights.h5": (write_deepface, forward_deepface),
}
