"""O-Net in NumPy against the detection cascade's in torch; a vector does not depend on the others."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from pipeline.features.embeddings.onet_numpy import BLOCK, Onet
from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.faces.mtcnn_networks import load_weights, onet_dense5, scaled
from pipeline.features.faces.mtcnn_weights import folder


@pytest.fixture(scope="module")
def onet() -> Onet:
    return Onet(folder() / "onet.pt")


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48, 3), np.uint8)


def drawn() -> np.ndarray:
    """Draw crops of one colour, of ramps and of stripes: values at both ends of the scale."""
    crops = np.zeros((6, 48, 48, 3), np.uint8)
    crops[1] = 255
    crops[2] = (250, 120, 3)
    crops[3] = np.linspace(0, 255, 48)[:, None, None]
    crops[4] = np.linspace(0, 255, 48)[:, None]
    crops[5, ::5] = 255
    return crops


def in_torch(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return dense5 before and after its PReLU as the detection cascade computes them."""
    weights = load_weights("onet", "cpu")
    with torch.inference_mode():
        before = onet_dense5(weights, scaled(torch.from_numpy(crops).permute(0, 3, 1, 2).float()))
        after = torch.nn.functional.prelu(before, weights["prelu5.weight"])
    return before.numpy(), after.numpy()


@pytest.mark.parametrize("crops", [noise(1), noise(BLOCK + 1), noise(50), drawn()])
def test_dense5_is_the_cascades(onet, crops):
    before, after = in_torch(crops)
    found = onet.dense5(crops)
    assert found.dtype == np.float32
    assert found.shape == (len(crops), 256)
    # relative to the vectors' size: a value near zero is the difference of large ones
    np.testing.assert_allclose(found, before, rtol=1e-5, atol=1e-5 * np.abs(before).max())
    np.testing.assert_allclose(onet.activated(found), after, rtol=1e-5, atol=1e-5 * np.abs(after).max())


def test_a_vector_is_the_same_alone_and_among_200(onet):
    crops = noise(200)
    together = onet.dense5(crops)
    alone = np.concatenate([onet.dense5(crop[None]) for crop in crops])
    assert together.tobytes() == alone.tobytes()
    assert together[3:20].tobytes() == onet.dense5(crops[3:20]).tobytes()


def test_a_vector_is_the_same_on_one_thread_and_on_two(onet):
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(onet.dense5(noise(20)).tobytes())
            blas = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
            assert blas == {threads}  # as it was before
    assert found[0] == found[1]


def test_no_crops_give_no_vectors(onet):
    assert onet.dense5(noise(0)).shape == (0, 256)


def test_another_networks_file_says_what_is_missing():
    with pytest.raises(WeightsError, match=r"rnet\.pt: not O-Net's weights: .*conv4\.weight"):
        Onet(folder() / "rnet.pt")


def test_a_slope_above_one_is_refused(tmp_path):
    weights = torch.load(folder() / "onet.pt", weights_only=True)
    weights["prelu3.weight"][5] = 1.5
    torch.save(weights, tmp_path / "steep.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match=r"steep\.pt: a slope of a PReLU is above 1"):
        Onet(tmp_path / "steep.pt")


def test_torch_is_not_imported():
    code = (
        "import sys, numpy; from pipeline.features.faces.mtcnn import OnetEmbedder; "
        "vectors = OnetEmbedder('post_relu').embed(numpy.zeros((1, 48, 48, 3), 'u1')); "
        "print(vectors.shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "(1, 256) False"
