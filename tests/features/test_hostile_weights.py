"""Weight files that run code, read other files, or ask for gigabytes: one sentence each, nothing done."""

import io
import json
import pickle
import resource
import struct
import tracemalloc
import zipfile
from collections import OrderedDict

import h5py
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture, WeightsError
from pipeline.features.embeddings.vgg_face import VggFaceEmbedder
from pipeline.features.embeddings.weight_file import METADATA, require_tensors
from pipeline.tools.vgg_weights.convert import convert
from pipeline.tools.vgg_weights.state_dict import read_tensors
from tests.features.vgg_files import (
    FILES,
    NARROW,
    T7Writer,
    draw,
    keras_arrays,
    pth_arrays,
    write_deepface,
    write_pth,
    write_rcmalli,
    write_t7,
)

SMALL = Architecture(**NARROW)
GIGABYTES = 1 << 40


@pytest.fixture(scope="module")
def drawn():
    return draw(**NARROW)


@pytest.fixture(autouse=True)
def little_memory():
    """A reader that believes what a file asks for is told that there is none."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115, PTH123
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 29), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


class Evil:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (self.path.touch, ())


def refused(path, sentence):
    with pytest.raises(WeightsError, match=sentence) as caught:
        convert(path, path.parent / "out", SMALL)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert not (path.parent / "out").exists()
    assert not (path.parent / "ran").exists()


# --- pickles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pkl", "a.pt", "a.pth", "old.pt", "a.h5"])
def test_a_pickle_in_any_file_is_never_run(tmp_path, name):
    path, evil = tmp_path / name, np.array([Evil(tmp_path / "ran")], dtype=object)
    if name == "a.npy":
        np.save(path, evil, allow_pickle=True)
        refused(path, "an array of NumPy")
    elif name == "a.npz":
        np.savez(path, evil)
        refused(path, r"a zip archive that breaks off, or that torch\.save did not write")
    elif name == "a.pkl":
        path.write_bytes(pickle.dumps(evil))
        refused(path, "a pickle, which could run code and is not read")
    elif name == "a.h5":
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = np.void(pickle.dumps(evil))
        refused(path, "layer_names is no list of names")
    else:
        state = {"conv1_1.weight": Evil(tmp_path / "ran")}
        torch.save(state, path, _use_new_zipfile_serialization=name != "old.pt")
        refused(path, "cannot be read as a PyTorch state dict of float32 tensors: it names .*getattr")


def evil(path, text):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", text)
        archive.writestr("a/version", "3\n")
    return path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.", r"it names os\.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "it uses SHORT_BINUNICODE"),
        (b"\x80\x04X\x02\0\0\0osX\x06\0\0\0system\x93.", "it uses STACK_GLOBAL"),
        (b"\x80\x02(ios\nsystem\n.", "it uses INST"),
        (b"\x80\x02\x82\x01.", "it uses EXT1"),
        (b"\x80\x04\x8e" + struct.pack("<Q", GIGABYTES) + b"x.", "expected|exhausted|bytes"),  # BINBYTES8
        (b"\x80\x02X\xff\xff\xff\xff.", "expected 4294967295 bytes"),
        (b"\x80\x02K\x01r\xff\xff\xff\x7f0K\x01.", "it uses POP"),
        (b"\x80\x02]" + b"q\0" + b"\x85" * 100_000 + b".", "more than 10,000 tuples"),
        (b"\x80\x02}(((((", "pickle exhausted"),
        (b"\x80\x02\x85.", "pop from empty list|index out of range"),
        (b"\x80\x02R.", "pop from empty list|index out of range"),
        (b"\x80\x02K\x01.", "it holds a int"),
        (b"\x80\x02}K\x01K\x02s.", "it has the key 1, expected a name"),
        (b"\x80\x02h\x07.", "twice that is no name"),
    ],
)
def test_pickles_that_call_nest_or_ask_for_gigabytes(tmp_path, text, sentence):
    path = evil(tmp_path / "evil.pth", text)
    refused(path, f"cannot be read as a PyTorch state dict of float32 tensors: .*({sentence})")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"\x80\x02}K\x01q\0" + b"h\0\x86q\0" * 60 + b"K\x01s.", "it holds something twice that is no name"),
        (b"\x80\x02}q\1]q\0" + b"h\0\x86q\0" * 60 + b"K\x01s.", "it holds something twice that is no name"),
        (b"\x80\x02cbuiltins\nbytearray\n\x8a\x06" + bytes(5) + b"\1\x85R.", r"it names builtins\.bytearray"),
        (b"\x80\x02ctorch\nTensor\n\x8a\x06" + bytes(5) + b"\1\x85R.", r"it names torch\.Tensor"),
    ],
)
def test_what_torch_itself_would_take_for_ever_or_all_memory_for(tmp_path, text, sentence):
    refused(evil(tmp_path / "evil.pth", text), sentence)


def test_an_archive_without_a_version_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}, protocol=2))
    refused(tmp_path / "a.pth", "it lacks the part `version`")


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize(
    ("place", "sentence"),
    [("storage", "size|memory"), ("tensor", "out of bounds|not resizable|size|memory")],
)
def test_a_description_that_states_gigabytes_is_refused(tmp_path, legacy, place, sentence):
    """Of the storage, and of the tensor that should lie in it."""
    torch.save({"a": torch.arange(7.0)}, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    before = {"storage": b"K\x07", "tensor": b"K\x00K\x07\x85"}[place]
    after = before.replace(b"K\x07", b"\x8a\x06" + GIGABYTES.to_bytes(6, "little"))
    if legacy:
        content = (tmp_path / "a.pth").read_bytes()
        assert before in content
        (tmp_path / "a.pth").write_bytes(content.replace(before, after, 1))
    else:
        with zipfile.ZipFile(tmp_path / "a.pth") as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, part.replace(before, after, 1) if name.endswith(".pkl") else part)
    refused(tmp_path / "a.pth", f"cannot be read as a PyTorch state dict of float32 tensors: .*({sentence})")


# --- archives ------------------------------------------------------------------------------------


def test_an_archive_that_expands_is_refused_before_it_does(tmp_path):
    path = tmp_path / "bomb.pth"
    torch.save(OrderedDict(a=torch.arange(3.0)), tmp_path / "good.pth")
    with (
        zipfile.ZipFile(tmp_path / "good.pth") as good,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in good.namelist():
            bomb.writestr(name, bytes(50_000_000) if name.endswith("/data/0") else good.read(name))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    refused(path, "its parts are compressed, which torch.save never does")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_parts_that_lie_on_one_another_are_refused(tmp_path):
    """Entries of a directory may all point at the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a/data.pkl", bytes(10_000))
        first = archive.infolist()[0]
        for number in range(20):
            copy = zipfile.ZipInfo(f"a/data/{number}")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(copy, name, getattr(first, name))
            archive.filelist.append(copy)
    (tmp_path / "twice.pth").write_bytes(content.getvalue())
    refused(tmp_path / "twice.pth", "its parts together are larger than the file")


def test_a_large_pickle_in_an_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", bytes(5_000_000))
    refused(tmp_path / "a.pth", r"it holds 1 data\.pkl of \[5000000\] bytes, expected one of at most")


def test_an_archive_that_was_edited_or_cut_off_is_refused(tmp_path, drawn):
    write_pth(tmp_path / "good.pth", drawn)
    content = (tmp_path / "good.pth").read_bytes()
    with zipfile.ZipFile(tmp_path / "good.pth") as archive:
        place = next(e.header_offset for e in archive.infolist() if e.filename.endswith("/data/0"))
    edited = bytearray(content)
    edited[place + 200] ^= 1
    (tmp_path / "edited.pth").write_bytes(edited)
    refused(tmp_path / "edited.pth", "Bad CRC-32")
    (tmp_path / "cut.pth").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "cut.pth", "a zip archive that breaks off")


def test_torchs_newer_format_is_read_as_torch_reads_it(tmp_path):
    whole = torch.arange(24.0)
    state = OrderedDict(part=whole[5:9], turned=whole.view(4, 6).T, parameter=torch.nn.Parameter(whole[:3]))
    torch.save(state, tmp_path / "a.pt")
    found = read_tensors(tmp_path / "a.pt")
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy())
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2, track_running_stats=False))
    torch.save(model.state_dict(), tmp_path / "b.pt")  # with the versions of its modules
    assert list(read_tensors(tmp_path / "b.pt")) == ["0.weight", "0.bias", "1.weight", "1.bias"]


@pytest.mark.parametrize("legacy", [True, False])
def test_one_value_repeated_to_gigabytes_is_refused(tmp_path, legacy):
    state = {"conv1_1.weight": torch.zeros(1).expand(1 << 20, 1 << 12)}
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    assert (tmp_path / "a.pth").stat().st_size < 5_000
    refused(tmp_path / "a.pth", "'conv1_1.weight' repeats its values beyond the size of the file")


def test_a_storage_that_states_gigabytes_is_refused(tmp_path):
    torch.save({"a": torch.arange(7.0)}, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    content = (tmp_path / "a.pth").read_bytes()
    count = (7).to_bytes(8, "little")
    assert content.count(count) == 1
    for stated in (GIGABYTES, (1 << 63) - 1, -1):
        changed = content.replace(count, stated.to_bytes(8, "little", signed=stated < 0))
        (tmp_path / "a.pth").write_bytes(changed)
        refused(tmp_path / "a.pth", "storage has wrong byte size")


# --- Torch7 --------------------------------------------------------------------------------------


def test_torch7_tensors_that_state_gigabytes_are_refused(tmp_path, drawn):
    with (tmp_path / "a.t7").open("wb") as file:
        T7Writer(file).value(("nn.Sequential", {"x": np.ones((2, 3), np.float32)}))
    content = (tmp_path / "a.t7").read_bytes()
    place = content.index((2).to_bytes(8, "little") + (3).to_bytes(8, "little"))
    changed = bytearray(content)
    changed[place : place + 32] = struct.pack("<4q", 1 << 62, 1 << 62, 0, 0)  # sizes, strides
    (tmp_path / "a.t7").write_bytes(changed)
    refused(tmp_path / "a.t7", "cannot be read as a Torch7 file")


def test_torch7_modules_that_hold_themselves_are_read_once(tmp_path, drawn):
    content = io.BytesIO()
    writer = T7Writer(content)
    writer.head(4)
    writer.text("V 1")
    writer.text("nn.Sequential")
    writer.head(3)
    writer.put("i", 1)
    writer.value("modules")
    writer.head(3)
    writer.put("i", 1)
    writer.value(1)
    writer.put("i", 4)  # the object with number 1: itself
    writer.put("i", 1)
    (tmp_path / "a.t7").write_bytes(content.getvalue())
    refused(tmp_path / "a.t7", r"tensor module \(conv1_1\) weight is missing")


# --- HDF5 ----------------------------------------------------------------------------------------


def keras(path, drawn, change):
    write_rcmalli(path, drawn)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def replaced(file, make):
    """Put another dataset in place of the kernel of conv1_1."""
    group = file["conv1_1"]["conv1_1"]
    values = group["kernel:0"][()]
    del group["kernel:0"]
    make(group, values)


def test_links_out_of_a_keras_file_are_not_followed(tmp_path, drawn):
    write_rcmalli(tmp_path / "other.h5", drawn)

    def external_layer(file):
        del file["conv1_1"]
        file["conv1_1"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/conv1_1")

    def external_tensor(file):
        replaced(file, lambda group, _: group.__setitem__("kernel:0", h5py.ExternalLink("/etc/passwd", "/")))

    def soft(file):
        replaced(file, lambda group, _: group.__setitem__("kernel:0", h5py.SoftLink("/nowhere")))

    for change, name in ((external_layer, "conv1_1"), (external_tensor, "kernel:0"), (soft, "kernel:0")):
        path = keras(tmp_path / "a.h5", drawn, change)
        refused(path, f"{name} is a link, expected what it points to")
        path.unlink()
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    refused(tmp_path / "whole.h5", "model_weights is a link")


def test_values_of_other_files_are_not_read(tmp_path, drawn):
    (tmp_path / "secret").write_bytes(bytes(1000))

    def external(file):
        shape = (3, 3, 3, 4)
        where = [(str(tmp_path / "secret"), 0, 4 * 108)]
        replaced(file, lambda group, _: group.create_dataset("kernel:0", shape, "f4", external=where))

    def virtual(file):
        layout = h5py.VirtualLayout((3, 3, 3, 4), "f4")
        layout[...] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", shape=(3, 3, 3, 4))
        replaced(file, lambda group, _: group.create_virtual_dataset("kernel:0", layout))

    for change in (external, virtual):
        path = keras(tmp_path / "a.h5", drawn, change)
        refused(path, "kernel:0 takes its values from other files, expected plain floats")
        path.unlink()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"shape": (1 << 20, 1 << 20), "dtype": "f4"},
            "states 4,398,046,511,104 bytes of values and does not",
        ),
        ({"shape": (9, 9, 9), "dtype": "f4", "compression": "gzip"}, "is compressed or filtered"),
        ({"shape": (9, 9), "dtype": h5py.string_dtype()}, "holds object"),
        ({"shape": (9, 9), "dtype": np.dtype("V1000000")}, "holds"),
    ],
)
def test_datasets_that_ask_for_gigabytes_or_hold_no_numbers(tmp_path, drawn, options, sentence):
    def change(file):
        replaced(file, lambda group, _: group.create_dataset("kernel:0", **options))

    refused(keras(tmp_path / "a.h5", drawn, change), f"kernel:0 {sentence}")


@pytest.mark.parametrize("which", ["layer_names", "weight_names"])
def test_a_name_that_states_gigabytes_is_not_read(tmp_path, drawn, which):
    write_rcmalli(tmp_path / "a.h5", drawn, variable=True)
    with h5py.File(tmp_path / "a.h5", "r+") as file:  # one name that is found again in the bytes of the file
        group = file if which == "layer_names" else file["conv1_1"]
        names = ["x" * 1234, *group.attrs[which][1:]]
        group.attrs[which] = np.array(names, h5py.string_dtype())
    content = (tmp_path / "a.h5").read_bytes()
    length = (1234).to_bytes(4, "little")
    assert length in content
    (tmp_path / "a.h5").write_bytes(content.replace(length, b"\xff\xff\xff\xf0"))
    write_rcmalli(tmp_path / "good.h5", drawn)
    hashes = {
        convert(tmp_path / name, tmp_path / "out", SMALL).tensors_sha256 for name in ("a.h5", "good.h5")
    }
    assert len(hashes) == 1  # the layers are found by other means


@pytest.mark.parametrize("place", ["directory", "pickle"])
def test_an_archive_whose_names_are_no_text_is_refused(tmp_path, drawn, place):
    write_pth(tmp_path / "a.pth", drawn)
    content = (tmp_path / "a.pth").read_bytes()
    place = content.rindex(b"a/data/3") if place == "directory" else content.index(b"conv1_1.weight")
    (tmp_path / "a.pth").write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    refused(tmp_path / "a.pth", "a zip archive that breaks off|Bad CRC-32")


@pytest.mark.parametrize("names", [np.arange(3), "conv1_1", np.array([["a", "b"]], "S1"), np.float32(2)])
def test_layer_names_that_are_no_list_of_names(tmp_path, drawn, names):
    path = keras(tmp_path / "a.h5", drawn, lambda file: file.attrs.__setitem__("layer_names", names))
    refused(path, "layer_names is no list of names")


def test_a_keras_file_cut_off_is_refused_wherever_it_ends(tmp_path, drawn):
    write_rcmalli(tmp_path / "good.h5", drawn)
    content = (tmp_path / "good.h5").read_bytes()
    for length in range(100, len(content), len(content) // 40):
        (tmp_path / "cut.h5").write_bytes(content[:length])
        refused(tmp_path / "cut.h5", r"cut\.h5")


# --- safetensors ---------------------------------------------------------------------------------


def header(about, length=None):
    text = json.dumps(about).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


def embedder(path, architecture=VGG_FACE):
    """Load the weights as extraction does."""
    return VggFaceEmbedder(path, "pre_relu", architecture)


@pytest.mark.parametrize(
    "content",
    [
        header({}, GIGABYTES),
        header({}, (1 << 64) - 1),
        header({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}),
        header({"a": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 0]}}),
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}) + bytes(8),
        struct.pack("<Q", 50_000) + b"[" * 50_000,
    ],
)
def test_a_safetensors_header_that_asks_for_gigabytes(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    for read in (require_tensors, embedder):
        with pytest.raises(WeightsError, match=r"a\.safetensors: not a safetensors file"):
            read(tmp_path / "a.safetensors")


def test_a_safetensors_file_that_was_not_imported_is_refused(tmp_path):
    """Torchvision's VGG-16 of ImageNet has these very names and shapes."""
    tensors = {name: np.zeros(shape, np.float32) for name, shape in SMALL.shapes.items()}
    save_file(tensors, tmp_path / "vgg16.safetensors")
    for read in (require_tensors, embedder):
        with pytest.raises(WeightsError, match="was not made by `emobed weights import`; a VGG-16 of ImageN"):
            read(tmp_path / "vgg16.safetensors", SMALL)
    save_file(tensors, tmp_path / "vgg16.safetensors", {METADATA: "{}"})
    require_tensors(tmp_path / "vgg16.safetensors", SMALL)


# --- ImageNet ------------------------------------------------------------------------------------

BLOCKS = [
    f"block{b}_conv{n}" for b, widths in enumerate(NARROW["blocks"], 1) for n in range(1, len(widths) + 1)
]
OWN = [*BLOCKS, "fc1", "fc2", "predictions"]


def write_keras_applications(path, network, names=OWN, convolutional=False):
    """Write VGG-16 as Keras' own file holds it."""
    arrays = keras_arrays(network, convolutional)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name, (weight, bias) in zip(names, arrays.values(), strict=True):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
            group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = weight, bias


@pytest.mark.parametrize("classes", [1000, NARROW["classes"]])
@pytest.mark.parametrize("convolutional", [False, True])
def test_keras_own_vgg16_is_refused_by_the_names_of_its_layers(tmp_path, classes, convolutional):
    network = draw(**NARROW | {"classes": classes})
    write_keras_applications(tmp_path / "vgg16_weights.h5", network, convolutional=convolutional)
    refused(
        tmp_path / "vgg16_weights.h5",
        "its layer block1_conv1 should be conv1_1; .* Keras' own VGG-16, trained",
    )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("classes", [1000, 2622, 10])
def test_other_outputs_than_those_of_vgg_face_are_refused_in_all_formats(tmp_path, name, classes):
    FILES[name][0](tmp_path / name, draw(**NARROW | {"classes": classes}))
    refused(
        tmp_path / name, rf"fc8\)?, the last layer, has {classes} outputs, expected the 11 people of VGG-Face"
    )


@pytest.mark.parametrize("name", FILES)
def test_without_the_last_layer_nobody_can_tell(tmp_path, name, drawn):
    FILES[name][0](tmp_path / name, {layer: own for layer, own in drawn.items() if layer != "fc8"})
    refused(tmp_path / name, r"fc8\)?, the last layer, is missing, expected the 11 people of VGG-Face")


def test_the_real_network_tells_2622_people_apart():
    assert Architecture().classes == 2622


def test_torchvisions_state_dict_is_refused_by_its_names(tmp_path, drawn):
    layers = [layer.torchvision for layer in SMALL.layers] + ["classifier.6"]
    state = {
        f"{torchvision}.{part}": torch.from_numpy(pth_arrays(drawn)[f"{name}.{part}"])
        for name, torchvision in zip(drawn, layers, strict=True)
        for part in ("weight", "bias")
    }
    torch.save(OrderedDict(state), tmp_path / "vgg16-397923af.pth")
    refused(tmp_path / "vgg16-397923af.pth", r"its tensors have torchvision's names \(features\.0\.weight\)")


@pytest.mark.parametrize("write", [write_pth, write_t7, write_rcmalli, write_deepface])
def test_vgg_face_itself_is_read(tmp_path, drawn, write):
    write(tmp_path / "file", drawn)
    convert(tmp_path / "file", tmp_path / "out", SMALL)
    assert (tmp_path / "out").is_file()


@pytest.mark.parametrize("name", [*FILES, "old.pth", "variable.h5"])
def test_flipped_bytes_are_read_or_refused_and_nothing_else(tmp_path, drawn, name):
    """Most flips in what describes the file; a flipped weight is a weight, where the format has no hash."""
    path, rng = tmp_path / name, np.random.default_rng(7)
    if name == "old.pth":
        write_pth(path, drawn, legacy=True)
    elif name == "variable.h5":
        write_rcmalli(path, drawn, variable=True)
    else:
        FILES[name][0](path, drawn)
    good = path.read_bytes()
    refused_with: list[str] = []
    for _ in range(60):
        content = bytearray(good)
        for place in rng.integers(0, min(6000, len(good)), 3):
            content[place if rng.random() < 0.7 else -1 - place] = rng.integers(256)
        path.write_bytes(content)
        try:
            convert(path, tmp_path / "out", SMALL)
        except WeightsError as error:
            refused_with.append(str(error))
    assert len(refused_with) > 10
    assert all(str(path) in sentence for sentence in refused_with)
