"""MTCNN's weight files and others of their format against torch.load, and what is refused."""

import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from pipeline.features.embeddings.torch_weights import read_tensors
from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.faces.mtcnn_weights import folder


def save(path, what):
    torch.save(what, path, _use_new_zipfile_serialization=False)
    return path


def assert_as_torch(path) -> None:
    found = read_tensors(path)
    expected = torch.load(path, weights_only=True)
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == np.float32
        assert found[name].flags.c_contiguous
        assert found[name].shape == tuple(tensor.shape)
        assert found[name].tobytes() == tensor.contiguous().numpy().tobytes()


@pytest.mark.parametrize(("name", "tensors"), [("pnet", 13), ("rnet", 16), ("onet", 21)])
def test_mtcnns_three_files(name, tensors):
    assert_as_torch(folder() / f"{name}.pt")
    assert len(read_tensors(folder() / f"{name}.pt")) == tensors


def test_parts_of_one_storage_transposed_and_repeated(tmp_path):
    whole = torch.arange(24.0)
    matrix = whole.view(4, 6)
    tensors = OrderedDict(
        part=whole[5:9],
        transposed=matrix.T,
        columns=matrix[1:, ::2],
        repeated=torch.tensor([1.0, 2.0]).expand(3, 2),
        scalar=whole[23],
        empty=torch.zeros(0, 3),
    )
    assert_as_torch(save(tmp_path / "views.pt", tensors))
    np.testing.assert_array_equal(read_tensors(tmp_path / "views.pt")["columns"][0], [6, 8, 10])


class Command:
    def __reduce__(self):
        return print, ("this must not run",)


def test_another_name_is_refused_and_not_called(tmp_path, capsys):
    state = OrderedDict(weight=torch.zeros(2), other=Command())
    with pytest.raises(
        WeightsError, match=r"bad\.pt: cannot be read as a PyTorch state dict of .*: it names .*print"
    ):
        read_tensors(save(tmp_path / "bad.pt", state))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"a": torch.zeros(2, dtype=torch.float64)}, r"it names torch\.DoubleStorage"),
        ({"a": 3.0}, "float"),
        (torch.nn.Linear(1, 1), r"it names torch\.nn\.modules\.linear\.Linear"),
        ([torch.zeros(2)], "list"),
    ],
)
def test_something_else_than_float32_tensors_is_refused(tmp_path, what, reason):
    with pytest.raises(
        WeightsError, match=f"odd.pt: cannot be read as a PyTorch state dict of float32 tensors: .*{reason}"
    ):
        read_tensors(save(tmp_path / "odd.pt", what))


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(map(pickle.dumps, (1, 2, {}))))
    with pytest.raises(WeightsError, match=r"it begins with \(1, 2\)"):
        read_tensors(path)


def test_a_file_cut_off_is_refused_wherever_it_ends(tmp_path):
    whole = save(tmp_path / "whole.pt", {"a": torch.arange(3.0)}).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.pt").write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"cut\.pt: cannot be read as a PyTorch"):
            read_tensors(tmp_path / "cut.pt")


def test_a_tensor_that_reaches_past_its_storage_is_refused(tmp_path):
    data = save(tmp_path / "good.pt", {"a": torch.arange(7.0)}).read_bytes()
    # the size (7,), after the offset 0, made 8: a read behind the end of memory if it were believed
    assert data.count(b"K\x00K\x07\x85") == 1
    (tmp_path / "far.pt").write_bytes(data.replace(b"K\x00K\x07\x85", b"K\x00K\x08\x85"))
    with pytest.raises(WeightsError, match=r"size=\(8,\).* ends after 7 values"):
        read_tensors(tmp_path / "far.pt")
