"""A table of word vectors -> how many words of the corpus had none."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.store.tables import FeatureTable

logger = logging.getLogger(__name__)


def log_unknown(directory: Path) -> None:
    """Log the mean share of an utterance's words without a vector, which the table has for each recording.

    Raises:
        TableError: the table is missing or damaged.
    """
    entries = FeatureTable.open(directory).index["recordings"].values()
    shares = [entry.get("damage", (0.0, ""))[0] for entry in entries]
    if any(shares):
        logger.info(
            "extract_text: on average %.1f %% of an utterance's words have no vector; in %d of %d none has",
            100 * sum(shares) / len(shares),
            sum(share == 1.0 for share in shares),
            len(shares),
        )
