"""Names of speakers -> which of them may be one person, and which name nobody.

One person under two names is in train and in test without anybody's notice, and folds by speaker part them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pipeline.corpora.absent import plain
from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.class_names import bare
from pipeline.corpora.recording import Recording

NAMED = 3
"""Groups of names that are shown; the others are counted."""


def _key(name: str) -> tuple[str, ...]:
    """Return what two names of one person share; numbers stay apart: `-1` and `1`, `1-1` and `11`."""
    whole = plain(unicodedata.normalize("NFKC", name))
    if finite(whole) is not None:
        return (whole,)
    return (bare(whole), *re.findall(r"\d+", whole))


def speaker_doubts(recordings: Sequence[Recording], absent: Iterable[str]) -> list[str]:
    """Return sentences on speakers whose names differ in their writing only, or say that there is none.

    absent: cells that are no label (`labels.absent`); as a speaker such a word makes one person of many.
    """
    counts = Counter(item.speaker for item in recordings)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in sorted(counts):
        alike[_key(name)].append(name)
    pairs = [" and ".join(f"'{name}'" for name in names) for names in alike.values() if len(names) > 1]
    doubts = []
    if pairs:
        more = f", and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
        doubts.append(
            f"the speakers {'; '.join(pairs[:NAMED])}{more} differ in their writing only and count as "
            "different people; if they are one, write the name in one way"
        )
    words = {plain(word).casefold() for word in absent}
    doubts += [
        f"'{name}' is the speaker of {count} recordings, who count as one person; if it says that "
        "nobody knows who speaks, give each recording a speaker of its own"
        for name, count in sorted(counts.items())
        if plain(name).casefold() in words and count > 1
    ]
    return doubts
