"""What register reads of a corpus' parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.params import FeatureFiles, Labels, Partitions


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
