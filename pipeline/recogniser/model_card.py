"""What a run knows of a recogniser -> MODEL_CARD.md, for people who decide whether to use it.

The form is Hugging Face's: a head in YAML, then Markdown. Every sentence is true of this run, or left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import yaml

from pipeline.catalogue.systems import CROSSMODAL, METHOD, REFERENCE, SYSTEMS, controls
from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus, Scenario, modality_of
from pipeline.recogniser.card_tables import (
    Trained,
    enrolment_of,
    enrolment_table,
    groups_of,
    intervals_of,
    table,
)
from pipeline.recogniser.card_terms import licence_lines, terms_of_use
from pipeline.recogniser.card_uncertainty import uncertainty_text
from pipeline.recogniser.choice import METRICS, Choice
from pipeline.recogniser.description import Calibration, Domain
from pipeline.scoring.headline import HEADLINE

TAGS = ("emotion-recognition", "affective-computing", "emobed")


@dataclass(frozen=True)
class CardFacts:
    """What a card is made of.

    needed: modalities that a prediction takes. trained: recordings, speakers and labels by partition.
    intervals, groups, enrolment: tables of the stage evaluate. rendered: whether the corpus is drawn. tested:
    the row of scores/uncertainty.csv. thresholds: above which each class is predicted, where an utterance
    may have several. unseen: classes of which the system learned nothing; rare: of which it learned few
    recordings. networks: names of files that features need, and whether they are in the folder.
    """

    name: str
    corpus_name: str
    corpus: Corpus
    scenario: Scenario
    dimension: str
    fold: str
    classes: Sequence[str]
    seeds: Sequence[int]
    needed: Sequence[str]
    choice: Choice
    trained: Sequence[Trained]
    intervals: pd.DataFrame
    groups: pd.DataFrame
    rendered: bool
    post_processed: bool
    calibration: Calibration
    domain: Domain
    tested: Mapping[str, Any]
    enrolment: pd.DataFrame = field(default_factory=pd.DataFrame)
    thresholds: Sequence[float] = ()
    unseen: Sequence[str] = ()
    rare: Sequence[str] = ()
    networks: Sequence[tuple[str, bool]] = ()


def model_card(facts: CardFacts) -> str:
    """Return the card of a recogniser."""
    scores = intervals_of(
        facts.intervals, facts.corpus, facts.scenario, facts.dimension, facts.fold, _compared(facts)
    )
    sections = [
        _head(facts, scores),
        f"# {facts.name} of {facts.corpus_name}",
        _what_it_is(facts),
        "## What it learnt from",
        _what_it_learnt_from(facts),
        "## How it was chosen",
        f"{facts.choice.why[0].upper()}{facts.choice.why[1:]}",
        "## Scores",
        _scores(facts, scores),
        "## How sure it is",
        uncertainty_text(
            facts.calibration, facts.domain, facts.tested, facts.dimension, len(facts.seeds), facts.thresholds
        ),
        "## Limits",
        "\n".join(f"- {line}" for line in _limits(facts, scores)),
        "## What it must not be used for",
        terms_of_use(facts.needed),
        "## Licences",
        "\n".join(f"- {line}" for line in _licences(facts)),
        "## How it is called",
        _call(facts),
    ]
    return "\n\n".join(sections) + "\n"


def _licences(facts: CardFacts) -> Iterator[str]:
    return licence_lines(facts.corpus, facts.needed, facts.corpus_name, facts.rendered)


def _compared(facts: CardFacts) -> list[str]:
    """Return the systems whose scores stand in the card: its own, the reference, and its controls."""
    own = facts.choice.system
    # what weighs the losses of the method shares its controls
    of_grid = own in CROSSMODAL and SYSTEMS[own].grid == SYSTEMS[METHOD].grid
    return list(dict.fromkeys([own, REFERENCE, *controls(METHOD if of_grid else own)]))


def _head(facts: CardFacts, scores: pd.DataFrame) -> str:
    metric = HEADLINE[facts.corpus.task]
    own = scores[(scores["system"] == facts.choice.system) & (scores["metric"] == metric)]
    results = [
        {
            "task": {"type": f"{'-'.join(map(modality_of, facts.needed))}-emotion-recognition"},
            "dataset": {"name": facts.corpus_name, "type": facts.corpus_name, "split": row["partition"]},
            "metrics": [
                {"type": metric, "name": METRICS[metric] + of_whom, "value": round(float(value), 4)}
                for of_whom, value in _by_acquaintance(facts, row["partition"], metric, row["value"]).items()
            ],
        }
        for row in own.to_dict("records")
    ]
    head: dict[str, Any] = {
        "library_name": "emobed",
        "license": "other",
        "license_name": "see-licences-below",
        "tags": [*TAGS, *map(modality_of, facts.needed), facts.dimension],
    }
    if results:
        head["model-index"] = [{"name": facts.name, "results": results}]
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---"


def _by_acquaintance(facts: CardFacts, partition: str, metric: str, value: float) -> dict[str, float]:
    """Return a score by whose it is: that of a stranger stands beside that of speakers who were known."""
    strangers = _of_strangers(facts, partition)
    if strangers is None:
        return {"": value}
    shown = strangers[strangers["metric"] == metric].set_index("enrolled")["value"]
    return {" (speakers who are known)": value, " (a stranger)": shown["0"]}


def _what_it_is(facts: CardFacts) -> str:
    corpus, label = facts.corpus, SYSTEMS[facts.choice.system].label
    kind = "any number of classes" if TASKS[corpus.task].several else "the class"
    what = f"{kind} of {facts.dimension} ({', '.join(facts.classes)})" if facts.classes else facts.dimension
    grid = corpus.grid
    if grid.hop is None:
        when = "once for each utterance"
    else:
        window = "" if grid.window is None else f", from windows of {grid.window:g} s"
        when = f"every {grid.hop:g} s{window}"
    setting = f" ({facts.choice.setting})" if facts.choice.setting else ""
    count = len(facts.seeds)
    seeds = "that of one model" if count == 1 else f"the mean of {count} models that differ in their seed"
    after = ", post-processed as fitted on dev" if facts.post_processed else ""
    fold = f" This is {facts.fold} of a cross-validation." if facts.fold else ""
    return (
        f"Predicts {what} from {' and '.join(map(modality_of, facts.needed))}, {when}. The system is "
        f"{label}{setting}; a prediction "
        f"is {seeds}{after}.{fold}"
    )


def _what_it_learnt_from(facts: CardFacts) -> str:
    rows = [
        (own.partition, own.recordings, own.speakers, own.labelled, own.labels, own.use)
        for own in facts.trained
    ]
    own = facts.choice.system
    others = " and ".join(map(modality_of, facts.scenario.others))
    if SYSTEMS[own].needs == "all":
        helped = "It learnt from all of its modalities together."
    elif own in CROSSMODAL:
        helped = (
            f"In training {others} took part: its weights are shaped by it, and none of its tensors is "
            f"in the folder."
        )
    else:
        helped = f"Nothing of {others} took part in its training."
    lines = [
        f"The corpus {facts.corpus_name}"
        + (
            ", which is rendered: voices and faces are drawn by a program from known arousal and "
            "valence. It shows that the "
            "pipeline works and says nothing about people."
            if facts.rendered
            else "."
        ),
        table(("partition", "recordings", "speakers", "with labels", "labels", "used for"), rows),
        helped,
        *_little_learnt(facts),
    ]
    return "\n\n".join(lines)


def _little_learnt(facts: CardFacts) -> Iterator[str]:
    """Say of which classes nothing was learned, or little, though the table counts their recordings."""
    if facts.unseen:
        yield (
            f"**Nothing was learned of {' and '.join(facts.unseen)}**: recordings with it took no part, "
            "neither in train nor on dev, though they are counted above. It is named by how close a "
            "recording is to its word alone."
        )
    if facts.rare:
        shares = facts.corpus.learning.emotion_words.few_shot
        few = " and ".join(f"{100 * shares[name]:g} % of those with {name}" for name in facts.rare)
        yield f"Of the recordings of train and dev it was given {few}, though all are counted above."


def _scores(facts: CardFacts, scores: pd.DataFrame) -> str:
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


def _limits(facts: CardFacts, scores: pd.DataFrame) -> Iterator[str]:
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


def _call(facts: CardFacts) -> str:
    file = {"audio": "a.wav", "video": "a.mp4", "text": "a.txt"}.get(modality_of(facts.needed[0]))
    if file is None or any(modality_of(name) not in facts.corpus.extract for name in facts.needed):
        call = "prediction = recogniser.predict_rows(rows)  # features as they came with the corpus"
    else:
        call = f'table = recogniser.predict("{file}")  # pandas.DataFrame, indexed (file, start, end)'
    load = f'from emobed import Recogniser\n\nrecogniser = Recogniser.load("{facts.name}")'
    return f"```python\n{load}\n{call}\n```"
