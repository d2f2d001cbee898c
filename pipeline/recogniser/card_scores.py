"""Facts of a recogniser -> how good it is, of known people and strangers, in words and tables of its card."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue.systems import CROSSMODAL, METHOD, REFERENCE, SYSTEMS, controls
from pipeline.recogniser.card_facts import CardFacts
from pipeline.recogniser.card_tables import (
    enrolment_of,
    enrolment_table,
    groups_of,
    table,
)
from pipeline.recogniser.choice import METRICS
from pipeline.scoring.headline import HEADLINE


def compared_systems(facts: CardFacts) -> list[str]:
    """Return the systems whose scores stand in the card: its own, the reference, and its controls."""
    own = facts.choice.system
    # what weighs the losses of the method shares its controls
    of_grid = own in CROSSMODAL and SYSTEMS[own].grid == SYSTEMS[METHOD].grid
    return list(dict.fromkeys([own, REFERENCE, *controls(METHOD if of_grid else own)]))


def by_acquaintance(facts: CardFacts, partition: str, metric: str, value: float) -> dict[str, float]:
    """Return a score by whose it is: that of a stranger stands beside that of speakers who were known."""
    strangers = _of_strangers(facts, partition)
    if strangers is None:
        return {"": value}
    shown = strangers[strangers["metric"] == metric].set_index("enrolled")["value"]
    return {" (speakers who are known)": value, " (a stranger)": shown["0"]}


def scores_text(facts: CardFacts, scores: pd.DataFrame) -> str:
    """Return the scores of the systems that are compared, or why there are none; scores: with intervals."""
    if scores.empty:
        return "There are none: neither test nor dev has a gold standard."
    partition = scores["partition"].iloc[0]
    lines = [
        f"On {partition}, "
        + (
            "which nothing was chosen on."
            if partition == "test"
            else (
                "since test has no gold standard; each recording (or speaker) is scored at the setting "
                "that the others chose."
            )
        )
    ]
    rows = [
        (
            SYSTEMS[row["system"]].label + (" (this one)" if row["system"] == facts.choice.system else ""),
            METRICS.get(row["metric"], row["metric"]),
            f"{row['value']:.3f}",
            "too few units" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
            "" if pd.isna(row["std"]) else f"{row['std']:.3f}",
            f"{int(row['n'])} of {int(row['recordings'])} recordings",
            f"{int(row['units'])} {row['unit']}{'' if row['units'] == 1 else 's'}",
        )
        for row in scores.to_dict("records")
    ]
    confidence = f"{100 * float(scores['confidence'].iloc[0]):g} % interval"
    header = (
        "system",
        "score",
        "mean over seeds",
        confidence,
        "std over seeds",
        "labels",
        "units of the interval",
    )
    lines.append(table(header, rows))
    lines.append(
        "The scores are means of those of single models; the mean of their predictions, which this "
        "recogniser gives out, scores a little better as a rule."
        if len(facts.seeds) > 1
        else "The score of this one is that of the model in this folder."
    )
    lines += _enrolment(facts, partition)
    if groups := groups_of(facts.groups, facts.corpus, facts.scenario, facts.dimension, facts.choice.system):
        lines += ["By group:", groups]
    return "\n\n".join(lines)


def _of_strangers(facts: CardFacts, partition: str) -> pd.DataFrame | None:
    """Return the scores by how much is known of a speaker; None where features are not scaled by speaker."""
    if facts.corpus.learning.scaling.speaker == "none":
        return None
    own = facts.choice.system
    rows = enrolment_of(facts.enrolment, facts.corpus, facts.scenario, facts.dimension, own, partition)
    return None if rows.empty else rows


def _enrolment(facts: CardFacts, partition: str) -> list[str]:
    """Say whose recordings scaled the features that were scored, and what a stranger gets."""
    rows = _of_strangers(facts, partition)
    if rows is None:
        return []
    fewest, most = int(rows["fewest"].min()), int(rows["most"].max())
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    raw = ", of predictions before post-processing" if facts.post_processed else ""
    pooled = ", of the speakers of all folds" if facts.fold else ""
    metric = HEADLINE[facts.corpus.task]
    shown = rows[rows["metric"] == metric].set_index("enrolled")["value"]
    return [
        f"These scores are of people who were known: all recordings of each {partition} speaker ({each} of "
        f"each), without their labels, scaled that speaker's features. **A stranger, of whom nothing is "
        f"known, gets {METRICS[metric]} {shown['0']:.3f} in place of {shown['all']:.3f}.** By how many other "
        f"recordings of the speaker are known (`emobed enrol`){raw}{pooled}:",
        enrolment_table(rows),
    ]
