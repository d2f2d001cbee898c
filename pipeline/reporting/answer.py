"""Results -> the sentences that answer the report's question, computed, never written by hand."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from pipeline.catalogue.systems import BY_WORDS, REFERENCE, in_order, label, leading
from pipeline.catalogue.tasks import TASKS
from pipeline.reporting.coverage import not_chosen, of_all_folds
from pipeline.reporting.enrolment_curves import EVERY
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.reading import interval_sentence
from pipeline.reporting.verdicts import crossmodal_sentence, verdict_sentences
from pipeline.reporting.wording import METRIC_NAMES, SPEAKER_SCALING, counted, number, of_each, target_name
from pipeline.wording import listed

ENROLMENT = (
    "Features were {done} each speaker (scaling.speaker: {speaker}), those of {partition} too: all "
    "recordings of every {partition} speaker{who}, without their labels, took part in scaling that speaker’s "
    "features (enrolment). So the scores hold for people of whom recordings are at hand beforehand, not for "
    "a stranger."
)


class Answer(NamedTuple):
    """The report's answer, sentence by sentence.

    crossmodal: whether there is a crossmodal gain, first of all; empty where that is no question. Then
    scores, whether they differ, and what that rests on.
    """

    crossmodal: str
    scores: list[str]
    verdict: list[str]
    basis: list[str]


def answer(inputs: ReportInputs) -> Answer:
    """Say how well each modality alone does without crossmodal training (reference) and with it (`leading`).

    What may be called established: `pipeline.scoring.verdict`.
    """
    rows = headline_rows(inputs)
    if not inputs.corpus.scenarios:
        nothing = "No scenario is asked for: the features were extracted and nothing was trained."
        return Answer("", [nothing], [], [])
    if rows.empty or rows["mean"].isna().all():
        nothing = "No partition has a gold standard, so nothing could be scored; the predictions are written."
        return Answer("", [nothing], [], [])
    metric = METRIC_NAMES[inputs.metric]
    scores, basis = [], []
    if inputs.partition == "dev":
        basis.append(
            "The test partition has no gold standard, so these scores are on dev, where settings were chosen "
            f"too: each recording, or speaker with several, is scored by the {_chosen_things(inputs)} that "
            "the others chose (leave-one-out), and each seed by the settings that the other seeds chose."
        )
    where = f"on the {inputs.partition} partition"
    if inputs.folds:
        where = f"(mean over {len(inputs.folds)} folds that together test every speaker once)"
    compared = (rows["system"] == REFERENCE).any()
    if compared:
        scores.append(
            f"Without crossmodal training ({label(REFERENCE)}), "
            f"{_scores(rows, REFERENCE, inputs, metric)} {where}."
        )
    else:
        scores.append(
            f"No system is compared with {label(REFERENCE)}, which was not trained "
            f"(corpora.{inputs.name}.learning.systems). The scores {where} are in the tables below."
        )
    if crossmodal := leading(rows["system"]):
        own = _scores(rows, crossmodal, inputs, None if compared else metric)
        fewer = "" if _in_all_folds(rows, crossmodal) else ", in the folds that do not leave it out"
        scores.append(f"Trained with both modalities ({label(crossmodal)}), {own}{fewer}.")
        if crossmodal in BY_WORDS and (kept_from := _kept_from(inputs)):
            scores.append(kept_from)
    basis.append(_basis(inputs, rows))
    if TASKS[inputs.corpus.task].classes:
        basis += _classes(inputs)
    if (speaker := inputs.corpus.learning.scaling.speaker) != "none":
        basis.append(
            ENROLMENT.format(
                done=SPEAKER_SCALING[speaker],
                speaker=speaker,
                partition=inputs.partition,
                who=enrolled_speakers(inputs),
            )
        )
    if inputs.rendered:
        basis.append(
            "This is a rendered demo: its voices and faces were drawn from known emotion, so the scores show "
            "that the pipeline works and say nothing about people or about the paper’s corpora."
        )
    return Answer(crossmodal_sentence(inputs), scores, verdict_sentences(inputs, rows), basis)


def _kept_from(inputs: ReportInputs) -> str:
    """Say of which classes systems by words learned nothing or little, which others saw; empty if of none."""
    own = inputs.corpus.learning.emotion_words
    parts = [f"nothing of {listed(list(own.zero_shot))}"] if own.zero_shot else []
    parts += [f"little of {listed(list(own.few_shot))}"] if own.few_shot else []
    if not parts:
        return ""
    return (
        f"But {label(BY_WORDS[0])} learned {listed(parts)}, on purpose, and {label(REFERENCE)} learned all "
        f"classes; test has all of them. So the difference of the two is none of methods: how well such a "
        "class is told by its word is in each experiment’s table of classes by their words."
    )


def _in_all_folds(rows: pd.DataFrame, system: str) -> bool:
    return (rows["system"] == system).sum() == (of_all_folds(rows)["system"] == system).sum()


def _chosen_things(inputs: ReportInputs) -> str:
    return "settings and post-processing" if inputs.postprocessed else "settings"


def enrolled_speakers(inputs: ReportInputs) -> str:
    """Write ` (6 speakers, 14 recordings of each)`: those that scaled the reported partition, if known."""
    if inputs.enrolment.empty:
        return ""
    here = inputs.enrolment[
        (inputs.enrolment["partition"] == inputs.partition) & (inputs.enrolment["enrolled"] == EVERY)
    ]
    if here.empty:
        return ""
    speakers = counted(int(here["speakers"].max()), "speaker")
    return f" ({speakers}, {of_each(int(here['fewest'].min()), int(here['most'].max()))})"


def enrolment_note(inputs: ReportInputs) -> str:
    """Say, for a table of scores, that speakers' own recordings took part; empty where none did."""
    speaker = inputs.corpus.learning.scaling.speaker
    if speaker == "none":
        return ""
    return (
        f"Features were {SPEAKER_SCALING[speaker]} each speaker: the own recordings of {inputs.partition} "
        f"speakers{enrolled_speakers(inputs)}, without labels, scaled them."
    )


def _classes(inputs: ReportInputs) -> list[str]:
    """Say which classes averages run over, and what random guesses give."""
    count = len(inputs.class_names)
    if TASKS[inputs.corpus.task].several:
        return [
            f"An utterance may have any number of the {count} labels. Saying the same of every utterance "
            f"gives {number(chance(inputs))}; means run over the labels that some have and some have not."
        ]
    sentences = []
    never = _never(inputs)
    if never:
        sentences.append(
            f"{count - len(never)} of the {count} classes occur in the gold standard of {inputs.partition}, "
            f"and averages run over these; {listed(never)} {'does' if len(never) == 1 else 'do'} not."
        )
    elif inputs.folds:
        sentences.append("In each fold averages run over the classes that occur in its gold standard.")
    sentences.append(f"Guessing at random among the {count} classes gives about {number(chance(inputs))}.")
    return sentences


def chance(inputs: ReportInputs) -> float:
    """Return the headline score of what knows nothing: guesses among the classes, or a constant (CCC 0).

    Guesses among K classes reach a recall of 1 / K on each, and a precision that is each class' share of the
    P classes that occur, 1 / P on average: an F1 of 2 / (K + P). Of several labels the weighted accuracy of a
    constant, or of guesses, is .5.
    """
    task = TASKS[inputs.corpus.task]
    if not task.classes:
        return 0.0
    if task.several:
        return 0.5
    return 2 / (2 * len(inputs.class_names) - len(_never(inputs)))


def _never(inputs: ReportInputs) -> list[str]:
    """Return the classes that do not occur in the gold standard of the reported partition."""
    rows = [counts.sum(axis=1) for by_system in inputs.confusion.values() for counts in by_system.values()]
    return [name for name, n in zip(inputs.class_names, rows[0], strict=True) if n == 0] if rows else []


def learnt_nothing(inputs: ReportInputs, target: str, auxiliary: str, dimension: str) -> str:
    """Name the systems of an experiment whose score on dev cannot be told from chance; empty if none is.

    On dev each unit is scored at settings that the others chose. Not told: the interval begins at chance or
    below, or the predictions are the same everywhere, so that there is no score or none above chance.
    """
    table = inputs.intervals
    if table.empty:
        return ""
    rows = table[
        (table["target"] == target) & (table["auxiliary"] == auxiliary) & (table["dimension"] == dimension)
        & (table["partition"] == "dev") & (table["metric"] == inputs.metric)
        & (table["postprocessed"] == inputs.postprocessed)
    ]  # fmt: skip
    level = chance(inputs)
    above = (rows["low"] > level) | (rows["low"].isna() & (rows["value"] > level))
    found = [label(system) for system in in_order(rows.loc[~above, "system"])]
    if not found:
        return ""
    every = f"all {len(rows)} systems" if len(found) == len(rows) > 1 else listed(found)
    return (
        f"Nothing learnt, as far as dev tells, by {every}: the {METRIC_NAMES[inputs.metric]} on dev is not "
        f"above that of chance ({number(level)}), or its interval includes it."
    )


def headline_rows(inputs: ReportInputs) -> pd.DataFrame:
    """Return the rows of results.csv that the page reports: on dev those at settings that others chose."""
    table = inputs.left_out if inputs.partition == "dev" and len(inputs.left_out) else inputs.results
    return table[
        (table["metric"] == inputs.metric)
        & (table["partition"] == inputs.partition)
        & (table["postprocessed"] == inputs.postprocessed)
    ]


def _scores(rows: pd.DataFrame, system: str, inputs: ReportInputs, metric: str | None) -> str:
    """Write `audio alone reaches a CCC of .61 for arousal and .40 for valence, video alone ...`."""
    parts: list[str] = []
    said: list[tuple[str, list[str]]] = []
    for scenario in inputs.corpus.scenarios:
        here = rows[
            (rows["target"] == scenario.target)
            & (rows["auxiliary"] == scenario.auxiliary)
            & (rows["system"] == system)
        ]
        values = [
            number(float(here.loc[here["dimension"] == dimension, "mean"].iloc[0]))
            + ("" if dimension == "emotion" else f" for {dimension}")
            for dimension in inputs.corpus.dimensions
            if (here["dimension"] == dimension).any()
        ]
        if values:
            verb = " reaches" if not parts else ""
            of = f" an {metric} of" if metric and metric[0] in "F" else f" a {metric} of" if metric else ""
            name = target_name(inputs.corpus, scenario.target, scenario.auxiliary)
            who = name.replace(scenario.target, f"{scenario.target} alone", 1)
            if system == REFERENCE and (scenario.target, values) in said:
                continue  # it sees no auxiliary: the same models again
            if system == REFERENCE and not any(target == scenario.target for target, _ in said):
                who = f"{scenario.target} alone"
            said.append((scenario.target, values))
            parts.append(f"{who}{verb}{of if not parts else ''} {listed(values)}")
    return ", ".join(parts)


def _basis(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    seeds = int(rows["seeds"].max())
    over = f"{seeds} {'seed' if seeds == 1 else 'seeds'}"
    if inputs.folds:
        over = f"{_folds(inputs, rows)} and {over}"
    text = f"Scores are means over {over}"
    if inputs.folds:
        tested = inputs.fold_sizes[["speakers", "recordings"]].sum()
        text += (
            f"; each of the {tested['speakers']} speakers ({tested['recordings']} recordings) is tested "
            "exactly once, by models trained on others"
        )
    return f"{text}{interval_sentence(inputs)}. {_chosen(inputs)}"


def settings_chosen(inputs: ReportInputs) -> bool:
    """Say whether there was a dev to choose settings on; else each system has the smallest values."""
    dev = inputs.results[(inputs.results["partition"] == "dev") & (inputs.results["metric"] == inputs.metric)]
    return bool((dev["n"] > 0).any())


def _chosen(inputs: ReportInputs) -> str:
    """Say where the settings were chosen."""
    if inputs.folds:
        return "The setting of each system was chosen in each fold by itself, on its dev only."
    if not settings_chosen(inputs):
        return (
            "Dev has no gold standard, so settings were not chosen: of each system that with the smallest "
            "values was taken."
        )
    return " ".join(filter(None, ("The setting of each system was chosen on dev only.", not_chosen(inputs))))


def _folds(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    """Write `5 folds`, or `4 of 5 folds (the others have no gold standard)`."""
    # the most of an experiment: a system that needs all modalities may lack a fold for another reason
    scored = int(rows.groupby(["target", "auxiliary", "dimension"])["folds"].max().min())
    every = len(inputs.folds)
    few = "" if scored == every else f"{scored} of "
    return f"{few}{every} folds" + (" (the others have no gold standard)" if few else "")
