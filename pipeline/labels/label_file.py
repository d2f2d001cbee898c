"""Labels on the label grid, and how they were made, to files: `labels.parquet` and `labels.json`."""

from __future__ import annotations

import io
import json
from collections.abc import Set
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.recording import PARTITIONS
from pipeline.labels.delay_search import DelayEstimate
from pipeline.params import Corpus
from pipeline.paths import Paths

SCHEMA = pa.schema(
    [
        ("recording", pa.string()),
        ("partition", pa.string()),
        ("speaker", pa.string()),
        ("dimension", pa.string()),
        ("time", pa.float64()),
        ("gold_standard", pa.float64()),
        ("label", pa.float64()),
        ("triplet_class", pa.int64()),
    ]
)


def write_labels(
    corpus: Corpus, paths: Paths, recordings: Set[str], table: pd.DataFrame, facts: dict[str, Any]
) -> None:
    """Write the labels of one fold (`SCHEMA`) and `facts` of what they were made with.

    recordings: all of the fold; those without labels are named in the facts.
    """
    facts = {"corpus": paths.corpus, "task": corpus.task, "dimensions": list(corpus.dimensions), **facts}
    facts["counts"] = _counts(table, corpus.dimensions if corpus.scenarios else ())
    facts["unlabelled"] = {
        dimension: sorted(recordings - set(table.loc[table["dimension"] == dimension, "recording"]))
        for dimension in corpus.dimensions
    }
    buffer = io.BytesIO()
    arrow = pa.Table.from_pandas(table, schema=SCHEMA, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, buffer, compression="zstd")
    write_if_changed(paths.label_table, buffer.getvalue())
    write_if_changed(paths.label_facts, json.dumps(facts, indent=1).encode() + b"\n")


def nothing_to_learn() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return an empty table: without scenarios a corpus is there for its features and needs no labels."""
    table = pd.DataFrame({name: [] for name in SCHEMA.names})
    facts: dict[str, Any] = {"classes": [], "thresholds": {}, "rater_weights": {}}
    return table, {**facts, "annotation_delay": delay_facts(0, 0.0, None)}


def delay_facts(frames: int, hop: float, found: DelayEstimate | None) -> dict[str, Any]:
    """Return the delay as used, a whole number of frames, and where it comes from."""
    curve = None
    if found is not None:
        curve = [
            {
                "delay": round(float(delay), 6),
                "score": round(float(found.scores[place]), 6),
                **{part: round(float(scores[place]), 6) for part, scores in found.parts.items()},
            }
            for place, delay in enumerate(found.delays)
        ]
    return {
        "seconds": round(frames * hop, 6),
        "frames": frames,
        "estimated": found is not None,
        "estimate": None if found is None else round(found.seconds, 4),
        "standard_error": None if found is None else round(found.standard_error, 4),
        "curve": curve,
    }


def _counts(table: pd.DataFrame, dimensions: tuple[str, ...]) -> dict[str, dict[str, dict[str, int]]]:
    """Return recordings and rows by dimension and partition."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for dimension in dimensions:
        counts[dimension] = {}
        for partition in PARTITIONS:
            rows = table[(table["dimension"] == dimension) & (table["partition"] == partition)]
            rows = rows[rows["gold_standard"].notna()]
            counts[dimension][partition] = {"recordings": int(rows["recording"].nunique()), "rows": len(rows)}
    return counts
