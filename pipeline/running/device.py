"""runtime.device -> the device that torch uses."""

from __future__ import annotations


def resolve(device: str) -> str:
    """Return `cpu` or `cuda`.

    device: auto (a GPU if there is one), cpu or cuda.

    Raises:
        ValueError: cuda is wanted and there is no GPU, or it is none of the three.
    """
    if device == "cpu":  # torch, which takes seconds to import, has nothing to say
        return device
    if device not in ("auto", "cuda"):
        raise ValueError(f"found the device {device}, expected auto, cpu or cuda")
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "the device is cuda (runtime.device, --device), but torch finds no GPU; expected auto or cpu"
        )
    return device
