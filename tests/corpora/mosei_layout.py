"""A made-up CMU-MOSEI: files in the form of the CMU multimodal SDK, values of nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

VIDEOS = {"-aTrain1": "train", "12345": "train", "b_Valid": "valid", "Test-c": "test"}
"""Video -> fold; the name of one is a number, as some are."""
LENGTH = 2.0
"""Of each segment, seconds."""


def write_csd(path: Path, entries: Mapping[str, tuple[np.ndarray, np.ndarray]], root: str = "a root") -> None:
    """Write features and intervals of each entry, with the metadata that the SDK writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for entry, (features, intervals) in entries.items():
            group = file.create_group(f"{root}/data/{entry}")
            group.create_dataset("features", data=features, compression="gzip", compression_opts=9)
            group.create_dataset("intervals", data=intervals, compression="gzip", compression_opts=9)
        text = file.create_dataset(f"{root}/metadata/root name", (1,), dtype=h5py.special_dtype(vlen=str))
        text[0] = f'"{root}"'


def segment_times(count: int) -> np.ndarray:
    """Return intervals of segments with gaps of a second between them."""
    start = np.arange(count) * (LENGTH + 1.0)
    return np.stack((start, start + LENGTH), axis=1)


def write_labels(root: Path, labels: Mapping[str, np.ndarray]) -> None:
    """Write the labels of each video, (segments, 7), in the order of the SDK."""
    write_csd(
        root / "CMU_MOSEI_Labels.csd",
        {video: (values, segment_times(len(values))) for video, values in labels.items()},
        "All Labels",
    )


def write_folds(root: Path, videos: Mapping[str, str] = VIDEOS) -> None:
    """Write the lists of videos as the SDK has them."""
    lists = {
        fold: [video for video, own in videos.items() if own == fold] for fold in ("train", "valid", "test")
    }
    text = "\n".join(f"standard_{fold}_fold={own!r}" for fold, own in lists.items())
    (root / "cmu_mosei_std_folds.py").write_text(text + "\n")


def write_features(
    root: Path, name: str, rows: Mapping[str, Sequence[np.ndarray]], hop: float = 0.25, aligned: bool = False
) -> None:
    """Write features of each segment of each video: by video, or by segment after the SDK aligned them."""
    entries = {}
    for video, segments in rows.items():
        parts = []
        for (start, _), own in zip(segment_times(len(segments)), segments, strict=True):
            begin = start + np.arange(len(own)) * hop
            parts.append((own.astype(np.float32), np.stack((begin, begin + hop), axis=1)))
        if aligned:
            entries |= {f"{video}[{place}]": part for place, part in enumerate(parts)}
        else:
            entries[video] = tuple(np.concatenate(own) for own in zip(*parts, strict=True))
    write_csd(root / name, entries, name.removesuffix(".csd"))
