from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.reporting.corpus_tables import parameter_rows
from pipeline.reporting.curve_figures import setting_curves
from pipeline.reporting.drawing import new_figure, picture, style
from pipeline.reporting.embedding_space import (
    NotDrawnError,
    cross_retrieval,
    most_candidates,
    project,
    vectors,
)
from pipeline.reporting.score_figures import setting_maps
from pipeline.reporting.trace_figures import chosen_recordings
from pipeline.scoring.retrieval import retrieval
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
    audio = kept["modality"] == "audio"
    assert (set(kept["seed"][audio]), set(kept["seed"][~audio])) == ({1}, {2})  # trained apart
    together = embeddings(2, 0).query("system == 'emobed'")
    assert set(project(together, 80, 0)[0]["seed"]) == {1}
    assert (places == again).all()
    audio = (kept["modality"] == "audio").to_numpy()
    apart = np.linalg.norm(places[audio].mean(0) - places[~audio].mean(0))
    assert apart > places[audio].std(0).mean()
    with pytest.raises(NotDrawnError, match="there are 3 embeddings, and t-SNE needs 5 or more"):
        project(rows[rows["seed"] == 1].head(2).combine_first(rows[rows["seed"] == 2].tail(1)), 80, 0)
    with pytest.raises(NotDrawnError, match="takes two seeds, and there is one"):
        project(rows[rows["seed"] == 1], 80, 0)


def test_retrieval_rises_where_the_modalities_share_a_space(params):
    evaluation = params.corpus("demo_sessions").evaluation
    found = {(row.system, row.query): row for row in cross_retrieval(embeddings(7, 1), evaluation)}
    assert len(found) == 4
    for query in ("audio", "video"):
        classic, emobed = found["classic", query], found["emobed", query]
        assert emobed.mean > classic.mean + 0.05
        assert emobed.chance == pytest.approx(1 / 7, abs=0.02)
        assert (emobed.queries, emobed.speakers, emobed.pairs) == (120, 3, 2)
        assert emobed.low <= emobed.mean <= emobed.high


def test_encoders_trained_apart_are_paired_across_different_seeds_only(params):
    """Per seed both modalities share a space, as models from one start do: that is no crossmodal training."""
    rng = np.random.default_rng(0)
    codes = np.arange(70) % 7
    parts = []
    for system in ("classic", "joint"):
        for seed in (1, 2, 3):
            turn = np.linalg.qr(rng.normal(size=(7, 7)))[0]
            for modality in ("audio", "video"):
                values = np.eye(7)[codes] @ turn + 0.05 * rng.normal(size=(70, 7))
                table = pd.DataFrame(values, columns=[f"e_{i}" for i in range(7)])
                meta = {"system": system, "seed": seed, "modality": modality, "class": codes}
                speakers = [f"P{i % 5}" for i in range(70)]
                parts.append(table.assign(**meta, partition="test", recording="r", speaker=speakers))
    rows = pd.concat(parts, ignore_index=True)
    evaluation = params.corpus("demo_sessions").evaluation
    found = {(row.system, row.query): row for row in cross_retrieval(rows, evaluation)}
    for query in ("audio", "video"):
        classic, joint = found["classic", query], found["joint", query]
        assert joint.mean == pytest.approx(0.8)  # all of its class: 8 of other speakers, ten looked at
        assert classic.mean == pytest.approx(classic.chance, abs=0.1)
        assert (classic.pairs, joint.pairs) == (6, 3)
    # all ordered pairs, by hand
    by = {key: part for key, part in rows[rows["system"] == "classic"].groupby(["modality", "seed"])}
    hand = [
        retrieval(
            vectors(by["audio", a]), vectors(by["video", b]), codes, codes,
            by["audio", a]["speaker"], by["video", b]["speaker"], 10,
        ).precision
        for a in (1, 2, 3) for b in (1, 2, 3) if a != b
    ]  # fmt: skip
    assert found["classic", "audio"].mean == pytest.approx(np.mean(hand))
    assert found["classic", "audio"].std == pytest.approx(np.std(hand, ddof=1))
    one = cross_retrieval(rows[rows["seed"] == 1], evaluation)
    assert {row.system for row in one} == {"joint"}


def test_no_retrieval_where_every_candidate_is_found_whatever_the_embedding(params):
    evaluation = params.corpus("demo_sessions").evaluation
    rows = embeddings(7, 1)
    small = rows.groupby(["system", "seed", "modality", "speaker"]).head(5)  # 3 speakers: 10 of the others
    assert most_candidates(small) == 10
    assert cross_retrieval(small, evaluation) == []
    more = rows.groupby(["system", "seed", "modality", "speaker"]).head(6)
    assert most_candidates(more) == 12
    assert len(cross_retrieval(more, evaluation)) == 4


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


def test_controls_and_settings_of_classics_own_are_on_no_map_and_no_curve():
    weights = [(a, b) for a in (0.0, 0.1, 0.3) for b in (0.0, 0.03, 0.1)]
    points = [GridPoint(*pair, 1) for pair in weights]
    points += [
        GridPoint(0, 0, 1, rate=0.01, decay=0.1),
        *(GridPoint(a, b, 1, "placebo") for a, b in weights if a * b),
    ]
    grid = pd.DataFrame(
        [
            {
                "system": p.system, "setting": p.variant.setting, "selected": 0, "seeds": 1,
                "dev_mean": 0.9 if p.control or p.rate else 0.5, "dev_std": 0.0,
                "test_mean": 0.4, "test_std": 0.0,
            }
            for p in points
        ]
    )  # fmt: skip
    (figure,) = setting_maps(grid, "ccc").values()
    values = np.asarray(figure.axes[0].images[0].get_array())
    assert values.shape == (3, 3)
    assert (values == 0.5).all()
    for drawn, _ in setting_curves(grid, "ccc").values():
        heights = [y for axes in drawn.axes for line in axes.lines for y in line.get_ydata()]
        assert max(heights) == 0.5


def test_a_tick_is_read_as_it_was_written_and_places_are_rounded(tmp_path):
    """Complexities of .0001 and .001 are not 0.00."""
    with style():
        figure = new_figure(2.0)
        axes = figure.subplots()
        axes.plot([0, 1, 2], [0.123456, 0.5, 0.987654])
        axes.set_xticks([0, 1, 2], ["0.0001", "0.001", "12.3456"])
        svg = picture(figure, tmp_path / "figures", "x", "alt", "caption").svg
    shown = re.findall(r">([^<>]*)</text>", svg)
    assert {"0.0001", "0.001", "12.3456"} <= set(shown)
    assert not re.findall(r'd="[^"]*\d\.\d{3}', svg)
