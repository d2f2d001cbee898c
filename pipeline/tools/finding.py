"""What `emobed check` says is wrong."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong: recording (empty: the corpus), file relative to its root, reason in words."""

    recording: str
    file: str
    reason: str
