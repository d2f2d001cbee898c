"""Options of a run that are refused before any work."""

from __future__ import annotations

import io

import pytest

from pipeline.predicting.options import OptionError, Options
from pipeline.predicting.run import predict_all


@pytest.mark.parametrize(
    ("option", "wanted"), [("embeddings", "two files"), ("plots", "a file and a folder")]
)
def test_what_is_written_is_never_one_file_twice(tmp_path, option, wanted):
    options = Options(out=tmp_path / "a.csv", **{option: tmp_path / "b/../a.csv"})
    with pytest.raises(OptionError, match=rf"and --out are both .*a\.csv, expected {wanted}"):
        predict_all(["nothing"], options, print, io.BytesIO())
