"""A draw of labelled speakers and the recordings of a fold -> the recordings whose labels nobody may see.

A hidden recording is one of train without labels: its features may be learned from, nothing else. Dev and
test keep their labels, which choose and score.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from pipeline.corpora.recording import Recording
from pipeline.params.label_draws import LabelDraw


def hidden_recordings(
    recordings: Sequence[Recording], draw: LabelDraw, seed: int, labelled: Collection[str]
) -> frozenset[str]:
    """Return the recordings of train whose labels are hidden.

    Which speakers keep theirs depends on the seed, the number of the draw and who has labels, not on what
    they say. Draws of one number are nested: who is labelled at a small share is so at every larger one. A
    recording without a speaker counts as a speaker of its own.

    recordings: of one fold. labelled: recordings with labels.

    Raises:
        ValueError: there are fewer labelled training speakers than are to keep their labels.
    """
    train = {
        item.recording: item.speaker or item.recording for item in recordings if item.partition == "train"
    }
    known = {name: speaker for name, speaker in train.items() if name in labelled}
    speakers = sorted(set(known.values()))
    if not draw.hides or not speakers:
        return frozenset()
    kept = draw.speakers
    if kept is None:
        kept = max(1, round((draw.share or 0.0) * len(speakers)))
    if kept > len(speakers):
        raise ValueError(
            f"partitions.labelled_speakers: found {kept}, expected at most the {len(speakers)} speakers of "
            "train who have labels"
        )
    order = np.random.default_rng([seed, draw.draw]).permutation(speakers).tolist()
    seen = set(order[:kept])
    return frozenset(name for name, speaker in known.items() if speaker not in seen)
