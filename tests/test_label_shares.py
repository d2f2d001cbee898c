"""Hidden labels and shares of labelled speakers through all stages: nothing hidden reaches anything.

Some 60 s: two trainings of every system, for each of the tasks.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.interface import GOLD
from pipeline.corpora.recording import format_manifest
from pipeline.corpora.traces import format_traces, trace_table
from pipeline.params.systems import Matched
from pipeline.paths import Paths
from pipeline.scoring.metrics import ccc, f1_macro_pr
from pipeline.store.packing import Unit
from pipeline.store.rows import Rows
from pipeline.store.tables import write_table
from stages.align_labels import align_labels
from stages.evaluate import evaluate
from stages.postprocess import postprocess
from stages.report import report
from stages.running import Context
from stages.train import train
from tests.detections import one_face
from tests.recordings import recording

FRAMES, HOP = 60, 0.2
CLASSES = ["angry", "calm", "happy"]
TRAIN = [f"t{n}" for n in range(8)]
EVERY = [(name, "train") for name in TRAIN] + [("d0", "dev"), ("d1", "dev"), ("e0", "test"), ("e1", "test")]
UTTERANCES = 3
SYSTEMS = (
    "classic", "joint", "triplet", "emobed", "placebo", "same_modality", "random_forest",
    "support_vectors", "graded_triplet", "taught", "taught_same", "teacher", "matched", "matched_apart",
    "matched_all", "early_fusion", "late_fusion", "model_fusion",
)  # fmt: skip
SETTINGS = {
    "alpha": (0.0, 0.3), "beta": (0.0, 0.1), "seeds": (1, 2), "systems": SYSTEMS,
}  # fmt: skip


def recordings(regression: bool):
    each = 1 if regression else UTTERANCES
    return [
        recording(f"{who}_{n}", part, who, Path(f"{who}_{n}.wav"), None)
        for who, part in EVERY
        for n in range(each)
    ]


def small(params, name: str, learning: Mapping[str, Any] | None = None, **partitions):
    learning = learning or {}
    corpus = params.corpus(name)
    regression = corpus.task == "regression"
    own = corpus.learning
    own = own.model_copy(
        update={
            "network": own.network.model_copy(update={"hidden": 4}),
            "optimiser": own.optimiser.model_copy(
                update={"epochs": 6, "average_epochs": 2, "learning_rate": 0.05}
            ),
            "matched": Matched(alpha=(1.0,), hidden=4, latent=2, heads=2, layers=1, times=4, span=1.0),
            **SETTINGS,
            **learning,
        }
    )
    if regression and "systems" not in learning:
        # learns a second dimension, whose hidden labels must stay hidden too
        own = own.model_copy(update={"systems": (*own.systems, "multi_task")})
    labels = {
        "annotation_delay": "estimate" if regression else 0.0,
        "max_delay": 2.0,
        "triplet_classes": "median",
    }
    labels |= {"gold_standard": "raters" if regression else "given"}
    return corpus.model_copy(
        update={
            "learning": own,
            "scenarios": corpus.scenarios[:1],
            "dimensions": ("arousal", "valence") if regression else ("emotion",),
            "partitions": corpus.partitions.model_copy(update=partitions),
            "evaluation": corpus.evaluation.model_copy(update={"bootstrap_resamples": 100}),
            "labels": corpus.labels.model_copy(update=labels),
            "postprocessing": corpus.postprocessing.model_copy(
                update={"median_windows": (0.6,), "shifts": (0.2,)}
            ),
        }
    )


def truth(place: int, dimension: str) -> np.ndarray:
    side = 1.0 if dimension == "arousal" else -0.6
    return side * 0.4 * np.sin(np.arange(FRAMES) / 5 + place) * (1 + 0.1 * place)


def traces_of(items, regression: bool) -> pd.DataFrame:
    rows = []
    for place, item in enumerate(items):
        if not regression:
            rows.append((item.recording, "emotion", GOLD, 0.0, float(place % 3)))
            rows += [(item.recording, "emotion", f"r{n}", 0.0, float((place + n // 2) % 3)) for n in range(3)]
            continue
        for dimension in ("arousal", "valence"):
            lagged = np.roll(truth(place, dimension), 4)
            for rater in (1, 2):
                noise = 0.05 * np.random.default_rng([place, rater]).normal(size=FRAMES)
                rows += [
                    (item.recording, dimension, f"r{rater}", k * HOP, value)
                    for k, value in enumerate(lagged + noise)
                ]
    return trace_table(*(np.array(column) for column in zip(*rows, strict=True)))


def write_corpus(paths: Paths, regression: bool, scramble=frozenset()) -> None:
    """Write manifest, traces and features; traces of the recordings in `scramble` say something else."""
    items = recordings(regression)
    paths.manifest.parent.mkdir(parents=True)
    paths.manifest.write_bytes(format_manifest(items))
    traces = traces_of(items, regression)
    wrong = traces["recording"].isin(scramble)
    shifted = (traces["value"] + 1) % 3 if not regression else -2.0 * np.sqrt(np.abs(traces["value"])) - 0.1
    traces["value"] = traces["value"].where(~wrong, shifted)
    paths.traces.mkdir(parents=True)
    (paths.traces / "traces.parquet").write_bytes(format_traces(traces))
    (paths.traces / "classes.json").write_text(json.dumps(CLASSES))
    names = [item.recording for item in items]
    frames = FRAMES if regression else 1
    start = np.arange(frames) * HOP

    def rows(noise: float):
        def read(unit: Unit) -> Rows:
            place = names.index(unit.recording)
            rng = np.random.default_rng([place, int(10 * noise)])
            clean = np.eye(3)[[place % 3]]
            if regression:
                clean = np.stack([truth(place, "arousal"), truth(place, "valence")], axis=1)
            values = (clean + noise * rng.normal(size=clean.shape)).astype(np.float32)
            columns = tuple(f"f{i}" for i in range(values.shape[1]))
            # the windows are centred on their label times, as the search for the delay wants them
            return Rows(start - HOP / 2, start + HOP / 2, values, np.ones(frames, bool), columns)

        return read

    units = [Unit(name, "key") for name in names]
    for directory, noise in ((paths.audio, 0.8), (paths.video, 0.6)):
        write_table(directory, units, rows(noise), [], {})
    write_table(paths.embeddings, units, rows(0.0), [], {})  # the page counts them, and faces
    write_table(paths.faces, units, lambda unit: one_face(start, start + HOP), [], {})


def run(folder: Path, params, corpus, stages, scramble=frozenset()) -> Paths:
    name = "demo_sessions" if corpus.task == "regression" else "demo_clips"
    paths = Paths(name, folder)
    write_corpus(paths, corpus.task == "regression", scramble)
    runtime = params.runtime.model_copy(update={"workers": 1, "device": "cpu"})
    context = Context(
        name, params.model_copy(update={"corpora": {name: corpus}, "runtime": runtime}), paths, folder
    )
    for stage in stages:
        stage(context)
    return paths


def digests(*folders: Path) -> dict[str, str]:
    return {
        f"{folder.name}/{path.relative_to(folder)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def learned(paths: Paths) -> dict[str, str]:
    """Return the hashes of labels, models, keys in the store, curves and predictions."""
    return digests(paths.labels, paths.models, paths.raw_predictions)


@pytest.mark.parametrize("name", ["demo_sessions", "demo_clips"])
def test_what_hidden_labels_say_changes_no_byte(tmp_path, params, name):
    corpus = small(params, name, labelled_speakers=3, label_draws=1)
    stages = (align_labels, train)
    one = run(tmp_path / "one", params, corpus, stages)
    facts = json.loads(one.label_facts.read_text())
    hidden = set(facts["hidden"])
    assert len({name.split("_")[0] for name in hidden}) == 5
    table = pd.read_parquet(one.label_table)
    assert not hidden & set(table["recording"])
    assert table.loc[table["partition"] == "train", "speaker"].nunique() == 3
    assert hidden <= set(facts["unlabelled"][corpus.dimensions[0]])
    votes = pd.read_parquet(one.vote_table)
    seen = set(table.loc[table["partition"] == "train", "recording"])
    assert set(votes["recording"]) == seen  # of train alone, and of nobody whose labels are hidden
    other = run(tmp_path / "other", params, corpus, stages, scramble=hidden)
    assert learned(other) == learned(one)
    third = run(tmp_path / "third", params, corpus, (align_labels,), scramble=set(sorted(seen)[:1]))
    changed = {key for key, digest in digests(third.labels).items() if digest != learned(one)[key]}
    assert {"aligned/labels.parquet", "aligned/votes.parquet"} <= changed  # what is seen does matter


def test_without_a_wish_there_are_no_further_files_and_a_share_changes_no_byte_of_the_result(
    tmp_path, params
):
    plain = run(tmp_path / "plain", params, small(params, "demo_clips"), (align_labels, train))
    assert {path.name for path in plain.models.iterdir()} == {"audio+video.emotion"}
    assert sorted(path.name for path in plain.labels.iterdir()) == [
        "labels.json", "labels.parquet", "votes.parquet"
    ]  # fmt: skip
    corpus = small(params, "demo_clips", label_shares=(0.5, 1.0), label_draws=2)
    shares = run(tmp_path / "shares", params, corpus, (align_labels, train))
    both = learned(shares)
    assert {key: both[key] for key in learned(plain)} == learned(plain)
    assert {path.name for path in shares.models.iterdir()} == {
        "audio+video.emotion", "audio+video.emotion.labels50-draw1", "audio+video.emotion.labels50-draw2",
    }  # fmt: skip


@pytest.fixture(scope="module", params=["demo_sessions", "demo_clips"])
def shares(request, tmp_path_factory, params):
    corpus = small(
        params, request.param, label_draws=2, label_shares=(0.25, 0.5, 1.0),
        learning={"systems": ("classic", "random_forest")},
    )  # fmt: skip
    corpus = corpus.model_copy(update={"dimensions": corpus.dimensions[:1]})
    stages = (align_labels, train, postprocess, evaluate)
    return run(tmp_path_factory.mktemp("shares"), params, corpus, stages), corpus


def test_scores_against_labelled_speakers_are_those_of_the_predictions(shares):
    paths, corpus = shares
    table = pd.read_csv(paths.label_shares, dtype={"draw": str})
    regression = corpus.task == "regression"
    metric, score = ("ccc", ccc) if regression else ("f1_macro_pr", f1_macro_pr)
    rows = table[(table["metric"] == metric) & (table["postprocessed"] == 0)]
    counts = rows.groupby("share")["speakers"].first().to_dict()
    assert counts == {0.25: 2, 0.5: 4, 1.0: 8}
    draws = rows.groupby("share")["draw"].unique().map(list).to_dict()
    assert draws == {0.25: ["1", "2", "all"], 0.5: ["1", "2", "all"], 1.0: ["1", "all"]}
    test = rows[rows["partition"] == "test"].set_index(["system", "share", "draw"])
    for system in ("classic", "random_forest"):
        for share in (0.25, 0.5):
            by_draw = []
            for draw in (1, 2):
                name = f"audio+video.{corpus.dimensions[0]}.labels{100 * share:g}-draw{draw}"
                own = pd.read_parquet(paths.raw_predictions / f"{name}.parquet").query("system == @system")
                seeds = {
                    setting: {
                        part: [score(r["prediction"], r["gold"]) for _, r in of_part.groupby("seed")]
                        for part, of_part in of_setting.groupby("partition")
                    }
                    for setting, of_setting in own.groupby("setting")
                }
                # by the dev of this draw alone
                best = max(np.mean(parts["dev"]) for parts in seeds.values())
                candidates = [p["test"] for p in seeds.values() if np.mean(p["dev"]) == pytest.approx(best)]
                found = test.loc[(system, share, str(draw))]
                chosen = min(candidates, key=lambda values: abs(np.mean(values) - found["mean"]))
                assert found["mean"] == pytest.approx(np.mean(chosen), abs=1e-5)
                assert found["std"] == pytest.approx(np.std(chosen, ddof=1), abs=1e-5)
                by_draw.append(chosen)
            every = test.loc[(system, share, "all")]
            assert every["mean"] == pytest.approx(np.mean(by_draw), abs=1e-5)
            assert every["std"] == pytest.approx(np.std(np.mean(by_draw, axis=0), ddof=1), abs=1e-5)
            assert every["std_draws"] == pytest.approx(np.std(np.mean(by_draw, axis=1), ddof=1), abs=1e-5)
            assert every["draws"] == 2
    whole = pd.read_csv(paths.results).query(
        "metric == @metric and postprocessed == 0 and partition == 'test'"
    )
    spread = test.xs("all", level="draw")["std_draws"].dropna()
    assert (spread > 1e-6).any()  # of scores that differ
    full = test.xs((1.0, "all"), level=("share", "draw"))["mean"]
    assert full.to_dict() == whole.set_index("system")["mean"].to_dict()


def test_the_page_shows_the_curve_and_its_table(shares, params):
    paths, corpus = shares
    own = params.model_copy(update={"corpora": {paths.corpus: corpus}})
    report(Context(paths.corpus, own, paths, paths.root))
    page = paths.report.read_text()
    name = f"audio-video.{corpus.dimensions[0]}.labels"
    assert (paths.figures / f"{name}.png").is_file()
    assert "Scores against labelled speakers" in page
    assert f'id="labels-audio-video-{corpus.dimensions[0]}"' in page
    assert "again with the labels of {0.25, 0.5} of the training speakers, 2 draws (seed 0) each" in page


def test_taught_and_its_control_are_in_the_curves_of_the_draws_that_hide_labels(tmp_path, params):
    systems = ("classic", "taught", "taught_same", "teacher")
    corpus = small(params, "demo_clips", label_shares=(0.5,), label_draws=2, learning={"systems": systems})
    paths = run(tmp_path, params, corpus, (align_labels, train, postprocess, evaluate))
    table = pd.read_csv(paths.label_shares, dtype={"draw": str})
    rows = table.query("draw == 'all' and metric == 'f1_macro_pr' and partition == 'test'")
    assert set(rows.query("share == 0.5")["system"]) == set(systems)
    assert set(rows.query("share == 1.0")["system"]) == {"classic", "teacher"}
    own = params.model_copy(update={"corpora": {paths.corpus: corpus}})
    report(Context(paths.corpus, own, paths, paths.root))
    page = paths.report.read_text()
    table = page[page.index('id="labels-audio-video-emotion"') :]
    assert "taught by the same" in table[: table.index("</table>")]
    assert (paths.figures / "audio-video.emotion.labels.png").is_file()
    assert 'id="teaching"' not in page  # in the result nobody is taught


def test_the_page_says_who_taught_whom_on_how_many_recordings(tmp_path, params):
    """Three of eight speakers, of three recordings each, have labels."""
    systems = ("classic", "taught", "taught_same", "teacher")
    corpus = small(params, "demo_clips", labelled_speakers=3, label_draws=1, learning={"systems": systems})
    paths = run(tmp_path, params, corpus, (align_labels, train, postprocess, evaluate))
    own = params.model_copy(update={"corpora": {paths.corpus: corpus}})
    report(Context(paths.corpus, own, paths, paths.root))
    page = paths.report.read_text()
    assert "Taught learned from 9 labelled recordings of 3 speakers of train and from what its" in page
    assert "said of 15 recordings of 5 speakers without labels" in page
    assert 'id="teaching-taught"' in page
    assert r"\label{tab:teaching-taught}" in paths.report.with_name("results.tex").read_text()
    found = pd.read_csv(paths.scores / "significance.csv")
    pairs = set(zip(found["system"], found["against"], strict=True))
    assert pairs == {(name, "classic") for name in systems[1:]} | {("taught", "taught_same")}


def test_folds_and_draws_cross(tmp_path, params, caplog):
    corpus = small(
        params, "demo_clips", learning={"systems": ("classic", "random_forest")},
        label_shares=(0.5,), label_draws=1, method="cross_validation", folds=3,
    )  # fmt: skip
    with caplog.at_level(logging.INFO):
        paths = run(tmp_path, params, corpus, (align_labels, train, postprocess, evaluate))
    assert (
        "fold1.labels50-draw1: labels of 2 of 4 train speakers are seen, those of 6 recordings" in caplog.text
    )
    assert "audio (target): 6 train recordings have labels for emotion, 6 have none" in caplog.text
    table = pd.read_csv(paths.label_shares, dtype={"draw": str})
    every = table[(table["draw"] == "all") & (table["partition"] == "test")]
    assert set(every["folds"]) == {3}
    assert set(zip(every["share"], every["speakers"], strict=True)) == {(0.5, 2.0), (1.0, 4.0)}
    assert set(every["n"]) == {len(EVERY) * UTTERANCES}  # everybody is tested once


def test_speakers_of_one_class_are_refused_in_a_sentence(tmp_path, params):
    corpus = small(params, "demo_clips", labelled_speakers=1, label_draws=1)
    paths = Paths("demo_clips", tmp_path)
    write_corpus(paths, regression=False)
    traces = pd.read_parquet(paths.traces / "traces.parquet")
    traces["value"] = 1.0
    traces.loc[traces["recording"].str.startswith(("d", "e")), "value"] = 0.0
    (paths.traces / "traces.parquet").write_bytes(
        format_traces(trace_table(*(traces[name].to_numpy() for name in traces)))
    )
    own = params.model_copy(update={"corpora": {"demo_clips": corpus}})
    with pytest.raises(
        ValueError, match=r"demo_clips: the 1 speakers of train whose labels are seen have one"
    ):
        align_labels(Context("demo_clips", own, paths, tmp_path))


def test_shares_and_a_number_of_speakers_exclude_each_other(params):
    corpus = small(params, "demo_clips", labelled_speakers=3).model_dump()
    corpus["partitions"]["label_shares"] = [0.5]
    with pytest.raises(ValueError, match="set one of both"):
        type(params.corpus("demo_clips")).model_validate(corpus)
