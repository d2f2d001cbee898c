"""P-, R- and O-Net in onnxruntime against facenet-pytorch's; a picture gets the same in any batch."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.faces.mtcnn_networks import ACTIVATED, DENSE5, graph_of, network
from pipeline.features.faces.mtcnn_weights import folder

THEIRS = {"pnet": (PNet, (31, 50)), "rnet": (RNet, (24, 24)), "onet": (ONet, (48, 48))}


def noise(count: int, shape=(48, 48)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape, 3)).astype(np.float32)


def drawn() -> np.ndarray:
    """Draw crops of one colour, of ramps and of stripes: values at both ends of the scale."""
    crops = np.zeros((6, 48, 48, 3), np.float32)
    crops[1] = 255
    crops[2] = (250, 120, 3)
    crops[3] = np.linspace(0, 255, 48)[:, None, None]
    crops[4] = np.linspace(0, 255, 48)[:, None]
    crops[5, ::5] = 255
    return crops


def in_torch(pictures: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2) - 127.5) * 0.0078125


def assert_near(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare relative to the vectors' size: a value near zero is the difference of large ones."""
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", THEIRS)
def test_probabilities_offsets_and_landmarks_are_facenet_pytorchs(name):
    theirs, shape = THEIRS[name]
    pictures = noise(5, shape)
    found = network(name).run(pictures)
    with torch.inference_mode():
        *offsets, probability = theirs()(in_torch(pictures))
    shares = np.exp(found[:, :2].astype(np.float64))
    assert_near((shares[:, 1] / shares.sum(axis=1)).astype(np.float32), probability[:, 1].numpy())
    assert_near(found[:, 2:], np.concatenate([part.numpy() for part in offsets], axis=1))


@pytest.mark.parametrize("crops", [noise(1), noise(50), drawn()])
def test_the_layer_before_is_facenet_pytorchs(crops):
    onet, seen = ONet(), []
    onet.dense5.register_forward_hook(lambda layer, given, found: seen.append(found))
    onet.prelu5.register_forward_hook(lambda layer, given, found: seen.append(found))
    with torch.inference_mode():
        onet(in_torch(crops))
    for output, expected in zip((DENSE5, ACTIVATED), seen, strict=True):
        assert network("onet").run(crops, output).shape == (len(crops), 256)
        assert_near(network("onet").run(crops, output), expected.numpy())


@pytest.mark.parametrize(("name", "output"), [("pnet", "found"), ("rnet", "found"), ("onet", "found"),
                                              ("onet", DENSE5)])  # fmt: skip
def test_bytes_do_not_depend_on_the_batch(name, output):
    pictures, own = noise(70, THEIRS[name][1]), network(name)
    together = own.run(pictures, output)
    for begin, end in ((0, 1), (3, 20), (17, 18), (40, 70)):
        assert own.run(pictures[begin:end], output).tobytes() == together[begin:end].tobytes()


def test_no_crops_give_no_vectors():
    assert network("onet").run(noise(0), DENSE5).shape == (0, 256)


def test_another_networks_file_says_what_is_missing():
    with pytest.raises(WeightsError, match=r"rnet\.pt: not the weights of onet: .*conv4\.weight"):
        graph_of("onet", folder() / "rnet.pt")


def test_the_same_weights_give_the_same_file():
    path = folder() / "rnet.pt"
    assert graph_of("rnet", path) == graph_of("rnet", path)


def test_torch_is_not_imported():
    code = (
        "import sys, numpy; from pipeline.features.faces.mtcnn import OnetEmbedder; "
        "from pipeline.features.faces.mtcnn_cascade import Cascade, SummedPicture; "
        "picture = SummedPicture(numpy.zeros((80, 90, 3), 'u1')); "
        "found = Cascade(20, (0.6, 0.7, 0.7), 0.7).detect(picture); "
        "vectors = OnetEmbedder('post_relu').embed(numpy.zeros((1, 48, 48, 3), 'u1')); "
        "print(vectors.shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "(1, 256) False"
