"""Corpora in the official layouts, each in a checkout of its own, not registered yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora import hashes as hashes_module
from tests.corpora.official_layouts import write_omg, write_recola
from tests.corpora.register_corpus import Clone, Corpus


@pytest.fixture
def recola(tmp_path):
    clone = Clone(tmp_path / "a", Corpus("avec2016", Path("data/raw/c")))
    write_recola(clone.root)
    return clone


@pytest.fixture
def omg(tmp_path):
    clone = Clone(tmp_path / "a", Corpus("omg", Path("data/raw/c")))
    write_omg(clone.root)
    return clone


@pytest.fixture
def table(tmp_path):
    clone = Clone(tmp_path / "a", Corpus("table", Path("data/raw/c")))
    clone.root.mkdir(parents=True)
    lines = ["recording,partition,speaker,audio,video,arousal"]
    for name in ("one", "two", "three"):
        (clone.root / f"{name}.wav").write_bytes(name.encode())
        lines.append(f"{name},train,{name},{name}.wav,,0.5")
    (clone.root / "recordings.csv").write_text("\n".join(lines) + "\n")
    return clone


@pytest.fixture
def hashed(monkeypatch):
    """Record which files are hashed."""
    paths = []
    original = hashes_module.sha256_of
    monkeypatch.setattr(hashes_module, "sha256_of", lambda path: paths.append(path.name) or original(path))
    return paths
