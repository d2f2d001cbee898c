"""Utterances of one modality -> latents, and back: linear layers for single rows, Transformers for sequences.

No layer drops anything out, so that training and use compute the same; networks stay in the mode of training,
whose attention has one way to compute.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from pipeline.learning.systems.matched.windows import Windows, mask_of

KERNEL, STRIDE = 3, 2
"""Of convolutions over time; each halves the number of frames."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the autoencoders.

    widths: features of each view, the target first. frames: of a window, 1 for single rows. layers: linear
    ones or those of Transformers, of encoder and decoder each. hidden: units, of sequences the size of a
    frame within. outputs: of the head. several: an utterance may have any number of the classes.
    """

    widths: tuple[int, ...]
    frames: int
    layers: int
    hidden: int
    latent: int
    heads: int
    convolutions: int
    outputs: int
    several: bool = False

    @property
    def convolved(self) -> list[int]:
        """Return how many frames go into each convolution, and what comes out of the last."""
        found = [self.frames]
        for _ in range(self.convolutions):
            found.append(-(-found[-1] // STRIDE))
        return found


def encoder_of(width: int, shape: Shape) -> nn.Module:
    """Return what turns utterances of `width` features into latents, (utterances, latent)."""
    return RowEncoder(width, shape) if shape.frames == 1 else SequenceEncoder(width, shape)


def decoder_of(width: int, shape: Shape) -> nn.Module:
    """Return what tells how badly latents tell their utterances: the squared error per value."""
    return RowDecoder(width, shape) if shape.frames == 1 else SequenceDecoder(width, shape)


class RowEncoder(nn.Module):
    """Linear layers with ReLU between them; the decoder has the same from the end."""

    def __init__(self, width: int, shape: Shape) -> None:
        """Make the layers."""
        super().__init__()
        self.layers = _linear([width, *[shape.hidden] * (shape.layers - 1), shape.latent])

    def forward(self, windows: Windows) -> torch.Tensor:
        """Return latents, (utterances, latent)."""
        return self.layers(windows.features[:, 0])


class RowDecoder(nn.Module):
    """The layers of the encoder from the end."""

    def __init__(self, width: int, shape: Shape) -> None:
        """Make the layers."""
        super().__init__()
        self.layers = _linear([shape.latent, *[shape.hidden] * (shape.layers - 1), width])

    def forward(self, latents: torch.Tensor, windows: Windows) -> torch.Tensor:
        """Return the mean squared error of the reconstruction."""
        return (self.layers(latents) - windows.features[:, 0]).square().mean()


class SequenceEncoder(nn.Module):
    """Transformer layers with positions, convolutions, and a linear layer over all that remains."""

    def __init__(self, width: int, shape: Shape) -> None:
        """Make the layers."""
        super().__init__()
        size = shape.hidden
        self.inputs = nn.Linear(width, size)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(size, shape.heads, 2 * size, dropout=0.0, batch_first=True)
            for _ in range(shape.layers)
        )
        self.convolutions = nn.ModuleList(
            nn.Conv1d(size, size, KERNEL, STRIDE, padding=KERNEL // 2) for _ in range(shape.convolutions)
        )
        self.frames = shape.frames
        self.output = nn.Linear(size * shape.convolved[-1], shape.latent)

    def forward(self, windows: Windows) -> torch.Tensor:
        """Return latents, (utterances, latent); what lies after an utterance's end changes nothing."""
        there, lengths = windows.mask, windows.lengths
        states = self.inputs(windows.features) + positions(self.frames, self.inputs.weight)
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=~there)
        states = (states * there[..., None]).transpose(1, 2)  # (utterances, hidden, frames)
        for convolution in self.convolutions:
            states = torch.relu(convolution(states))
            lengths = (lengths + STRIDE - 1) // STRIDE
            states = states * mask_of(lengths, states.shape[2])[:, None]
        return self.output(states.flatten(1))


class SequenceDecoder(nn.Module):
    """A linear layer and deconvolutions make the memory of Transformer layers, which tell the reversed input.

    They read it shifted by one to the right behind a frame of zeros: each frame is told from those after it.
    """

    def __init__(self, width: int, shape: Shape) -> None:
        """Make the layers."""
        super().__init__()
        size, (self.frames, *_, self.short) = shape.hidden, shape.convolved
        self.memory = nn.Linear(shape.latent, size * self.short)
        self.deconvolutions = nn.ModuleList(
            nn.ConvTranspose1d(size, size, 2 * STRIDE, STRIDE, padding=STRIDE // 2)
            for _ in range(shape.convolutions)
        )
        self.inputs = nn.Linear(width, size)
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(size, shape.heads, 2 * size, dropout=0.0, batch_first=True)
            for _ in range(shape.layers)
        )
        self.output = nn.Linear(size, width)

    def reconstructed(self, latents: torch.Tensor, windows: Windows) -> torch.Tensor:
        """Return the reversed utterances, (utterances, frames, features)."""
        memory = self.memory(latents).view(len(latents), -1, self.short)  # (utterances, hidden, short)
        for deconvolution in self.deconvolutions:
            memory = torch.relu(deconvolution(memory))
        memory = memory[..., : self.frames].transpose(1, 2)  # (utterances, frames, hidden)
        turned = reversed_frames(windows)
        shifted = torch.cat((torch.zeros_like(turned[:, :1]), turned[:, :-1]), dim=1)
        place = positions(self.frames, self.inputs.weight)
        states, padded = self.inputs(shifted) + place, ~windows.mask
        later = torch.ones(self.frames, self.frames, dtype=torch.bool, device=states.device).triu(1)
        for layer in self.layers:
            states = layer(
                states, memory + place, tgt_mask=later,
                tgt_key_padding_mask=padded, memory_key_padding_mask=padded,
            )  # fmt: skip
        return self.output(states)

    def forward(self, latents: torch.Tensor, windows: Windows) -> torch.Tensor:
        """Return the mean squared error over all values of all frames that there are."""
        error = (self.reconstructed(latents, windows) - reversed_frames(windows)).square().mean(2)
        return (error * windows.mask).sum() / windows.mask.sum()


def reversed_frames(windows: Windows) -> torch.Tensor:
    """Return the frames of each utterance from its last to its first; zeros after them."""
    frames = windows.features.shape[1]
    places = windows.lengths[:, None] - 1 - torch.arange(frames, device=windows.lengths.device)
    turned = windows.features.gather(
        1, places.clamp_min(0)[..., None].expand(-1, -1, windows.features.shape[2])
    )
    return turned * windows.mask[..., None]


def positions(frames: int, like: torch.Tensor) -> torch.Tensor:
    """Return sines and cosines of places, (frames, size), of Vaswani et al. (2017); size: that of `like`."""
    size = len(like)
    place = torch.arange(frames, device=like.device, dtype=like.dtype)[:, None]
    rate = torch.exp(torch.arange(0, size, 2, device=like.device, dtype=like.dtype) * (-math.log(1e4) / size))
    return torch.stack((torch.sin(place * rate), torch.cos(place * rate)), dim=2).flatten(1)[:, :size]


def _linear(widths: Iterable[int]) -> nn.Sequential:
    """Return linear layers from width to width with ReLU between them."""
    parts: list[nn.Module] = []
    for pair in pairwise(widths):
        parts += [nn.Linear(*pair), nn.ReLU()]
    return nn.Sequential(*parts[:-1])
