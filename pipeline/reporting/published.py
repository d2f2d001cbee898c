"""The paper's own figures, to be set beside ours where the corpus is the paper's.

Han, Zhang, Ren, Schuller, IEEE Trans. Affective Computing 12(3), 2021, arXiv 1907.10428: tables 1 and 2
(RECOLA, CCC on test) and table 3 (OMG-Emotion, F1 on dev).
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Scores of one target and dimension: system -> score as printed; `note` says what they are."""

    target: str
    dimension: str
    scores: dict[str, str]


PUBLISHED: dict[str, tuple[Published, ...]] = {
    "avec2016": (
        Published("audio", "arousal", {"classic": ".605", "emobed": ".644 / .639"}),
        Published("audio", "valence", {"classic": ".381", "emobed": ".434 / .439"}),
        Published("video", "arousal", {"classic": ".411 / .399", "emobed": ".475 / .417"}),
    ),
    "omg": (
        Published("audio", "emotion", {"classic": ".365", "joint": ".402", "emobed": ".417"}),
        Published("video", "emotion", {"classic": ".379", "joint": ".421", "emobed": ".439"}),
    ),
}
NOTES = {
    "avec2016": (
        "Paper: RECOLA, CCC on test, post-processed; two figures are for AVEC’s appearance / geometric video "
        "features. Its features are not ours: window and hop may differ, and the face embedding does."
    ),
    "omg": (
        "Paper: OMG-Emotion, F1 on the official validation partition, with the weights chosen on that same "
        "partition; compare with our dev column, not with test."
    ),
}


def published(layout: str, target: str, dimension: str) -> dict[str, str]:
    """Return the paper's scores by system, empty where it has none."""
    for row in PUBLISHED.get(layout, ()):
        if (row.target, row.dimension) == (target, dimension):
            return row.scores
    return {}
