import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from safetensors.torch import save_file
from torch.nn import functional
from torchvision.models import vgg16
from torchvision.models.vgg import make_layers

from pipeline.features.embeddings.face_network import FaceVectors, embed, mean_vector
from pipeline.features.embeddings.onet import Onet
from pipeline.features.embeddings.vgg_architecture import Architecture, WeightsError
from pipeline.features.embeddings.vgg_face import VggFaceEmbedder
from pipeline.features.embeddings.vgg_fc7 import VggFace
from pipeline.features.embeddings.vgg_graph import MEAN_RGB
from pipeline.features.embeddings.weight_file import METADATA, require_tensors
from pipeline.features.extractor import Given
from pipeline.features.faces import detection as detections
from pipeline.features.faces.crops import crop
from pipeline.features.faces.face_table import BOX
from pipeline.features.faces.mtcnn import OnetEmbedder
from pipeline.features.media.frames import Frame
from pipeline.params import Embedding
from pipeline.store.rows import Rows

ONET = Embedding(network="mtcnn_onet", activation="post_relu", weights=None, margin=0.0)


def ramp(height=120, width=160):
    """Draw an image whose red is the column and whose green is the row."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width)
    image[..., 1] = np.arange(height)[:, None]
    return image


def test_a_box_of_the_wanted_size_is_cut_out_unchanged():
    np.testing.assert_array_equal(
        crop(ramp(), np.array([10, 20, 58, 68], np.float32), 0.0, 48), ramp()[20:68, 10:58]
    )


def test_an_oblong_box_is_made_square_about_its_centre():
    got = crop(ramp(), np.array([30, 20, 54, 68], np.float32), 0.0, 48)  # 24 x 48
    np.testing.assert_array_equal(got, ramp()[20:68, 18:66])


def test_margin_enlarges_on_each_side():
    got = crop(ramp(), np.array([50, 50, 74, 74], np.float32), 0.5, 48)  # 24 -> 48
    np.testing.assert_array_equal(got, ramp()[38:86, 38:86])


def test_shrinking_averages_and_magnifying_interpolates():
    small = crop(ramp(), np.array([10, 10, 106, 106], np.float32), 0.0, 48)
    np.testing.assert_allclose(small[0, :, 0], np.arange(10, 106, 2) + 0.5, atol=0.51)
    large = crop(ramp(), np.array([40, 40, 64, 64], np.float32), 0.0, 48)
    np.testing.assert_allclose(large[24, :, 0], 40 - 0.25 + np.arange(48) / 2, atol=0.6)


def test_outside_the_image_the_edge_is_repeated():
    got = crop(ramp(), np.array([-24, 0, 24, 48], np.float32), 0.0, 48)
    assert np.all(got[:, :25, 0] == 0)
    np.testing.assert_array_equal(got[:, 24:, 0], ramp()[:48, :24, 0])


def test_onet_dense5_leads_to_onets_own_probability():
    """dense5 is right if the layers behind it give what the whole network gives."""
    crops = np.random.default_rng(0).integers(0, 255, (5, 48, 48, 3), np.uint8)
    onet = MTCNN().onet
    vectors = torch.from_numpy(OnetEmbedder("post_relu").embed(crops))
    with torch.inference_mode():
        whole = onet((torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 127.5) / 128)
        np.testing.assert_allclose(onet.dense6_3(vectors), whole[1], rtol=1e-4, atol=1e-5)
    before = torch.from_numpy(OnetEmbedder("pre_relu").embed(crops))
    np.testing.assert_allclose(onet.prelu5(before).detach(), vectors, rtol=1e-5, atol=1e-6)


def test_rows_follow_the_detections(clips, params):
    faces = params.corpora["demo_sessions"].video.faces
    path = clips / "face_noface.mov"
    found = detections.detect(path, faces)
    rows = Onet(ONET, faces.frame_rate_hz).extract(Given("r", path, found), "cpu")
    assert rows.values.shape == (len(found), 256)
    np.testing.assert_array_equal(rows.valid, found.valid)
    assert not rows.values[~rows.valid].any()
    # independently: the first frame, cut with OpenCV, through O-Net
    capture = cv2.VideoCapture(str(path))
    image = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    vector = OnetEmbedder("post_relu").embed(crop(image, found.values[0, 1:5], 0.0, 48)[None])[0]
    centred = rows.values[0] - rows.values[rows.valid].mean(0), vector - rows.values[rows.valid].mean(0)
    assert np.dot(*centred) / np.linalg.norm(centred[0]) / np.linalg.norm(centred[1]) > 0.9


def test_units_of_earlier_runtimes_are_not_taken(tmp_path):
    (tmp_path / "vgg").write_text("weights")
    vgg = Embedding(network="vgg_face", activation="post_relu", weights=str(tmp_path / "vgg"), margin=0.0)
    versions = (Onet(ONET, 5.0).fingerprint()["version"], VggFace(vgg, 5.0).fingerprint()["version"])
    assert versions == (3, 4)


def test_fingerprint_changes_with_the_activation_and_the_margin():
    fingerprint = Onet(ONET, 5.0).fingerprint()
    for changed in ({"activation": "pre_relu"}, {"margin": 0.1}):
        assert Onet(ONET.model_copy(update=changed), 5.0).fingerprint() != fingerprint


def test_missing_and_wrong_weights_say_which_tensor(tmp_path):
    with pytest.raises(
        WeightsError, match=r"vgg\.safetensors: no such weight file; expected a safetensors file"
    ):
        VggFaceEmbedder(tmp_path / "vgg.safetensors", "pre_relu")
    with pytest.raises(WeightsError, match=r"vgg\.safetensors: no such weight file"):
        require_tensors(tmp_path / "vgg.safetensors")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(WeightsError, match="text: not a safetensors file"):
        require_tensors(tmp_path / "text")
    with pytest.raises(WeightsError, match="text: not a safetensors file"):
        VggFaceEmbedder(tmp_path / "text", "pre_relu")
    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "few")
    with pytest.raises(WeightsError, match=r"tensor features\.0\.bias is missing, expected shape \(64,\)"):
        VggFaceEmbedder(tmp_path / "few", "pre_relu")
    save_file({"features.0.weight": torch.zeros(64, 1, 3, 3)}, tmp_path / "odd")
    with pytest.raises(
        WeightsError, match=r"features\.0\.weight has shape \(64, 1, 3, 3\), expected \(64, 3, 3, 3\)"
    ):
        VggFaceEmbedder(tmp_path / "odd", "pre_relu")
    with pytest.raises(WeightsError, match=r"features\.0\.weight has shape \(64, 1, 3, 3\)"):
        require_tensors(tmp_path / "odd")


@pytest.mark.slow
def test_fc7_of_the_full_network_against_a_forward_pass_written_out(tmp_path):
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in vgg16(num_classes=2622).state_dict().items()}
    state = {
        name: torch.randn(shape, generator=generator) * (2 / max(1, np.prod(shape[1:]))) ** 0.5
        for name, shape in shapes.items()
    }
    save_file(state, tmp_path / "vgg.safetensors", {METADATA: "{}"})
    crops = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3), np.uint8)

    x = torch.from_numpy(crops.astype(np.float32) - np.array(MEAN_RGB, np.float32)).permute(0, 3, 1, 2)
    layer = 0
    for block in ([0, 1], [0, 1], [0, 1, 2], [0, 1, 2], [0, 1, 2]):
        for _ in block:
            x = functional.conv2d(
                x, state[f"features.{layer}.weight"], state[f"features.{layer}.bias"], padding=1
            )
            x = x.clamp(min=0)
            layer += 2
        x = functional.max_pool2d(x, 2)
        layer += 1
    x = x.reshape(2, 25088) @ state["classifier.0.weight"].T + state["classifier.0.bias"]
    fc7 = x.clamp(min=0) @ state["classifier.3.weight"].T + state["classifier.3.bias"]

    before = VggFaceEmbedder(tmp_path / "vgg.safetensors", "pre_relu").embed(crops)
    # values are about 100 in size, and single ones the small difference of large ones
    np.testing.assert_allclose(before, fc7, rtol=1e-4, atol=1e-5 * fc7.abs().max())
    after = VggFaceEmbedder(tmp_path / "vgg.safetensors", "post_relu").embed(crops)
    np.testing.assert_array_equal(after, np.maximum(before, 0))
    assert after.shape == (2, 4096)


NARROW = Architecture(((4, 5), (6, 4), (5, 7, 6), (8, 6, 7), (6, 7, 9)), dense=10, side=3)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """Return a file of a narrow VGG, and torchvision's layers with its weights."""
    widths = [width for block in NARROW.blocks for width in (*block, "M")]
    net = torch.nn.Sequential()
    net.features = make_layers(widths)
    net.flat = torch.nn.Flatten()
    net.classifier = torch.nn.Sequential(
        torch.nn.Linear(NARROW.blocks[-1][-1] * NARROW.side**2, NARROW.dense),
        torch.nn.ReLU(),
        torch.nn.Dropout(),
        torch.nn.Linear(NARROW.dense, NARROW.dense),
    )
    generator = torch.Generator().manual_seed(0)
    for tensor in net.parameters():
        size = max(1, np.prod(tensor.shape[1:]))
        tensor.data = torch.randn(tensor.shape, generator=generator) * (2 / size) ** 0.5
    path = tmp_path_factory.mktemp("narrow") / "narrow.safetensors"
    save_file(net.state_dict(), path, {METADATA: "{}"})
    return path, net.eval()


def test_fc7_is_torchvisions(narrow):
    path, net = narrow
    crops = np.random.default_rng(0).integers(0, 256, (5, NARROW.image, NARROW.image, 3), np.uint8)
    with torch.inference_mode():
        expected = net((torch.from_numpy(crops).float() - torch.tensor(MEAN_RGB)).permute(0, 3, 1, 2)).numpy()
    found = VggFaceEmbedder(path, "pre_relu", NARROW).embed(crops)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    assert (expected < 0).any()
    after = VggFaceEmbedder(path, "post_relu", NARROW).embed(crops)
    np.testing.assert_array_equal(after, np.maximum(found, 0))


def test_bytes_of_fc7_do_not_depend_on_the_batch(narrow):
    embedder = VggFaceEmbedder(narrow[0], "pre_relu", NARROW)
    crops = np.random.default_rng(1).integers(0, 256, (21, NARROW.image, NARROW.image, 3), np.uint8)
    together = embedder.embed(crops)
    for begin, end in ((0, 1), (20, 21), (3, 11), (5, 7)):
        assert embedder.embed(crops[begin:end]).tobytes() == together[begin:end].tobytes()


class Overflowing:
    """A network that has no number for bright faces."""

    size = 8
    names = ("mean",)

    def embed(self, crops):
        mean = crops.reshape(len(crops), -1).mean(1)
        return np.where(mean > 100, np.inf, mean).astype(np.float32)[:, None]


def test_a_face_that_the_network_has_no_number_for_is_not_valid(write_video):
    path = write_video([50, 200, 60, 60], [0.0, 0.5, 1.0, 1.5])
    ticks = np.arange(3) / 2
    faces = np.tile(np.array([[8, 8, 40, 40]], np.float32), (3, 1))
    found = embed(path, Rows(ticks, ticks + 0.5, faces, np.ones(3, bool), BOX), 2.0, 0.0, Overflowing())
    assert found.valid.tolist() == [True, False, True]
    assert found.values[1] == 0
    assert abs(found.values[[0, 2], 0] - [50, 60]).max() < 5


def test_a_picture_with_several_faces_has_the_mean_of_those_with_numbers():
    one, other = np.array([1.0, -3.0], np.float32), np.array([2.0, 5.0], np.float32)
    bad = np.array([np.nan, 0.0], np.float32)
    value, valid = mean_vector([one, bad, other])
    assert valid
    np.testing.assert_array_equal(value, [1.5, 1.0])
    value, valid = mean_vector(np.stack([bad, bad]))
    assert not valid
    assert not value.any()


class Corners:
    """Gives the mean colour of a crop, as often as it is asked; seen: the numbers of faces at once."""

    size, names = 8, ("red", "green", "blue")

    def __init__(self):
        self.seen = []

    def embed(self, crops):
        self.seen.append(len(crops))
        return crops.mean(axis=(1, 2)).astype(np.float32)


def test_all_faces_of_a_picture_are_averaged_in_whatever_batches():
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (7, 40, 200, 3), np.uint8)
    boxes = [np.array([[20 * k, 5, 20 * k + 18, 30] for k in range(count)], np.float32).reshape(-1, 4)
             for count in (3, 0, 10, 1, 2, 0, 4)]  # fmt: skip
    vectors, single = FaceVectors(Corners(), 0.0), Corners()
    for tick, own in enumerate(boxes):
        vectors.see(Frame(pictures[tick], tick / 5, range(tick, tick + 1)), own)
    start, valid = np.arange(7) / 5, np.array([len(own) > 0 for own in boxes])
    rows = vectors.rows(Rows(start, start + 0.2, np.zeros((7, 1), np.float32), valid, ("x",)))
    for tick, own in enumerate(boxes):
        expected = np.mean(
            [single.embed(crop(pictures[tick], box, 0.0, 8)[None])[0] for box in own] or [0.0], axis=0
        )
        np.testing.assert_allclose(rows.values[tick], np.broadcast_to(expected, 3), rtol=1e-6)
    assert rows.valid.tolist() == valid.tolist()
    assert vectors.embedder.seen == [8, 8, 4]
