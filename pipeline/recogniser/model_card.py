"""What a run knows of a recogniser -> MODEL_CARD.md, for people who decide whether to use it.

The form is Hugging Face's: a head in YAML, then Markdown. Every sentence is true of this run, or left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import yaml

from pipeline.params import modality_of
from pipeline.recogniser.card_facts import CardFacts
from pipeline.recogniser.card_learning import what_it_is, what_it_learnt_from
from pipeline.recogniser.card_limits import limits
from pipeline.recogniser.card_scores import by_acquaintance, compared_systems, scores_text
from pipeline.recogniser.card_tables import intervals_of
from pipeline.recogniser.card_terms import licence_lines, terms_of_use
from pipeline.recogniser.card_uncertainty import uncertainty_text
from pipeline.recogniser.choice import METRICS
from pipeline.scoring.headline import HEADLINE

TAGS = ("emotion-recognition", "affective-computing", "emobed")


def model_card(facts: CardFacts) -> str:
    """Return the card of a recogniser."""
    scores = intervals_of(
        facts.intervals, facts.corpus, facts.scenario, facts.dimension, facts.fold, compared_systems(facts)
    )
    sections = [
        _head(facts, scores),
        f"# {facts.name} of {facts.corpus_name}",
        what_it_is(facts),
        "## What it learnt from",
        what_it_learnt_from(facts),
        "## How it was chosen",
        f"{facts.choice.why[0].upper()}{facts.choice.why[1:]}",
        "## Scores",
        scores_text(facts, scores),
        "## How sure it is",
        uncertainty_text(
            facts.calibration,
            facts.domain,
            facts.tested,
            facts.dimension,
            len(facts.seeds),
            facts.thresholds,
            facts.everybody,
        ),
        "## Limits",
        "\n".join(f"- {line}" for line in limits(facts, scores)),
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


def _head(facts: CardFacts, scores: pd.DataFrame) -> str:
    metric = HEADLINE[facts.corpus.task]
    own = scores[(scores["system"] == facts.choice.system) & (scores["metric"] == metric)]
    results = [
        {
            "task": {"type": f"{'-'.join(map(modality_of, facts.needed))}-emotion-recognition"},
            "dataset": {"name": facts.corpus_name, "type": facts.corpus_name, "split": row["partition"]},
            "metrics": [
                {"type": metric, "name": METRICS[metric] + of_whom, "value": round(float(value), 4)}
                for of_whom, value in by_acquaintance(facts, row["partition"], metric, row["value"]).items()
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


def _call(facts: CardFacts) -> str:
    file = {"audio": "a.wav", "video": "a.mp4", "text": "a.txt"}.get(modality_of(facts.needed[0]))
    if file is None or any(modality_of(name) not in facts.corpus.extract for name in facts.needed):
        call = "prediction = recogniser.predict_rows(rows)  # features as they came with the corpus"
    else:
        call = f'table = recogniser.predict("{file}")  # pandas.DataFrame, indexed (file, start, end)'
    load = f'from emobed import Recogniser\n\nrecogniser = Recogniser.load("{facts.name}")'
    return f"```python\n{load}\n{call}\n```"
