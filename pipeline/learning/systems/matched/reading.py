"""Features of recordings -> utterances -> what a network says at every label time."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pipeline.learning.systems.matched.network import Network
from pipeline.learning.systems.matched.windows import Windows, all_times, windows_up_to


def windows_of(
    network: Network,
    features: torch.Tensor,
    recordings: torch.Tensor,
    times: torch.Tensor,
    views: Sequence[str],
) -> dict[str, Windows]:
    """Return by view the utterances that end at some times of some recordings.

    features: of `views` side by side, (recordings, frames, features). recordings, times: (utterances,).
    """
    widths = dict(zip(network.views, network.shape.widths, strict=True))
    parts = features.split([widths[name] for name in views], dim=2)
    frames = network.shape.frames
    return {
        name: windows_up_to(part, recordings, times, frames) for name, part in zip(views, parts, strict=True)
    }


@torch.no_grad()
def outputs_of(
    network: Network, features: torch.Tensor, lengths: Sequence[int], views: Sequence[str]
) -> list[torch.Tensor]:
    """Return the outputs at all label times of each recording from some views, (frames, outputs).

    features: of `views` side by side, (recordings, frames, features). lengths: of the recordings, frames.
    """
    found = []
    for recordings, times in all_times(lengths, network.shape.frames):
        which, when = (torch.from_numpy(own).to(features.device) for own in (recordings, times))
        windows = windows_of(network, features, which, when, views)
        found.append(network.read({name: network.encoders[name](own) for name, own in windows.items()}))
    return list(torch.cat(found).split(list(lengths)))
