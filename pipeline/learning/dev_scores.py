"""Predictions of many models on dev -> one score and one loss per model, batched.

The report's scores come from `pipeline.scoring`; these pick epochs and fill the learning curves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pipeline.catalogue.tasks import TASKS
from pipeline.learning.losses import ccc, members, prediction_loss
from pipeline.params import Learning

SCORES = {task.name: task.shown for task in TASKS.values()}
"""What `dev_score` is called."""


def shift_back(outputs: torch.Tensor, delay_frames: int) -> torch.Tensor:
    """Move predictions back by the annotation delay: frame k takes what was predicted at k - delay.

    The label at frame k was the gold standard at k + delay; the first frames hold the first
    prediction. outputs: (models, recordings, frames, outputs).
    """
    frames = torch.arange(outputs.shape[2], device=outputs.device)
    return outputs[:, :, (frames - delay_frames).clamp_min(0)]


def dev_score(outputs: torch.Tensor, gold: torch.Tensor, several: bool = False) -> torch.Tensor:
    """Return each model's score, (models,): CCC, or for several outputs the F1 of the paper.

    F1 is the harmonic mean of macro precision and macro recall over the classes that occur in `gold`.

    outputs: shifted back, (models, recordings, frames, outputs). gold: (recordings, frames), NaN
    where there is none; without any, the scores are NaN. several: outputs are logits of classes that do not
    exclude each other, gold codes of sets: then the score is the weighted accuracy, mean over classes.
    """
    scored = torch.isfinite(gold)
    if not scored.any():
        return outputs.new_full(outputs.shape[:1], torch.nan)
    if outputs.shape[-1] == 1:
        expanded = gold.nan_to_num().expand(outputs.shape[:-1])
        return ccc(outputs[..., 0], expanded, scored.to(outputs.dtype).expand(outputs.shape[:-1]))
    if several:
        return _weighted_accuracy(outputs[:, scored] > 0, members(gold[scored], outputs.shape[-1]).bool())
    return _f1(outputs.argmax(-1)[:, scored], gold[scored].long(), outputs.shape[-1])


def dev_loss(
    outputs: Sequence[torch.Tensor],
    gold: Sequence[torch.Tensor],
    learning: Learning,
    positive_weight: Sequence[float] = (),
) -> torch.Tensor:
    """Return the loss that training makes small, over all labelled frames of dev, (models,).

    One CCC per batch is here one over all of dev; one per sequence is one per recording.

    outputs: of each recording, shifted back, (models, frames, outputs). gold: of each, (frames,), NaN
    where there is none; without any, the losses are NaN. positive_weight: as in `prediction_loss`.
    """
    labelled = [place for place, own in enumerate(gold) if torch.isfinite(own).any()]
    if not labelled:
        return torch.full((len(outputs[0]) if outputs else 0,), torch.nan)
    pairs = [(outputs[place], gold[place]) for place in labelled]
    if learning.loss != "ccc" or learning.ccc == "batch":
        found, wanted = zip(*pairs, strict=True)
        pairs = [(torch.cat(found, dim=1), torch.cat(wanted))]
    losses = []
    for found_here, gold_here in pairs:
        models = found_here.unsqueeze(1)  # as one batch of one sequence, (models, 1, frames, outputs)
        known = torch.isfinite(gold_here).to(found_here.dtype).expand(models.shape[:3])
        label = gold_here.nan_to_num()
        if learning.loss != "binary_cross_entropy":  # codes of sets need double precision
            label = label.to(found_here.dtype)
        label = label.expand(models.shape[:3])
        losses.append(prediction_loss(learning.loss, models, label, known, positive_weight=positive_weight))
    return torch.stack(losses).mean(dim=0)


def _weighted_accuracy(predicted: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Return the mean of the shares of labels and of absent ones that are told, over classes, (models,).

    Classes that all of `gold` has, or none, have no share and are left out; NaN without any other.

    predicted: (models, frames, classes). gold: (frames, classes).
    """
    here = gold.any(0) & ~gold.all(0)
    found = [
        ((predicted == gold) & own).sum(1).double() / own.sum(0) for own in (gold, ~gold)
    ]  # 0 / 0 where a class is left out
    return (found[0] + found[1])[:, here].mean(1) / 2


def _f1(predicted: torch.Tensor, gold: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the harmonic mean of macro precision and recall, (models,).

    predicted: (models, frames). gold: (frames,).
    """
    codes = torch.arange(classes, device=gold.device).unsqueeze(-1)
    is_predicted = (predicted.unsqueeze(1) == codes).double()  # (models, classes, frames)
    is_gold = (gold.unsqueeze(0) == codes).double()
    occurs = is_gold.any(1)
    hits = (is_predicted * is_gold).sum(2)
    precision = (hits / is_predicted.sum(2).clamp_min(1))[:, occurs].mean(1)
    recall = (hits / is_gold.sum(1).clamp_min(1))[:, occurs].mean(1)
    return 2 * precision * recall / (precision + recall).clamp_min(1e-12)
