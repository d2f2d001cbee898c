"""Which trainings there are besides the one of the result: the same corpus with fewer labelled speakers.

A draw is a choice of training speakers whose labels are kept; those of the others are hidden from everything
that learns. Draws stand beside the folds of a cross-validation: each has labels, models and predictions under
names of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class LabelDraw(NamedTuple):
    """One draw of the speakers whose labels are kept.

    name: empty for the draw that the result is made of. draw: its number, from 1. share: of the labelled
    training speakers, 1.0 for all; None where `speakers` says how many.
    """

    name: str
    draw: int
    share: float | None = None
    speakers: int | None = None

    def of_fold(self, fold: str) -> str:
        """Name what is trained of this draw in a fold: `fold1.labels25-draw2`, `labels25-draw2`, `fold1`."""
        return ".".join(part for part in (fold, self.name) if part)

    @property
    def hides(self) -> bool:
        """Say whether there may be labels that are hidden."""
        return self.share != 1.0


def label_draws(shares: Sequence[float], speakers: int | None, draws: int) -> tuple[LabelDraw, ...]:
    """Return every draw, that of the result first.

    shares: of the labelled training speakers; with some, or with nothing asked for, the result keeps all.
    speakers: how many keep their labels; the result is made of the first draw. draws: of each share or count.
    """
    if speakers is not None:
        numbers = range(2, draws + 1)
        others = [LabelDraw(f"speakers{speakers}-draw{n}", n, speakers=speakers) for n in numbers]
        return (LabelDraw("", 1, speakers=speakers), *others)
    hiding = [share for share in sorted(shares) if share < 1]
    return (
        LabelDraw("", 1, share=1.0),
        *(
            LabelDraw(f"labels{100 * share:.6g}-draw{number}", number, share=share)
            for share in hiding
            for number in range(1, draws + 1)
        ),
    )
