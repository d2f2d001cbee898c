"""Which extra brings a package that is not installed."""

from __future__ import annotations

import pytest

from pipeline.running import extras
from pipeline.running.extras import extra_for
from stages.ending import one_sentence

LISTED = [
    "numpy",
    'torch>=2; python_version >= "3.11"',
    'dvc; extra == "pipeline"',
    'emobed[onnx,weights]; extra == "pipeline"',
    'onnx; extra == "onnx"',
    'h5py; extra == "weights"',
    'onnx; extra == "weights"',
    "python-multipart>=0.1; python_version >= '3.11' and extra == 'serve'",
    'dask-jobqueue; extra == "cluster"',
    'httpx; extra == "dev"',
]


@pytest.fixture(autouse=True)
def _listed(monkeypatch):
    monkeypatch.setattr(extras, "requires", lambda name: LISTED)


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("h5py", "weights"),
        ("onnx.helper", "onnx"),
        ("python_multipart.multipart", "serve"),
        ("dask_jobqueue", "cluster"),
        ("torch", None),
        ("httpx", None),
        ("nobody_s", None),
    ],
)
def test_the_extra_that_brings_a_package(module, extra):
    found = extra_for(ModuleNotFoundError(f"No module named '{module}'", name=module))
    assert found == (extra and f"pip install 'emobed[{extra}]' brings it")


def test_other_errors_have_no_extra(monkeypatch):
    assert extra_for(ImportError("cannot import name", name="onnx")) is None
    assert extra_for(ModuleNotFoundError("without a name")) is None
    monkeypatch.setattr(extras, "requires", lambda name: None)
    assert extra_for(ModuleNotFoundError("onnx", name="onnx")) is None


def test_a_command_that_lacks_a_package_says_which_extra_to_install(tmp_path):
    said: list[str] = []
    with pytest.raises(SystemExit), one_sentence("emobed", tmp_path / "log", said.append, "go on"):
        raise ModuleNotFoundError("No module named 'h5py'", name="h5py")
    assert said == ["emobed: No module named 'h5py'; pip install 'emobed[weights]' brings it"]
    assert not (tmp_path / "log").exists()
