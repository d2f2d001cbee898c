"""Facts of a recogniser -> what it is and what it learnt from, in the words and tables of its card."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.systems import CROSSMODAL, SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.params import modality_of
from pipeline.recogniser.card_facts import CardFacts
from pipeline.recogniser.card_tables import (
    table,
)


def what_it_is(facts: CardFacts) -> str:
    """Say what it predicts, from what, when, and with which system."""
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


def what_it_learnt_from(facts: CardFacts) -> str:
    """Return what took part in its training, with a table of recordings, speakers and labels."""
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
