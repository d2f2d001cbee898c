"""What register reads of a corpus' parameters, and a checkout in which it runs."""

from __future__ import annotations

import csv
import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.corpora.traces import load_traces
from pipeline.params import FeatureFiles, Labels, Partitions
from pipeline.paths import Paths


@dataclass
class Corpus:
    """The parameters that register reads."""

    layout: str
    root: Path
    extract: tuple[str, ...] = ("audio", "video")
    features: dict[str, FeatureFiles] = field(default_factory=dict)
    labels: Labels = Labels(  # noqa: RUF009
        gold_standard="given", annotation_delay=0.0, max_delay=5.0, triplet_classes="median"
    )
    partitions: Partitions = Partitions(method="given", folds=None, seed=0)  # noqa: RUF009
    media_folders: tuple[Path, ...] = ()
    task: str = "classification"


@dataclass
class Clone:
    """One checkout with a corpus beside it."""

    checkout: Path
    corpus: Corpus
    name: str = "c"

    @property
    def paths(self):
        return Paths(self.name, self.checkout)

    @property
    def root(self):
        return self.checkout / self.corpus.root

    @property
    def hashes(self):
        return self.checkout / ".emobed/hashes.json"

    def register(self):
        return register(self.corpus, self.paths, self.hashes)

    def rows(self):
        return {item.recording: item for item in read_manifest(self.paths.manifest)}

    def annotated(self):
        return set(load_traces(self.paths.traces / "traces.parquet")["recording"])

    def problems(self):
        with (self.paths.traces / "problems.csv").open(newline="") as file:
            return list(csv.reader(file))

    def files(self):
        return [self.paths.manifest, *sorted(self.paths.traces.iterdir())]

    def state(self):
        return [
            (path, path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in self.files()
        ]

    def without_media(self, checkout):
        """Clone what git and DVC would bring: manifest and traces, no media, no cache."""
        shutil.copytree(self.checkout / "data/manifests", checkout / "data/manifests")
        shutil.copytree(self.checkout / "data/labels", checkout / "data/labels")
        return Clone(checkout, self.corpus)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
