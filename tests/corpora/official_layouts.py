"""Small corpora in the official layouts, byte for byte as the distributors write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")
STEP = 0.04


def gold(recording: str, dimension: str, frames: int = 251) -> np.ndarray:
    """Smooth gold standard that every test can compute for itself."""
    seed = sum(map(ord, recording + dimension))
    time = np.arange(frames) * STEP
    return np.round(0.3 * np.sin(0.7 * time + seed) + 0.1 * np.sin(1.9 * time + 2 * seed), 6)


def ratings(recording: str, dimension: str, frames: int = 251) -> np.ndarray:
    """Six raters: the gold standard with a bias and a scale of their own, (6, frames)."""
    scale = np.array([1.0, 0.9, 1.1, 0.8, 1.2, -0.3])[:, None]
    bias = np.array([0.0, 0.02, -0.02, 0.05, -0.05, 0.0])[:, None]
    return np.round(scale * gold(recording, dimension, frames) + bias, 6)


def arff(name: str, values: np.ndarray, dimension: str = "arousal") -> bytes:
    lines = [
        f"@relation GOLDSTANDARD_{dimension.upper()}",
        "",
        "@attribute Instance_name string",
        "@attribute frameTime numeric",
        "@attribute GoldStandard numeric",
        "",
        "",
        "@data",
        "",
        *(f"{name},{round(frame * STEP, 2):g},{value:.6f}" for frame, value in enumerate(values)),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def individual(values: np.ndarray) -> bytes:
    lines = ["time;" + ";".join(f"{rater} " for rater in RATERS)]
    for frame, row in enumerate(values.T):
        lines.append(f"{frame * STEP:.2f};" + ";".join(f"{value:.6f}" for value in row))
    return ("\n".join(lines) + "\n").encode()


FEATURES = {"features_audio": 5, "features_video_appearance": 4, "features_video_geometric": 6}
"""Folders of features and, instead of AVEC's 88, 168 and 632, how many."""


def feature_names(folder: str) -> tuple[str, ...]:
    return tuple(f"{folder.split('_')[-1][:4]}_{k}[x]" for k in range(FEATURES[folder]))


def features(folder: str, recording: str, dimension: str, frames: int = 251) -> np.ndarray:
    """Features that follow the gold standard and can be computed by every test, (frames, features)."""
    draw = np.random.default_rng(sum(map(ord, folder + recording + dimension)))
    signal = gold(recording, dimension, frames)[:, None] * np.arange(1, FEATURES[folder] + 1)
    return np.round(signal + 0.1 * draw.normal(size=signal.shape), 6)


HEADERS = (
    # columns before the features, with their cells; columns after them
    ((("name string", "{name}"), ("frameTime numeric", "{time}")), (("class numeric", "?"),)),
    ((("'Instance_name' string ", "'{name}'"), ('"timeStamp" real', "{time}")), ()),
    ((("TimeStamp NUMERIC", "{time}"),), (("name {{train, dev, test}}", "train"),)),
)
"""Columns that are no features, as they vary from file to file."""


def feature_arff(recording: str, names: tuple[str, ...], values: np.ndarray, header: int = 0) -> bytes:
    before, after = HEADERS[header]
    lines = [f"@relation '{recording}'", ""]
    lines += [f"@attribute {kind.format()}" for kind, _ in before]
    lines += [f"@attribute {name}\tnumeric  " for name in names]
    lines += [f"@attribute {kind.format()}" for kind, _ in after] + ["", " ", "@data", ""]
    for frame, row in enumerate(values):
        facts = {"name": recording, "time": f"{frame * STEP:.2f}"}
        cells = [cell.format(**facts) for _, cell in before]
        cells += ["?" if np.isnan(value) else f"{value:.6f}" for value in row]
        lines.append(",".join([*cells, *(cell.format(**facts) for _, cell in after)]))
    return ("\r\n".join(lines) + "\r\n").encode()


def write_features(root: Path, folder: str, recordings: list[str], frames: int = 251) -> None:
    """Write a folder of features, with other headers from recording to recording."""
    for dimension in ("arousal", "valence"):
        target = root / folder / dimension
        target.mkdir(parents=True, exist_ok=True)
        for number, recording in enumerate(recordings):
            values = features(folder, recording, dimension, frames)
            blob = feature_arff(recording, feature_names(folder), values, number % len(HEADERS))
            (target / f"{recording}.arff").write_bytes(blob)


def write_recola(root: Path, per_partition: int = 2, frames: int = 251, media: bool = True) -> Path:
    for partition in ("train", "dev", "test"):
        for number in range(1, per_partition + 1):
            name = f"{partition}_{number}"
            for folder, suffix in (("recordings_audio", ".wav"), ("recordings_video", ".mp4")):
                if not media:
                    continue
                (root / folder).mkdir(parents=True, exist_ok=True)
                (root / folder / f"{name}{suffix}").write_bytes(f"{folder} {name}".encode())
            if partition == "test":
                continue
            for dimension in ("arousal", "valence"):
                for folder, suffix, data in (
                    ("ratings_gold_standard", ".arff", arff(name, gold(name, dimension, frames), dimension)),
                    ("ratings_individual", ".csv", individual(ratings(name, dimension, frames))),
                ):
                    target = root / folder / dimension
                    target.mkdir(parents=True, exist_ok=True)
                    (target / f"{name}{suffix}").write_bytes(data)
    return root


OMG_ROWS = {
    "Train": [
        ("https://www.youtube.com/watch?v=a", 0.87, 16.93, "74de88564", "utterance_1.mp4", 0.057, 0.114, 4),
        ("https://www.youtube.com/watch?v=a", 16.93, 20.5, "74de88564", "utterance_3.mp4", 0.7, -0.5, 0),
        ("https://www.youtube.com/watch?v=b", 1.0, 4.0, "07ab3c980_1", "utterance_1.mp4", 0.2, 0.3, 3),
    ],
    "Validation": [
        ("https://www.youtube.com/watch?v=b", 5.0, 9.0, "5b44393ed", "utterance_2.mp4", 0.4, -0.4, 5),
    ],
    "Test": [
        ("https://www.youtube.com/watch?v=c", 0.0, 3.0, "33ab12cd0", "utterance_1.mp4", 0.1, 0.0, 6),
    ],
}


def write_omg(root: Path, rows: dict[str, list[tuple]] | None = None, test_labels: bool = False) -> Path:
    for partition, lines in (rows or OMG_ROWS).items():
        labelled = test_labels or partition != "Test"
        header = "link,start,end,video,utterance" + (",arousal,valence,EmotionMaxVote" if labelled else "")
        text = [header] + [",".join(str(cell) for cell in (line if labelled else line[:5])) for line in lines]
        root.mkdir(parents=True, exist_ok=True)
        (root / f"omg_{partition}Videos.csv").write_text("\n".join(text) + "\n")
        for line in lines:
            clip = root / partition / line[3] / line[4]
            clip.parent.mkdir(parents=True, exist_ok=True)
            clip.write_bytes(f"clip {line[3]} {line[4]}".encode())
    return root
