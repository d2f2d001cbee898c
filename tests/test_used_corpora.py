"""Recognisers of corpora unlike the demo: of words, of folds, of tables alone, without dev. Some 50 s."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import audformat
import numpy as np
import pandas as pd
import pytest
from scipy.io import wavfile
from typer.testing import CliRunner

from pipeline.features.media.opening import MediaError
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.recogniser import Recogniser, RecogniserError
from pipeline.store.tables import FeatureTable
from stages.align_labels import align_labels
from stages.commands.app import app
from stages.cross import cross
from stages.evaluate import evaluate
from stages.export import export
from stages.extract_audio import extract_audio
from stages.extract_text import extract_text
from stages.postprocess import postprocess
from stages.read_features import read_features
from stages.register import register
from stages.render_demo import render_demo
from stages.running import Context
from stages.train import train
from tests.features.text.vectors import glove
from tests.own_tables import OwnTables, clips
from tests.parameters import write_parameters

SAID = ("I am happy", "so sad", "happy happy", "not happy: sad", "happy", "sad sad")
STAGES: tuple[Callable[[Context], None], ...] = (
    render_demo, register, read_features, extract_audio, extract_text, align_labels, train, postprocess,
    evaluate, export,
)  # fmt: skip


def tone(path: Path, hertz: float) -> None:
    time = np.arange(12000) / 16000
    noise = np.random.default_rng(int(hertz)).normal(size=len(time))
    wavfile.write(path, 16000, np.int16(8000 * np.sin(2 * np.pi * hertz * time) + 300 * noise))


def quick(learning: dict[str, Any]) -> None:
    learning["network"]["hidden"] = 6
    learning["seeds"] = [1, 2]
    learning["optimiser"] |= {"epochs": 3, "average_epochs": 2}
    learning["systems"] = ["classic", "random_forest"]
    learning["random_forest"] = {"trees": 3, "depth": [3]}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> Paths:
    """Return the paths of tones and what was said in them, by six speakers in two folds."""
    root = tmp_path_factory.mktemp("spoken")
    rows = []
    for place in range(18):
        tone(root / f"{place}.wav", 200 + 300 * (place % 2) + place)
        rows.append(
            {"recording": f"r{place:02d}", "partition": "train", "speaker": f"s{place // 3}"}
            | {"audio": f"{place}.wav", "video": "", "transcript": SAID[place % len(SAID)]}
            | {"emotion": ("happy", "sad")[place % 2]}
        )
    pd.DataFrame(rows).to_csv(root / "recordings.csv", index=False)

    def change(params: dict[str, Any]) -> None:
        own = params["corpora"]["own"]
        own |= {"features": {}, "root": str(root), "extract": ["audio", "text"]}
        own |= {"scenarios": ["audio+text", "text+audio"], "text": {"file": str(glove(root / "glove.txt"))}}
        own["partitions"] |= {"method": "cross_validation", "folds": 3}
        quick(own["learning"])
        params["run"] = {"corpora": ["own"], "cross": True}
        params["runtime"]["workers"] = 1

    context = Context("own", load_params(write_parameters(root, change)), Paths("own", root), root)
    for stage in STAGES:
        stage(context)
    return context.paths


def call(*words: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def stored(paths: Paths, folder: Path) -> pd.DataFrame:
    """Return the pipeline's probabilities of the exported system, the mean over its seeds, by recording."""
    about = Recogniser.load(folder).description
    fold = about.fold
    rows = pd.read_parquet(paths.of_fold(fold).predictions / f"{folder.name}.parquet")
    rows = rows[(rows["system"] == about.system) & (rows["setting"] == about.setting)]
    columns = [f"score_{code}" for code in range(len(about.classes))]
    return rows.groupby("recording")[columns].mean()


def require_the_same(found: pd.DataFrame, expected: pd.DataFrame, dimension: str = "emotion") -> None:
    columns = [name for name in found if re.fullmatch(rf"{re.escape(dimension)}\.(happy|sad)", name)]
    np.testing.assert_allclose(found[columns].to_numpy(), expected.to_numpy(), atol=1e-5)


def test_words_are_predicted_as_by_the_pipeline_from_a_column_files_and_in_python(
    spoken, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = spoken.recognisers / "text+audio.emotion.fold1"
    expected = stored(spoken, folder)[: len(SAID)]  # of dev and test
    words = [SAID[int(name[1:]) % len(SAID)] for name in expected.index]
    rows = [{"file": f"{place}.wav", "transcript": said, "topic": "x"} for place, said in enumerate(words)]
    pd.DataFrame(rows).to_csv("said.csv", index=False)  # no medium is needed, only what was said
    call("predict", folder, "said.csv", "--out", "out.csv")
    found = audformat.utils.read_csv("out.csv")
    require_the_same(found, expected)
    assert found["transcript"].tolist() == words
    assert found["topic"].tolist() == ["x"] * len(words)

    Path("clips").mkdir()
    for place, said in enumerate(words):
        Path(f"clips/{place}.txt").write_text(said)
        if place % 2:
            Path(f"clips/{place}.wav").write_bytes(b"its words lie beside it")
    call("predict", folder, "clips", "--out", "beside.csv")
    beside = audformat.utils.read_csv("beside.csv").sort_index()
    require_the_same(beside, expected)
    assert [index[0] for index in beside.index] == [
        f"clips/{place}.{'wav' if place % 2 else 'txt'}" for place in range(len(words))
    ]

    recogniser = Recogniser.load(folder)
    assert (recogniser.modality, recogniser.needed) == ("text", ("text",))
    for file in ("clips/3.txt", "clips/3.wav"):
        require_the_same(recogniser.predict(file), expected.iloc[3:4])
    require_the_same(recogniser.predict_transcript(words[3]), expected.iloc[3:4])
    with pytest.raises(MediaError, match=r"^clips/7\.wav: no words, expected 7\.txt beside it"):
        recogniser.predict("clips/7.wav")
    with pytest.raises(RecogniserError, match="predicts from text, and a signal is sound"):
        recogniser.predict_signal(np.zeros(16000, np.float32), 16000)
    with pytest.raises(RecogniserError, match="predicts from text, which has no stream"):
        recogniser.stream(16000, window=1, hop=1)


def test_what_has_no_known_word_is_a_row_that_is_not_valid(spoken, tmp_path):
    words = tmp_path / "w.csv"
    words.write_text("file,transcript\na.wav,\nb.wav,zzz yyy\nc.wav,happy\n")
    call("predict", spoken.recognisers / "text+audio.emotion.fold1", words, "--out", tmp_path / "o.csv")
    assert audformat.utils.read_csv(str(tmp_path / "o.csv"))["valid"].tolist() == [False, False, True]


def test_sound_and_words_of_one_file_stand_side_by_side_with_their_fusion(spoken, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text("file,transcript\n0.wav,so happy\n")
    both = [spoken.recognisers / f"{name}.emotion.fold2" for name in ("audio+text", "text+audio")]
    call("predict", *both, table, "--root", spoken.root, "--out", tmp_path / "o.csv")
    found = audformat.utils.read_csv(str(tmp_path / "o.csv")).iloc[0]
    mean = (found["audio.emotion.happy"] + found["text.emotion.happy"]) / 2
    assert found["late_fusion.emotion.happy"] == pytest.approx(mean)


def test_every_fold_is_a_folder_and_several_are_predicted_at_once(spoken, tmp_path):
    folders = sorted(spoken.recognisers.iterdir())
    assert [own.name for own in folders] == [
        f"{scenario}.emotion.fold{k}" for scenario in ("audio+text", "text+audio") for k in (1, 2, 3)
    ]
    assert [Recogniser.load(own).description.fold for own in folders[:3]] == ["fold1", "fold2", "fold3"]
    done = call("predict", *folders[:3], spoken.root / "0.wav", "--out", tmp_path / "o.csv")
    assert "fused" not in done.stderr
    found = audformat.utils.read_csv(str(tmp_path / "o.csv"))
    for folder in folders[:3]:
        alone = Recogniser.load(folder).predict(spoken.root / "0.wav")
        require_the_same(found, alone[["emotion.happy", "emotion.sad"]], folder.name)
    every = call("predict", *folders, spoken.root / "0.wav", "--out", tmp_path / "every.csv", code=1)
    assert "not fused, since several read the same modality" in every.stderr
    assert "no words, expected 0.txt beside it" in every.stderr


def test_each_fold_is_scored_on_its_own_test_and_nobody_is_said_to_have_been_learnt_from(spoken, monkeypatch):
    """All say the same few sentences: words alone make no recording known."""
    monkeypatch.chdir(spoken.root)
    context = Context("own", load_params(spoken.params), Paths("own"), Path())
    cross(context)
    table = pd.read_csv(context.paths.cross).query("metric == 'uar'")
    assert table["recogniser"].tolist() == [own.name for own in sorted(spoken.recognisers.iterdir())]
    assert (table["n"] == 6).all()
    assert (table["partition"] == "test").all()
    assert table["note"].isna().all()
    done = call("evaluate", spoken.recognisers / "text+audio.emotion.fold1", "own")
    assert "partition test: 6 recordings, 2 speakers" in done.stdout


def tables(root: Path, change: Callable[[dict[str, Any]], None], *labels: list[str]) -> OwnTables:
    """Run a corpus of two feature tables without media up to export; labels: emotions and partitions."""

    def edit(own: dict[str, Any]) -> None:
        quick(own["learning"])
        change(own)

    own = OwnTables(root, change=edit)
    own.write(*clips(*labels))
    own.run(render_demo, register, read_features, align_labels, train, postprocess, evaluate, export)
    return own


NORMAL = (["happy", "sad"] * 12, ["train"] * 14 + ["dev"] * 4 + ["test"] * 6)


def nothing(own: dict[str, Any]) -> None:
    """Change nothing."""


def test_a_corpus_of_tables_alone_has_recognisers_that_take_rows_and_say_so(tmp_path, monkeypatch):
    own = tables(tmp_path, nothing, *NORMAL)
    monkeypatch.chdir(tmp_path)
    folder = own.paths.recognisers / "bio+text.emotion"
    recogniser = Recogniser.load(folder)
    given = FeatureTable.open(own.paths.given_table("bio", None))
    expected = stored(own.paths, folder)
    for name in expected.index:
        found = recogniser.predict_rows(given.read(name))
        np.testing.assert_allclose(found.by_seed.mean(axis=0)[0], expected.loc[name], atol=1e-5)
    assert "predict_rows(rows)" in (folder / "MODEL_CARD.md").read_text()

    Path("a.wav").write_bytes(b"x")
    sentence = "its features of bio came with the corpus as tables, so they cannot be made from a file"
    done = call("predict", folder, "a.wav", "--out", "out.csv", code=2)
    assert done.stderr.count("\n") == 1
    assert f"{folder}: {sentence}" in done.stderr
    assert not Path("out.csv").exists()  # nothing was begun
    for use in (
        recogniser.predict,
        lambda file: recogniser.predict_signal(np.zeros(9, np.float32), 16000),
        recogniser.embed,
    ):
        with pytest.raises(RecogniserError, match=sentence):
            use("a.wav")
    assert sentence in call("serve", folder, "--port", "0", code=1).stderr

    scored = call("evaluate", folder, "own", "--out", "scores.json").stdout
    assert "partition test: 6 recordings" in scored
    assert "metric" in json.dumps(json.loads(Path("scores.json").read_text()))
    assert call("export", "onnx", folder, "--out", "a.onnx").stdout.startswith("a.onnx: ")


def test_without_scenarios_nothing_is_exported_and_whoever_asks_is_told(tmp_path, monkeypatch):
    own = tables(tmp_path, lambda own: own.update(scenarios=[]), *NORMAL)
    monkeypatch.chdir(tmp_path)
    assert list(own.paths.recognisers.iterdir()) == []
    Path("a.wav").write_bytes(b"x")
    done = call("predict", own.paths.recognisers, "a.wav", code=2)
    assert "expected a folder with a recogniser.json, as the stage `export` writes them" in done.stderr
    gone = call("evaluate", own.paths.recognisers / "bio+text.emotion", "own", code=1)
    assert "no such folder, expected a recogniser, a folder that the stage export wrote" in gone.stderr
    params = own.context().params
    asked = params.model_copy(
        update={"run": params.run.model_copy(update={"cross": True, "corpora": ("own",)})}
    )
    cross(Context("own", asked, Paths("own"), tmp_path))
    assert len(Paths("own").cross.read_text().splitlines()) == 1


@pytest.mark.parametrize("dev", ["without labels", "without recordings"])
def test_where_dev_says_nothing_the_reference_is_exported_and_not_calibrated(tmp_path, dev):
    count = 2 if dev == "without labels" else 0
    emotions = ["happy", "sad"] * 4 + [""] * count + ["happy", "sad"]
    own = tables(tmp_path, nothing, emotions, ["train"] * 8 + ["dev"] * count + ["test"] * 2)
    folder = own.paths.recognisers / "bio+text.emotion"
    recogniser = Recogniser.load(folder)
    about = recogniser.description
    assert (about.system, about.chosen) == (
        "classic", "dev has no gold standard, so nothing was chosen: classic at its smallest setting.",
    )  # fmt: skip
    calibration = about.calibration
    assert (calibration.temperature, calibration.rule, calibration.dev) == (1.0, "none", 0)
    assert about.domain.recordings == count
    rows = FeatureTable.open(own.paths.given_table("bio", None)).read("r00")
    far = type(rows)(rows.start, rows.end, rows.values + 1000, rows.valid, rows.names)
    found = recogniser.predict_rows(far)
    assert (found.beyond, found.out_of_domain) == (1.0, count > 0)
    np.testing.assert_allclose(found.values, found.by_seed.mean(axis=0))
    card = (folder / "MODEL_CARD.md").read_text()
    assert "Dev has no gold standard, so nothing was chosen" in card
    assert ("is never set: dev has no recording to compare with" in card) == (count == 0)
