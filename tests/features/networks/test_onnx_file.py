"""ONNX files from anywhere: none names another file, and what does not fit is said in a sentence."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from pipeline.features.extractor import NotReadyError
from pipeline.features.networks.onnx_file import read_onnx
from tests.features.networks.made_networks import SIDE, face_network, save, with_external_data


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd"])
@pytest.mark.parametrize("where", ["initializer", "constant", "branch", "function"])
def test_weights_in_other_files_are_refused_wherever_they_are_named(tmp_path, where, location):
    path = with_external_data(tmp_path / "a.onnx", where, location)
    (tmp_path / "weights.bin").write_bytes(np.zeros(1, np.float32).tobytes())
    with pytest.raises(NotReadyError, match=r"a\.onnx: keeps weights in other files \('w'\), which are not"):
        read_onnx(path, "vector")


def test_a_file_that_is_none_or_breaks_off_is_refused(tmp_path):
    with pytest.raises(NotReadyError, match=r"a\.onnx: no such ONNX file"):
        read_onnx(tmp_path / "a.onnx", "vector")
    whole = face_network(tmp_path / "whole.onnx").read_bytes()
    for content in (b"", b"hello", b"\x80\x04pickle", whole[: len(whole) // 2]):
        (tmp_path / "a.onnx").write_bytes(content)
        with pytest.raises(NotReadyError, match=r"a\.onnx: not an ONNX file"):
            read_onnx(tmp_path / "a.onnx", "vector")


def test_inputs_and_outputs_that_do_not_fit_are_named(tmp_path):
    path = face_network(tmp_path / "a.onnx", shape=("batch", 3, SIDE, None))
    found = read_onnx(path, "maps")
    assert (found.input, found.output, found.shape) == ("x", "maps", f"any x 3 x {SIDE} x any")
    with pytest.raises(NotReadyError, match=r"has no output 'y', expected one of \['vector', 'maps'\]"):
        read_onnx(path, "y")
    add = [helper.make_node("Add", ["x", "mask"], ["y"])]
    two = save(tmp_path / "two.onnx", add, {"x": [1, 3], "mask": [1, 3]}, {"y": [1, 3]}, {})
    with pytest.raises(NotReadyError, match=r"has 2 inputs \(x, mask\), expected one"):
        read_onnx(two, "y")
    cast = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    whole = save(tmp_path / "whole.onnx", cast, {"x": [1, 3]}, {"y": [1, 3]}, {}, TensorProto.INT64)
    with pytest.raises(NotReadyError, match="its input 'x' is of type INT64, expected FLOAT"):
        read_onnx(whole, "y")
    bare = save(tmp_path / "bare.onnx", [helper.make_node("Abs", ["x"], ["y"])], {"x": None}, {"y": None}, {})
    with pytest.raises(NotReadyError, match="its input 'x' states no shape"):
        read_onnx(bare, "y")


def test_weights_that_are_inputs_too_are_no_inputs(tmp_path):
    """Files of the format's first years list them so."""
    tensors = {"w": np.ones(3, np.float32)}
    add = [helper.make_node("Add", ["x", "w"], ["y"])]
    path = save(tmp_path / "a.onnx", add, {"x": [1, 3], "w": [3]}, {"y": [1, 3]}, tensors)
    assert read_onnx(path, "y").input == "x"
