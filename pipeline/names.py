"""Names that come from a corpus (recordings, speakers, classes, columns): one form, and which are refused.

Two names are the same if they look the same: `é` may be one character or an `e` with a mark, depending on
the machine that a file was named on. All names are brought into the composed form (Unicode's NFC).
"""

from __future__ import annotations

import re
import unicodedata

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, line ends, changes of the direction of writing, byte order marks."""
FORMULA = re.compile(r"[=@]|\+(?![\d.]*\Z)|-(?![\w./ \[\]-]*\Z)")
"""What a spreadsheet would compute; numbers do nothing, nor a word after a minus (a video `-3g5yACwYnA`, or a
part of it, `-3g5yACwYnA[2]`)."""

QUOTES = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)  # of which Windows-1252 makes no use
}
"""Control characters that nobody means in a text -> the signs of Windows-1252 that had these numbers."""


def readable(text: str) -> str:
    """Return text with the quotes and dashes of Windows-1252 that a program took for control characters.

    So came MELD's tables: they are UTF-8, and an apostrophe in them is U+0092.
    """
    return text.translate(QUOTES)


def composed(text: str) -> str:
    """Return text in the composed form (NFC), in which names are compared."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def refusal(name: str) -> str:
    """Say why a name cannot be used, empty if it can: it would harm who opens a list that it stands in."""
    if not name.isprintable():
        unseen = UNSEEN.search(name)
        if unseen is not None:
            shown = UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", name)
            return f"found the control character U+{ord(unseen.group()):04X} in '{shown[:60]}', expected text"
    if FORMULA.match(name):
        return f"found '{name[:60]}', which a spreadsheet takes for a formula; expected a name"
    return ""


def harmless(text: str) -> str:
    """Return text as a cell of a csv that we write: no control characters, no formula.

    Names are refused before; this is for words of others, such as names of files and errors of a decoder.
    """
    if not text.isprintable():
        text = UNSEEN.sub(" ", text)
    return f"'{text}" if FORMULA.match(text) else text
