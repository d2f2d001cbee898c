"""Training data in which some classes are rare -> the lessons in which they are learned, one after the other.

`joint`: all at once. `fine_tuning`: first all others, as if the rare classes did not exist, then their
recordings and as many others, in batches of 8 at a learning rate of 1e-4. `gem`: as `fine_tuning`, with steps
that do what was learned first no harm.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.systems.emotion_words.gem import MEMORY
from pipeline.learning.systems.emotion_words.training import Lesson, Memory
from pipeline.params.emotion_words import EmotionWords

BATCH, LEARNING_RATE = 8, 1e-4
"""Of fine-tuning."""


def lessons(whole: Lesson, classes: tuple[str, ...], own: EmotionWords) -> list[Lesson]:
    """Return the lessons; whole: all of what may be learned, in one.

    Where no recording of train carries a rare class there is nothing to learn after the others.
    """
    if not own.few_shot or own.few_shot_by == "joint":
        return [whole]
    few = np.array(sorted(classes.index(name) for name in own.few_shot), np.int64)
    carry, on_dev = (part.labels[:, few].any(axis=1) for part in (whole.train, whole.dev))
    others, rare = np.flatnonzero(~carry), np.flatnonzero(carry)
    first = replace(
        whole,
        train=whole.train.select(others),
        dev=whole.dev.select(np.flatnonzero(~on_dev)),
        seen=whole.seen[~np.isin(whole.seen, few)],
    )
    beside = numpy_stream(0, "few shot", "beside").permutation(others)[: len(rare)]
    if not len(rare):  # nobody who has labels shows them, as in some draws of labelled speakers
        return [first]
    then = replace(
        whole,
        train=whole.train.select(np.sort(np.concatenate((rare, beside)))),
        batch=BATCH,
        learning_rate=LEARNING_RATE,
    )
    if own.few_shot_by == "gem":
        kept = np.sort(numpy_stream(0, "few shot", "memory").permutation(len(others))[:MEMORY])
        then = replace(then, memory=Memory(first.train.select(kept), first.seen))
    return [first, then]
