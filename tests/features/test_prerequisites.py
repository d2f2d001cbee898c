"""Missing or wrong weights are found by the first stage, not hours later."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.features.extractor import NotReadyError
from pipeline.features.prerequisites import require_files
from pipeline.paths import Paths


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
