"""params.yaml as a file: missing, broken, or with what YAML reads otherwise than people do."""

from __future__ import annotations

import pytest
import yaml

from pipeline.params import ParamsError, load_params
from pipeline.params.yaml_file import read_yaml
from tests.parameters import parameters


def test_missing_file_and_broken_yaml(tmp_path):
    with pytest.raises(ParamsError, match="no such file; run from the root"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("run: [")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(("key", "shown"), [(1, "1"), (True, "true"), (None, "null")])
def test_a_name_that_yaml_takes_for_a_number_or_yes(tmp_path, key, shown):
    values = parameters()
    values["corpora"][key] = values["corpora"]["own"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ParamsError, match=f"corpora: found the key {shown}, expected text; put it in quotes"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "params.yaml: a is written twice, in lines 1 and 3"),
        (
            "a:\n  b: 1\n  b: 2\nc: [{d: 1, d: 2}]\n",
            "a.b is written twice, in lines 2 and 3; c.0.d is written",
        ),
        ("a: !!python/object:os.system {}\n", "could not determine a constructor for the tag"),
        ("a: [1\n", "not valid YAML: line 2, column 1"),
        ("a: \x00\n", "not valid YAML"),
        ("a: [1, {b: 010}]\n", "a.1.b: found 010 in line 1, expected a decimal number"),
        ("a: 1:30\nb: 1_000\n", "a: found 1:30 in line 1, .*; b: found 1_000 in line 2"),
        ("[" * 5000 + "]" * 5000, "in one another without end"),
    ],
)
def test_what_yaml_would_swallow(tmp_path, text, sentence):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match=sentence):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("number", ["0", "-1", "10", "0x10", ".5", "0.5", "1.0e-4", "1e5", "-0", "+3", "5."])
def test_numbers_that_everybody_reads_alike(tmp_path, number):
    (tmp_path / "a.yaml").write_text(f"a: {number}\n")
    assert float(int(number, 16) if "x" in number else number) == float(read_yaml(tmp_path / "a.yaml")["a"])


def test_a_file_that_is_not_utf8(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"a: M\xfcller\n")
    with pytest.raises(ParamsError, match=r"params.yaml: byte 0xfc is not UTF-8"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_bytes(b"")
    with pytest.raises(ParamsError, match="expected a group of keys"):
        load_params(tmp_path / "params.yaml")
