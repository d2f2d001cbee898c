"""Names of columns in feature tables that are labels or describe recordings: no features unless one says so.

A table of features often carries the label, the speaker or the partition along. As a feature, such a column
gives the answer away; so a name that is made of the words below is refused (docs/own-corpus.md).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

LABELS = (
    "emotion emotionmaxvote emo mood affect arousal activation valence dominance label class category target "
    "gold goldstandard groundtruth truth rating annotation sentiment"
)
PEOPLE = "actor speaker subject participant person rater annotator gender sex age language nationality"
PLACES = (
    "recording utterance video audio clip file filename path name link session partition split subset fold "
    "corpus dataset statement repetition id index"
)
NAMED = frozenset(f"{LABELS} {PEOPLE} {PLACES}".split())
WORDS_BESIDE = "id code number no idx nr key true standard max vote avg average mean std"
BESIDE = frozenset(WORDS_BESIDE.split())
"""Words that may stand beside one of the others: `actor_id`, `mean_arousal`."""


def describes_recordings(name: str, columns: Collection[str] = ()) -> bool:
    """Say whether a column is named like a label or like what is known of a recording.

    `emotion`, `Actor_ID`, `speakerID`, `label2`, `gold_valence` are; `valence_of_words` is not. columns: of
    the corpus' own list of recordings, which are as well.
    """
    if name.lower() in {column.lower() for column in columns}:
        return True
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
    words = [word for word in re.split(r"[\W_\d]+", spaced) if word]
    known = [word in NAMED or word.removesuffix("s") in NAMED for word in words]
    return any(known) and all(own or word in BESIDE for own, word in zip(known, words, strict=True))


def refusal(
    names: Sequence[str], entry: str, columns: Collection[str] = (), include: Collection[str] = ()
) -> str:
    """Return the sentence that refuses the columns which describe recordings, empty if there is none.

    names: of the features. entry: the key of params.yaml, for the way out. include: names that are features
    nevertheless.
    """
    found = [name for name in names if name not in include and describes_recordings(name, columns)]
    if not found:
        return ""
    listed = ", ".join(found)
    return (
        f"{'columns' if len(found) > 1 else 'column'} {listed}: named like labels or facts of a recording, "
        f"which would give the answer away; `exclude: [{listed}]` under {entry} leaves "
        f"{'them' if len(found) > 1 else 'it'} out, `include: [{listed}]` takes "
        f"{'them as features' if len(found) > 1 else 'it as a feature'}"
    )
