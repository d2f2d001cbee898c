"""Golden numbers of pipeline/features/text: words as a table spells them, and the mean of their vectors.

Tolerance: a mean of decimal fractions in float64, kept as float32; and of a table in float16.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.features.text.word_vectors import WordVectors
from pipeline.params import Text
from tests.features.text.vectors import glove, package
from tests.golden.comparison import Numbers

EXACT = 1e-5
SAID = (
    "I don't. I am, not happy -- happy!",
    "Happy-sad, she\u2019s Sad",
    "i am gru\u0308n",
    "...",
)


def numbers(folder: Path) -> dict[str, Numbers | str]:
    files = {"glove": glove(folder / "glove.txt"), "wordllama": package(folder / "wordllama")}
    found: dict[str, Numbers | str] = {}
    for name, path in files.items():
        for lower_case in (True, False):
            for unknown_words in ("left_out", "zero"):
                text = Text(file=str(path), lower_case=lower_case, unknown_words=unknown_words)
                rows = [WordVectors(text).row(said) for said in SAID]
                table = [[*one.values[0], one.valid[0], one.damage.share] for one in rows]
                what = f"{name}, {'small' if lower_case else 'as written'}, {unknown_words}"
                found[what] = Numbers(np.array(table, dtype=np.float64), EXACT)
    return found
