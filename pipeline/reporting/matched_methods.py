"""Parameters of `matched` -> the sentences of the methods paragraph."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.params.systems import Matched
from pipeline.reporting.wording import counted
from pipeline.wording import listed


def matched_methods(own: Matched, *, utterances: bool) -> list[str]:
    """Say what the autoencoders are, what is matched with what, and what is chosen."""
    form = f"{counted(own.layers, 'linear layer')} of {own.hidden} units"
    if not utterances:
        form = (
            f"{counted(own.layers, 'Transformer layer')} of {own.hidden} units, {counted(own.heads, 'head')} "
            f"each, and {counted(own.convolutions, 'convolution')}, over the {own.span:g} s up to a label "
            "time; the decoder tells the reversed sequence"
        )
    apart = "recordings of other batches" if own.unpaired == "other_batch" else "utterances of other classes"
    width = "the median distance" if own.sigma == "median" else f"{own.sigma:g}"
    return [
        f"Matched: an autoencoder for each modality ({form}), {own.latent} numbers per latent, read by a "
        f"network with a hidden layer; unbiased MMD (Gaussian kernel, width {width}) made small between "
        f"modalities of a batch and large against {apart}; recordings without labels with weight "
        f"{own.omega:g}; in training all but the target missing with probability {own.dropout:g}. Chosen on "
        f"dev: α (reconstruction) of {_values(own.alpha)}, β (matching) of {_values(own.beta)}.",
    ]


def _values(values: Sequence[float]) -> str:
    return listed([f"{value:g}" for value in values])
