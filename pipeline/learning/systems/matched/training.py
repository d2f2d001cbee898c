"""Batches with and without labels -> a trained network.

`J = L_s + omega L_u`, `L_s = L_labels + alpha L_rec + beta (L_pair + L_unpaired)`, and `L_u` the same without
labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded
from pipeline.learning.dev_scores import shift_back
from pipeline.learning.losses import prediction_loss
from pipeline.learning.systems.matched.distances import pair_loss, unpaired_by_class, unpaired_loss
from pipeline.learning.systems.matched.drawing import Drawing, Utterances
from pipeline.learning.systems.matched.matched_data import MatchedData
from pipeline.learning.systems.matched.network import TARGET, Network
from pipeline.learning.systems.matched.reading import outputs_of, windows_of
from pipeline.learning.systems.matched.windows import Windows
from pipeline.learning.torch_loop import Loop
from pipeline.params import Learning, view_names


class Encoded(NamedTuple):
    """A batch. windows, latents: by view. present: (utterances, views). labels: (utterances,)."""

    utterances: Utterances
    windows: dict[str, Windows]
    latents: dict[str, torch.Tensor]
    present: torch.Tensor
    labels: torch.Tensor


class Training(Loop):
    """One training."""

    def __init__(
        self,
        data: MatchedData,
        learning: Learning,
        alpha: float,
        beta: float,
        seed: int,
        device: str,
        name: str,
    ) -> None:
        """Draw start weights and orders from the seed; alpha, beta: of reconstruction and matching."""
        self.data, self.alpha, self.beta = data, alpha, beta
        views = view_names(len(data.shape.widths))
        self.network = Network(data.shape, views, decoders=True, seed=seed)
        super().__init__(
            self.network, data.evaluation, data.steps, learning, device, name, data.positive_weight
        )
        self.train = Padded.of(data.train, self.device)
        self.present = torch.from_numpy(data.present).to(self.device)
        self.labelled = Drawing(data, learning, seed, labelled=True)
        some = learning.matched.omega > 0 and len(data.unlabelled) > 0
        self.unlabelled = Drawing(data, learning, seed, labelled=False) if some else None
        self.on_evaluation = Padded.of(data.evaluation, self.device)

    def _losses(self, other_weight: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Draw batches with and without labels; the second part is `J` without the loss of labels."""
        batch = self._encoded(self.labelled.draw())
        labels = self._of_labels(batch)
        rest = self._without_labels(
            batch, self.labelled, by_class=self.learning.matched.unpaired == "other_class"
        )
        if self.unlabelled is not None:
            own = self._encoded(self.unlabelled.draw())
            rest = rest + self.learning.matched.omega * self._without_labels(own, self.unlabelled)
        return labels + rest, labels, rest

    def _encoded(self, drawn: Utterances) -> Encoded:
        """Encode utterances of train with all views."""
        recordings, times = (torch.from_numpy(own).to(self.device) for own in drawn)
        windows = windows_of(self.network, self.train.features, recordings, times, self.network.views)
        labels = self.train.labels[recordings, times]
        return Encoded(drawn, windows, self.network.latents(windows), self.present[recordings], labels)

    def _of_labels(self, batch: Encoded) -> torch.Tensor:
        """Return the loss of labels; of some utterances all but the target is missing, as at use."""
        dropped = self.labelled.missing(batch.utterances).to(self.device)
        outputs = self.network.read(batch.latents, ~batch.present | dropped[:, None])
        labels, kind = batch.labels.view(1, -1, self.data.each), self.learning.loss
        over = self.learning.ccc if kind == "ccc" else "batch"
        outputs = outputs.view(*labels.shape, -1)  # (1, recordings, label times, outputs)
        known = torch.ones_like(outputs[..., 0])
        return prediction_loss(kind, outputs, labels, known, over, self.positive_weight)[0]

    def _without_labels(self, batch: Encoded, drawing: Drawing, *, by_class: bool = False) -> torch.Tensor:
        """Return `alpha L_rec + beta (L_pair + L_unpaired)`."""
        total = self.alpha * self._reconstruction(batch)
        if self.beta:
            total = total + self.beta * self._matching(batch, drawing, by_class=by_class)
        return total

    def _reconstruction(self, batch: Encoded) -> torch.Tensor:
        """Return the sum over modalities of the squared error per value, of the utterances that have them."""
        total = self.train.features.new_zeros(())
        for place, (name, decoder) in enumerate(self.network.decoders.items()):
            here = batch.present[:, place]
            if here.any():
                own = Windows(*(part[here] for part in batch.windows[name]))
                total = total + decoder(batch.latents[name][here], own)
        return total

    def _matching(self, batch: Encoded, drawing: Drawing, *, by_class: bool) -> torch.Tensor:
        """Return `L_pair + L_unpaired`."""
        latents, hub, sigma = list(batch.latents.values()), self.data.hub, self.learning.matched.sigma
        paired = pair_loss(latents, batch.present, hub, sigma)
        if by_class:
            return paired + unpaired_by_class(latents, batch.present, batch.labels.long(), hub, sigma)
        others = self._encoded(drawing.others(batch.utterances))
        return paired + unpaired_loss(
            latents, batch.present, list(others.latents.values()), others.present, hub, sigma
        )

    @torch.no_grad()
    def _outputs(self, places: Sequence[int]) -> list[torch.Tensor]:
        """Return the outputs for some evaluation recordings from the target alone, (frames, outputs) each."""
        chosen, own = list(places), self.on_evaluation
        return self._predicted(own.features[chosen], own.lengths[chosen].tolist(), [TARGET])

    @torch.no_grad()
    def predictions_from_all(self) -> tuple[NDArray[np.float32], ...]:
        """Return the predictions of each recording that has all modalities, as `predictions` does."""
        if not len(self.data.paired):
            return ()
        own = Padded.of(self.data.paired, self.device)
        return self.as_predictions(self._predicted(own.features, own.lengths.tolist(), self.network.views))

    def _predicted(
        self, features: torch.Tensor, lengths: Sequence[int], views: Sequence[str]
    ) -> list[torch.Tensor]:
        """Return the outputs for recordings from some views, shifted back."""
        found = outputs_of(self.network, features, lengths, views)
        return [shift_back(own[None, None], self.data.delay_frames)[0, 0] for own in found]
