"""A recogniser whose features need a file of the user's: copied into its folder, or referred to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.params import Corpus, load_params
from pipeline.recogniser import Recogniser, RecogniserError
from pipeline.store.digest import sha256_of
from tests import parameters, tiny_recognisers
from tests.features.networks.made_networks import sound_network, sound_parameters


def corpus_of(network: Path, networks: str) -> Corpus:
    clips = load_params(parameters.PATH).corpus("demo_clips").model_dump(mode="json")
    clips["audio"] |= {"network": "onnx", "onnx": sound_parameters(network).model_dump(mode="json")}
    clips["export"]["networks"] = networks
    return Corpus.model_validate(clips)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with a recogniser that has its network and one that refers to it, and the sha256."""
    root = tmp_path_factory.mktemp("networks")
    (root / "user's own").mkdir()
    network = sound_network(root / "user's own/net 1.onnx")
    for word in ("copy", "refer"):
        tiny_recognisers.emotion(root / word, corpus_of(network, word))
    sha256 = sha256_of(network)
    (root / "elsewhere").mkdir()
    shutil.copy(network, root / "elsewhere/net_1.onnx")
    network.unlink()
    tiny_recognisers.write_wav(root / "a.wav", tiny_recognisers.sound(1, 1.5))
    return root, sha256


def test_a_copied_network_goes_along(made, tmp_path):
    root, sha256 = made
    folder = tmp_path / "elsewhere/copy"
    shutil.copytree(root / "copy", folder)
    assert sha256_of(folder / "networks/net_1.onnx") == sha256
    text = (folder / "recogniser.json").read_text()
    assert str(root) not in text  # no path of the machine that it was made on
    assert json.loads(text)["parameters"]["audio"]["onnx"]["file"] == "networks/net_1.onnx"
    table = Recogniser.load(folder).predict(root / "a.wav")
    assert len(table) == 1
    (folder / "networks/net_1.onnx").write_bytes(b"another")
    with pytest.raises(RecogniserError, match=r"net_1.onnx: 7 bytes, expected"):
        Recogniser.load(folder)


def test_a_network_that_is_referred_to_is_named_until_it_is_there(made):
    root, sha256 = made
    assert not (root / "refer/networks").exists()
    recogniser = Recogniser.load(root / "refer")
    with pytest.raises(RecogniserError, match=r"networks/net_1.onnx: no such file") as error:
        recogniser.predict(root / "a.wav")
    assert sha256 in str(error.value)
    assert "\n" not in str(error.value)
    given = Recogniser.load(root / "refer", networks=root / "elsewhere").predict(root / "a.wav")
    pd.testing.assert_frame_equal(given, Recogniser.load(root / "copy").predict(root / "a.wav"))


def test_another_network_of_that_name_is_refused(made, tmp_path):
    root, _ = made
    sound_network(tmp_path / "net_1.onnx", ("batch", "n"))
    with pytest.raises(RecogniserError, match="features would be made otherwise than those of training"):
        Recogniser.load(root / "refer", networks=tmp_path).predict(root / "a.wav")


def test_rows_at_hand_need_no_network(made):
    root, _ = made
    recogniser = Recogniser.load(root / "refer")
    rows = Recogniser.load(root / "copy").features(root / "a.wav")
    assert np.isfinite(recogniser.predict_rows(rows).values).all()
