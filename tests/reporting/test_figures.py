from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting.embedding_space import cross_retrieval, project, vectors
from pipeline.reporting.tables import parameter_rows
from pipeline.reporting.trace_figures import chosen_recordings
from tests.reporting.made_up_report import embeddings


def test_recordings_are_chosen_from_worst_to_best():
    rng = np.random.default_rng(0)
    parts = []
    for number, noise in enumerate([0.1, 2.0, 0.5, 1.0, 0.3]):
        gold = rng.normal(size=200)
        prediction = gold + noise * rng.normal(size=200)
        parts.append(pd.DataFrame({"recording": f"r{number}", "gold": gold, "postprocessed": prediction}))
    parts.append(pd.DataFrame({"recording": "r9", "gold": np.nan, "postprocessed": rng.normal(size=200)}))
    traces = pd.concat(parts).assign(partition="test", system="emobed")
    assert [name for name, _ in chosen_recordings(traces, "test", "emobed", 3)] == ["r1", "r2", "r0"]
    scores = [score for _, score in chosen_recordings(traces, "test", "emobed", 3)]
    assert scores == sorted(scores)
    assert len(chosen_recordings(traces, "test", "emobed", 99)) == 6


def test_projection_is_seeded_and_keeps_clusters_apart():
    rows = embeddings(2, 0)
    rows = rows[rows["system"] == "classic"]
    kept, places = project(rows, 80, 0)
    _, again = project(rows, 80, 0)
    assert len(kept) == len(places) == 80
    assert set(kept["seed"]) == {1}
    assert (places == again).all()
    audio = (kept["modality"] == "audio").to_numpy()
    apart = np.linalg.norm(places[audio].mean(0) - places[~audio].mean(0))
    assert apart > places[audio].std(0).mean()
    with pytest.raises(ValueError, match="at least 5"):
        project(rows.head(3), 80, 0)


def test_retrieval_rises_where_the_modalities_share_a_space():
    found = {(row.system, row.query): row for row in cross_retrieval(embeddings(7, 1))}
    assert len(found) == 4
    for query in ("audio", "video"):
        classic, emobed = found["classic", query], found["emobed", query]
        assert emobed.mean > classic.mean + 0.05
        assert emobed.chance == pytest.approx(1 / 7, abs=0.02)
        assert (emobed.queries, emobed.seeds) == (120, 2)


def test_vectors_are_in_the_order_of_their_numbers():
    rows = pd.DataFrame([[2.0, 0.0, 1.0]], columns=["e_10", "e_0", "e_2"])
    assert vectors(rows).tolist() == [[0.0, 1.0, 2.0]]


def test_parameters_are_named_by_their_path(params):
    rows = dict(parameter_rows(params.corpus("demo_sessions").model_dump(mode="json")))
    assert float(rows["learning.optimiser.learning_rate"]) == (
        params.corpus("demo_sessions").learning.optimiser.learning_rate
    )
    assert rows["scenarios"] == "audio+video, video+audio"
    assert rows["video.embedding.weights"] == "null"
    assert rows["postprocessing.centring"] == "true"
    assert "postprocessing.median_windows" in rows
