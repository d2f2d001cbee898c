"""The paper's rivals written plainly: `torch.nn` modules, one sequence at a time, nothing padded.

Nothing of the loop of the project is used but the random choices: start weights and the order of batches.
"""

import numpy as np
import torch
from torch import nn

from pipeline.learning.batches import SeededOrder
from pipeline.learning.seeding import torch_stream


def concordance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return Lin's coefficient of two vectors."""
    product = ((one - one.mean()) * (other - other.mean())).mean()
    return 2 * product / (one.var(correction=0) + other.var(correction=0) + (one.mean() - other.mean()) ** 2)


class Plain(nn.Module):
    """Encoders of parts of the features, shared layers, and a linear layer, in double precision."""

    def __init__(self, widths, outputs, settings, seed):
        super().__init__()
        hidden = settings.network.hidden
        self.widths = widths
        self.encoders = nn.ModuleList(
            nn.GRU(width, hidden, settings.network.encoder_layers, batch_first=True) for width in widths
        )
        self.shared = nn.GRU(hidden * len(widths), hidden, settings.network.shared_layers, batch_first=True)
        self.head = nn.Linear(hidden, outputs)
        blocks = dict(zip(("target", "auxiliary"), self.encoders, strict=False))
        for name, block in {**blocks, "shared": self.shared, "head": self.head}.items():
            random = torch_stream(seed, "weights", name)
            for parameter in block.parameters():
                start = torch.empty(parameter.shape).uniform_(-(hidden**-0.5), hidden**-0.5, generator=random)
                parameter.data.copy_(start)
        self.double()

    def forward(self, features):
        """Return outputs (frames, outputs) for one sequence, (frames, features)."""
        parts = torch.from_numpy(features).double()[None].split(self.widths, dim=2)
        embeddings = [encoder(part)[0] for encoder, part in zip(self.encoders, parts, strict=True)]
        return self.head(self.shared(torch.cat(embeddings, dim=2))[0])[0]


def train_plainly(network, features, labels, settings, seed, steps, weight=0.0, others=None):
    """Train the network in place.

    features: (frames, features) of each sequence. labels: (frames,) of each, NaN where there is none.
    others: labels of a second dimension, of which the last output learns, times `weight`.
    """
    optimiser = settings.optimiser
    adam = torch.optim.Adam(
        network.parameters(), optimiser.learning_rate, weight_decay=optimiser.weight_decay
    )
    order = SeededOrder(len(features), optimiser.batch, seed, "target")
    history = []
    for _ in range(optimiser.epochs):
        for _ in range(steps):
            drawn = order.draw()
            outputs = torch.cat([network(features[i]) for i in drawn])
            wanted = torch.from_numpy(np.concatenate([labels[i] for i in drawn])).double()
            known = torch.isfinite(wanted)
            classes = settings.loss == "cross_entropy"
            if classes:
                own = outputs[:, : outputs.shape[1] - (others is not None)]
                loss = nn.functional.cross_entropy(own[known], wanted[known].long())
            elif settings.loss == "mse":
                loss = ((outputs[known, 0] - wanted[known]) ** 2).mean()
            else:
                loss = 1 - concordance(outputs[known, 0], wanted[known])
            if others is not None:
                second = torch.from_numpy(np.concatenate([others[i] for i in drawn])).double()
                there = torch.isfinite(second)
                if there.any():
                    loss = loss + weight * (1 - concordance(outputs[there, -1], second[there]))
            adam.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum((p.grad**2).sum() for p in network.parameters()))
            if optimiser.clip_norm is not None and norm > optimiser.clip_norm:
                for parameter in network.parameters():
                    parameter.grad *= optimiser.clip_norm / norm
            adam.step()
        history.append([parameter.detach().clone() for parameter in network.parameters()])
    for parameter, values in zip(
        network.parameters(), zip(*history[-optimiser.average_epochs :], strict=True), strict=True
    ):
        parameter.data.copy_(sum(values) / len(values))
