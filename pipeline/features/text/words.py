"""Text -> its words, as tables of word vectors spell them.

A word is a run of letters, marks, digits, apostrophes and hyphens between anything else; punctuation, symbols
and blanks part words and are none. Text is brought into Unicode's composed form (NFC) first, and other
apostrophes become `'`. Writing without blanks (Chinese, Japanese, Thai) has to be cut into words beforehand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator

from pipeline.names import readable

APOSTROPHES = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\uff07": "'", "\u2010": "-", "\u2011": "-"}
)
INNER = "'-"
"""Signs that a word may have inside: `don't`, `well-known`."""
ZERO_WIDTH_SPACE = "\u200b"
"""Parts words where it is written."""
NEGATED = re.compile(r"(.+)(n't)", re.IGNORECASE)
CLITIC = re.compile(r"(.+)('\w+)")


def words_of(text: str, lower_case: bool) -> list[str]:
    """Return the words of a text, in its order; lower_case: in small letters."""
    text = unicodedata.normalize("NFC", readable(text)).translate(APOSTROPHES)
    text = text.lower() if lower_case else text
    bare = "".join(map(_kept, text))
    return [word for run in bare.split() if (word := run.strip(INNER))]


def spellings(word: str) -> Iterator[tuple[str, ...]]:
    """Give the ways in which a table may spell a word, the one to try first first.

    `Don't` is looked for as it is, then in the Penn Treebank's two tokens `Do`, `n't`, as GloVe's corpora
    were cut, then without its apostrophe and hyphens, `Don`, `t`; then all of these in small letters.
    """
    for form in dict.fromkeys((word, word.lower())):
        yield (form,)
        for pattern in (NEGATED, CLITIC):
            if parts := pattern.fullmatch(form):
                yield parts.groups()
                break
        pieces = tuple(piece for piece in re.split(f"[{INNER}]", form) if piece)
        if len(pieces) > 1:
            yield pieces


def tokens_of(word: str, known: Container[str]) -> tuple[str, ...]:
    """Return the tokens of a word in a table: of its first spelling whose tokens are all known, or none."""
    return next((form for form in spellings(word) if all(token in known for token in form)), ())


def _kept(letter: str) -> str:
    """Return a character of a word, nothing for one that nobody sees, and a blank for any other."""
    category = unicodedata.category(letter)
    # letters, marks (accents, vowel signs), numbers
    if category[0] in "LMN" or letter in INNER:
        return letter
    return "" if category == "Cf" and letter != ZERO_WIDTH_SPACE else " "
