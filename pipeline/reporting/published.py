"""The paper's own figures, to be set beside ours where the corpus is the paper's.

Han, Zhang, Ren, Schuller, IEEE Trans. Affective Computing 12(3), 2021, arXiv 1907.10428: tables 1 and 2
(RECOLA, CCC on test) and table 3 (OMG-Emotion, F1 on dev).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from pipeline.params import Corpus, Scenario


class Published(NamedTuple):
    """Scores of one pair of modalities and dimension: system -> score as printed."""

    scenario: str
    dimension: str
    scores: dict[str, str]


END_TO_END = "end-to-end (Tzirakis et al., 2017)"


def _ccc(classic: str, emobed: str) -> dict[str, str]:
    return {"classic": classic, "emobed": emobed}


PUBLISHED: dict[str, tuple[Published, ...]] = {
    "avec2016": (
        Published("audio+appearance", "arousal", _ccc(".605", ".644")),
        Published("audio+geometric", "arousal", _ccc(".605", ".639")),
        Published("audio+appearance", "valence", _ccc(".381", ".434")),
        Published("audio+geometric", "valence", _ccc(".381", ".439")),
        Published("appearance+audio", "arousal", _ccc(".411", ".475")),
        Published("geometric+audio", "arousal", _ccc(".399", ".417")),
        # our own video features stand beside both of the paper's
        Published("audio+video", "arousal", _ccc(".605", ".644 / .639")),
        Published("audio+video", "valence", _ccc(".381", ".434 / .439")),
        Published("video+audio", "arousal", _ccc(".411 / .399", ".475 / .417")),
    ),
    "omg": (
        Published(
            "audio+video",
            "emotion",
            {"support_vectors": ".330", "classic": ".365", "joint": ".402", "emobed": ".417"},
        ),
        Published(
            "video+audio",
            "emotion",
            {"random_forest": ".370", "classic": ".379", "joint": ".421", "emobed": ".439"},
        ),
    ),
}
RIVALS = {("avec2016", "audio", "arousal"): ".715", ("avec2016", "video", "valence"): ".620"}
"""Of `END_TO_END`, by layout, target modality and dimension; its video is the pictures themselves."""
AVEC_FOLDERS = {
    "features_audio": "audio",
    "features_video_appearance": "appearance",
    "features_video_geometric": "geometric",
}
"""Folders of RECOLA as distributed for AVEC 2016, and what the tables in them describe."""
AVEC_NOTE = "Paper: RECOLA, CCC on test, post-processed, with AVEC’s own appearance and geometric features."
OWN_VIDEO_NOTE = (
    "Paper: RECOLA, CCC on test, post-processed; two figures are for AVEC’s appearance / geometric video "
    "features. Its features are not ours: window and hop may differ, and the face embedding does."
)
OMG_NOTE = (
    "Paper: OMG-Emotion, F1 on the official validation partition, with the weights chosen on that same "
    "partition; compare with our dev column, not with test."
)
OTHER_PARTITIONS = " The paper’s partition is the official one, not the one used here."


def published(corpus: Corpus, scenario: Scenario, dimension: str) -> dict[str, str]:
    """Return the paper's scores by system, empty where it has none.

    They go by what the features describe (`features.<name>.modality`, or the name itself), not by how a user
    calls a table: AVEC's own audio features are audio.
    """
    wanted = "+".join(modalities(corpus, scenario))
    for row in PUBLISHED.get(corpus.layout, ()):
        if (row.scenario, row.dimension) == (wanted, dimension):
            return row.scores
    return {}


def modalities(corpus: Corpus, scenario: Scenario) -> tuple[str, ...]:
    """Return what the features of a scenario's modalities describe, the target's first."""
    return tuple(_described(corpus, name) for name in scenario.modalities)


def _described(corpus: Corpus, name: str) -> str:
    """Return what a modality's features describe: as their entry says, by AVEC's folder, or by their name."""
    if name not in corpus.features:
        return name
    table = corpus.features[name]
    folder = AVEC_FOLDERS.get(PurePosixPath(table.path).name) if corpus.layout == "avec2016" else None
    return table.modality or folder or name


def published_note(corpus: Corpus) -> str | None:
    """Say what the paper's scores beside those of a corpus are, None where there are none."""
    shown = [s for s in corpus.scenarios if any(published(corpus, s, d) for d in corpus.dimensions)]
    if not shown:
        return None
    note = OMG_NOTE
    if corpus.layout == "avec2016":
        note = OWN_VIDEO_NOTE if any("video" in modalities(corpus, s) for s in shown) else AVEC_NOTE
    return note if corpus.partitions.method == "given" else note + OTHER_PARTITIONS
