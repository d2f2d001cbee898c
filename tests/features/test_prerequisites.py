"""Missing or wrong weights are found by the first stage, not hours later."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.features.extractor import NotReadyError, extractor_of
from pipeline.features.networks.onnx_file import network_sha256
from pipeline.features.prerequisites import require_files
from pipeline.paths import Paths
from pipeline.store.table_index import EMOTION_TRAINED
from pipeline.store.tables import write_table
from tests.features.networks.made_networks import sound_network, sound_parameters


@pytest.fixture
def vgg(params):
    clips = params.corpus("demo_clips")
    embedding = clips.video.embedding.model_copy(update={"network": "vgg_face", "weights": "vgg.safetensors"})
    return clips.model_copy(update={"video": clips.video.model_copy(update={"embedding": embedding})})


def test_weights_that_are_not_there_are_named_with_their_yaml_path(vgg, tmp_path):
    with pytest.raises(
        NotReadyError,
        match=r"corpora\.own\.video\.embedding\.weights: .*vgg\.safetensors: no such weight file",
    ):
        require_files(vgg, Paths("own", tmp_path))


def test_weights_of_another_network_are_refused_by_their_header(vgg, tmp_path):
    save_file({"conv1_1.weight": np.zeros((2, 2), np.float32)}, tmp_path / "vgg.safetensors")
    with pytest.raises(
        NotReadyError, match=r"tensor features\.0\.weight is missing, expected shape \(64, 3, 3"
    ):
        require_files(vgg, Paths("own", tmp_path))
    (tmp_path / "vgg.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(NotReadyError, match="not a safetensors file"):
        require_files(vgg, Paths("own", tmp_path))


def test_nobody_needs_weights_who_embeds_no_face(vgg, params, tmp_path):
    require_files(params.corpus("demo_clips"), Paths("own", tmp_path))
    require_files(vgg.model_copy(update={"extract": ("audio",)}), Paths("own", tmp_path))
    pulled = Paths("own", tmp_path).embeddings
    pulled.mkdir(parents=True)
    (pulled / "index.json").write_text("{}")
    require_files(vgg, Paths("own", tmp_path))


def test_a_network_is_looked_at_again_when_its_parameters_change(params, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    onnx = sound_parameters(sound_network(tmp_path / "a.onnx"), output="nothing")
    clips, paths = params.corpora["demo_clips"], Paths("own", tmp_path)

    def chosen(onnx):
        audio = clips.audio.model_copy(update={"network": "onnx", "onnx": onnx})
        return clips.model_copy(update={"audio": audio})

    made = extractor_of("extract_audio", chosen(onnx)).fingerprint() | {EMOTION_TRAINED: True}
    write_table(paths.audio, [], lambda unit: None, [], made)
    # just so it was made already, whatever may be wrong with it
    require_files(chosen(onnx), paths)
    other = chosen(onnx.model_copy(update={"output": "none either"}))
    with pytest.raises(NotReadyError, match="has no output 'none either'"):
        require_files(other, paths)
    (tmp_path / "a.onnx").unlink()
    network_sha256.cache_clear()  # one process of ours, two of a user's
    require_files(other, paths)


@pytest.mark.parametrize(("network", "refused"), [("mtcnn_onet", True), ("fer", True), ("vgg_face", False)])
def test_a_table_by_another_network_is_no_reason_to_miss_weights(vgg, tmp_path, network, refused):
    """One by the same network may be a colleague's, who has the weights."""
    paths = Paths("own", tmp_path)
    write_table(paths.embeddings, [], lambda unit: None, [], {"version": 1, "network": network})
    if refused:
        with pytest.raises(NotReadyError, match="no such weight file"):
            require_files(vgg, paths)
    else:
        require_files(vgg, paths)
