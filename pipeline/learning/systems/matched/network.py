"""The autoencoders of all modalities, what stands for a missing latent, and the head that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from pipeline.learning.seeding import stream_seed
from pipeline.learning.systems.matched.autoencoders import Shape, decoder_of, encoder_of
from pipeline.learning.systems.matched.windows import Windows
from pipeline.params import view_names

TARGET = "target"


class Network(nn.Module):
    """`y = head([z of each modality])`, where a missing z is a vector that is learned.

    reads: the views that have an encoder; in training all. At use those without one are missing, and there
    are no decoders.
    """

    def __init__(
        self, shape: Shape, reads: Sequence[str], *, decoders: bool = False, seed: int | None = None
    ) -> None:
        """Make the layers; seed: of the start weights, None where weights are loaded afterwards."""
        super().__init__()
        self.shape = shape
        self.views = tuple(view_names(len(shape.widths)))
        self.reads = tuple(reads)
        self.encoders, self.decoders = nn.ModuleDict(), nn.ModuleDict()
        for name, width in zip(self.views, shape.widths, strict=True):
            if name in reads:
                with _started(seed, "encoder", name):
                    self.encoders[name] = encoder_of(width, shape)
            if decoders:
                with _started(seed, "decoder", name):
                    self.decoders[name] = decoder_of(width, shape)
        # where all are read nothing is missing, but in training, where each recording may lack some
        self.missing = nn.ParameterDict(
            {
                name: nn.Parameter(torch.zeros(shape.latent))
                for name in self.views
                if name != TARGET and (decoders or name not in reads)
            }
        )
        with _started(seed, "head"):
            self.head = nn.Sequential(
                nn.Linear(shape.latent * len(self.views), shape.latent),
                nn.ReLU(),
                nn.Linear(shape.latent, shape.outputs),
            )

    def latents(self, windows: Mapping[str, Windows]) -> dict[str, torch.Tensor]:
        """Return the latents of the views that have an encoder, (utterances, latent) each."""
        return {name: encoder(windows[name]) for name, encoder in self.encoders.items()}

    def read(self, latents: Mapping[str, torch.Tensor], missing: torch.Tensor | None = None) -> torch.Tensor:
        """Return outputs, (utterances, outputs).

        latents: of each view that is there for some utterances. missing: (utterances, views), True where
        a learned vector stands for a latent; None: for views without latents only.
        """
        rows = len(latents[TARGET])
        parts = []
        for place, name in enumerate(self.views):
            if name not in latents:
                part = self.missing[name].expand(rows, -1)
            elif missing is None or name == TARGET:
                part = latents[name]
            else:
                part = torch.where(missing[:, place, None], self.missing[name], latents[name])
            parts.append(part)
        return self.head(torch.cat(parts, dim=1))

    def forward(self, windows: Mapping[str, Windows]) -> torch.Tensor:
        """Return outputs, (utterances, outputs), from the views that have an encoder."""
        return self.read(self.latents(windows))


def kept_for_use(weights: Mapping[str, torch.Tensor], reads: Sequence[str]) -> dict[str, torch.Tensor]:
    """Return the weights that predictions from some views need: no decoders, no other encoder."""
    kept = {}
    for key, tensor in weights.items():
        part, name, *_ = key.split(".")
        read = {"head": True, "encoders": name in reads, "missing": name not in reads, "decoders": False}
        if read[part]:
            kept[key] = tensor
    return kept


def reads_of(weights: Mapping[str, torch.Tensor], views: int) -> tuple[str, ...]:
    """Return the views that have an encoder among these weights."""
    encoded = {key.split(".")[1] for key in weights if key.startswith("encoders.")}
    return tuple(name for name in view_names(views) if name in encoded)


@contextmanager
def _started(seed: int | None, *names: str) -> Iterator[None]:
    """Draw what PyTorch draws for new layers from a stream of its own; nothing outside of it changes."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(stream_seed(seed, "weights", *names))
        yield
