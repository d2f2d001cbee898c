"""Work that is done once for each fold says once what is to be said of its features."""

from __future__ import annotations

import logging

from pipeline.running.said_once import said_once

logger = logging.getLogger("pipeline.spoken")


def test_each_message_about_a_thing_comes_once_and_all_again_afterwards(caplog):
    caplog.set_level(logging.INFO)
    with said_once(logger), said_once(logger):
        for rows in (3, 4):
            logger.warning("%s: %d rows are not valid", "audio (target)", rows)
            logger.warning("%s: %d rows are not valid", "video (auxiliary)", rows)
            logger.info("%s: %d values are limited", "audio (target)", rows)
            logger.info("nothing to fill in")
    logger.warning("%s: %d rows are not valid", "audio (target)", 5)
    assert caplog.messages == [
        "audio (target): 3 rows are not valid",
        "video (auxiliary): 3 rows are not valid",
        "audio (target): 3 values are limited",
        "nothing to fill in",
        "audio (target): 5 rows are not valid",
    ]
