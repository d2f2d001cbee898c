"""`emobed predict` as people call it, on small recognisers of the demo's corpora."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import audformat
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.predicting import run
from pipeline.predicting.medium import Failure
from pipeline.predicting.plots import picture_name
from pipeline.recogniser import Recogniser
from pipeline.recogniser.error import RecogniserError
from stages.commands.app import app
from stages.commands.predict import ending
from tests.conftest import ROOT
from tests.predicting.deadly import predict_or_die


@pytest.fixture(scope="session")
def both(finished_clips):
    """Return the recognisers of emotion from audio and from video."""
    return [finished_clips.recognisers / name for name in ("audio+video.emotion", "video+audio.emotion")]


@pytest.fixture(scope="session")
def clip(finished_clips):
    return sorted(finished_clips.root.glob("data/raw/demo_clips/Test/*/*.mp4"))[0]


@pytest.fixture
def folder(tmp_path, clip, monkeypatch):
    """Return a folder, the working directory, with a clip in `media`."""
    (tmp_path / "media").mkdir()
    shutil.copy(clip, tmp_path / "media/a.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predict(*words, code=0):
    done = CliRunner().invoke(app, ["predict", *map(str, words)])
    assert done.exit_code == code, done.output
    return done


def read(path):
    return audformat.utils.read_csv(str(path))


def test_a_file_is_predicted_as_by_the_class(folder, both):
    done = predict(both[0], "media/a.mp4", "--out", "out.csv")
    assert done.stderr == "predict: 1 of 1 file predicted\n"
    found, expected = read("out.csv"), Recogniser.load(both[0]).predict("media/a.mp4")
    assert [tuple(row) for row in found.index] == [tuple(row) for row in expected.index]
    assert list(found.columns) == list(expected.columns)
    numbers = [name for name in expected if expected[name].dtype.kind == "f"]
    np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-6)
    assert found["emotion"].tolist() == expected["emotion"].tolist()


def test_without_a_file_csv_is_printed_and_nothing_is_written(folder, both):
    done = predict(both[0], "media")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("file,start,end,emotion,emotion.")
    assert lines[1].startswith("media/a.mp4,0 days 00:00:00.000000,0 days 00:00:01.1")
    assert len(lines) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["media"]


def test_on_a_terminal_numbers_have_three_digits_and_in_a_pipe_all(folder, both):
    class Terminal(io.BytesIO):
        def isatty(self):
            return True

    shown, piped = Terminal(), io.BytesIO()
    for printed in (shown, piped):
        run.predict_all([str(both[0]), "media"], run.Options(), print, printed)
    rows = [printed.getvalue().decode().splitlines()[1].split(",")[4:11] for printed in (shown, piped)]
    assert [f"{float(value):.3f}" for value in rows[1]] == rows[0]
    assert max(map(len, rows[1])) > 10


def test_a_picture_that_cannot_be_written_is_named(folder, both):
    (folder / "pictures").mkdir()
    name = picture_name("media/a.mp4")
    (folder / f"pictures/.{name}.png.tmp").mkdir()
    done = predict(both[0], "media", "--out", "out.csv", "--plot", "pictures", code=1)
    assert f"pictures/{name}.png: cannot be written (Is a directory)" in done.stderr


def test_a_bad_file_is_a_line_of_a_list_and_the_others_are_done(folder, both):
    (folder / "media/b.wav").write_bytes(b"no sound")
    (folder / "media/c.wav").write_bytes(b"")
    done = predict(both[0], "media", "--out", "sub/out.csv", code=1)
    lines = (folder / "sub/failed.csv").read_text().splitlines()
    assert lines[0] == "file,reason,table"
    assert [line.split(",")[0] for line in lines[1:]] == ["media/b.wav", "media/c.wav"]
    assert lines[2] == "media/c.wav,the file is empty,out.csv"
    assert "predict: media/c.wav: the file is empty\n" in done.stderr
    assert done.stderr.endswith("1 of 3 files predicted, 2 failed (sub/failed.csv says why)\n")
    assert read("sub/out.csv").index.get_level_values("file").tolist() == ["media/a.mp4"]
    predict(both[0], "media", "--out", "more.csv", "--max-failed-share", "0.7")


@pytest.mark.parametrize(
    ("files", "done", "failed", "unlike", "said"),
    [
        (1, 1, 0, 0, ["1 of 1 file predicted"]),
        (3, 1, 2, 0, ["1 of 3 files predicted, 2 failed (failed.csv says why)"]),
        (9, 6, 7, 0, ["6 of 9 files predicted, 4 of them in part, 3 failed (failed.csv says why)"]),
        (
            2,
            2,
            1,
            1,
            ["2 of 2 files predicted, 1 of them in part (failed.csv says why)", "1 of them is unlike"],
        ),
        (
            2,
            2,
            0,
            2,
            ["2 of 2 files predicted", "2 of them are unlike the recordings of training (out_of_domain."],
        ),
    ],
)
def test_the_end_says_what_failed_in_part_or_wholly_and_what_to_doubt(files, done, failed, unlike, said):
    failures = tuple(Failure(f"{number}.wav", "the file is empty") for number in range(failed))
    sentences = list(ending(run.Verdict(files, done, failures, 0.0, unlike), Path("out.csv")))
    assert len(sentences) == len(said)
    assert all(own.startswith(expected) for own, expected in zip(sentences, said, strict=True))


def test_a_run_that_went_on_says_how_many_of_its_own_files_are_doubted():
    said = list(ending(run.Verdict(9, 9, (), 0.0, 3, earlier=5), Path("out.csv")))
    assert said[1].startswith("3 of the 4 predicted now are unlike the recordings of training")


def test_nothing_predicted_is_a_failure_whatever_share_may_fail(folder, both):
    (folder / "b.wav").write_bytes(b"")
    predict(both[0], "b.wav", "--max-failed-share", 1, code=1)
    (folder / "empty").mkdir()
    assert "no recording in empty" in predict(both[0], "empty", code=1).stderr


def test_two_modalities_stand_side_by_side_with_their_mean(folder, both, write_wav):
    write_wav(np.sin(np.arange(24_000) / 20) / 2, 16_000, "media/b.wav")
    predict(*both, "media", "--out", "out.parquet", code=1)
    table = pd.read_parquet("out.parquet").set_index("file")
    classes = Recogniser.load(both[0]).classes
    whole, sound = table.loc["media/a.mp4"], table.loc["media/b.wav"]
    columns = {
        key: [f"{key}.emotion.{name}" for name in classes] for key in ("audio", "video", "late_fusion")
    }
    mean = (whole[columns["audio"]].to_numpy(float) + whole[columns["video"]].to_numpy(float)) / 2
    np.testing.assert_allclose(whole[columns["late_fusion"]].to_numpy(float), mean)
    assert whole["late_fusion.emotion"] == classes[mean.argmax()]
    assert sound[[*columns["video"], *columns["late_fusion"]]].isna().all()
    assert sound[columns["audio"]].notna().all()
    assert "media/b.wav,video.emotion: has no video stream" in (folder / "failed.csv").read_text()


def test_a_recogniser_alone_says_the_same_as_beside_another(folder, both):
    predict(*both, "media", "--out", "two.csv")
    for place, modality in enumerate(("audio", "video")):
        predict(both[place], "media", "--out", f"{modality}.csv")
        one, two = read(f"{modality}.csv"), read("two.csv")
        own = [name for name in two if name.startswith(f"{modality}.emotion.") and two[name].dtype == float]
        assert own
        short = [name.removeprefix(f"{modality}.") for name in own]
        # what is said of a whole row has no dimension in its name where there is one recogniser
        alone = [name if name in one else name.removeprefix("emotion.") for name in short]
        np.testing.assert_allclose(two[own], one[alone])


def test_parts_of_a_file_have_its_times_and_the_columns_of_their_table(folder, both):
    rows = "file,start,end,emotion,note\na.mp4,0.2,1.0,joy,x\na.mp4,0,,fear,\n"
    (folder / "media/list.csv").write_text(rows)
    predict(*both, "media/list.csv", "--out", "out.csv")
    found = read("out.csv")
    assert [tuple(row[:2]) for row in found.index] == [
        ("a.mp4", pd.Timedelta("0.2s")), ("a.mp4", pd.Timedelta(0)),
    ]  # fmt: skip
    assert abs(found.index[0][2].total_seconds() - 1.0) < 0.01
    assert found["emotion"].tolist() == ["joy", "fear"]  # no column of a prediction among two recognisers
    assert found["note"].fillna("").tolist() == ["x", ""]
    predict(both[0], "media/list.csv", "--out", "one.csv")
    assert read("one.csv")["given.emotion"].tolist() == ["joy", "fear"]
    whole = Recogniser.load(both[0]).predict("media/a.mp4")
    columns = [name for name in whole if name.startswith("emotion.")]
    np.testing.assert_allclose(
        read("one.csv")[columns].to_numpy()[1], whole[columns].to_numpy()[0], atol=1e-6
    )
    assert not np.allclose(read("one.csv")[columns].to_numpy()[0], whole[columns].to_numpy()[0], atol=1e-6)


def test_two_raters_of_one_part_are_two_rows_with_one_prediction(folder, both):
    (folder / "media/list.csv").write_text("file,rater,mood\na.mp4,ann,joy\na.mp4,bob,fear\n")
    predict(both[0], "media/list.csv", "--out", "out.csv")
    found = read("out.csv")
    assert found["rater"].tolist() == ["ann", "bob"]
    assert found["mood"].tolist() == ["joy", "fear"]
    assert found.iloc[0]["emotion.happy"] == found.iloc[1]["emotion.happy"]


def test_a_part_of_a_sound_is_predicted_as_a_file_that_holds_it(folder, both, write_wav):
    signal = np.random.default_rng(0).normal(size=32_000) * np.linspace(0, 0.3, 32_000)
    write_wav(signal, 16_000, "whole.wav")
    write_wav(signal[8_000:24_000], 16_000, "part.wav")
    (folder / "list.csv").write_text("file,start,end\nwhole.wav,0.5,1.5\npart.wav,,\n")
    predict(both[0], "list.csv", "--out", "out.csv")
    found = read("out.csv").select_dtypes(float)
    np.testing.assert_allclose(found.iloc[0], found.iloc[1], atol=1e-5)


def test_words_that_cannot_be_followed_are_code_2(folder, both, emobed_of_clips):
    networks = emobed_of_clips / "audio+video.emotion"
    (folder / "other.csv").write_text("mine\n")
    for words, said in (
        (("media",), "no recogniser among media"),
        ((both[0],), "nothing to predict"),
        ((both[0], "gone.wav"), "gone.wav: no such file or folder"),
        ((both[0], both[0] / "../audio+video.emotion", "media"), "is there twice"),
        ((both[0], "media", "--hop", "0.4"), "predicts a file as a whole and has no trace"),
        ((both[0], "media", "--window", "4"), "predicts a file as a whole; name its parts"),
        ((both[0], "media", "--out", "a.xlsx"), "expected a name that ends in .csv, .jsonl, .parquet"),
        ((both[0], "media", "--out", "other.csv"), "is there already and no earlier output"),
        ((both[0], "media", "--resume"), "--resume needs --out"),
        ((both[0], "media", "--embeddings", "e.csv"), "--embeddings needs --out"),
        ((networks, "media", "--out", "a.csv", "--embeddings", "./a.csv"), "expected two files"),
        ((both[0], "media", "--device", "gpu"), "expected cpu, cuda or auto"),
        ((both[0], "media", "--workers", "0"), "--workers"),
        ((both[0], "media", "--unknown"), "--unknown"),
    ):  # fmt: skip
        assert said in " ".join(predict(*words, code=2).stderr.replace("│", " ").split()), words
    assert (folder / "other.csv").read_text() == "mine\n"


def test_embeddings_are_those_of_the_class(folder, emobed_of_clips):
    recogniser = emobed_of_clips / "audio+video.emotion"
    predict(recogniser, "media", "--out", "out.csv", "--embeddings", "e.csv")
    expected = Recogniser.load(recogniser).embed("media/a.mp4")
    found = read("e.csv")
    assert list(found.columns) == list(expected.columns)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_system_without_embeddings_is_refused_before_any_work(folder, finished_clips, tmp_path):
    from tests.recogniser_fixtures import exported

    (tmp_path / "svm").mkdir()
    recogniser = exported(finished_clips, "support_vectors", tmp_path / "svm") / "audio+video.emotion"
    done = predict(recogniser, "media", "--out", "out.csv", "--embeddings", "e.csv", code=2)
    assert "without encoders (support_vectors) and has no embeddings" in done.stderr
    assert not (folder / "out.csv").exists()
    with pytest.raises(RecogniserError, match=r"without encoders and has no embeddings; export one"):
        Recogniser.load(recogniser).embed(folder / "media/a.mp4")


@pytest.fixture(scope="session")
def session(finished_sessions):
    return sorted(finished_sessions.root.glob("data/raw/demo_sessions/recordings_audio/*.wav"))[0]


def test_traces_are_read_at_another_hop_and_drawn(folder, finished_sessions, session):
    names = ("audio+video.arousal", "audio+video.valence")
    recognisers = [finished_sessions.recognisers / name for name in names]
    grid = Recogniser.load(recognisers[0]).corpus.grid
    predict(*recognisers, session, "--out", "own.csv", "--window", grid.window)
    own = read("own.csv")
    for recogniser in recognisers:
        expected = Recogniser.load(recogniser).predict(session)
        dimension = recogniser.name.partition(".")[2]
        np.testing.assert_allclose(own[dimension], expected[dimension], atol=1e-6)
        assert [tuple(row) for row in own.index] == [tuple(row) for row in expected.index]
    done = predict(*recognisers, session, "--out", "x.csv", "--window", grid.window / 2, code=2)
    assert "learnt from windows of" in done.stderr
    predict(*recognisers, session, "--out", "coarse.csv", "--hop", 4 * grid.hop, "--plot", "pictures")
    coarse = read("coarse.csv")
    starts = coarse.index.get_level_values("start").total_seconds()
    np.testing.assert_allclose(starts, np.arange(len(coarse)) * 4 * grid.hop)
    # [t - 2 hops, t + 2 hops)
    np.testing.assert_allclose(coarse["arousal"].iloc[1], own["arousal"].iloc[2:6].mean(), atol=1e-6)
    (picture,) = (folder / "pictures").iterdir()
    assert picture.suffix == ".png"
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_deadly_and_a_hanging_file_cost_one_file_each(folder, both, monkeypatch, clip):
    for name in ("deadly.mp4", "hanging.mp4", "z.mp4"):
        shutil.copy(clip, folder / "media" / name)
    monkeypatch.setattr(run, "predict_medium", predict_or_die)
    words = ("media", "--out", "out.csv", "--workers", "2", "--time-limit", "20")
    done = predict(both[0], *words, code=1)
    failed = (folder / "failed.csv").read_text()
    assert "media/deadly.mp4,ended the process that read it (signal 11)" in failed
    assert "media/hanging.mp4,took longer than 20 s (--time-limit)" in failed
    assert "2 of 4 files predicted, 2 failed" in done.stderr
    assert set(read("out.csv").index.get_level_values("file")) == {"media/a.mp4", "media/z.mp4"}
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert "2 of 4 files are finished already" in predict(both[0], *words, "--resume").stderr
    assert len(read("out.csv")) == 4
    assert not (folder / "failed.csv").exists()


def test_rows_of_a_file_that_is_no_longer_among_the_inputs_stay_and_are_said(folder, both):
    shutil.copy(folder / "media/a.mp4", folder / "media/b.mp4")
    predict(both[0], "media", "--out", "out.csv")
    rows = read("out.csv")
    (folder / "media/b.mp4").unlink()
    done = predict(both[0], "media", "--out", "out.csv", "--resume")
    assert "out.csv keeps the rows of 1 file that is not among these inputs" in done.stderr
    pd.testing.assert_frame_equal(read("out.csv"), rows)


def test_a_finished_file_that_changed_and_another_recogniser_are_not_gone_on_with(folder, both):
    predict(both[0], "media", "--out", "out.csv")
    assert (
        "was begun with recognisers"
        in predict(both[1], "media", "--out", "out.csv", "--resume", code=2).stderr
    )
    os.utime(folder / "media/a.mp4", (1, 1))
    done = predict(both[0], "media", "--out", "out.csv", "--resume", code=2)
    assert "media/a.mp4: the file, or its row in the table, has changed" in done.stderr


def command(*words, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "stages.commands", "predict", *map(str, words)], env=environment, text=True,
        stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def finished_files(journal):
    lines = journal.read_text().splitlines() if journal.exists() else []
    return sum('"stamp"' in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_killed_and_gone_on_with(folder, both, clip, ending):
    for number in range(12):
        shutil.copy(clip, folder / f"media/{number}.mp4")
    out, journal = folder / f"out.{ending}", folder / f"out.{ending}.run.jsonl"
    for stop in (1, 5):
        # resumed from the beginning on: an output that nobody began is begun
        own = command(*both, "media", "--out", out, "--resume")
        while finished_files(journal) < stop and own.poll() is None:
            time.sleep(0.01)
        own.send_signal(signal.SIGKILL)
        own.wait()
    left = finished_files(journal)
    assert 5 <= left < 13, "killed while it worked"
    done = predict(*both, "media", "--out", out, "--resume")
    assert f"{left} of 13 files are finished already" in done.stderr
    predict(*both, "media", "--out", f"whole.{ending}")
    assert out.read_bytes() == (folder / f"whole.{ending}").read_bytes()


@pytest.mark.slow
def test_ctrl_c_is_130_with_one_sentence_and_keeps_what_is_finished(folder, both, clip):
    for number in range(12):
        shutil.copy(clip, folder / f"media/{number}.mp4")
    own = command(*both, "media", "--out", "out.csv")
    while finished_files(folder / "out.csv.run.jsonl") < 1 and own.poll() is None:
        time.sleep(0.01)
    own.send_signal(signal.SIGINT)
    _, said = own.communicate(timeout=60)
    assert (own.returncode, said) == (
        130, "predict: stopped by Ctrl-C; --resume goes on behind the files that are finished\n",
    )  # fmt: skip
    assert len(read("out.csv")) == finished_files(folder / "out.csv.run.jsonl")


def test_nothing_of_the_current_directory_is_read_or_left(folder, both):
    (folder / "params.yaml").write_text("no: [params\n")
    own = command(both[0], "media", stdout=subprocess.PIPE, cwd=folder)
    printed, said = own.communicate(timeout=120)
    assert (own.returncode, said) == (0, "predict: 1 of 1 file predicted\n")
    assert len(printed.splitlines()) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["media", "params.yaml"]


def test_a_damaged_recogniser_is_one_sentence(folder, both):
    shutil.copytree(both[0], folder / "r")
    (folder / "r/weights.safetensors").write_bytes(b"x")
    done = predict("r", "media", code=1)
    assert "weights.safetensors" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_json_lines_hold_seconds(folder, both):
    predict(both[0], "media", "--out", "out.jsonl")
    (line,) = map(json.loads, (folder / "out.jsonl").read_text().splitlines())
    assert (line["file"], line["start"]) == ("media/a.mp4", 0.0)
    assert abs(line["end"] - 1.15) < 0.01


def test_the_manual_names_every_option():
    from typer.main import get_command

    page = (ROOT / "docs/use.md").read_text(encoding="utf-8")
    (command,) = [own for name, own in get_command(app).commands.items() if name == "predict"]
    options = [option for own in command.params for option in own.opts if option.startswith("--")]
    assert len(options) > 12
    assert [option for option in options if f"| `{option}" not in page] == []
