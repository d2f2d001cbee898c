"""Facts of a recogniser -> what is not known of it, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipeline.recogniser.card_facts import CardFacts


def limits(facts: CardFacts, scores: pd.DataFrame) -> Iterator[str]:
    """Give a sentence for each thing that is not known, or that it was never shown; scores: of its card."""
    if facts.rendered:
        yield "It has never seen or heard a person."
    speakers = next((own.speakers for own in facts.trained if own.partition == "train"), 0)
    yield (
        f"It knows {speakers} speakers, and recordings made as those of {facts.corpus_name}; of others "
        f"nothing is known."
    )
    if not scores.empty and (units := int(scores["units"].min())) < 20:
        yield (
            f"Its scores are of {units} {scores['unit'].iloc[0]}s: the interval, not the mean, says "
            f"what is known."
        )
    if facts.unseen:
        yield (
            f"What it says of {' and '.join(facts.unseen)} nobody taught it: its probability was calibrated "
            "on recordings of other classes."
        )
    if scores.empty or scores["partition"].iloc[0] != "test":
        yield "It was never tested on recordings that had no part in its choice."
    if not facts.rendered and facts.groups.empty:
        yield (
            "Scores by sex, age or language were not asked for (`evaluation.groups`): whether it serves "
            "all alike is not known."
        )
    if facts.corpus.learning.scaling.speaker != "none":
        yield (
            "It was trained on features scaled for each speaker, with recordings of the speaker at hand "
            "(enrolment); without them expect lower scores."
        )
    yield (
        "Its labels are what raters perceived, or actors were asked for, not what somebody felt."
        if not facts.rendered
        else "Its labels are what a program was told to express."
    )
    for name, included in facts.networks:
        if not included:
            yield f"Its features need {name}, which is not in this folder; recogniser.json has its sha256."
