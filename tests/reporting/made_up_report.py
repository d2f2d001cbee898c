"""Report inputs of a made-up corpus: everything the page can show, and odd names."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.params import Corpus
from pipeline.paths import Paths, experiment_name
from pipeline.reporting.inputs import ReportInputs
from pipeline.scoring.evaluation import evaluate
from pipeline.scoring.postprocessing import postprocess_experiment
from tests.scoring.made_up import write_corpus

ODD = 'odd <script>alert("x")</script> & $name$_1'


def evaluated_paths(folder: Path, name: str, corpus: Corpus, groups=lambda speakers: {}, **options) -> Paths:
    """Write raw and final predictions, curves and all tables of a made-up corpus."""
    paths = Paths(name, folder)
    speakers = write_corpus(paths, corpus, **options)
    for scenario, dimension, fold in product(corpus.scenarios, corpus.dimensions, corpus.partitions.names):
        file = f"{experiment_name(scenario.name, dimension, fold)}.parquet"
        postprocess_experiment(
            paths.raw_predictions / file, paths.predictions / file, corpus.postprocessing, corpus.grid.hop
        )
    evaluate(paths, corpus, speakers, groups(speakers))
    return paths


def embeddings(classes: int, seed: int, rows: int = 120) -> pd.DataFrame:
    """Two seeds of two systems; in emobed the classes of both modalities lie together."""
    rng = np.random.default_rng(seed)
    parts = []
    for system, apart in (("classic", 4.0), ("emobed", 0.0)):
        for model_seed in (1, 2):
            for modality, side in (("audio", 0.0), ("video", 1.0)):
                codes = np.arange(rows) % classes
                values = rng.normal(size=(rows, 4)) + 2 * np.eye(max(4, classes))[codes, :4] + apart * side
                table = pd.DataFrame(values, columns=[f"e_{i}" for i in range(4)])
                meta = {
                    "system": system,
                    "seed": model_seed,
                    "modality": modality,
                    "partition": "test",
                    "recording": [f"test_{i % 6}" for i in range(rows)],
                    "speaker": [f"P{i % 3}" for i in range(rows)],
                    "class": codes,
                }
                parts.append(pd.concat([pd.DataFrame(meta), table], axis=1))
    return pd.concat(parts, ignore_index=True)


def _speakers(classified: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Return recording -> speaker of clips, `test_0/u3` -> `test_0`."""
    return {name: name.split("/")[0] for rows in classified.values() for name in rows["recording"]}


def made_up_inputs(folder: Path, name: str, corpus: Corpus, **changes) -> ReportInputs:
    from pipeline.reporting.loading import load_tables
    from pipeline.reporting.loading_predictions import (
        confusions,
        load_classified,
        load_curves,
        load_traces,
        load_units,
    )

    options = changes.pop("options", {})
    paths = evaluated_paths(folder, name, corpus, **options)
    classified = load_classified(paths, corpus) if corpus.task == "classification" else {}
    classes = 7 if corpus.task == "classification" else 2
    experiments = [experiment_name(s.name, d) for s in corpus.scenarios for d in corpus.dimensions]
    values = {
        "name": name,
        "corpus": corpus,
        "rendered": True,
        **load_tables(paths),
        "counts": pd.DataFrame(
            {
                "partition": ["train", "dev", "test"],
                "recordings": [8, 4, 4],
                "speakers": [8, 4, 4],
                "audio_rows": [12_008, 6_004, 6_004],
            }
        ),
        "faces": pd.DataFrame(
            {
                "partition": ["train", "dev", "test"],
                "recordings": [8, 4, 4],
                "frames": [1600, 800, 800],
                "found": [1600, 799, 781],
                "faces": [1600, 799, 781],
                "persons": [None] * 3,
                "changes": [0, 2, 13],
            }
        ),
        "failures": pd.DataFrame(
            {"recording": [ODD], "stage": ["detect_faces"], "reason": ["no video stream"]}
        ),
        "problems": pd.DataFrame({"recording": ["a", "b"], "reason": ["listed, but not on disk"] * 2}),
        "delay": {"seconds": 2.4, "estimated": False},
        "class_names": ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
        if classes == 7
        else ("low", "high"),
        "curves": load_curves(paths, corpus),
        "traces": load_traces(paths, corpus) if classes == 2 else {},
        "confusion": confusions(classified),
        "units": load_units(paths, corpus, _speakers(classified), classified),
        "embeddings": {name: embeddings(classes, i) for i, name in enumerate(experiments)},
        "versions": {"numpy": "2.4.6", "torch": "2.14.1"},
    }
    return ReportInputs(**(values | changes))
